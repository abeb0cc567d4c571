"""Cases of part A: nothing is taken from what lives while something it is due is not there."""

from dataclasses import dataclass, replace
from typing import Any

import pytest

from lanyard.desk.operator import Operator
from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.cases import (
    HOUR,
    MINUTE,
    Rules,
    adopt,
    attached,
    begun,
    create,
    delete_identity,
    exists,
    held,
    hours,
    look,
    make_identity,
    own,
    pass_time,
    patch,
    principal,
    removals,
    roles,
    sweep,
    waits_for,
)
from tests.support.compute_examples import CLUSTER, REPORTED, SITE, SLOT, Example
from tests.support.estate import Estate

OLD = Rules()
NEW = Rules(identity="id-new")
ACCEPTED = replace(NEW, options={"imdsDefault": "accept"})
FORBIDDEN: dict[str, Any] = {"status": 403, "code": "AuthorizationFailed", "times": None}
RELEASE_OLD = "unassign Reader at {scope}/resourceGroups/rg-app"


async def served(monkeypatch: pytest.MonkeyPatch, *more: str) -> tuple[Estate, ResourceId]:
    """A machine that has `id-old` and its role from the policy."""
    estate = await begun(monkeypatch, OLD, "id-old", *more)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    assert_old_stands(estate, vm)
    return estate, vm


def assert_old_stands(estate: Estate, resource: ResourceId, *beside: str) -> None:
    assert attached(estate, resource) == sorted(["id-old", *beside])
    assert roles(estate, "id-old") == ["Reader"]


async def assert_moved(estate: Estate, resource: ResourceId) -> None:
    """To the new identity, and nothing is left to wait for."""
    assert attached(estate, resource) == ["id-new"]
    assert (roles(estate, "id-old"), roles(estate, "id-new")) == ([], ["Reader"])
    assert await held(estate) == {}


async def assert_waiting(estate: Estate, resource: ResourceId, *named: str) -> None:
    """The detach and the role's release, each of which says for what."""
    await look(estate, resource)
    for action in ("detach identity id-old", RELEASE_OLD.format(scope=estate.scope)):
        reason = await waits_for(estate, action)
        assert all(name in reason for name in named), reason


def person(estate: Estate) -> Operator:
    return Operator(estate.services, estate.queue.put, "ann")


# A1


async def test_case_A01_the_old_identity_stays_until_the_new_one_is_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch, "id-new")
    await adopt(estate, NEW)
    assert_old_stands(estate, vm)
    await assert_waiting(estate, vm, "id-new")
    entry = (await held(estate))["attach identity id-new"]
    assert entry.refusal.because is Because.IMDS_DEFAULT
    await hours(estate, 30)
    assert_old_stands(estate, vm)
    await assert_waiting(estate, vm, "id-new")
    assert await removals(estate) == []


async def test_case_A01_the_sweep_after_a_policy_change_lists_what_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """No event comes of a machine that nobody touches, and its owner has to learn of it."""
    estate, _ = await served(monkeypatch, "id-new")
    await adopt(estate, NEW)
    listed = await held(estate)
    assert {"attach identity id-new", "detach identity id-old"} <= listed.keys()


async def test_case_A01_once_the_new_one_is_accepted_everything_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch, "id-new")
    await adopt(estate, NEW)
    await adopt(estate, ACCEPTED)
    await pass_time(estate, 5 * MINUTE)
    await assert_moved(estate, vm)


async def test_case_A01_what_waits_is_done_where_a_person_releases_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch, "id-new")
    await adopt(estate, NEW)
    await look(estate, vm)
    entry = (await held(estate))["detach identity id-old"]
    assert entry.refusal.releasable
    await person(estate).release(entry.id)
    await pass_time(estate, 5 * MINUTE)
    await sweep(estate)
    await pass_time(estate, 5 * MINUTE)
    await assert_moved(estate, vm)


async def test_case_A01_dismissing_what_it_waits_for_ends_the_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch, "id-new")
    await adopt(estate, NEW)
    assert_old_stands(estate, vm)
    await look(estate, vm)
    await person(estate).dismiss((await held(estate))["attach identity id-new"].id)
    await hours(estate, 1)
    assert "id-old" not in attached(estate, vm)
    assert roles(estate, "id-old") == []


