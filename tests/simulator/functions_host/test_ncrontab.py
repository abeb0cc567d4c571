"""NCRONTAB schedules and the timer on a clock that is moved."""

import asyncio
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from simulator.functions_host.ncrontab import parse_schedule
from simulator.functions_host.timers import Clock, TimerListener


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
        self.timer: TimerListener | None = None

    async def __call__(self) -> None:
        self.times.append(self.clock.time)
        self.clock.time += self.takes
        if len(self.times) == 3:
            assert self.timer is not None
            self.timer.stop()


async def run_timer(takes: timedelta, *, run_on_startup: bool = False) -> list[datetime]:
    clock = MovedClock()
    firings = Firings(clock, takes)
    firings.timer = TimerListener(
        parse_schedule("0 0 */2 * * *"), firings, run_on_startup=run_on_startup, clock=clock
    )
    await asyncio.wait_for(firings.timer.run(), 5)
    return firings.times


async def test_the_timer_fires_when_due_until_it_is_stopped() -> None:
    times = await run_timer(timedelta(minutes=1))
    assert times == [at(f"2026-11-20T{hour}:00:00") for hour in (12, 14, 16)]


async def test_the_timer_fires_at_once_on_startup_where_told_to() -> None:
    times = await run_timer(timedelta(minutes=1), run_on_startup=True)
    assert times[:2] == [at("2026-11-20T10:00:30"), at("2026-11-20T12:00:00")]


async def test_firings_do_not_overlap() -> None:
    times = await run_timer(timedelta(hours=3))
    assert all(later - earlier >= timedelta(hours=3) for earlier, later in pairwise(times))
