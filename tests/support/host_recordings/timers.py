"""A recorded timer, gone through by ours on a clock that is moved."""

import asyncio
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from simulator.functions_host.ncrontab import parse_schedule
from simulator.functions_host.timer_state import Status
from simulator.functions_host.timers import Clock, TimerListener
from simulator.virtual_time import run
from tests.support.host_recordings.rows import Row

#: All were recorded on it.
_DAY = "2026-11-28"
_CALL = re.compile(r"(\S+) pastDue=(\w+) status=\w+ json=(\{.*\}) ended")


class LoopClock(Clock):
    """The loop's own time, from a moment on."""

    def __init__(self, start: datetime) -> None:
        self._start = start

    def now(self) -> datetime:
        return self._start + timedelta(seconds=asyncio.get_running_loop().time())


@dataclass
class MemoryState:
    """Nobody else wants the lock, unless `taken` says how often it is refused."""

    status: Status | None = None
    taken: int = 0
    released: bool = False
    written: list[Status] = field(default_factory=list)

    async def acquire(self) -> bool:
        self.taken -= 1
        return self.taken < 0

    async def renew(self) -> None:
        """It never ends here."""

    async def release(self) -> None:
        self.released = True

    async def read(self) -> Status | None:
        return self.status

    async def write(self, status: Status) -> None:
        self.written.append(status)


@dataclass(frozen=True)
class Call:
    """`second`: of the day, to the nearest; the status' `next` as it was told."""

    second: int
    past_due: bool
    next: datetime | None


def recorded(row: Row) -> list[Call]:
    """The calls of the real host."""
    found = []
    for text in row["calls"]:
        matched = _CALL.match(text)
        assert matched is not None, text
        status = json.loads(matched[3])["ScheduleStatus"]
        moment = _moment(matched[1])
        following = _utc(status["Next"]) if status else None
        found.append(Call(_second(moment), matched[2] == "True", following))
    return found


def played(row: Row) -> list[Call]:
    """As many calls of ours. Raises ValueError for a schedule that is refused."""
    schedule = parse_schedule(row["name"].removeprefix("timer "))
    started, wanted = _moment(row["started_at"]), len(row["calls"])

    async def play(_clock: object) -> list[Call]:
        clock, calls = LoopClock(started), list[Call]()
        first = asyncio.Event()

        async def fire(past_due: bool, status: Status | None) -> None:
            calls.append(
                Call(_second(clock.now()), past_due, None if status is None else status.next)
            )
            if not first.is_set():
                first.set()
                await asyncio.sleep(row["function_seconds"])
            if len(calls) == wanted:
                timer.stop()

        timer = TimerListener(schedule, fire, MemoryState(_stored(row)), clock=clock)
        # What is never called goes on for ever.
        with suppress(TimeoutError):
            await asyncio.wait_for(timer.run(), 600)
        return calls

    return run(play)


def _stored(row: Row) -> Status | None:
    if not row["monitor_status_says_missed"]:
        return None
    matched = _CALL.match(row["calls"][0])
    assert matched is not None
    status = json.loads(matched[3])["ScheduleStatus"]
    return Status(*(_utc(status[key]) for key in ("Last", "Next", "LastUpdated")))


def _moment(time: str) -> datetime:
    return _utc(f"{_DAY}T{time}")


def _utc(text: str) -> datetime:
    found = datetime.fromisoformat(text)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _second(moment: datetime) -> int:
    return round(moment.timestamp())