SYSTEM = """
version: 1
mode: full
rules:
  - name: all
    match: {types: [Microsoft.Compute/virtualMachines]}
    system: true
    grant: [{role: Reader, scope: "{resourceGroup}", to: system}]
    imdsDefault: DEFAULT
orphans: {graceMinutes: 0}
limits: {removals: {graceMinutes: 0}}
"""


async def test_case_A01_the_system_identity_is_held_and_the_old_one_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch)
    await adopt(estate, SYSTEM.replace("DEFAULT", "hold"))
    await hours(estate, 2)
    assert_old_stands(estate, vm)
    await assert_waiting(estate, vm, "system-assigned identity")
    await adopt(estate, SYSTEM.replace("DEFAULT", "accept"))
    await pass_time(estate, 5 * MINUTE)
    assert attached(estate, vm) == []
    assert roles(estate, "id-old") == []


async def test_case_A01_the_system_identity_cannot_be_switched_on_and_the_old_one_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch)
    path = f"virtualMachines/{vm.name}$"
    # Written together and one by one: the detach alone would go through.
    estate.azure.faults.add(Fault(method="PATCH", path=path, status=400, code="Bad", times=2))
    await adopt(estate, SYSTEM.replace("DEFAULT", "accept"))
    assert "id-old" in attached(estate, vm)
    assert roles(estate, "id-old") == ["Reader"]
    estate.azure.faults.clear()
    await hours(estate, 2)
    assert attached(estate, vm) == []
    assert roles(estate, "id-old") == []
    block = estate.azure.state.resources[vm.key].identity
    assert block is not None
    assert len(estate.assignments(of=block["principalId"])) == 1


async def test_case_A01_a_refused_role_of_the_new_identity_keeps_the_old_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch, "id-new")
    estate.azure.faults.add(Fault(method="PUT", path="roleAssignments", **FORBIDDEN))
    await adopt(estate, ACCEPTED)
    await hours(estate, 2)
    assert_old_stands(estate, vm, "id-new")
    await assert_waiting(estate, vm, "Reader")
    estate.azure.faults.clear()
    await hours(estate, 1)
    await assert_moved(estate, vm)


IN_A_GROUP = "{name: id-new, resourceGroup: rg-identities, per: [subscription]}"


@dataclass(frozen=True)
class Failing:
    """An addition that Azure refuses for good, and the only entry that stands for it."""

    method: str
    path: str
    identity: str
    entry: str
    rest: tuple[str, ...]


FAILURES = [
    Failing("PUT", "roleAssignments/", "id-new", "assign Reader at", ("id-new",)),
    Failing("PATCH", "virtualMachines/vm1$", "id-new", "attach identity id-new", ()),
    Failing("PUT", "id-new$", IN_A_GROUP, "create identity id-new", ()),
]


@pytest.mark.parametrize("failing", FAILURES, ids=["role", "attach", "create"])
async def test_case_A01_dismissing_an_addition_that_failed_ends_the_waiting(
    monkeypatch: pytest.MonkeyPatch, failing: Failing
) -> None:
    exists_already = failing.identity == "id-new"
    estate, vm = await served(monkeypatch, *(["id-new"] if exists_already else []))
    estate.azure.faults.add(Fault(method=failing.method, path=failing.path, **FORBIDDEN))
    await adopt(estate, replace(ACCEPTED, identity=failing.identity))
    await hours(estate, 2)
    assert_old_stands(estate, vm, *failing.rest)
    listed = await held(estate)
    (entry,) = [e for e in listed.values() if e.refusal.because is Because.FAILED]
    assert entry.refusal.action.startswith(failing.entry)
    assert "AuthorizationFailed" in entry.refusal.reason
    assert not entry.refusal.releasable
    await person(estate).dismiss(entry.id)
    await hours(estate, 2)
    # Where the identity block may not be written, only what needs no write of it goes.
    assert ("id-old" in attached(estate, vm)) is (failing.method == "PATCH")
    assert roles(estate, "id-old") == []


async def test_case_A01_an_addition_that_failed_is_listed_until_it_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch, "id-new")
    estate.azure.faults.add(Fault(method="PUT", path="roleAssignments/", **FORBIDDEN))
    await adopt(estate, ACCEPTED)
    await hours(estate, 5)
    assert_old_stands(estate, vm, "id-new")
    published = [d for d in await estate.recorded() if d.outcome == "held"]
    assert len([d for d in published if d.action.startswith("assign")]) == 1
    estate.azure.faults.clear()
    await hours(estate, 4)  # what is refused is tried after one, two, four hours
    await assert_moved(estate, vm)


