"""What a write takes off a resource, seen by what people do meanwhile and want back later."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lanyard.desk.operator import Operator
from lanyard.desk.undo import Undo, Undoable
from lanyard.planning.orders import Paused
from lanyard.record.budget import Place, RemovalBudget
from lanyard.values.errors import Permanent
from lanyard.values.removed import Became, RemovedAttachment
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.cases import (
    HOUR,
    MINUTE,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    create,
    delete_identity,
    held,
    hours,
    identity_id,
    make_identity,
    pass_time,
    patch,
    principal,
)
from tests.support.compute_examples import AUTOMATION, CONTAINER_APP, JOB, MACHINE, SITE, Example
from tests.support.estate import Estate

TAGGED = "tags: {env: prod}"
ACCEPTED = Rules(options={"imdsDefault": "accept"})
AGAIN = "attach identity id-old again: it was recreated"


def block(estate: Estate, *names: str) -> dict[str, object]:
    ids: dict[str, object] = {identity_id(estate.subscription, name): {} for name in names}
    return {"type": "UserAssigned", "userAssignedIdentities": ids}


def person(estate: Estate) -> Operator:
    return Operator(estate.services, estate.queue.put, "ann")


async def taken(estate: Estate) -> list[Undoable]:
    """The attachments that a day's removals took."""
    now = datetime.fromtimestamp(estate.azure.clock.now(), UTC)
    found = Undo(estate.services, "ann").between(now - timedelta(days=1), now + timedelta(hours=1))
    return [each async for each in found if isinstance(each.removed, RemovedAttachment)]


async def detached(monkeypatch: pytest.MonkeyPatch, made: Example) -> tuple[Estate, ResourceId]:
    """A resource whose identity is about to be detached: it lost its tag, and nobody looked yet."""
    rules = Rules(type=made.type, match=TAGGED)
    estate = await begun(monkeypatch, rules, "id-old", "id-mine")
    resource = await create(estate, made, tags={"env": "prod"})
    await pass_time(estate)
    assert attached(estate, resource) == ["id-old"]
    await patch(estate, resource, tags={})
    return estate, resource


