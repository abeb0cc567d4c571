"""The removal budget: how many assignments may go in an hour, over all workers together.

It bounds a mistake that every other check let through. It fails closed: where the count cannot be
read or written, nothing is removed.
"""

from collections.abc import Callable
from dataclasses import dataclass

from lanyard.errors import NotYet, Temporary
from lanyard.tables import RowChanged, RowExists, Table

_HOUR = 3600
_PARTITION = "budget"
_CONFLICT_DELAY = 2.0
_ATTEMPTS = 8


@dataclass(frozen=True, slots=True)
class RemovalBudget:
    """`per_hour` removals in each hour of the clock; `now`: seconds since the epoch."""

    table: Table
    per_hour: int
    now: Callable[[], float]

    async def spend(self) -> None:
        """Count one removal. Raises NotYet until the next hour where the budget is spent."""
        for _ in range(_ATTEMPTS):
            try:
                return await self._spend_one()
            except (RowChanged, RowExists):
                continue
        raise Temporary("the removal budget is changing too fast", _CONFLICT_DELAY)

    async def _spend_one(self) -> None:
        hour, into = divmod(self.now(), _HOUR)
        row = await self.table.get(_PARTITION, str(int(hour)))
        spent = int(row.values["spent"]) if row is not None else 0
        if spent >= self.per_hour:
            message = f"held: the budget of {self.per_hour} removals an hour is spent"
            raise NotYet(message, _HOUR - into)
        values = {"spent": str(spent + 1)}
        if row is None:
            await self.table.insert(_PARTITION, str(int(hour)), values)
        else:
            await self.table.replace(row, values)
