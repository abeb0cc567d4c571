"""A pause for a time: it never ends early, and is never forgotten."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest

from lanyard.planning.orders import Pause, Paused
from lanyard.record.kill_switch import KillSwitch
from tests.support.memory_marks import as_swept
from tests.support.memory_table import MemoryTable

HOUR = timedelta(hours=1)


@dataclass
class Clocked:
    """A kill switch, and a clock that a test moves."""

    table: MemoryTable = field(default_factory=MemoryTable)
    now: datetime = datetime(2026, 11, 30, 12, tzinfo=UTC)

    def __post_init__(self) -> None:
        as_swept(self.table)
        self.kill_switch = KillSwitch(self.table, lambda: self.now.timestamp())

    async def pause(
        self, hours: int | None, what: Paused = Paused.REMOVALS, by: str = "ann"
    ) -> Pause:
        until = None if hours is None else self.now + hours * HOUR
        return await self.kill_switch.pause(what, by, f"by {by}", until)


@pytest.fixture
def clocked() -> Clocked:
    return Clocked()


async def test_it_lasts_to_its_end_and_no_sooner_whatever_the_clocks(clocked: Clocked) -> None:
    made = await clocked.pause(2)
    assert made.until is not None
    clocked.now = made.until + timedelta(seconds=119)
    assert await clocked.kill_switch.read() == made
    assert await clocked.kill_switch.over() is None
    clocked.now = made.until + timedelta(seconds=120)
    assert await clocked.kill_switch.read() is None


async def test_what_is_over_stays_on_record_until_what_it_held_was_looked_at(
    clocked: Clocked,
) -> None:
    made = await clocked.pause(2)
    clocked.now += 3 * HOUR
    assert await clocked.kill_switch.over() == made
    await clocked.kill_switch.end()
    assert await clocked.kill_switch.over() is None


async def test_the_end_of_one_takes_no_other_away(clocked: Clocked) -> None:
    await clocked.pause(1)
    clocked.now += 2 * HOUR
    made = await clocked.pause(1, by="maria")
    assert (made.by, made.until) == ("maria", clocked.now + HOUR)
    await clocked.kill_switch.end()
    assert await clocked.kill_switch.read() == made


@pytest.mark.parametrize(
    ("first", "second", "lasts"),
    [(2, 1, 2), (1, 2, 2), (None, 1, None), (1, None, None)],
    ids=["shorter", "longer", "an end for what has none", "none for what has an end"],
)
async def test_a_pause_shortens_no_other(
    clocked: Clocked, first: int | None, second: int | None, lasts: int | None
) -> None:
    await clocked.pause(first)
    made = await clocked.pause(second, by="maria")
    assert made.until == (None if lasts is None else clocked.now + lasts * HOUR)
    assert (made.by, made.reason) == ("ann", "by ann; maria: by maria")
    assert await clocked.kill_switch.read() == made


@pytest.mark.parametrize(("first", "second"), [(1, 3), (3, 1)])
async def test_the_wider_of_two_lasts_to_the_later_end(
    clocked: Clocked, first: int, second: int
) -> None:
    await clocked.pause(first, Paused.EVERYTHING)
    made = await clocked.pause(second, Paused.REMOVALS, by="maria")
    assert (made.what, made.until) == (Paused.EVERYTHING, clocked.now + 3 * HOUR)


async def test_lanyards_own_stop_outlasts_a_persons_pause(clocked: Clocked) -> None:
    await clocked.pause(1)
    stopped = await clocked.kill_switch.stop("too many went within an hour")
    assert (stopped.by, stopped.until) == ("ann", None)
    assert stopped.reason == "by ann; too many went within an hour"
    clocked.now += 1000 * HOUR
    assert await clocked.kill_switch.read() == stopped
    await clocked.kill_switch.resume()
    assert await clocked.kill_switch.stop_ended() is not None


async def test_a_persons_pause_on_top_of_lanyards_stop_ends_it_not(clocked: Clocked) -> None:
    await clocked.kill_switch.stop("too many")
    await clocked.pause(1)
    clocked.now += 2 * HOUR
    assert await clocked.kill_switch.read() is not None


async def test_a_pause_is_never_refused_for_how_many_reasons_there_are(clocked: Clocked) -> None:
    for number in range(2_000):
        await clocked.pause(None, by=f"person {number}")
    pause = await clocked.kill_switch.read()
    assert pause is not None
    assert pause.reason.startswith("by person 0; person 1: by person 1")
    assert len(pause.reason) <= 4_000
    again = await clocked.pause(None, by="person 1")
    assert again == pause


async def test_an_end_that_cannot_be_read_stops_everything(clocked: Clocked) -> None:
    await clocked.pause(1)
    row = await clocked.table.get("pause", "pause")
    assert row is not None
    await clocked.table.replace(row, {**row.values, "until": "soon"})
    clocked.now += 2 * HOUR
    pause = await clocked.kill_switch.read()
    assert pause is not None
    assert pause.what is Paused.EVERYTHING


async def test_resume_ends_one_whose_time_is_over_and_returns_it(clocked: Clocked) -> None:
    made = await clocked.pause(1)
    clocked.now += 2 * HOUR
    assert await clocked.kill_switch.resume() == made
    assert await clocked.kill_switch.over() is None