async def test_case_A01_an_addition_that_failed_and_that_nothing_waits_for_is_not_listed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, _ = await served(monkeypatch)
    estate.azure.faults.add(Fault(method="PUT", path="roleAssignments/", **FORBIDDEN))
    vm = await estate.create_vm("vm2")
    estate.azure.faults.add(Fault(method="PATCH", path="virtualMachines/vm2$", **FORBIDDEN))
    await hours(estate, 1)
    assert attached(estate, vm) == []
    assert await held(estate) == {}


async def test_case_A01_a_privileged_role_of_the_new_identity_keeps_the_old_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch, "id-new")
    await adopt(estate, replace(ACCEPTED, role="Owner"))
    await hours(estate, 2)
    assert_old_stands(estate, vm, "id-new")
    await assert_waiting(estate, vm, "Owner")
    allowed = f"privileged: {{allow: [{{role: Owner, scopes: [{estate.scope}]}}]}}\n"
    await adopt(estate, replace(ACCEPTED, role="Owner", more=allowed))
    await pass_time(estate, 5 * MINUTE)
    assert attached(estate, vm) == ["id-new"]
    assert (roles(estate, "id-old"), roles(estate, "id-new")) == ([], ["Owner"])


async def test_case_A01_a_role_stays_until_the_one_in_its_place_is_given(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch)
    await adopt(estate, replace(OLD, role="User Access Administrator"))
    await hours(estate, 2)
    assert_old_stands(estate, vm)
    await look(estate, vm)
    action = RELEASE_OLD.format(scope=estate.scope)
    assert "User Access Administrator" in await waits_for(estate, action)
    await adopt(estate, replace(OLD, role="Monitoring Metrics Publisher"))
    await pass_time(estate, 5 * MINUTE)
    assert roles(estate, "id-old") == ["Monitoring Metrics Publisher"]


# A2


async def test_case_A02_a_typo_in_the_new_identity_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch)
    await adopt(estate, NEW)
    await hours(estate, 3)
    assert_old_stands(estate, vm)
    await assert_waiting(estate, vm, "id-new")
    refusal = (await held(estate))["attach identity id-new"].refusal
    assert refusal.because is Because.NO_IDENTITY
    assert "does not exist; create it" in str(refusal)
    assert await removals(estate) == []


async def test_case_A02_once_it_is_created_everything_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch)
    await adopt(estate, ACCEPTED)
    assert_old_stands(estate, vm)
    await make_identity(estate, "id-new")
    await hours(estate, 1)
    await pass_time(estate, 5 * MINUTE)
    await assert_moved(estate, vm)


async def test_case_A02_once_the_typo_is_corrected_nothing_has_happened(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch)
    before = estate.assignments()
    await adopt(estate, NEW)
    await adopt(estate, OLD)
    assert_old_stands(estate, vm)
    assert (estate.assignments(), await held(estate)) == (before, {})
    assert await removals(estate) == []


async def test_case_A02_a_typo_in_the_group_of_one_that_would_be_made_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch)
    named = "{name: id-new, resourceGroup: rg-identitise, per: [subscription]}"
    await adopt(estate, replace(ACCEPTED, identity=named))
    await hours(estate, 2)
    assert_old_stands(estate, vm)
    await assert_waiting(estate, vm, "id-new")


async def test_case_A02_one_that_may_not_be_made_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch)
    estate.azure.faults.add(Fault(method="PUT", path="id-new$", **FORBIDDEN))
    await adopt(estate, replace(ACCEPTED, identity=IN_A_GROUP))
    await hours(estate, 2)
    assert_old_stands(estate, vm)
    await assert_waiting(estate, vm, "id-new")
    estate.azure.faults.clear()
    await hours(estate, 1)
    await pass_time(estate, 5 * MINUTE)
    await assert_moved(estate, vm)


async def test_case_A02_an_identity_that_is_deleted_before_it_is_attached_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await served(monkeypatch, "id-new")
    await adopt(estate, NEW)
    await delete_identity(estate, "id-new")
    await hours(estate, 2)
    assert_old_stands(estate, vm)
    await assert_waiting(estate, vm, "id-new")


