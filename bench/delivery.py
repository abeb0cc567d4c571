"""Events by webhook and by queue, side by side: how soon each is worked on, what one costs that is
none of ours, and how an hour ends in which the app was stopped.
"""

import asyncio
import base64
import json
import os
import random
import subprocess
import sys
from contextlib import AbstractAsyncContextManager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from bench import stopped_hour
from bench.cold_start import SETTINGS
from bench.figures import Figure, Tell
from bench.options import Options
from bench.queue import TimedQueue
from bench.timed_estate import TimedEstate, machine_events
from lanyard.app.intake import Delivery
from simulator.clock import Clock
from simulator.virtual_time import run

_PROJECT = Path(__file__).parents[1]
#: The function that takes the events in, by the way that they come.
_FUNCTIONS = {Delivery.WEBHOOK: "resource_events", Delivery.QUEUE: "queued_events"}
#: Events that are none of ours, all at once.
_MANY = 1000
#: Invocations of one turn of the worker.
_INVOCATIONS = 2000

type Event = dict[str, Any]


@dataclass(frozen=True)
class _Served:
    """Seconds from an event: until its work began, and until the machine was verified."""

    begun: float
    whole: float


def measure(options: Options, tell: Tell) -> list[Figure]:
    """Rows of both ways, one under the other."""
    tell(f"{options.moments} machines by each way")
    served = {way: run(partial(_served, way=way, moments=options.moments)) for way in Delivery}
    tell(f"{_MANY} events that are none of ours")
    lone, many = (run(partial(_queue_calls, count=count)) for count in (1, _MANY))
    tell(f"the worker's processor time, {options.runs} turns")
    spent = _milliseconds(options.runs)
    tell("an hour in which the app is stopped")
    stopped = {way: run(partial(stopped_hour.seconds, way=way)) for way in Delivery}
    return [
        *(_latency(way, served[way]) for way in Delivery),
        *_costs(lone, many, spent),
        *(_stopped(way, stopped[way]) for way in Delivery),
    ]


def _latency(way: Delivery, served: list[_Served]) -> Figure:
    begun = [one.begun for one in served]
    return Figure(
        f"event to the work on it, by {way}",
        median(begun),
        "s",
        detail=f"longest {max(begun):.2f} s; to the machine verified: median "
        f"{median(one.whole for one in served):.2f} s",
    )


def _costs(lone: float, many: float, spent: dict[Delivery, float]) -> list[Figure]:
    subject = "an event that is none of ours"
    by_queue = f"put, taken and deleted; {many:.2f} where {_MANY:,} come at once; ARM calls: none"
    counted = {Delivery.WEBHOOK: (0.0, "ARM calls: none"), Delivery.QUEUE: (lone, by_queue)}
    calls = [
        Figure(f"{subject}: calls of the storage, by {way}", value, "calls", detail=detail)
        for way, (value, detail) in counted.items()
    ]
    worker = [
        Figure(f"{subject}: the worker's CPU, by {way}", value, "ms", detail="one invocation")
        for way, value in spent.items()
    ]
    return [*calls, *worker]


def _stopped(way: Delivery, found: stopped_hour.Stopped) -> Figure:
    machines = f"{stopped_hour.MACHINES} machines come and go"
    since = "the app's start" if way is Delivery.QUEUE else "the start of the next sweep"
    return Figure(
        f"an hour stopped, {machines}: until all is right, by {way}",
        found.seconds,
        "s",
        detail=f"from {since}; events that waited: {found.waited:,}",
    )


async def _served(clock: Clock, way: Delivery, moments: int) -> list[_Served]:
    """Machines one after the other, each at any moment between two polls of the idle queues."""
    estate, dice = TimedEstate(clock), random.Random(1)  # noqa: S311 (moments)
    await estate.prepare()
    served = []
    async with hearing_by(estate, way) as queue, estate.working(instances=1):
        for number in range(1, moments + 1):
            await estate.create_machines(1, first=number)
            await asyncio.sleep(60 + dice.random() * 10)
            *_, event = machine_events(estate)
            started = clock.now()
            estate.azure.calls.clear()
            await deliver(estate, queue, event)
            await estate.work_queue.emptied()
            whole = estate.finished[estate.vm_id(f"vm-{number:05d}").key] - started
            served.append(_Served(estate.take_calls()[0].at - started, whole))
    estate.check_attached(moments + 1)
    return served


def hearing_by(
    estate: TimedEstate, way: Delivery
) -> AbstractAsyncContextManager[TimedQueue | None]:
    """The queue of events, heard while the context is open; None where they come by webhook."""
    return estate.hearing() if way is Delivery.QUEUE else nullcontext()


async def deliver(estate: TimedEstate, queue: TimedQueue | None, *events: Event) -> None:
    """Bring events as Event Grid does; they are taken in when it returns."""
    if queue is None:
        await estate.take_in(events)
        return
    texts = [base64.b64encode(json.dumps(event).encode()).decode() for event in events]
    await asyncio.gather(*(queue.send(text) for text in texts))
    await queue.emptied()


async def _queue_calls(clock: Clock, count: int) -> float:
    """What so many events cost the storage, each, that are dropped: the app's own writes are."""
    estate = TimedEstate(clock)
    await estate.create_groups()
    await estate.create_machines(1)
    await estate.work_off(machine_events(estate))
    *_, own = machine_events(estate)
    estate.take_calls()
    async with estate.hearing() as queue:
        await asyncio.sleep(60)
        await deliver(estate, queue, *([own] * count))
        if estate.work_queue.length or estate.take_calls():
            raise AssertionError("the event was not dropped")
        return queue.calls / count


def _milliseconds(runs: int) -> dict[Delivery, float]:
    """Medians; both take turns, so that a slow moment of this computer meets both."""
    turns: dict[Delivery, list[float]] = {way: [] for way in Delivery}
    for _ in range(runs):
        for way, found in turns.items():
            found.append(_turn(_FUNCTIONS[way]))
    return {way: median(found) for way, found in turns.items()}


def _turn(function: str) -> float:
    done = subprocess.run(  # noqa: S603 (our own module)
        [sys.executable, "-m", "bench.worker_probe", function, str(_INVOCATIONS)],
        cwd=_PROJECT,
        env={**os.environ, "PYTHONPATH": str(_PROJECT), **SETTINGS},
        capture_output=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"{function} failed:\n{done.stderr.decode()[-2000:]}")
    return float(json.loads(done.stdout)["milliseconds"])
