"""What the two budgets share: the refusal of what one is spent for, and how much was done for each
rule that has a limit of its own, in the hour of a budget's row. Pure.

It stands in the row of the whole, so that both are counted in one write.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from pydantic import TypeAdapter

from lanyard.ports.tables import Row
from lanyard.record.rows import Columns
from lanyard.values.errors import Because, Refused

#: Seconds; a budget is one of an hour of the clock.
HOUR = 3600
#: The column of the row.
COLUMN = "byRule"
_COUNTS = TypeAdapter(Mapping[str, int])


@dataclass(frozen=True, slots=True)
class RuleBudgets:
    """`per_hour`: the limits of those rules that have one, by their names."""

    per_hour: Mapping[str, int]

    def limited(self, rules: tuple[str, ...]) -> tuple[str, ...]:
        """Those of some rules that have one."""
        return tuple(rule for rule in rules if rule in self.per_hour)

    def exhausted(self, spent: Mapping[str, int], rules: tuple[str, ...]) -> str:
        """The first of some rules that has nothing left; "" for none."""
        limited = self.limited(rules)
        return next((r for r in limited if spent.get(r, 0) >= self.per_hour[r]), "")


#: Where no rule has one.
NO_LIMITS = RuleBudgets({})


def is_spent(why: str, now: float) -> Refused:
    """For who asks at `now` (seconds since the epoch); `why` names the budget, for people."""
    return Refused(
        Because.BUDGET,
        why,
        HOUR - now % HOUR,
        "it goes on in the next hour; release it to have it done at once",
        releasable=True,
    )


def spent_by_rule(row: Row | None) -> Mapping[str, int]:
    """By the names of the rules. Raises DamagedRow."""
    return {} if row is None else Columns("control", row).json(COLUMN, _COUNTS)


def after(spent: Mapping[str, int], rules: tuple[str, ...], by: int) -> dict[str, str]:
    """The column after so many more for each of these rules."""
    more = {rule: max(spent.get(rule, 0) + by, 0) for rule in rules}
    return {COLUMN: json.dumps({**spent, **more})}
