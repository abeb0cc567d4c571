"""Time: a clock that stands still until moved, and one that runs by itself."""

import asyncio
from functools import partial

import pytest

from simulator.arm.pipeline import acting
from simulator.azure import Azure
from simulator.behaviour import Behaviour, WriteEvent
from simulator.clock import Clock
from simulator.operations import Operations
from simulator.state import Activity, State
from tests.support.arm.world import VM_BODY, World

VERSION = "?api-version=2024-11-01"


def test_work_ends_in_the_order_of_its_ends_when_the_clock_jumps() -> None:
    state = State()
    operations, ended = Operations(state), list[str]()
    for name, seconds in (("slow", 30.0), ("quick", 5.0), ("later", 300.0)):
        operations.start(seconds, partial(ended.append, name))
    state.clock.advance(60)
    assert ended == ["quick", "slow"]


def test_work_may_take_more_or_less_time_by_seeded_chance() -> None:
    state = State(behaviour=Behaviour(operation_spread_seconds=2))
    operations = Operations(state)
    for _ in range(200):
        operations.start(5, lambda: None)
    seconds = [work.ends_at - work.started_at for work in operations.all()]
    assert 3 <= min(seconds) < 3.2
    assert 6.8 < max(seconds) <= 7
    again = Operations(state)
    assert again.start(5, lambda: None).ends_at - state.clock.now() == seconds[0]


def test_the_clock_only_moves_forward() -> None:
    with pytest.raises(ValueError, match="forward"):
        Clock().advance(-1)


async def test_sleepers_wake_when_the_clock_passes_them() -> None:
    clock = Clock()
    sleeper = asyncio.create_task(clock.sleep_until(clock.now() + 10))
    await asyncio.sleep(0)
    clock.advance(9)
    await asyncio.sleep(0)
    assert not sleeper.done()
    clock.advance(1)
    async with asyncio.timeout(5):
        await sleeper


async def test_under_a_running_clock_work_ends_without_another_request() -> None:
    azure = Azure(clock=Clock(running=True), behaviour=Behaviour(operation_seconds=0.02))
    subscription = azure.state.add_subscription("Demo").id
    owner = azure.state.add_principal("owner", "User")
    azure.assign(owner.object_id, "Owner", f"/subscriptions/{subscription}")
    world = World(azure, subscription, owner, owner)
    await world.raw("PUT", f"{world.group_scope}?api-version=2024-11-01", {"location": "x"})

    told = asyncio.Event()
    azure.state.on_activity(lambda _activity: told.set())
    await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    assert not told.is_set()
    async with asyncio.timeout(5):
        await told.wait()
    assert azure.state.resources[world.vm_id("vm1").lower()].provisioning_state == "Succeeded"


@pytest.mark.parametrize(
    ("switch", "at_once", "in_all"),
    [(WriteEvent.ACCEPTED, 1, 1), (WriteEvent.COMPLETED, 0, 1), (WriteEvent.BOTH, 1, 2)],
)
async def test_the_switch_decides_when_a_write_is_told(
    world: World, switch: WriteEvent, at_once: int, in_all: int
) -> None:
    told: list[Activity] = []
    world.azure.state.on_activity(told.append)
    world.azure.behaviour.write_event = switch
    world.azure.behaviour.operation_seconds = 5
    await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    assert len(told) == at_once
    world.azure.clock.advance(5)
    assert len(told) == in_all


async def test_a_failed_write_is_told_as_failed_and_a_read_not_at_all(world: World) -> None:
    told: list[Activity] = []
    world.azure.state.on_activity(told.append)
    await world.raw("PUT", world.vm_id("vm1") + VERSION, {"location": "westeurope"})
    await world.raw("GET", world.group_scope + VERSION)
    assert [(each.action, each.status) for each in told] == [
        ("Microsoft.Compute/virtualMachines/write", "Failed")
    ]


async def test_overlapping_sleeps_of_sdk_clients_move_the_clock_once(world: World) -> None:
    transport, before = world.azure.transport(), world.azure.clock.now()
    await asyncio.gather(*(transport.sleep(30) for _ in range(10)))
    assert world.azure.clock.now() - before == 30


async def test_whoever_asked_for_work_is_who_acts_when_another_ones_call_ends_it(
    world: World,
) -> None:
    azure, actors = world.azure, list[str]()
    asking = acting.set("who asked")
    azure.operations.start(1, lambda: actors.append(acting.get()))
    acting.reset(asking)
    calling = acting.set("who calls")
    azure.clock.advance(1)
    acting.reset(calling)
    assert actors == ["who asked"]
