"""The removal budget: how much may be taken away in an hour, over all workers together.

It bounds a mistake that every other check let through. Two limits: past the first, removals wait
for the next hour or a person; past the second, a share of everything there is, something is wrong,
and Lanyard stops all removals itself. It fails closed: where the count or the kill switch cannot be
read or written, nothing is removed.

Each removal reserves a place before it is begun, and gives it back where nothing was taken away.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lanyard.planning.orders import Pause
from lanyard.policy import RemovalLimit
from lanyard.ports.tables import Row, RowChanged, RowExists, Table
from lanyard.record.kill_switch import KillSwitch
from lanyard.record.rows import Columns
from lanyard.record.rule_budgets import (
    HOUR,
    NO_LIMITS,
    RuleBudgets,
    after,
    is_spent,
    spent_by_rule,
)
from lanyard.values.errors import Because, Refused, Temporary

#: So many removals in an hour are never too large a share: small estates are cleaned up, too.
ALWAYS = 10
_PARTITION = "budget"
_KNOWN = "known"
_CONFLICT_DELAY = 2.0
# One of sixteen workers that all write at once gets its turn at the sixteenth; each may also give
# a place back.
_ATTEMPTS = 64


@dataclass(frozen=True, slots=True)
class Place:
    """A place in the budget of one hour: its number since the epoch."""

    hour: str
    #: The rules that it counts for, too.
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RemovalBudget:
    """The removals of each hour of the clock. `now`: seconds since the epoch."""

    table: Table
    limit: RemovalLimit
    kill_switch: KillSwitch
    now: Callable[[], float]
    #: Of the rules that have a limit of their own.
    of_rules: RuleBudgets = NO_LIMITS

    async def reserve(self, *, rules: tuple[str, ...] = (), released: bool = False) -> Place:
        """A place for one removal of what these rules gave. Raises Refused where a pause or the
        budget, of all or of one of them, is in its way.

        One that a person released is counted and not held to the budget; a pause holds it, too.
        """
        pause = await self.kill_switch.read()
        if pause is not None:
            raise _paused(pause)
        place = Place(self._hour(), self.of_rules.limited(rules))
        for _ in range(_ATTEMPTS):
            try:
                await self._take(place, released)
            except (RowChanged, RowExists):
                continue
            return place
        raise Temporary("the removal budget is changing too fast", _CONFLICT_DELAY)

    async def give_back(self, place: Place) -> None:
        """Nothing was taken away. Raises Temporary where it cannot be written: it stays counted."""
        for _ in range(_ATTEMPTS):
            row = await self.table.get(_PARTITION, place.hour)
            if row is None:
                return
            try:
                left = max(_count(row, "spent") - 1, 0)
                by_rule = after(spent_by_rule(row), place.rules, -1)
                await self.table.replace(row, {"spent": str(left), **by_rule})
            except RowChanged:
                continue
            return
        raise Temporary("the removal budget is changing too fast", _CONFLICT_DELAY)

    async def know(self, assignments: int, attachments: int) -> None:
        """How many of them there are, which the share is taken of: the sweep counts them."""
        values = {"assignments": str(assignments), "attachments": str(attachments)}
        await self.table.put(_PARTITION, _KNOWN, values)

    async def spent(self) -> int:
        """The removals of this hour so far."""
        return _count(await self.table.get(_PARTITION, self._hour()), "spent")

    async def _take(self, place: Place, released: bool) -> None:
        row = await self.table.get(_PARTITION, place.hour)
        spent, by_rule = _count(row, "spent"), spent_by_rule(row)
        if not released:
            await self._check_share(spent)
            self._check_number(spent)
            if rule := self.of_rules.exhausted(by_rule, place.rules):
                per_hour = self.of_rules.per_hour[rule]
                budget = f"the budget of {per_hour} removals an hour for rule {rule!r} is spent"
                raise is_spent(budget, self.now())
        values = {"spent": str(spent + 1), **after(by_rule, place.rules, 1)}
        if row is None:
            await self.table.insert(_PARTITION, place.hour, values)
        else:
            await self.table.replace(row, values)

    def _check_number(self, spent: int) -> None:
        if spent >= self.limit.per_hour:
            budget = f"the budget of {self.limit.per_hour} removals an hour is spent"
            raise is_spent(budget, self.now())

    async def _check_share(self, spent: int) -> None:
        if self.limit.percent >= 100 or spent < ALWAYS:
            return
        row = await self.table.get(_PARTITION, _KNOWN)
        known = _count(row, "assignments") + _count(row, "attachments")
        if spent < known * self.limit.percent / 100 or await self._resumed():
            return
        reason = f"{spent} of {known} assignments and attachments were removed within an hour"
        reason += (
            f", which is the most that limits.removals.percent ({self.limit.percent:g}) allows"
        )
        raise _paused(await self.kill_switch.stop(reason))

    async def _resumed(self) -> bool:
        """Whether a person ended such a stop in this hour of the clock: then it has no other."""
        at = await self.kill_switch.stop_ended()
        return at is not None and at // HOUR == self.now() // HOUR

    def _hour(self) -> str:
        return str(int(self.now() // HOUR))


def _count(row: Row | None, column: str) -> int:
    return Columns("control", row).count(column) if row is not None else 0


def _paused(pause: Pause) -> Refused:
    return Refused(Because.PAUSED, str(pause), HOUR, "'lanyard resume' goes on", releasable=False)
