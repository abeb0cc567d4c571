"""The repair of an identity that was deleted and made again: two writes, and what comes between."""

from dataclasses import replace
from typing import Any

import pytest

from lanyard.desk.operator import Operator
from lanyard.planning.orders import Paused
from lanyard.values.change import Change
from lanyard.values.removed import Became
from lanyard.values.resource_id import ResourceId
from simulator.faults import Drop, Fault
from tests.support.cases import (
    HOUR,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    create,
    delete_identity,
    hours,
    identity_id,
    make_identity,
    pass_time,
    patch,
    principal,
)
from tests.support.compute_examples import CONTAINER_APP, MACHINE, SITE, Example
from tests.support.estate import Estate

REFUSALS = [
    pytest.param({"status": 403, "code": "LinkedAuthorizationFailed"}, id="for good"),
    pytest.param({"status": 429, "code": "TooManyRequests"}, id="for a while"),
    pytest.param({"status": 409, "code": "Conflict"}, id="by a conflict"),
    pytest.param({"drop": Drop.BEFORE}, id="and no answer comes"),
]


def block(estate: Estate, *names: str) -> dict[str, Any]:
    ids: dict[str, Any] = {identity_id(estate.subscription, name): {} for name in names}
    return {"type": "UserAssigned", "userAssignedIdentities": ids}


async def recreated(estate: Estate, resource: ResourceId, **fault: Any) -> str:
    """`id-old` is made again; the second write of its repair fails once. Returns its principal."""
    await delete_identity(estate, "id-old")
    await make_identity(estate, "id-old")
    path = f"{resource.name}$"
    found = Fault(caller=estate.app.object_id, method="PATCH", path=path, after=1, times=1, **fault)
    estate.azure.faults.add(found)
    return principal(estate, "id-old")


async def became(estate: Estate) -> list[Became]:
    return [value for decision in await estate.recorded() for value in decision.became.values()]


def shown(estate: Estate, resource: ResourceId) -> dict[str, str]:
    """The principal of each identity that a resource shows, by its name."""
    found = estate.azure.state.resources[resource.key].identity or {}
    ids = found.get("userAssignedIdentities") or {}
    return {key.rpartition("/")[2]: value.get("principalId", "") for key, value in ids.items()}


@pytest.mark.parametrize("fault", REFUSALS)
async def test_a_repair_that_is_cut_off_is_finished_beside_the_identity_of_a_person(
    monkeypatch: pytest.MonkeyPatch, fault: dict[str, Any]
) -> None:
    """One identity is then IMDS's default: a second one would be held, this one was there."""
    estate = await begun(monkeypatch, Rules(), "id-old", "id-mine")
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    await patch(estate, vm, identity=block(estate, "id-mine"))
    await pass_time(estate)
    assert attached(estate, vm) == ["id-mine", "id-old"]
    new = await recreated(estate, vm, **fault)
    await hours(estate, 2)
    assert shown(estate, vm)["id-old"] == new
    assert "id-mine" in attached(estate, vm)
    assert set(await became(estate)) <= {Became.DONE, Became.UNKNOWN}
    assert (await estate.ledger.resource(vm)).in_repair == frozenset()


@pytest.mark.parametrize("made", [SITE, CONTAINER_APP, MACHINE], ids=str)
async def test_what_lanyard_attached_is_still_its_own_after_a_repair_in_two_halves(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    rules = Rules(type=made.type)
    estate = await begun(monkeypatch, rules, "id-old")
    resource = await create(estate, made)
    await pass_time(estate)
    await recreated(estate, resource, status=403, code="LinkedAuthorizationFailed")
    await pass_time(estate)
    assert attached(estate, resource) == []
    estate.azure.clock.advance(HOUR)
    await hours(estate, 1)
    assert attached(estate, resource) == ["id-old"]
    await adopt(estate, replace(rules, match="tags: {env: prod}"))
    await hours(estate, 1)
    assert attached(estate, resource) == []


async def test_what_a_person_attached_is_still_theirs_after_a_repair_in_two_halves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = Rules()
    estate = await begun(monkeypatch, NOTHING, "id-old")
    vm = await estate.create_vm("vm1", identity=block(estate, "id-old"))
    await pass_time(estate)
    await adopt(estate, rules)
    await recreated(estate, vm, status=403, code="LinkedAuthorizationFailed")
    await pass_time(estate)  # the identity, of which nobody else knows that it is on the machine
    await estate.worker.process(Change(vm, "event"))
    assert attached(estate, vm) == []
    await hours(estate, 1)
    assert attached(estate, vm) == ["id-old"]
    await adopt(estate, replace(rules, match="tags: {env: prod}"))
    await hours(estate, 1)
    assert attached(estate, vm) == ["id-old"]


async def test_and_comes_back_although_the_rule_is_gone_by_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = Rules()
    estate = await begun(monkeypatch, NOTHING, "id-old")
    vm = await estate.create_vm("vm1", identity=block(estate, "id-old"))
    await pass_time(estate)
    await adopt(estate, rules)
    await recreated(estate, vm, status=403, code="LinkedAuthorizationFailed")
    await pass_time(estate)  # the identity, of which nobody else knows that it is on the machine
    await estate.worker.process(Change(vm, "event"))
    assert attached(estate, vm) == []
    await adopt(estate, replace(rules, match="tags: {env: prod}"))
    await hours(estate, 1)
    assert attached(estate, vm) == ["id-old"]


async def test_a_pause_between_the_halves_does_not_keep_the_second_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    new = await recreated(estate, vm, status=429, code="TooManyRequests")
    await pass_time(estate, 0)
    await Operator(estate.services, estate.queue.put, "ann").pause(Paused.REMOVALS, "an audit")
    await hours(estate, 1)
    assert shown(estate, vm) == {"id-old": new}


async def test_a_repair_that_has_no_place_in_the_budget_is_not_begun(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(per_hour=0), "id-old")
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    await delete_identity(estate, "id-old")
    await make_identity(estate, "id-old")
    await pass_time(estate)
    assert attached(estate, vm) == ["id-old"]
    assert (await estate.ledger.resource(vm)).in_repair == frozenset()


async def test_one_404_of_an_identity_that_is_there_is_nothing_to_repair(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A template attached what the rule asks for, and a replica of ARM does not know it yet."""
    spec = "{name: id-lan, resourceGroup: rg-identities, per: [subscription]}"
    estate = await begun(monkeypatch, Rules(identity=spec))
    await make_identity(estate, "id-lan")
    estate.new_events()
    missed = Fault(
        caller=estate.app.object_id,
        method="GET",
        path="id-lan$",
        status=404,
        code="ResourceNotFound",
        times=1,
    )
    estate.azure.faults.add(missed)
    vm = await estate.create_vm("vm1", identity=block(estate, "id-lan"))
    await pass_time(estate)
    assert attached(estate, vm) == ["id-lan"]
    assert [d.removed for d in await estate.recorded() if d.removed] == []
    done = [d.reason for d in await estate.recorded() if "it was recreated" in d.action]
    assert set(done) <= {"", "it has its principal"}, "begun, and nothing was done"
