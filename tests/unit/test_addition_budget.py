"""How many resources an hour are given something, over all workers."""

import asyncio
from dataclasses import dataclass, field

import pytest

from lanyard.ports.tables import Row, RowChanged, Values
from lanyard.record.addition_budget import AdditionBudget
from lanyard.values.errors import Because, Refused, Temporary
from tests.support.memory_table import MemoryTable

HOUR = 3600
#: Ten minutes past an hour.
START = 500_000 * HOUR + 600


class BusyTable(MemoryTable):
    """Somebody else always writes first."""

    async def replace(self, row: Row, _values: Values) -> Row:
        raise RowChanged(row.key)


@dataclass
class Hours:
    """A budget, and a clock that a test moves."""

    per_hour: int | None = 3
    table: MemoryTable = field(default_factory=MemoryTable)
    now: float = START

    def worker(self, behind: float = 0.0) -> AdditionBudget:
        """Another one, whose clock is so many seconds behind."""
        return AdditionBudget(self.table, self.per_hour, lambda: self.now - behind)


async def taken(budget: AdditionBudget, times: int) -> int:
    """How many of so many got a place."""
    places = 0
    for _ in range(times):
        try:
            await budget.reserve()
        except Refused:
            continue
        places += 1
    return places


async def test_without_a_limit_nothing_is_counted() -> None:
    hours = Hours(per_hour=None)
    assert await hours.worker().reserve() is None
    assert not hours.table.content


async def test_an_hour_takes_as_many_as_its_limit_and_the_next_as_many_again() -> None:
    hours = Hours()
    assert await taken(hours.worker(), 5) == 3
    with pytest.raises(Refused, match="the budget of 3 resources an hour") as refused:
        await hours.worker().reserve()
    failure = refused.value
    assert (failure.because, failure.delay, failure.releasable) == (Because.BUDGET, 3000, True)
    hours.now += HOUR
    assert await taken(hours.worker(), 5) == 3
    assert len(hours.table.content) == 1


async def test_what_a_person_released_is_counted_and_not_held() -> None:
    hours = Hours(per_hour=1)
    await hours.worker().reserve(released=True)
    await hours.worker().reserve(released=True)
    assert await hours.worker().spent() == 2
    assert await taken(hours.worker(), 1) == 0


async def test_a_place_that_is_given_back_is_free_in_its_own_hour_alone() -> None:
    hours = Hours(per_hour=1)
    first = await hours.worker().reserve()
    assert first is not None
    await hours.worker().give_back(first)
    await hours.worker().reserve()
    hours.now += HOUR
    await hours.worker().reserve()
    await hours.worker().give_back(first)
    assert await hours.worker().spent() == 1


async def test_a_clock_that_is_behind_does_not_begin_an_hour_again() -> None:
    hours = Hours(now=START - 600 + 1)
    assert await taken(hours.worker(), 3) == 3
    assert await taken(hours.worker(behind=2.0), 3) == 0
    assert await hours.worker().spent() == 3


async def test_sixteen_workers_at_once_do_not_pass_it() -> None:
    hours = Hours(per_hour=10)
    counts = await asyncio.gather(*(taken(hours.worker(), 2) for _ in range(16)))
    assert sum(counts) == 10


async def test_a_count_that_cannot_be_written_gives_no_place() -> None:
    hours = Hours(table=BusyTable())
    await hours.worker().reserve()
    with pytest.raises(Temporary, match="changing too fast"):
        await hours.worker().reserve()
