"""The text of the last policy that could be used, for instances that start later."""

from lanyard.ports.tables import Table

# A column of a table row holds 64 KiB of UTF-16, so 32,768 characters.
_CHUNK = 30_000
_PARTITION = "policy"
_KEY = "good"


class LastGood:
    """The text of the last version that could be used, in the control table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def read(self) -> str:
        """The text; "" where there was none yet."""
        row = await self._table.get(_PARTITION, _KEY)
        if row is None:
            return ""
        parts = sorted(name for name in row.values if name.startswith("text"))
        return "".join(row.values[name] for name in parts)

    async def save(self, text: str) -> None:
        """Keep it."""
        chunks = [text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK)]
        values = {f"text{number:03d}": chunk for number, chunk in enumerate(chunks)}
        await self._table.put(_PARTITION, _KEY, values)
