"""A burst of new machines, with Azure's token buckets on: how near to what those allow?"""

import math
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from unittest import mock

from bench.baseline_estate import BaselineEstate
from bench.figures import Budget, Figure, Tell
from bench.options import Options
from bench.timed_estate import TimedEstate, is_poll, machine_events, queue_options
from simulator.arm.calls import Call
from simulator.arm.throttling import ARM_LIMITS, Throttle
from simulator.clock import Clock
from simulator.virtual_time import run

#: Jitter makes one burst unlike the next.
BURSTS = 3
#: Among so many each knows little of what the others take, but for what answers tell.
_MANY_INSTANCES = 8


@dataclass(frozen=True)
class Burst:
    """What happened: `seconds` from the events to the last machine verified, on Azure's clock."""

    seconds: float
    calls: list[Call]

    @property
    def refused(self) -> float:
        """The share of 429 in percent."""
        return 100 * sum(call.status == 429 for call in self.calls) / len(self.calls)

    def __str__(self) -> str:
        kinds = Counter("poll" if is_poll(call) else call.method for call in self.calls)
        return ", ".join(f"{count:,} {kind}" for kind, count in kinds.most_common())


def measure(options: Options, tell: Tell) -> list[Figure]:
    """Both run; the times are the simulator's, so neither waits."""
    machines = options.machines
    at_once = queue_options().batch_size + queue_options().new_batch_threshold
    instances = options.instances or scaled_to(machines, at_once)
    tell(f"{machines:,} machines by the product, {instances} instances")
    product, refused = _median(machines, instances)
    tell(f"{machines:,} machines by the baseline, one after the other")
    baseline = _by_baseline(machines)
    least = least_seconds("writes", machines)
    return [
        Figure(
            f"burst of {machines:,} machines: time ÷ least that the write bucket allows",
            product.seconds / least,
            "",
            baseline.seconds / least,
            Budget(1.15),
            f"{product.seconds:.0f} s, least {least:.0f} s; baseline {baseline.seconds:.0f} s; "
            f"{instances} instances of {at_once} messages at once; calls: {product}; "
            f"median of {BURSTS} bursts",
        ),
        Figure(
            "burst: calls answered 429",
            refused,
            "%",
            baseline.refused,
            Budget(1.0),
            f"median of {BURSTS} bursts; of {len(product.calls):,} calls",
        ),
    ]


def by_many_instances(options: Options, tell: Tell) -> list[Figure]:
    """What they gain from what answers tell of the reads that are left: with it, and without."""
    machines = options.machines
    least = least_seconds("writes", machines)
    tell(f"{machines:,} machines, {_MANY_INSTANCES} instances, told of reads and not")
    told, told_refused = _median(machines, _MANY_INSTANCES)
    with untold_of_reads():
        untold, untold_refused = _median(machines, _MANY_INSTANCES)
    name = f"burst, {_MANY_INSTANCES} instances"
    return [
        Figure(
            f"{name}: time ÷ least that the write bucket allows",
            told.seconds / least,
            "",
            detail=f"{untold.seconds / least:.2f} without the header of reads; calls: {told}",
        ),
        Figure(
            f"{name}: calls answered 429",
            told_refused,
            "%",
            detail=f"{untold_refused:.2f} % without the header of reads",
        ),
    ]


@contextmanager
def untold_of_reads() -> Iterator[None]:
    """An Azure whose answers do not tell how many reads are left."""
    arm = Throttle.arm

    def untold(throttle: Throttle, *request: Any) -> dict[str, str]:
        told = arm(throttle, *request)
        return {name: left for name, left in told.items() if not name.endswith("-reads")}

    with mock.patch.object(Throttle, "arm", untold):
        yield


def _median(machines: int, instances: int) -> tuple[Burst, float]:
    """The burst of the median time, and the median share of 429 in percent."""
    bursts = [run(lambda clock: _by_product(clock, machines, instances)) for _ in range(BURSTS)]
    refused = sorted(burst.refused for burst in bursts)[BURSTS // 2]
    return sorted(bursts, key=lambda burst: burst.seconds)[BURSTS // 2], refused


def scaled_to(messages: int, at_once: int) -> int:
    """The instances that Azure starts for a queue: its length by what one instance takes at once.

    Source: "Target-based scaling" of Azure Functions, storage queues.
    """
    return math.ceil(messages / at_once)


def least_seconds(kind: str, calls: int) -> float:
    """The least time for so many calls of a kind ("reads", "writes", "deletes"), bucket full.

    0 where the bucket holds them all.
    """
    limit = ARM_LIMITS[kind]
    return max(0.0, (calls - limit.size) / limit.per_second)


async def _by_product(clock: Clock, machines: int, instances: int) -> Burst:
    estate = TimedEstate(clock)
    await estate.prepare()
    await estate.create_machines(machines, first=1)
    events = machine_events(estate)
    estate.azure.calls.clear()
    estate.azure.behaviour.throttling = True
    started = clock.now()
    await estate.work_off(events, instances)
    calls = estate.take_calls()
    estate.check_attached(machines + 1)
    return Burst(max(estate.finished.values()) - started, calls)


def _by_baseline(machines: int) -> Burst:
    world = BaselineEstate(machines)
    world.azure.behaviour.throttling = True
    return Burst(world.handle(*world.events), world.take_calls())
