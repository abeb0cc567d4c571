"""Timer triggers, without a schedule monitor: nothing is past due, nothing missed is made up."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime

from simulator.functions_host.errors import StartError
from simulator.functions_host.functions import Function
from simulator.functions_host.invocation import Invoke
from simulator.functions_host.ncrontab import Schedule, parse_schedule
from simulator.functions_host.protocol import TypedData


class Clock:
    """The real time; tests move one of their own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait(self, event: asyncio.Event, seconds: float, /) -> None:
        """Return after `seconds`, or as soon as `event` is set."""
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)


class TimerListener:
    """Fires one function. The next firing follows from the end of the last: none overlap."""

    def __init__(
        self,
        schedule: Schedule,
        fire: Callable[[], Awaitable[object]],
        *,
        run_on_startup: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._schedule = schedule
        self._fire = fire
        self._run_on_startup = run_on_startup
        self._clock = clock or Clock()
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        if self._run_on_startup:
            await self._fire()
        while not self._stopping.is_set():
            await self._until(self._schedule.next_after(self._clock.now()))
            if not self._stopping.is_set():
                await self._fire()

    async def _until(self, due: datetime) -> None:
        # In steps of an hour at most: a clock that was set is noticed.
        while not self._stopping.is_set():
            left = (due - self._clock.now()).total_seconds()
            if left <= 0:
                return
            await self._clock.wait(self._stopping, min(left, 3600))


def timer_listener(function: Function, invoke: Invoke) -> TimerListener:
    """Raises StartError for a schedule that is no NCRONTAB expression."""
    values = function.trigger.values
    try:
        schedule = parse_schedule(values["schedule"])
    except ValueError as error:
        raise StartError(f"function {function.name}: schedule: {error}") from None
    return TimerListener(
        schedule,
        lambda: invoke(function, timer_data()),
        run_on_startup=bool(values.get("runOnStartup")),
    )


def timer_data() -> TypedData:
    """What `func.TimerRequest` is made of."""
    info = {"Schedule": {"AdjustForDST": True}, "ScheduleStatus": None, "IsPastDue": False}
    return TypedData(json=json.dumps(info))
