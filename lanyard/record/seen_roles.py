"""How the custom roles of the policy were defined when they were last looked at: a row each in the
control table.
"""

from dataclasses import dataclass

from lanyard.ports.tables import Table
from lanyard.record.rows import Columns, DamagedRow

_PARTITION = "roles"


@dataclass(frozen=True, slots=True)
class SeenRole:
    """`subscription` (lower case): where it was asked for. `digest` differs for any other
    definition; "" where none was found there.
    """

    subscription: str = ""
    digest: str = ""


class SeenRoles:
    """Reads and writes of the rows; roles are GUIDs in lower case."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def of(self, role: str) -> SeenRole:
        """One that was not looked at yet, or whose row cannot be read, was never found."""
        row = await self._table.get(_PARTITION, role)
        if row is None:
            return SeenRole()
        columns = Columns("control", row)
        try:
            return SeenRole(columns.text("subscription"), columns.text("digest"))
        except DamagedRow:
            return SeenRole()  # it only saves looks

    async def put(self, role: str, seen: SeenRole) -> None:
        """From now on it was seen so."""
        values = {"subscription": seen.subscription, "digest": seen.digest}
        await self._table.put(_PARTITION, role, values)
