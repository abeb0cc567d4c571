"""Calls that take their time."""

import asyncio

import pytest

from simulator.arm.latency import call_seconds
from simulator.azure import Azure
from simulator.behaviour import Behaviour
from simulator.clock import Clock
from simulator.virtual_time import run
from tests.support.arm.world import VM_BODY, World

VERSION = "?api-version=2024-11-01"
_GROUP = "/subscriptions/s/resourceGroups/g"
_ASSIGNMENT = "microsoft.authorization/roleassignments"


@pytest.mark.parametrize(
    ("method", "path", "seconds"),
    [
        ("GET", f"{_GROUP}/providers/Microsoft.Compute/virtualMachines/vm", 0.06),
        ("PUT", f"{_GROUP}/providers/X.Y/z/1/providers/{_ASSIGNMENT}/2", 0.25),
        ("PUT", f"{_GROUP}/providers/Microsoft.Authorization/roleAssignments/2", 0.25),
        ("PUT", f"{_GROUP}/providers/Microsoft.Web/sites/app", 0.0),
        ("GET", _GROUP, 0.06),
    ],
    ids=["by verb", "extension resource", "any casing", "no entry", "no provider"],
)
def test_a_call_takes_the_time_of_its_verb_and_type(method: str, path: str, seconds: float) -> None:
    times = {"GET": 0.06, f"PUT {_ASSIGNMENT}": 0.25}
    assert call_seconds(times, method, path) == seconds


def test_calls_that_run_side_by_side_take_their_time_once() -> None:
    async def main(clock: Clock) -> tuple[float, list[int | None]]:
        azure = Azure(clock=clock, behaviour=Behaviour(call_seconds={"GET": 0.5}))
        subscription = azure.state.add_subscription("Demo").id
        owner = azure.state.add_principal("owner", "User")
        azure.assign(owner.object_id, "Owner", f"/subscriptions/{subscription}")
        world = World(azure, subscription, owner, owner)
        await world.raw("PUT", f"{world.group_scope}?api-version=2024-11-01", {"location": "x"})
        await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
        started = clock.now()
        await asyncio.gather(*(world.raw("GET", world.vm_id("vm1") + VERSION) for _ in range(10)))
        return clock.now() - started, [call.status for call in azure.calls[-10:]]

    seconds, statuses = run(main)
    assert seconds == pytest.approx(0.5, abs=0.01)
    assert statuses == [200] * 10
