"""One new machine, nothing throttled: from its event to its identity read back from ARM."""

import asyncio
import random
from dataclasses import dataclass
from statistics import median

from bench.baseline_estate import BaselineEstate
from bench.figures import Budget, Figure, Tell
from bench.latencies import least_for_one_machine
from bench.options import Options
from bench.timed_estate import TimedEstate, machine_events
from simulator.azure import Azure
from simulator.clock import Clock
from simulator.virtual_time import run


@dataclass(frozen=True)
class _Served:
    """Seconds: all of them, those that the message lay on the queue, and the least possible."""

    whole: float
    queued: float
    least: float


def measure(options: Options, tell: Tell) -> list[Figure]:
    """Medians over the moments, on the simulator's clock."""
    tell(f"{options.moments} machines, one after the other")
    product = run(lambda clock: _by_product(clock, options.moments))
    baseline = _by_baseline(options.moments)
    in_function = median((one.whole - one.queued) / one.least for one in product)
    return [
        Figure(
            "one machine: event to verified ÷ the ARM latencies on its critical path",
            median(one.whole / one.least for one in product),
            "",
            median(one.whole / one.least for one in baseline),
            Budget(1.2),
            f"median {median(one.whole for one in product):.2f} s, of it on the queue "
            f"{median(one.queued for one in product):.2f} s, where the baseline has none; "
            f"without the queue {in_function:.2f}",
        )
    ]


async def _by_product(clock: Clock, moments: int) -> list[_Served]:
    estate, dice = TimedEstate(clock), random.Random(1)  # noqa: S311 (moments)
    await estate.prepare()
    served = []
    async with estate.working(instances=1):
        for number in range(1, moments + 1):
            await estate.create_machines(1, first=number)
            await asyncio.sleep(60 + dice.random() * 10)
            events, started = machine_events(estate), clock.now()
            estate.azure.calls.clear()
            await estate.take_in(events)
            await estate.work_queue.emptied()
            whole = estate.finished[estate.vm_id(f"vm-{number:05d}").key] - started
            queued = estate.take_calls()[0].at - started
            served.append(_Served(whole, queued, _least(estate.azure)))
    estate.check_attached(moments + 1)
    return served


def _by_baseline(moments: int) -> list[_Served]:
    world = BaselineEstate(moments)
    return [_Served(world.handle(event), 0.0, _least(world.azure)) for event in world.events]


def _least(azure: Azure) -> float:
    """For the machine that was written last."""
    work = azure.operations.all()[-1]
    return least_for_one_machine(work.ends_at - work.started_at)
