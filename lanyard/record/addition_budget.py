"""The budget of additions: how many resources are given something in an hour, over all workers
together.

An option: a rule that matches more than its author meant attaches to every app, and restarts it,
within the hour. Past the limit additions wait, and with them what is to go after them.

A place is one resource, however much it is given, and is given back where it got nothing.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lanyard.ports.tables import Row, RowChanged, RowExists, Table
from lanyard.record.rows import Columns
from lanyard.values.errors import Because, Refused, Temporary

_HOUR = 3600
# One row, whatever the hour: it says of which hour it is.
_PARTITION, _KEY = "budget", "additions"
_CONFLICT_DELAY = 2.0
# As the removal budget has it: of many workers that write at once each gets its turn.
_ATTEMPTS = 64


@dataclass(frozen=True, slots=True)
class AdditionBudget:
    """The additions of each hour of the clock. `per_hour`: so many resources; None: any number, and
    nothing is counted. `now`: seconds since the epoch.
    """

    table: Table
    per_hour: int | None
    now: Callable[[], float]

    async def reserve(self, *, released: bool = False) -> int | None:
        """A place for one resource: the hour that it is of; None where there is no limit. What a
        person released is counted and not held to it.

        Raises Refused where the budget is spent, Temporary where it cannot be read or written.
        """
        if self.per_hour is None:
            return None
        for _ in range(_ATTEMPTS):
            counted = await self._read()
            if counted.spent >= self.per_hour and not released:
                raise self._is_spent()
            if await self._write(counted, counted.spent + 1):
                return counted.hour
        raise _busy()

    async def give_back(self, hour: int) -> None:
        """The resource got nothing. Raises Temporary where it cannot be written: it stays
        counted.
        """
        for _ in range(_ATTEMPTS):
            counted = await self._read()
            if counted.hour != hour or not counted.spent:
                return
            if await self._write(counted, counted.spent - 1):
                return
        raise _busy()

    async def spent(self) -> int:
        """The resources of this hour so far."""
        return (await self._read()).spent

    async def _read(self) -> "_Counted":
        """An hour that another worker's clock has reached is reached."""
        hour = int(self.now() // _HOUR)
        row = await self.table.get(_PARTITION, _KEY)
        if row is None:
            return _Counted(None, hour, 0)
        columns = Columns("control", row)
        known = columns.count("hour")
        return _Counted(row, max(hour, known), columns.count("spent") if known >= hour else 0)

    async def _write(self, counted: "_Counted", spent: int) -> bool:
        """Whether nobody else wrote since it was read."""
        values = {"hour": str(counted.hour), "spent": str(spent)}
        try:
            if counted.row is None:
                await self.table.insert(_PARTITION, _KEY, values)
            else:
                await self.table.replace(counted.row, values)
        except (RowChanged, RowExists):
            return False
        return True

    def _is_spent(self) -> Refused:
        return Refused(
            Because.BUDGET,
            f"the budget of {self.per_hour} resources an hour that are given something is spent",
            _HOUR - self.now() % _HOUR,
            "it goes on in the next hour; release it to have it done at once",
            releasable=True,
        )


@dataclass(frozen=True, slots=True)
class _Counted:
    """What the row has: of which hour (its number since the epoch), and how many."""

    row: Row | None
    hour: int
    spent: int


def _busy() -> Temporary:
    return Temporary("the budget of additions is changing too fast", _CONFLICT_DELAY)
