"""How many removals an hour takes, over all workers, and what stops them all."""

import asyncio
import math
from dataclasses import dataclass, field

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lanyard.planning.orders import Pause, Paused
from lanyard.policy import RemovalLimit
from lanyard.ports.tables import Row, RowChanged, Values
from lanyard.record.budget import ALWAYS, RemovalBudget
from lanyard.record.kill_switch import KillSwitch
from lanyard.record.rows import DamagedRow
from lanyard.values.errors import Because, Refused, Temporary
from tests.support.memory_marks import as_swept
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
        as_swept(self.table)
        self.kill_switch = KillSwitch(self.table, lambda: self.now)
        self.budget = self.another_worker()

    def another_worker(self) -> RemovalBudget:
        return RemovalBudget(self.table, self.limit, self.kill_switch, lambda: self.now)

    async def spend(self, times: int, *, released: bool = False) -> None:
        for _ in range(times):
            await self.budget.reserve(released=released)


async def refused(hours: Hours, *, released: bool = False) -> Refused:
    """What stands in the way of one more, which is then not counted."""
    before = await hours.budget.spent()
    with pytest.raises(Refused) as caught:
        await hours.budget.reserve(released=released)
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
    ended = await asyncio.gather(*(one.reserve() for one in workers), return_exceptions=True)
    assert sorted(type(one).__name__ for one in ended) == ["Place"] * 4 + ["Refused"] * 2
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
    await hours.budget.know(assignments=150, attachments=50)
    await hours.spend(20)
    assert not (await refused(hours)).releasable
    pause = await hours.kill_switch.read()
    assert pause is not None
    assert (pause.what, pause.by) == (Paused.REMOVALS, "lanyard")


async def test_that_stop_holds_what_is_released_too_until_a_person_resumes() -> None:
    hours = Hours(SHARE)
    await hours.budget.know(assignments=150, attachments=50)
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
        await hours.budget.know(known, 0)
    await hours.spend(ALWAYS)
    await refused(hours)
    assert await hours.kill_switch.read() is not None


async def test_a_share_of_all_is_no_limit() -> None:
    hours = Hours(RemovalLimit(per_hour=1000, percent=100))
    await hours.budget.know(1, 0)
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


@pytest.mark.parametrize("damaged", ["spent", "attachments"])
async def test_nothing_is_removed_on_a_damaged_count(damaged: str) -> None:
    hours = Hours(SHARE)
    await hours.budget.know(assignments=1000, attachments=0)
    await hours.spend(ALWAYS)
    (row,) = [row for row in hours.table.content.values() if damaged in row.values]
    await hours.table.replace(row, {**row.values, damaged: "many"})
    with pytest.raises(DamagedRow, match=damaged):
        await hours.spend(1)


async def test_a_place_that_is_given_back_is_free_again() -> None:
    hours = Hours()
    places = [await hours.budget.reserve() for _ in range(3)]
    await hours.budget.give_back(places[0])
    assert await hours.budget.spent() == 2
    await hours.spend(1)
    await refused(hours)


async def test_a_place_is_given_back_to_the_hour_that_it_is_of() -> None:
    hours = Hours()
    place = await hours.budget.reserve()
    hours.now += HOUR
    await hours.spend(2)
    await hours.budget.give_back(place)
    assert await hours.budget.spent() == 2
    hours.now -= HOUR
    assert await hours.budget.spent() == 0


async def test_attachments_count_for_the_share_as_assignments_do() -> None:
    hours = Hours(SHARE)
    await hours.budget.know(assignments=0, attachments=200)
    await hours.spend(20)
    assert "20 of 200 assignments and attachments" in str(await refused(hours))


async def stopped() -> Hours:
    """The share is reached, and Lanyard has stopped by itself."""
    hours = Hours(RemovalLimit(per_hour=25, percent=10))
    await hours.budget.know(assignments=100, attachments=100)
    await hours.spend(20)
    await refused(hours)
    return hours


async def test_resume_clears_the_share_for_this_hour_and_the_number_still_holds() -> None:
    hours = await stopped()
    await hours.kill_switch.resume()
    await hours.spend(5)
    refusal = await refused(hours)
    assert (refusal.because, refusal.releasable) == (Because.BUDGET, True)
    assert await hours.kill_switch.read() is None