@pytest.mark.parametrize("made", [SITE, CONTAINER_APP, JOB, AUTOMATION, MACHINE], ids=str)
async def test_what_a_person_attaches_right_before_the_last_one_is_detached_stays(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    estate, resource = await detached(monkeypatch, made)
    reserve = RemovalBudget.reserve
    raced: list[ResourceId] = []

    async def reserve_late(budget: RemovalBudget, **more: Any) -> Place:
        place = await reserve(budget, **more)
        if not raced:
            raced.append(resource)
            await patch(estate, resource, identity=block(estate, "id-mine", "id-old"))
        return place

    monkeypatch.setattr(RemovalBudget, "reserve", reserve_late)
    await pass_time(estate, MINUTE)
    assert raced
    assert attached(estate, resource) == ["id-mine"]
    became = [value for d in await estate.recorded() for value in d.became.values()]
    assert Became.GIVEN_BACK in became, "the first write was not made"


async def test_a_dismissed_repair_is_left_undone(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    await estate.create_vm("vm1")
    await pass_time(estate)
    dead = await estate.identity_of("vm1")
    await person(estate).pause(Paused.REMOVALS, "an audit")
    await delete_identity(estate, "id-old")
    await make_identity(estate, "id-old")
    await pass_time(estate)
    entry = (await held(estate))[AGAIN]
    await person(estate).dismiss(entry.id)
    await person(estate).resume()
    await hours(estate, 2)
    assert await estate.identity_of("vm1") == dead
    await estate.services.held.release(entry.id, "ann")
    await hours(estate, 1)
    assert await estate.identity_of("vm1") != dead


async def test_a_detach_is_not_undone_on_another_machine_of_that_name(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, machine = await detached(monkeypatch, MACHINE)
    await pass_time(estate)
    (undoable,) = await taken(estate)
    await estate.delete_vm(machine.name)
    await pass_time(estate, HOUR)
    await create(estate, MACHINE)
    await pass_time(estate)
    with pytest.raises(Permanent, match="was made again since"):
        await Undo(estate.services, "ann").put_back(undoable)
    assert attached(estate, machine) == []


@pytest.mark.parametrize("known", ["by the ledger", "by ARM"])
async def test_a_detach_is_undone_although_the_resource_showed_no_principal(
    monkeypatch: pytest.MonkeyPatch, known: str
) -> None:
    estate, site = await detached(monkeypatch, SITE)
    shown = estate.azure.state.resources[site.key].identity
    assert shown is not None
    shown["userAssignedIdentities"] = {one: {} for one in shown["userAssignedIdentities"]}
    if known == "by ARM":
        identity = ResourceId.parse(identity_id(estate.subscription, "id-old"))
        await estate.identity_ledger.save_identity(
            replace(await estate.identity_ledger.identity(identity), principal=None)
        )
    await pass_time(estate)
    assert attached(estate, site) == []
    (undoable,) = await taken(estate)
    assert await Undo(estate.services, "ann").put_back(undoable) == "attached again"
    assert attached(estate, site) == ["id-old"]


async def blocked(
    monkeypatch: pytest.MonkeyPatch, rules: Rules, *, paused: bool = False
) -> tuple[Estate, ResourceId]:
    """A machine that shows an identity which is gone, and Azure takes no write of it."""
    estate = await begun(monkeypatch, NOTHING, "id-old", "id-gone")
    vm = await estate.create_vm("vm1", identity=block(estate, "id-gone"))
    await delete_identity(estate, "id-gone")
    await pass_time(estate)
    if paused:
        await person(estate).pause(Paused.REMOVALS, "an audit")
    await adopt(estate, rules)
    return estate, vm


@pytest.mark.parametrize("how", ["pause", "budget", "mode"])
async def test_a_dangling_reference_that_may_not_be_dropped_is_listed_with_what_it_blocks(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    rules = replace(ACCEPTED, per_hour=0 if how == "budget" else 50)
    estate, vm = await blocked(monkeypatch, rules, paused=how == "pause")
    if how == "mode":
        await adopt(estate, rules.text(estate.subscription).replace("full", "add-only"))
    await hours(estate, 1)
    assert attached(estate, vm) == ["id-gone"]
    entry = (await held(estate))["attach identity id-old"]
    assert entry.refusal.because.value == {"pause": "paused"}.get(how, how)
    if how == "pause":
        await person(estate).resume()
        await hours(estate, 2)
    else:
        await person(estate).release(entry.id)
        await pass_time(estate, 2 * MINUTE)
    assert attached(estate, vm) == ["id-old"]
    assert "attach identity id-old" not in await held(estate)


async def test_a_dismissed_attachment_drops_no_reference_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = replace(ACCEPTED, per_hour=0)
    estate, vm = await blocked(monkeypatch, rules)
    await hours(estate, 1)
    entry = (await held(estate))["attach identity id-old"]
    await person(estate).dismiss(entry.id)
    await adopt(estate, ACCEPTED)
    await hours(estate, 2)
    assert attached(estate, vm) == ["id-gone"]


@pytest.mark.parametrize("lags", ["the block", "the directory", "ARM alone"])
async def test_a_persons_identity_that_was_made_seconds_ago_is_no_dangling_one(
    monkeypatch: pytest.MonkeyPatch, lags: str
) -> None:
    estate = await begun(monkeypatch, ACCEPTED, "id-old")
    await make_identity(estate, "id-mine")
    vm = await estate.create_vm("vm1", identity=block(estate, "id-mine"))
    if lags == "the block":
        shown = estate.azure.state.resources[vm.key].identity
        assert shown is not None
        shown["userAssignedIdentities"] = {one: {} for one in shown["userAssignedIdentities"]}
    if lags == "the directory":
        del estate.azure.state.principals[principal(estate, "id-mine")]
    fault(estate, method="GET", path="id-mine$", status=404, code="ResourceNotFound")
    fault(estate, method="PATCH", path="vm1$", status=400, code="FailedIdentityOperation")
    await pass_time(estate)
    await hours(estate, 1)
    assert "id-mine" in attached(estate, vm)
    assert await taken(estate) == []


def fault(estate: Estate, **how: Any) -> None:
    estate.azure.faults.add(Fault(caller=estate.app.object_id, times=1, **how))
