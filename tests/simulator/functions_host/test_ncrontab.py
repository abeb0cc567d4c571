"""NCRONTAB schedules and the timer on a clock that is moved."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.functions_host.ncrontab import parse_schedule
from simulator.functions_host.timer_state import Status
from simulator.functions_host.timers import Clock, TimerListener
from tests.support.host_recordings.timers import MemoryState


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("expression", "moment", "expected"),
    [
        ("0 */5 * * * *", "2026-11-20T10:00:00", "2026-11-20T10:05:00"),
        ("*/5 * * * *", "2026-11-20T10:03:30", "2026-11-20T10:05:00"),
        ("30 10/20 * * * *", "2026-11-20T10:10:30", "2026-11-20T10:30:30"),
        ("0 0 9-17/4 * * *", "2026-11-20T13:00:00", "2026-11-20T17:00:00"),
        ("0 0 9-17/4 * * *", "2026-11-20T17:00:00", "2026-11-21T09:00:00"),
        ("0 30 9 * * Mon-Fri", "2026-11-20T09:30:00", "2026-11-23T09:30:00"),
        ("0 0 0 * Jan,jul Sunday", "2026-11-20T00:00:00", "2027-01-03T00:00:00"),
        ("0 0 0 29 2 *", "2026-03-01T00:00:00", "2028-02-29T00:00:00"),
        ("0 0 0 13 * 5", "2026-11-20T00:00:00", "2027-08-13T00:00:00"),
        ("59 59 23 31 12 *", "2026-12-31T23:59:59", "2027-12-31T23:59:59"),
        ("* * * * * *", "2026-11-20T10:00:00.5", "2026-11-20T10:00:01"),
    ],
)
def test_fires_next(expression: str, moment: str, expected: str) -> None:
    assert parse_schedule(expression).next_after(at(moment)) == at(expected)


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("* * * *", "six fields"),
        ("00:05:00", "six fields"),
        ("60 * * * * *", "second '60'"),
        ("0 0 24 * * *", "hour '24'"),
        ("0 0 0 0 * *", "day '0'"),
        ("0 0 0 * * 7", "day of week '7'"),
        ("0 0 0 * foo *", "'foo' is no month"),
        ("0 5-2 * * * *", "minute '5-2'"),
        ("0 */0 * * * *", "'0' is no step"),
        ("0 */ * * * *", "'' is no step"),
        ("0 1,,2 * * * *", "minute '1,,2'"),
        ("0 -1 * * * *", "minute '-1'"),
        ("0 0 0 30 2 *", "never fires"),
    ],
)
def test_refuses_what_is_no_schedule(expression: str, message: str) -> None:
    with pytest.raises(ValueError, match="(?s).*" + message.replace("*", r"\*")):
        parse_schedule(expression)


@given(
    minute=st.integers(0, 59),
    step=st.integers(1, 23),
    moment=st.datetimes(datetime(2000, 1, 1), datetime(2100, 1, 1)),
)
def test_the_next_firing_is_the_first_that_fits(minute: int, step: int, moment: datetime) -> None:
    """Against a search by the minute."""
    moment = moment.replace(tzinfo=UTC)
    found = parse_schedule(f"0 {minute} */{step} * * *").next_after(moment)
    candidate = moment.replace(second=0, microsecond=0) + timedelta(minutes=1)
    while candidate.minute != minute or candidate.hour % step:
        candidate += timedelta(minutes=1)
    assert found == candidate


class MovedClock(Clock):
    """Waiting takes no time: it moves the clock."""

    def __init__(self) -> None:
        self.time = at("2026-11-20T10:00:30")

    def now(self) -> datetime:
        return self.time

    async def wait(self, _event: asyncio.Event, seconds: float) -> None:
        self.time += timedelta(seconds=seconds)


class Firings:
    """Takes some of the clock's time for each firing; stops the timer after some of them."""

    def __init__(self, clock: MovedClock, takes: timedelta) -> None:
        self.clock, self.takes = clock, takes
        self.times: list[datetime] = []
        self.seen: list[tuple[bool, Status | None]] = []
        self.timer: TimerListener | None = None

    async def __call__(self, past_due: bool, status: Status | None) -> None:
        self.times.append(self.clock.time)
        self.seen.append((past_due, status))
        self.clock.time += self.takes
        if len(self.times) == 3:
            assert self.timer is not None
            self.timer.stop()


async def run_timer(
    takes: timedelta, state: MemoryState | None = None, *, run_on_startup: bool = False
) -> Firings:
    clock = MovedClock()
    firings = Firings(clock, takes)
    firings.timer = TimerListener(
        parse_schedule("0 0 */2 * * *"),
        firings,
        state or MemoryState(),
        run_on_startup=run_on_startup,
        clock=clock,
    )
    await asyncio.wait_for(firings.timer.run(), 5)
    return firings


def stored(last: str, following: str) -> MemoryState:
    return MemoryState(Status(at(last), at(following), at(last)))


async def test_the_timer_fires_when_due_until_it_is_stopped() -> None:
    fired = await run_timer(timedelta(minutes=1))
    assert fired.times == [at(f"2026-11-20T{hour}:00:00") for hour in (12, 14, 16)]
    assert {past_due for past_due, _ in fired.seen} == {False}


async def test_the_timer_fires_at_once_on_startup_where_told_to() -> None:
    fired = await run_timer(timedelta(minutes=1), run_on_startup=True)
    assert fired.times[:2] == [at("2026-11-20T10:00:30"), at("2026-11-20T12:00:00")]


async def test_after_an_overlong_run_the_next_comes_at_once_and_none_overlap() -> None:
    fired = await run_timer(timedelta(hours=3))
    assert fired.times == [at(f"2026-11-20T{hour}:00:00") for hour in (12, 15, 18)]


async def test_a_time_that_was_missed_is_made_up_for_once_at_the_start() -> None:
    state = stored("2026-11-20T02:00:00", "2026-11-20T04:00:00")
    fired = await run_timer(timedelta(minutes=1), state)
    assert fired.times[:2] == [at("2026-11-20T10:00:30"), at("2026-11-20T12:00:00")]
    assert fired.seen[0] == (True, state.status)
    following = at("2026-11-20T12:00:00")
    assert fired.seen[1] == (False, Status(fired.times[0], following, fired.times[0]))


@pytest.mark.parametrize(
    ("last", "following"),
    [
        ("2026-11-20T10:00:00", "2026-11-20T12:00:00"),
        ("2026-11-20T09:00:00", "2026-11-20T09:30:00"),
    ],
    ids=["nothing was missed", "another schedule"],
)
async def test_a_start_that_is_not_past_due_waits(last: str, following: str) -> None:
    fired = await run_timer(timedelta(minutes=1), stored(last, following))
    assert fired.times[0] == at("2026-11-20T12:00:00")
    assert not fired.seen[0][0]


async def test_while_another_instance_has_the_lock_it_fires_nothing() -> None:
    """It tries again each minute; that of a killed one ends by then."""
    state = MemoryState(taken=1)
    fired = await run_timer(timedelta(minutes=1), state, run_on_startup=True)
    assert fired.times[0] == at("2026-11-20T10:01:30")
    assert state.released
