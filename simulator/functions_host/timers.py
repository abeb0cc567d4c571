"""Timer triggers with their schedule monitor: what was missed is made up for, once.

The rules are those of TimerListener and StorageScheduleMonitor of the real host: the next firing
follows from the start of the last one, so that a run which outlasts it is followed by another at
once; a time that passed while no instance ran fires at the start, as past due; schedules of less
than a minute are remembered nowhere.
"""

import asyncio
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta

from azure.core.exceptions import AzureError

from simulator.functions_host.errors import HostFailure, StartError
from simulator.functions_host.functions import Function
from simulator.functions_host.invocation import Invoke
from simulator.functions_host.ncrontab import Schedule, parse_schedule
from simulator.functions_host.protocol import TypedData
from simulator.functions_host.timer_state import NEVER, Status, TimerState, keep

RECOVERY_SECONDS = 60
"""So often an instance that has not the lock of a timer tries to get it."""
_MONITORED = timedelta(minutes=1)


class Clock:
    """The real time; tests move one of their own."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait(self, event: asyncio.Event, seconds: float, /) -> None:
        """Return after `seconds`, or as soon as `event` is set."""
        with suppress(TimeoutError):
            await asyncio.wait_for(event.wait(), seconds)


class TimerListener:
    """Fires one function: `fire` is told whether it is past due, and the status, if any."""

    def __init__(
        self,
        schedule: Schedule,
        fire: Callable[[bool, Status | None], Awaitable[object]],
        state: TimerState,
        *,
        run_on_startup: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._schedule = schedule
        self._fire = fire
        self._state = state
        self._run_on_startup = run_on_startup
        self._clock = clock or Clock()
        self._stopping = asyncio.Event()
        self._status: Status | None = None

    @property
    def status(self) -> Status | None:
        """What is remembered; None for a schedule that nothing is remembered of."""
        return self._status

    def stop(self) -> None:
        self._stopping.set()

    async def run(self) -> None:
        """Raises HostFailure where the storage that it remembers in stays away."""
        try:
            await self._run_alone()
        except AzureError as error:
            raise HostFailure(f"the listener of a timer was unable to start: {error}") from error

    async def _run_alone(self) -> None:
        while not await self._state.acquire():
            await self._clock.wait(self._stopping, RECOVERY_SECONDS)
            if self._stopping.is_set():
                return
        keeping = asyncio.create_task(keep(self._state))
        try:
            await self._run_on()
        finally:
            keeping.cancel()
            await self._state.release()

    async def _run_on(self) -> None:
        started = await self._begin(self._clock.now())
        while not self._stopping.is_set():
            await self._until(self._schedule.next_after(started))
            if not self._stopping.is_set():
                started = await self._run_once(past_due=False)

    async def _begin(self, now: datetime) -> datetime:
        """What a start does beside waiting; the moment that the next firing follows from."""
        if await self._was_missed(now):
            return await self._run_once(past_due=True)
        return await self._run_once(past_due=False) if self._run_on_startup else now

    async def _was_missed(self, now: datetime) -> bool:
        first = self._schedule.next_after(now)
        if self._schedule.next_after(first) - first < _MONITORED:
            return False
        self._status = status = await self._state.read()
        if status is None or status.next != self._next_after(status):
            # Its first start, or another schedule.
            await self._remember(Status(NEVER if status is None else status.last, first, now))
            return False
        return now > status.next

    def _next_after(self, status: Status) -> datetime:
        return self._schedule.next_after(status.updated if status.last == NEVER else status.last)

    async def _run_once(self, *, past_due: bool) -> datetime:
        started = self._clock.now()
        await self._fire(past_due, self._status)
        if self._status is not None:
            await self._remember(Status(started, self._schedule.next_after(started), started))
        return started

    async def _remember(self, status: Status) -> None:
        self._status = status
        await self._state.write(status)

    async def _until(self, due: datetime) -> None:
        # In steps of an hour at most: a clock that was set is noticed.
        while not self._stopping.is_set():
            left = (due - self._clock.now()).total_seconds()
            if left <= 0:
                return
            await self._clock.wait(self._stopping, min(left, 3600))


def timer_listener(function: Function, invoke: Invoke, state: TimerState) -> TimerListener:
    """Raises StartError for a schedule that is no NCRONTAB expression."""
    values = function.trigger.values
    try:
        schedule = parse_schedule(values["schedule"])
    except ValueError as error:
        raise StartError(f"function {function.name}: schedule: {error}") from None
    return TimerListener(
        schedule,
        lambda past_due, status: invoke(function, timer_data(past_due=past_due, status=status)),
        state,
        run_on_startup=bool(values.get("runOnStartup")),
    )


def timer_data(*, past_due: bool = False, status: Status | None = None) -> TypedData:
    """What `func.TimerRequest` is made of."""
    info = {
        "Schedule": {"AdjustForDST": True},
        "ScheduleStatus": status and status.as_json(),
        "IsPastDue": past_due,
    }
    return TypedData(json=json.dumps(info))
