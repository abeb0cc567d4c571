"""One new machine, nothing throttled: from its event to its identity read back from ARM."""

import asyncio
import random
from statistics import median

from bench.baseline_estate import BaselineEstate
from bench.figures import Budget, Figure, Tell
from bench.latencies import ONE_MACHINE
from bench.options import Options
from bench.timed_estate import TimedEstate, machine_events
from simulator.clock import Clock
from simulator.virtual_time import run

#: The event comes at any moment between two polls of the idle queue: so many moments are tried.
_MOMENTS = 25


def measure(_options: Options, tell: Tell) -> list[Figure]:
    """Medians over the moments, on the simulator's clock."""
    tell(f"{_MOMENTS} machines, one after the other")
    whole, taken = run(_by_product)
    baseline = BaselineEstate(1)
    seconds = baseline.handle(*baseline.events)
    return [
        Figure(
            "one machine: event to verified ÷ the ARM latencies on its critical path",
            median(whole) / ONE_MACHINE,
            "",
            seconds / ONE_MACHINE,
            Budget(1.2),
            f"{median(whole):.2f} s of {ONE_MACHINE:.2f} s (GET, PATCH, the operation, GET); of it "
            f"{median(taken):.2f} s on the queue; the baseline has no queue",
        )
    ]


async def _by_product(clock: Clock) -> tuple[list[float], list[float]]:
    """Seconds from each event to its end, and how many of them its message lay on the queue."""
    estate, dice = TimedEstate(clock), random.Random(1)  # noqa: S311 (moments)
    await estate.prepare()
    whole, waited = [], []
    async with estate.working(instances=1):
        for number in range(1, _MOMENTS + 1):
            await estate.create_machines(1, first=number)
            await asyncio.sleep(60 + dice.random() * 10)
            events, started = machine_events(estate), clock.now()
            estate.azure.calls.clear()
            await estate.take_in(events)
            await estate.work_queue.emptied()
            machine = estate.vm_id(f"vm-{number:05d}")
            whole.append(estate.finished[machine.key] - started)
            waited.append(estate.take_calls()[0].at - started)
    estate.check_attached(_MOMENTS + 1)
    return whole, waited
