"""How many removals an hour takes, over all workers, and what stops them all."""

import asyncio
from dataclasses import dataclass, field

import pytest

from lanyard.planning.orders import Paused
from lanyard.policy import RemovalLimit
from lanyard.ports.tables import Row, RowChanged, Values
from lanyard.record.budget import ALWAYS, RemovalBudget
from lanyard.record.kill_switch import KillSwitch
from lanyard.record.rows import DamagedRow
from lanyard.values.errors import Refused, Temporary
from tests.support.memory_table import MemoryTable

HOUR = 3600
#: Ten minutes past an hour.
START = 500_000 * HOUR + 600


class BusyTable(MemoryTable):
    """Somebody else always writes first."""

    async def replace(self, row: Row, _values: Values) -> Row:
        raise RowChanged(row.key)


class BrokenTable(MemoryTable):
    """Reads fail while it is down."""

    down = False

    async def get(self, partition: str, key: str) -> Row | None:
        if self.down:
            raise Temporary("the table is down", 5)
        return await super().get(partition, key)


@dataclass
class Hours:
    """A budget, and a clock that a test moves."""

    limit: RemovalLimit = field(default_factory=lambda: RemovalLimit(per_hour=3, percent=100))
    table: MemoryTable = field(default_factory=MemoryTable)
    now: float = START

    def __post_init__(self) -> None:
        self.kill_switch = KillSwitch(self.table, lambda: self.now)
        self.budget = self.another_worker()

    def another_worker(self) -> RemovalBudget:
        return RemovalBudget(self.table, self.limit, self.kill_switch, lambda: self.now)

    async def spend(self, times: int, *, released: bool = False) -> None:
        for _ in range(times):
            await self.budget.spend(released=released)


async def refused(hours: Hours, *, released: bool = False) -> Refused:
    """What stands in the way of one more, which is then not counted."""
    before = await hours.budget.spent()
    with pytest.raises(Refused) as caught:
        await hours.budget.spend(released=released)
    assert await hours.budget.spent() == before
    return caught.value


async def test_an_hour_takes_as_many_as_its_limit() -> None:
    hours = Hours()
    await hours.spend(3)
    assert await hours.budget.spent() == 3
    assert (await refused(hours)).releasable


async def test_what_is_refused_comes_back_when_the_next_hour_begins() -> None:
    hours = Hours()
    await hours.spend(3)
    delay = (await refused(hours)).delay
    assert delay == HOUR - 600
    hours.now += delay - 1
    await refused(hours)
    hours.now += 1
    await hours.spend(3)


async def test_what_a_person_released_is_counted_and_not_held_to_the_limit() -> None:
    hours = Hours()
    await hours.spend(3)
    await hours.spend(2, released=True)
    assert await hours.budget.spent() == 5


async def test_with_a_limit_of_none_only_what_is_released_goes() -> None:
    hours = Hours(RemovalLimit(per_hour=0))
    await refused(hours)
    await hours.spend(1, released=True)


async def test_workers_that_spend_at_once_are_each_counted() -> None:
    hours = Hours(RemovalLimit(per_hour=4, percent=100))
    workers = [hours.another_worker() for _ in range(6)]
    ended = await asyncio.gather(*(one.spend() for one in workers), return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["NoneType"] * 4 + ["Refused"] * 2
    assert await hours.budget.spent() == 4


async def test_who_never_gets_to_write_comes_back_later() -> None:
    hours = Hours(table=BusyTable())
    await hours.spend(1)
    with pytest.raises(Temporary) as caught:
        await hours.spend(1)
    assert not isinstance(caught.value, Refused)
    assert await hours.budget.spent() == 1


SHARE = RemovalLimit(per_hour=1000, percent=10)


async def test_past_a_share_of_everything_lanyard_stops_all_removals_by_itself() -> None:
    hours = Hours(SHARE)
    await hours.budget.know(assignments=200)
    await hours.spend(20)
    assert not (await refused(hours)).releasable
    pause = await hours.kill_switch.read()
    assert pause is not None
    assert (pause.what, pause.by) == (Paused.REMOVALS, "lanyard")


async def test_that_stop_holds_what_is_released_too_until_a_person_resumes() -> None:
    hours = Hours(SHARE)
    await hours.budget.know(assignments=200)
    await hours.spend(20)
    await refused(hours)
    hours.now += 2 * HOUR
    await refused(hours, released=True)
    await hours.kill_switch.resume()
    await hours.spend(1)


@pytest.mark.parametrize("known", [1, None], ids=["a small estate", "no sweep has counted yet"])
async def test_a_few_removals_are_never_too_large_a_share_and_more_are(known: int | None) -> None:
    hours = Hours(SHARE)
    if known is not None:
        await hours.budget.know(known)
    await hours.spend(ALWAYS)
    await refused(hours)
    assert await hours.kill_switch.read() is not None


async def test_a_share_of_all_is_no_limit() -> None:
    hours = Hours(RemovalLimit(per_hour=1000, percent=100))
    await hours.budget.know(1)
    await hours.spend(2 * ALWAYS)


@pytest.mark.parametrize("what", Paused)
async def test_a_persons_pause_holds_every_removal(what: Paused) -> None:
    hours = Hours()
    await hours.kill_switch.pause(what, "maria", "a closer look")
    assert "maria" in str(await refused(hours))
    assert not (await refused(hours, released=True)).releasable


async def test_nothing_is_removed_where_the_count_cannot_be_read() -> None:
    table = BrokenTable()
    hours = Hours(table=table)
    await hours.spend(1)
    table.down = True
    with pytest.raises(Temporary):
        await hours.spend(1)
    table.down = False
    assert await hours.budget.spent() == 1


@pytest.mark.parametrize("damaged", ["spent", "count"])
async def test_nothing_is_removed_on_a_damaged_count(damaged: str) -> None:
    hours = Hours(SHARE)
    await hours.budget.know(assignments=1000)
    await hours.spend(ALWAYS)
    (row,) = [row for row in hours.table.content.values() if damaged in row.values]
    await hours.table.replace(row, {damaged: "many"})
    with pytest.raises(DamagedRow, match=damaged):
        await hours.spend(1)
