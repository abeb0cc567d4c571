"""What a bench measures: a number, its budget, and the same number of the baseline."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

#: Shows what is being done, a few words at a time: `tell("1,000 machines")`.
type Tell = Callable[[str], None]


@dataclass(frozen=True)
class Budget:
    """`limit` is met by values up to it, or, where `at_least`, from it on."""

    limit: float
    at_least: bool = False

    def met_by(self, value: float) -> bool:
        """Whether `value` keeps to it."""
        return value >= self.limit if self.at_least else value <= self.limit

    def __str__(self) -> str:
        return f"{'≥' if self.at_least else '≤'} {self.limit:g}"


@dataclass(frozen=True)
class Figure:
    """One row of the table.

    `unit` is "%", "calls", "MB", "s", "ms" or "1/s", and "" for a ratio. `baseline`: the same of
    `baseline.py`, measured in the same run; None where there is no such thing. `detail` tells what
    the number was made of.
    """

    name: str
    value: float
    unit: str
    baseline: float | None = None
    budget: Budget | None = None
    detail: str = ""

    @property
    def missed(self) -> bool:
        """Whether there is a budget that the value does not keep to."""
        return self.budget is not None and not self.budget.met_by(self.value)

    def as_json(self) -> dict[str, Any]:
        """For machines; the numbers are not rounded."""
        budget = self.budget
        return {
            "name": self.name,
            "value": self.value,
            "unit": self.unit,
            "baseline": self.baseline,
            "budget": None
            if budget is None
            else {"limit": budget.limit, "atLeast": budget.at_least},
            "missed": self.missed,
            "detail": self.detail,
        }
