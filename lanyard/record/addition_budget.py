"""The budget of additions: how many resources are given something in an hour, over all workers
together.

An option: a rule that matches more than its author meant attaches to every app, and restarts it,
within the hour. Past the limit additions wait, and with them what is to go after them.

A place is one resource, however much it is given, and is given back where it got nothing.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from lanyard.ports.tables import Row, RowChanged, RowExists, Table
from lanyard.record.rows import Columns
from lanyard.record.rule_budgets import (
    HOUR,
    NO_LIMITS,
    RuleBudgets,
    after,
    is_spent,
    spent_by_rule,
)
from lanyard.values.errors import Temporary

# One row, whatever the hour: it says of which hour it is.
_PARTITION, _KEY = "budget", "additions"
_CONFLICT_DELAY = 2.0
# As the removal budget has it: of many workers that write at once each gets its turn.
_ATTEMPTS = 64


@dataclass(frozen=True, slots=True)
class AdditionPlace:
    """A place in the budget of one hour: its number since the epoch, and the rules that it counts
    for, too.
    """

    hour: int
    rules: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class AdditionBudget:
    """The additions of each hour of the clock. `per_hour`: so many resources; None: any number, and
    only what rules with a limit give is counted. `now`: seconds since the epoch.
    """

    table: Table
    per_hour: int | None
    now: Callable[[], float]
    #: Of the rules that have a limit of their own.
    of_rules: RuleBudgets = NO_LIMITS

    async def reserve(
        self, *, rules: tuple[str, ...] = (), released: bool = False
    ) -> AdditionPlace | None:
        """A place for one resource, which these rules give something; None where there is no limit.
        What a person released is counted and not held to it.

        Raises Refused where the budget, of all or of one of them, is spent, Temporary where it
        cannot be read or written.
        """
        limited = self.of_rules.limited(rules)
        if self.per_hour is None and not limited:
            return None
        for _ in range(_ATTEMPTS):
            counted = await self._read()
            if not released:
                self._check(counted, limited)
            if await self._write(counted, limited, 1):
                return AdditionPlace(counted.hour, limited)
        raise _busy()

    async def give_back(self, place: AdditionPlace) -> None:
        """The resource got nothing. Raises Temporary where it cannot be written: it stays
        counted.
        """
        for _ in range(_ATTEMPTS):
            counted = await self._read()
            if counted.hour != place.hour or not counted.spent:
                return
            if await self._write(counted, place.rules, -1):
                return
        raise _busy()

    async def spent(self) -> int:
        """The resources of this hour so far."""
        return (await self._read()).spent

    async def _read(self) -> "_Counted":
        """An hour that another worker's clock has reached is reached."""
        hour = int(self.now() // HOUR)
        row = await self.table.get(_PARTITION, _KEY)
        if row is None:
            return _Counted(None, hour)
        columns = Columns("control", row)
        if (known := columns.count("hour")) < hour:
            return _Counted(row, hour)
        return _Counted(row, known, columns.count("spent"), spent_by_rule(row))

    async def _write(self, counted: "_Counted", rules: tuple[str, ...], more: int) -> bool:
        """Whether nobody else wrote since it was read."""
        values = {
            "hour": str(counted.hour),
            "spent": str(counted.spent + more),
            **after(counted.by_rule, rules, more),
        }
        try:
            if counted.row is None:
                await self.table.insert(_PARTITION, _KEY, values)
            else:
                await self.table.replace(counted.row, values)
        except (RowChanged, RowExists):
            return False
        return True

    def _check(self, counted: "_Counted", rules: tuple[str, ...]) -> None:
        if self.per_hour is not None and counted.spent >= self.per_hour:
            raise is_spent(
                f"the budget of {self.per_hour} resources an hour that are given something is "
                "spent",
                self.now(),
            )
        if rule := self.of_rules.exhausted(counted.by_rule, rules):
            per_hour = self.of_rules.per_hour[rule]
            raise is_spent(
                f"the budget of {per_hour} resources an hour that rule {rule!r} gives something is "
                "spent",
                self.now(),
            )


@dataclass(frozen=True, slots=True)
class _Counted:
    """What the row has: of which hour (its number since the epoch), and how many."""

    row: Row | None
    hour: int
    spent: int = 0
    by_rule: Mapping[str, int] = field(default_factory=dict)


def _busy() -> Temporary:
    return Temporary("the budget of additions is changing too fast", _CONFLICT_DELAY)
