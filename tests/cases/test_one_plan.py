"""Cases of apps whose writes exclude each other: one at a time, and who waits has not failed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from bench.timed_estate import TimedEstate
from lanyard.desk.operator import Operator
from lanyard.planning.orders import Paused
from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId
from simulator.clock import Clock
from simulator.faults import Fault
from simulator.virtual_time import run
from tests.support.any_resource import client
from tests.support.cases import (
    HOUR,
    MINUTE,
    attached,
    create,
    hours,
    look,
    pass_time,
    patch,
    version,
)
from tests.support.compute_examples import CONTAINER_APP, JOB, MACHINE, Example
from tests.support.estate import POLICY, Estate
from tests.support.handlers import started

APPS = POLICY.replace("Microsoft.Compute/virtualMachines", "Microsoft.Web/sites")
LOCK = 2.0


def plan(estate: Estate, name: str) -> str:
    return f"{estate.scope}/resourceGroups/rg-plans/providers/Microsoft.Web/serverFarms/{name}"


async def create_app(estate: Estate, name: str, plan_id: str, **more: Any) -> ResourceId:
    group = f"{estate.scope}/resourceGroups/rg-app"
    app = ResourceId.parse(f"{group}/providers/Microsoft.Web/sites/{name}")
    properties = {"serverFarmId": plan_id} if plan_id else {}
    body = {"location": "West Europe", "kind": "app", "properties": properties, **more}
    poller = await client(estate).resources.begin_create_or_update_by_id(
        app.text, body, api_version=version(app), polling_interval=1
    )
    await poller.result()
    return app


async def at_once(clock: Clock, apps: int, instances: int = 1) -> tuple[float, float]:
    """The apps of one plan, and one of another; the seconds until the last was served, and until
    the other one was. One write after another takes LOCK seconds each.
    """
    estate = TimedEstate(clock, APPS)
    await estate.create_groups()
    one, another = plan(estate, "one"), plan(estate, "another")
    names = (f"app{number}" for number in range(apps))
    made = [await create_app(estate, name, one) for name in names]
    alone = await create_app(estate, "alone", another)
    estate.new_events()
    estate.azure.behaviour.app_service_plan_lock_seconds = LOCK
    for app in (*made, alone):
        await estate.work_queue.put(Change(app, "event"))
    put_back = _noted(estate)
    begun = clock.now()
    async with estate.working(instances):
        await estate.work_queue.emptied()
    assert {change.attempt for change in put_back} <= {0}
    for app in (*made, alone):
        assert attached(estate, app)
    return clock.now() - begun, estate.finished[alone.key] - begun


def _noted(estate: TimedEstate) -> list[Change]:
    seen: list[Change] = []
    put = estate.work_queue.put

    async def noted(change: Change, delay: float = 0) -> None:
        seen.append(change)
        await put(change, delay)

    estate.work_queue.put = noted  # type: ignore[method-assign]
    return seen


def person(estate: Estate) -> Operator:
    return Operator(estate.services, estate.queue.put, "ann")


@asynccontextmanager
async def while_another_is_written(estate: Estate, app: ResourceId) -> AsyncIterator[None]:
    """Another app of its plan is being written."""
    compute = estate.services.compute
    resource = await compute.read(app)
    assert resource is not None
    async with compute.alone(resource):
        yield


async def others_go() -> None:
    """As far as they come by themselves: no time passes here."""
    for _ in range(500):
        await asyncio.sleep(0)


@pytest.mark.parametrize(("apps", "instances"), [(30, 1), (30, 3), (100, 1), (100, 3)])
def test_case_C22_the_apps_of_one_plan_are_written_one_by_one(apps: int, instances: int) -> None:
    async def work(clock: Clock) -> None:
        seconds, alone = await at_once(clock, apps, instances)
        assert seconds <= 2 * apps * LOCK
        assert alone < 10.0

    run(work)


async def test_case_C22_a_removal_looks_for_a_pause_after_it_waited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(APPS), monkeypatch)
    app = await create_app(estate, "one", plan(estate, "one"))
    await pass_time(estate)
    assert attached(estate, app)
    estate.change_policy(APPS.replace("lanyard: ignore}}", "lanyard: ignore}}, tags: {a: b}"))
    await estate.sweeps.run()
    async with while_another_is_written(estate, app):
        waiting = asyncio.create_task(estate.worker.process(Change(app, "event")))
        await others_go()
        await person(estate).pause(Paused.REMOVALS, "an audit")
    await waiting
    assert attached(estate, app)
    await person(estate).resume()
    await pass_time(estate)
    await look(estate, app)
    assert not attached(estate, app)


async def test_case_C22_what_somebody_changed_while_it_waited_is_planned_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(APPS), monkeypatch)
    app = await create_app(estate, "one", plan(estate, "one"))
    estate.new_events()
    async with while_another_is_written(estate, app):
        waiting = asyncio.create_task(estate.worker.process(Change(app, "event")))
        await others_go()
        await patch(estate, app, identity={"type": "SystemAssigned"})
    await waiting
    await pass_time(estate)
    block = estate.azure.state.resources[app.key].identity or {}
    assert block.get("principalId")
    assert attached(estate, app)


# Whatever else a resource shares with others


IN_PROGRESS = "ManagedEnvironmentOperationInProgress"


async def busy(
    monkeypatch: pytest.MonkeyPatch, made: Example, times: int | None
) -> tuple[Estate, ResourceId, Fault]:
    """What it lies in, or belongs to, is being changed by somebody."""
    estate = await started(Estate(POLICY.replace(MACHINE.type, made.type)), monkeypatch)
    resource = await create(estate, made)
    path = f"{resource.name}$"
    fault = Fault(method="PATCH", path=path, times=times, status=409, code=IN_PROGRESS)
    return estate, resource, estate.azure.faults.add(fault)


@pytest.mark.parametrize("made", [CONTAINER_APP, JOB], ids=str)
async def test_case_C22_an_environment_that_is_being_changed_is_no_failed_attempt(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    estate, resource, fault = await busy(monkeypatch, made, 12)
    await pass_time(estate, MINUTE)
    assert (fault.hits, len(attached(estate, resource))) == (12, 1)
    assert [one for one in await estate.recorded() if one.outcome == "failed"] == []


async def test_case_C22_one_that_is_never_free_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, _, fault = await busy(monkeypatch, CONTAINER_APP, None)
    await pass_time(estate, 3 * HOUR)
    tried = fault.hits
    assert estate.queue.messages == []
    assert any("given up, because " in one.reason for one in await estate.recorded())
    await hours(estate, 48)
    before = fault.hits
    await hours(estate, 24)
    assert fault.hits - before <= 5, "one attempt, which asks five times within seconds"
    assert tried < 250


async def test_case_C22_from_then_on_its_apps_take_turns(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, resource, _ = await busy(monkeypatch, CONTAINER_APP, 1)
    read = await estate.services.compute.read(resource)
    assert read is not None
    compute = estate.services.compute
    # Nothing says yet that they exclude each other: else the second would raise NotYet.
    async with compute.alone(read), compute.alone(read):
        pass
    await pass_time(estate)
    await patch(estate, resource, identity={"type": "None"})
    estate.new_events()
    async with while_another_is_written(estate, resource):
        waiting = asyncio.create_task(estate.worker.process(Change(resource, "event")))
        await others_go()
        assert attached(estate, resource) == []
    await waiting
    assert len(attached(estate, resource)) == 1
