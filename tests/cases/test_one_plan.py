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
from simulator.virtual_time import run
from tests.support.any_resource import client
from tests.support.cases import attached, look, pass_time, patch, version
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