async def test_in_the_next_hour_the_share_holds_again() -> None:
    hours = await stopped()
    await hours.kill_switch.resume()
    hours.now += HOUR
    await hours.spend(20)
    assert (await refused(hours)).because is Because.PAUSED


async def test_the_end_of_a_persons_own_pause_clears_no_share() -> None:
    hours = Hours(SHARE)
    await hours.budget.know(assignments=200, attachments=0)
    await hours.spend(20)
    await hours.kill_switch.pause(Paused.REMOVALS, "maria", "a look")
    await hours.kill_switch.resume()
    assert "lanyard" in str(await refused(hours))


async def test_a_person_who_pauses_on_top_of_lanyards_stop_ends_both_with_one_resume() -> None:
    hours = await stopped()
    await hours.kill_switch.pause(Paused.EVERYTHING, "maria", "a look")
    assert "maria" in str(await refused(hours))
    await hours.kill_switch.resume()
    await hours.spend(1)


async def test_lanyards_own_stop_never_takes_a_persons_pause_over() -> None:
    hours = Hours()
    await hours.kill_switch.pause(Paused.REMOVALS, "maria", "a look")
    assert (await hours.kill_switch.stop("too many")).by == "maria"


async def test_a_pause_that_is_made_while_another_one_ends_stays() -> None:
    hours = Hours()
    await hours.kill_switch.pause(Paused.REMOVALS, "maria", "a look")
    ended = asyncio.gather(
        hours.kill_switch.resume(),
        hours.kill_switch.pause(Paused.EVERYTHING, "ann", "an incident"),
        return_exceptions=True,
    )
    resumed, _ = await ended
    pause = await hours.kill_switch.read()
    assert pause is not None or isinstance(resumed, Pause)
    assert pause is None or pause.by == "ann"


WORKERS = st.lists(
    st.tuples(st.sampled_from(["done", "failed", "unknown"]), st.booleans()), max_size=24
)


@settings(max_examples=60)
@given(workers=WORKERS, per_hour=st.integers(0, 12), rounds=st.integers(0, 5))
def test_workers_at_once_never_pass_the_limit_together(
    workers: list[tuple[str, bool]], per_hour: int, rounds: int
) -> None:
    asyncio.run(_side_by_side(workers, per_hour, rounds))


async def _side_by_side(workers: list[tuple[str, bool]], per_hour: int, rounds: int) -> None:
    """Each worker of the table in memory lets the others go first at every step of its own."""
    hours = Hours(RemovalLimit(per_hour=per_hour, percent=100))
    ended: list[tuple[str, bool]] = []
    at_once: list[int] = []

    async def work(end: str, released: bool) -> None:
        budget = hours.another_worker()
        try:
            place = await budget.reserve(released=released)
        except Refused:
            return
        unreleased = sum(not free for _, free in [*ended, (end, released)])
        at_once.append(unreleased)
        ended.append((end, released))
        for _ in range(rounds):
            await asyncio.sleep(0)
        if end == "failed":
            await budget.give_back(place)
            ended.remove((end, released))

    await asyncio.gather(*(work(*worker) for worker in workers))
    assert await hours.budget.spent() == len(ended), "what failed is not counted, all else is"
    assert max(at_once, default=0) <= per_hour


SHARES = st.tuples(st.integers(0, 300), st.integers(0, 300), st.integers(1, 99))


@settings(max_examples=60)
@given(known=SHARES, workers=st.integers(1, 16))
def test_workers_at_once_never_pass_the_share_together(
    known: tuple[int, int, int], workers: int
) -> None:
    asyncio.run(_share(known, workers))


async def _share(known: tuple[int, int, int], workers: int) -> None:
    assignments, attachments, percent = known
    hours = Hours(RemovalLimit(per_hour=1000, percent=percent))
    await hours.budget.know(assignments, attachments)

    async def work() -> None:
        places = 0
        while places < 20:
            try:
                await hours.another_worker().reserve()
            except Refused:
                return
            except Temporary:
                continue  # others were always first; the message would come back
            places += 1

    await asyncio.gather(*(work() for _ in range(workers)))
    most = max(ALWAYS, math.ceil((assignments + attachments) * percent / 100))
    assert await hours.budget.spent() == min(most, 20 * workers)
    assert (await hours.kill_switch.read() is not None) is (20 * workers > most)
