"""A burst of new machines, with Azure's token buckets on: how near to what those allow?"""

import math
from collections import Counter
from dataclasses import dataclass

from bench.baseline_estate import BaselineEstate
from bench.figures import Budget, Figure, Tell
from bench.options import Options
from bench.timed_estate import TimedEstate, is_poll, machine_events, queue_options
from simulator.arm.calls import Call
from simulator.arm.throttling import ARM_LIMITS
from simulator.clock import Clock
from simulator.virtual_time import run

# Jitter makes one burst unlike the next.
_BURSTS = 3


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
    bursts = [run(lambda clock: _by_product(clock, machines, instances)) for _ in range(_BURSTS)]
    product = sorted(bursts, key=lambda burst: burst.seconds)[_BURSTS // 2]
    refused = sorted(burst.refused for burst in bursts)[_BURSTS // 2]
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
            f"median of {_BURSTS} bursts",
        ),
        Figure(
            "burst: calls answered 429",
            refused,
            "%",
            baseline.refused,
            Budget(1.0),
            f"median of {_BURSTS} bursts; of {len(product.calls):,} calls",
        ),
    ]


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
