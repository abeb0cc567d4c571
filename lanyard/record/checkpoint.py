"""How far the sweep got with putting work on the queue, so that one that was killed goes on there.

What was read is read again: that is a page a thousand resources, and fresh.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lanyard.ports.tables import Table
from lanyard.record.rows import Columns, DamagedRow

_PARTITION, _KEY = "sweep", "progress"
#: A sweep that got no further in this time (seconds) is history: the next one starts anew. One that
#: ended because its time was over waits for the next hour's.
_STALE, _STALE_LEFT = 900.0, 7200.0


@dataclass(frozen=True, slots=True)
class Position:
    """After which resource (lower-case id) to go on, and how many were put on the queue."""

    after: str = ""
    put: int = 0


class Checkpoint:
    """The position of one sweep, in the control table. `now`: seconds since the epoch."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    async def start(self) -> Position:
        """Where a sweep that was cut off had got to; the beginning, if none was."""
        row = await self._table.get(_PARTITION, _KEY)
        if row is None:
            return Position()
        columns = Columns("control", row)
        try:
            position = Position(columns.text("after"), columns.count("put"))
            longest = _STALE_LEFT if row.values.get("left") else _STALE
            stale = self._now() - columns.number("at") > longest
        except DamagedRow:
            return Position()  # it only saves work
        return Position() if stale else position

    async def reached(self, after: str, put: int, *, left: bool = False) -> None:
        """Everything up to this resource is on the queue. Call it now and then: a message twice
        costs a read, a row for each costs more. `left`: the sweep ends here, and the next goes on.
        """
        values = {"after": after, "put": str(put), "at": str(self._now())}
        await self._table.put(_PARTITION, _KEY, values | ({"left": "true"} if left else {}))

    async def done(self) -> None:
        """The sweep came to its end."""
        await self._table.delete(_PARTITION, _KEY)
