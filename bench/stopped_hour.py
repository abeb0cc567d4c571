"""The app is stopped for an hour while a hundred machines come and go.

By queue their events wait there, and are taken in when it starts. By webhook the platform answers
403 in its place, which Event Grid takes for an end: nobody hears of them again where there are no
dead letters, and the next sweep finds what is there and what is gone.
"""

import asyncio
import base64
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from bench.timed_estate import TimedEstate, machine_events
from lanyard.app.intake import Delivery
from simulator.clock import Clock
from tests.support.estate import BLOB_READER

#: Of these a part was there before and goes, a part comes and stays, the others come and go.
MACHINES, _LEAVE, _STAY = 100, 30, 40
_HOUR = 3600.0
#: Where those are that leave: the last one's role goes with it.
_LEFT = "northeurope"


@dataclass(frozen=True)
class Stopped:
    """`seconds` until all was as the policy says, `waited`: events that lay in the queue."""

    seconds: float
    waited: int


async def seconds(clock: Clock, way: Delivery) -> Stopped:
    """From the app's start by queue, from that of the next sweep by webhook. Raises AssertionError
    where something is not as the policy says at the end.
    """
    estate = TimedEstate(clock)
    await estate.prepare()
    leaving = [f"vm-leaves-{number}" for number in range(_LEAVE)]
    await asyncio.gather(*(estate.create_vm(name, location=_LEFT) for name in leaving))
    await estate.work_off(machine_events(estate))
    estate.new_events()
    await _an_hour_passes(estate, leaving)
    texts = [json.dumps(event) for event in estate.new_events()] if way is Delivery.QUEUE else []
    started = clock.now()
    async with _at_work(estate, texts):
        if way is Delivery.WEBHOOK:
            await estate.instance().sweeps.run()
        await estate.work_queue.emptied()
    found = Stopped(clock.now() - started, len(texts))
    await _check(estate)
    return found


async def _an_hour_passes(estate: TimedEstate, leaving: list[str]) -> None:
    coming = [f"vm-comes-{number}" for number in range(MACHINES - len(leaving))]
    await asyncio.gather(*(estate.create_vm(name) for name in coming))
    await asyncio.sleep(_HOUR)
    await asyncio.gather(*(estate.delete_vm(name) for name in [*leaving, *coming[_STAY:]]))


@asynccontextmanager
async def _at_work(estate: TimedEstate, waiting: list[str]) -> AsyncIterator[None]:
    """An instance that starts, and has taken in what waits in the queue of events."""
    async with estate.hearing() as events, estate.working(instances=1):
        for text in waiting:
            events.lay(base64.b64encode(text.encode()).decode())
        await events.emptied()
        yield


async def _check(estate: TimedEstate) -> None:
    """Who came and stayed has identity and role; those who left hold nothing."""
    stay = [await estate.identity_of(f"vm-comes-{number}") for number in range(_STAY)]
    (principal,) = {of for found in stay for of in found.values()}
    expected = [(BLOB_READER, f"{estate.scope}/resourceGroups/rg-app", principal)]
    if not all(stay) or estate.assignments() != expected:
        raise AssertionError(f"not as the policy says: {stay}, {estate.assignments()}")
