"""The removal budget: how many assignments may go in an hour, over all workers together.

It bounds a mistake that every other check let through. Two limits: past the first, removals wait
for the next hour or a person; past the second, a share of everything there is, something is wrong,
and Lanyard stops all removals itself. It fails closed: where the count or the kill switch cannot be
read or written, nothing is removed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lanyard.planning.orders import Pause, Paused
from lanyard.policy import RemovalLimit
from lanyard.ports.tables import Row, RowChanged, RowExists, Table
from lanyard.record.kill_switch import KillSwitch
from lanyard.record.rows import Columns
from lanyard.values.errors import Because, Refused, Temporary

#: So many removals in an hour are never too large a share: small estates are cleaned up, too.
ALWAYS = 10
_HOUR = 3600
_PARTITION = "budget"
_KNOWN = "assignments"
_CONFLICT_DELAY = 2.0
_ATTEMPTS = 8
_BY_ITSELF = "lanyard"


@dataclass(frozen=True, slots=True)
class RemovalBudget:
    """The removals of each hour of the clock. `now`: seconds since the epoch."""

    table: Table
    limit: RemovalLimit
    kill_switch: KillSwitch
    now: Callable[[], float]

    async def spend(self, *, released: bool = False) -> None:
        """Count one removal. Raises Refused where a pause or the budget is in its way.

        One that a person released is counted and not held to the budget; a pause holds it, too.
        """
        pause = await self.kill_switch.read()
        if pause is not None:
            raise _paused(pause)
        for _ in range(_ATTEMPTS):
            try:
                return await self._spend_one(released)
            except (RowChanged, RowExists):
                continue
        raise Temporary("the removal budget is changing too fast", _CONFLICT_DELAY)

    async def know(self, assignments: int) -> None:
        """How many assignments there are, which the share is taken of: the sweep counts them."""
        await self.table.put(_PARTITION, _KNOWN, {"count": str(assignments)})

    async def spent(self) -> int:
        """The removals of this hour so far."""
        return _count(await self.table.get(_PARTITION, self._hour()), "spent")

    async def _spend_one(self, released: bool) -> None:
        row = await self.table.get(_PARTITION, self._hour())
        spent = _count(row, "spent")
        if not released:
            await self._check_share(spent)
            self._check_number(spent)
        values = {"spent": str(spent + 1)}
        if row is None:
            await self.table.insert(_PARTITION, self._hour(), values)
        else:
            await self.table.replace(row, values)

    def _check_number(self, spent: int) -> None:
        if spent >= self.limit.per_hour:
            raise Refused(
                Because.BUDGET,
                f"the budget of {self.limit.per_hour} removals an hour is spent",
                _HOUR - self.now() % _HOUR,
                "it goes on in the next hour; release it to have it done at once",
                releasable=True,
            )

    async def _check_share(self, spent: int) -> None:
        if self.limit.percent >= 100 or spent < ALWAYS:
            return
        known = _count(await self.table.get(_PARTITION, _KNOWN), "count")
        if spent >= known * self.limit.percent / 100:
            reason = f"{spent} of {known} assignments were removed within an hour"
            reason += (
                f", which is the most that limits.removals.percent ({self.limit.percent:g}) allows"
            )
            raise _paused(await self.kill_switch.pause(Paused.REMOVALS, _BY_ITSELF, reason))

    def _hour(self) -> str:
        return str(int(self.now() // _HOUR))


def _count(row: Row | None, column: str) -> int:
    return Columns("control", row).count(column) if row is not None else 0


def _paused(pause: Pause) -> Refused:
    return Refused(Because.PAUSED, str(pause), _HOUR, "'lanyard resume' goes on", releasable=False)
