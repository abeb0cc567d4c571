"""ARM's token buckets, Azure's published ones on the simulator's clock, are spared before they
refuse: by one instance of the app, and by several that know of each other only by what is left.

Jitter makes no two bursts alike, so these bounds only tell sparing from not sparing; the budgets
are held by `make bench`.
"""

from collections import Counter

import pytest

from bench.burst import least_seconds
from bench.timed_estate import TimedEstate, machine_events
from simulator.arm.calls import Call
from simulator.clock import Clock
from simulator.virtual_time import run

MACHINES = 400
# The last machine's own: its operation takes up to 7 s, and then it is looked at.
LAST = 12


async def burst(clock: Clock, instances: int) -> tuple[dict[str, float], list[Call]]:
    """Seconds after which each machine had what the policy gives it, and all calls."""
    estate = TimedEstate(clock)
    await estate.prepare()
    await estate.create_machines(MACHINES, first=1)
    events = machine_events(estate)
    estate.azure.calls.clear()
    estate.azure.behaviour.throttling = True
    started = clock.now()
    await estate.work_off(events, instances)
    estate.check_attached(MACHINES + 1)
    ended = {name: at - started for name, at in estate.finished.items() if at > started}
    return ended, estate.take_calls()


@pytest.mark.parametrize("instances", [1, 2])
def test_a_burst_is_worked_off_about_as_fast_as_azure_allows_and_hardly_ever_refused(
    instances: int,
) -> None:
    ended, calls = run(lambda clock: burst(clock, instances))
    assert len(ended) == MACHINES
    refused = sum(call.status == 429 for call in calls)
    assert refused < len(calls) / 20
    assert Counter(call.method for call in calls if call.status != 429)["PATCH"] == MACHINES
    assert max(ended.values()) < least_seconds("writes", MACHINES) * 2.2 + LAST