# A3


APP = Example(SITE.type, {**SITE.body, "kind": "app"})


@pytest.mark.parametrize("made", [SITE, APP, SLOT], ids=["function app", "web app", "slot"])
async def test_case_A03_where_a_restart_is_avoided_the_whole_swap_waits(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    old = Rules(type=made.type)
    estate = await begun(monkeypatch, old, "id-old", "id-new")
    app = await create(estate, made)
    await pass_time(estate)
    assert_old_stands(estate, app)
    new = replace(old, identity="id-new", options={"restart": "avoid"})
    await adopt(estate, new)
    await hours(estate, 2)
    assert_old_stands(estate, app)
    assert roles(estate, "id-new") == []
    await look(estate, app)
    listed = await held(estate)
    assert listed["attach identity id-new"].refusal.because is Because.RESTART
    assert "detach identity id-old" in listed
    assert "id-new" in await waits_for(estate, RELEASE_OLD.format(scope=estate.scope))
    assert await removals(estate) == []
    await adopt(estate, replace(new, options={"restart": "accept"}))
    await pass_time(estate, 5 * MINUTE)
    await assert_moved(estate, app)


# A4: types that have one identity.


def with_old(estate: Estate) -> dict[str, Any]:
    identity = f"{estate.scope}/resourceGroups/rg-identities/providers/"
    identity += "Microsoft.ManagedIdentity/userAssignedIdentities/id-old"
    return {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}


ONE_IDENTITY = [CLUSTER, *(each for each in REPORTED if each.row.user_assigned)]


@pytest.mark.parametrize("made", ONE_IDENTITY, ids=str)
async def test_case_A04_where_the_one_identity_cannot_be_replaced_nothing_changes(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    old = Rules(type=made.type)
    estate = await begun(monkeypatch, old, "id-old", "id-new")
    resource = await create(estate, made, identity=with_old(estate))
    await pass_time(estate)
    assert_old_stands(estate, resource)
    await adopt(estate, replace(old, identity="id-new"))
    await hours(estate, 2)
    assert_old_stands(estate, resource)
    assert roles(estate, "id-new") == []
    await look(estate, resource)
    assert "attach identity id-new" in await held(estate)
    assert "id-new" in await waits_for(estate, RELEASE_OLD.format(scope=estate.scope))
    assert await removals(estate) == []


async def test_case_A04_a_cluster_whose_replacement_is_accepted_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    old = Rules(type=CLUSTER.type)
    estate = await begun(monkeypatch, old, "id-old", "id-new")
    cluster = await create(estate, CLUSTER, identity=with_old(estate))
    await pass_time(estate)
    new = replace(old, identity="id-new")
    await adopt(estate, new)
    assert_old_stands(estate, cluster)
    await adopt(estate, replace(new, options={"replace": "accept"}))
    await hours(estate, 1)
    await pass_time(estate, 5 * MINUTE)
    await assert_moved(estate, cluster)


async def test_case_A04_one_that_lanyard_attached_itself_is_not_left_without_its_role(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    accepted = {"replace": "accept"}
    old = Rules(type=CLUSTER.type, options=accepted)
    estate = await begun(monkeypatch, old, "id-old", "id-new")
    cluster = await create(estate, CLUSTER, identity={"type": "SystemAssigned"})
    await pass_time(estate)
    assert_old_stands(estate, cluster)
    await adopt(estate, Rules(type=CLUSTER.type, identity="id-new"))
    await hours(estate, 2)
    assert_old_stands(estate, cluster)


# A14


OWN = Rules(identity=own(0), match="tags: {env: prod}")


async def tagged(monkeypatch: pytest.MonkeyPatch) -> tuple[Estate, ResourceId]:
    """A machine with an identity of its own, by its tag."""
    estate = await begun(monkeypatch, OWN)
    vm = await estate.create_vm("vm1", tags={"env": "prod"})
    await pass_time(estate)
    assert (attached(estate, vm), roles(estate, "id-vm1")) == (["id-vm1"], ["Reader"])
    return estate, vm


REFUSED = {"Locked": 423, "ScopeLocked": 409}


@pytest.mark.parametrize("code", [*REFUSED, "a deny assignment"])
async def test_case_A14_an_identity_that_cannot_be_detached_is_not_deleted(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    estate, vm = await tagged(monkeypatch)
    await patch(estate, vm, tags={})
    path, app = f"virtualMachines/{vm.name}$", estate.app.object_id
    if code in REFUSED:
        status = REFUSED[code]
        estate.azure.faults.add(
            Fault(method="PATCH", path=path, caller=app, status=status, code=code, times=None)
        )
    else:
        estate.azure.behaviour.denied_scopes.add(vm.key)
    await hours(estate, 3)
    assert (attached(estate, vm), exists(estate, "id-vm1")) == (["id-vm1"], True)
    await look(estate, vm)
    assert "detach" in await waits_for(estate, "delete identity id-vm1")
    estate.azure.faults.clear()
    estate.azure.behaviour.denied_scopes.clear()
    await hours(estate, 3)
    assert (attached(estate, vm), exists(estate, "id-vm1")) == ([], False)
    assert estate.assignments() == []


async def test_case_A14_under_a_real_lock_it_stays_until_the_lock_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await tagged(monkeypatch)
    await patch(estate, vm, tags={})
    estate.azure.locks.put(vm.text, "frozen", "ReadOnly")
    await hours(estate, 3)
    assert (attached(estate, vm), exists(estate, "id-vm1")) == (["id-vm1"], True)
    estate.azure.locks.delete(vm.text, "frozen")
    await hours(estate, 3)
    assert (attached(estate, vm), exists(estate, "id-vm1")) == ([], False)


async def test_case_A14_a_detach_that_a_person_dismissed_keeps_the_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await tagged(monkeypatch)
    await adopt(estate, replace(OWN, more="").text(estate.subscription).replace("full", "add-only"))
    await patch(estate, vm, tags={})
    await pass_time(estate)
    await person(estate).dismiss((await held(estate))["detach identity id-vm1"].id)
    await adopt(estate, OWN)
    await hours(estate, 3)
    assert (attached(estate, vm), exists(estate, "id-vm1")) == (["id-vm1"], True)


async def test_case_A14_an_identity_whose_detach_waits_for_a_restart_is_not_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    avoiding = Rules(type=SITE.type, identity=own(0))
    estate = await begun(monkeypatch, avoiding, "id-new")
    app = await create(estate, SITE)
    await pass_time(estate)
    assert attached(estate, app) == ["id-main"]
    new = Rules(type=SITE.type, identity="id-new", options={"restart": "avoid"})
    await adopt(estate, new)
    await pass_time(estate, 2 * HOUR)
    assert (attached(estate, app), exists(estate, "id-main")) == (["id-main"], True)
    assert roles(estate, "id-main") == ["Reader"]


# A role that somebody took, before an event or a sweep shows it


async def waiting_for_a_lost_role(monkeypatch: pytest.MonkeyPatch) -> tuple[Estate, ResourceId]:
    """The new identity is on, the old one is due to go, and the new one's role is gone."""
    estate, vm = await served(monkeypatch, "id-new")
    await adopt(estate, replace(ACCEPTED, grace_minutes=10))
    assert_old_stands(estate, vm, "id-new")
    (role,) = (
        key
        for key, one in estate.azure.state.role_assignments.items()
        if one.principal_id == principal(estate, "id-new")
    )
    del estate.azure.state.role_assignments[role]
    await pass_time(estate, 13 * MINUTE)
    assert_old_stands(estate, vm, "id-new")
    return estate, vm


async def test_what_waits_for_a_role_that_is_gone_is_held_until_the_sweep_gives_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await waiting_for_a_lost_role(monkeypatch)
    reason = await waits_for(estate, "detach identity id-old")
    assert reason.startswith("waits for: Reader at ")
    assert reason.endswith(", which is not there")
    calls = len(estate.azure.calls_of(estate.app.object_id))
    await pass_time(estate, 50 * MINUTE)
    assert len(estate.azure.calls_of(estate.app.object_id)) == calls, "nothing is looked at"
    await sweep(estate)
    await assert_moved(estate, vm)


async def test_what_waits_for_a_role_that_is_gone_goes_when_a_person_releases_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await waiting_for_a_lost_role(monkeypatch)
    for entry in (await held(estate)).values():
        await person(estate).release(entry.id)
    await pass_time(estate)
    assert attached(estate, vm) == ["id-new"]
