"""How far the sweep got with putting work on the queue, so that one that was killed goes on there.

What was read is read again: that is a page a thousand resources, and fresh.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lanyard.ports.tables import Table
from lanyard.record.rows import Columns, DamagedRow

_PARTITION, _KEY = "sweep", "progress"
#: A sweep that got no further in this time (seconds) is history: the next one starts anew.
_STALE = 900.0


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
            stale = self._now() - columns.number("at") > _STALE
        except DamagedRow:
            return Position()  # it only saves work
        return Position() if stale else position

    async def reached(self, after: str, put: int) -> None:
        """Everything up to this resource is on the queue. Call it now and then: a message twice
        costs a read, a row for each costs more.
        """
        values = {"after": after, "put": str(put), "at": str(self._now())}
        await self._table.put(_PARTITION, _KEY, values)

    async def done(self) -> None:
        """The sweep came to its end."""
        await self._table.delete(_PARTITION, _KEY)
