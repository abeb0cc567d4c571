"""What can go away, each by its own path."""

import asyncio
from typing import Any

import pytest
from azure.mgmt.compute.models import VirtualMachineUpdate
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.record.ledger import ResourceRecord
from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.estate import BLOB_READER, POLICY, PROFILE, SERVED, SERVED_POLICY, Estate
from tests.support.handlers import started

SYSTEM = {"type": "SystemAssigned"}
IGNORED = {"lanyard": "ignore"}


async def principal_of(estate: Estate, name: str) -> str:
    machine = await estate.compute.virtual_machines.get("rg-app", name)
    assert machine.identity is not None
    return str(machine.identity.principal_id)


async def test_a_system_identity_that_is_switched_off_leaves_nothing_behind(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1", identity=SYSTEM, tags=IGNORED)
    await estate.settle()
    gone = await principal_of(estate, "vm1")
    estate.azure.assign(gone, "Reader", f"{estate.scope}/resourceGroups/rg-identities")
    update: dict[str, Any] = {"identity": {"type": "None"}}
    poller = await estate.compute.virtual_machines.begin_update(
        "rg-app", "vm1", VirtualMachineUpdate(update), polling_interval=1
    )
    await poller.result()
    await estate.settle()
    assert estate.assignments(of=gone) == []
    assert (await estate.ledger.resource(estate.vm_id("vm1"))).empty


@pytest.mark.parametrize("cascades", [True, False])
async def test_a_grant_whose_scope_was_deleted_is_released_like_any_other(
    monkeypatch: pytest.MonkeyPatch, cascades: bool
) -> None:
    policy = POLICY.replace('scope: "{resourceGroup}"', "scope: SCOPE")
    scope = "/subscriptions/{subscription}/resourceGroups/rg-data"
    estate = await started(Estate(policy.replace("SCOPE", f'"{scope}"')), monkeypatch)
    estate.azure.behaviour.scope_deletion_removes_assignments = cascades
    client = ResourceManagementClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    await client.resource_groups.create_or_update("rg-data", {"location": "westeurope"})
    await estate.create_vm("vm1")
    await estate.settle()
    assert len(estate.assignments()) == 1
    await estate.delete_group("rg-data")
    await estate.delete_vm("vm1")
    await estate.settle()
    assert estate.assignments() == []
    assert "failed" not in [outcome for _, outcome, _ in await estate.decisions()]


async def test_a_moved_machine_keeps_its_principals_rights_and_its_claims_move_with_it(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1", identity=SYSTEM)
    await estate.settle()
    principal = await principal_of(estate, "vm1")
    estate.azure.assign(principal, "Reader", f"{estate.scope}/resourceGroups/rg-identities")
    old, new = estate.vm_id("vm1"), estate.vm_id("vm1", "rg-identities")
    move(estate, old.text, new.text)
    await estate.worker.process(Change(old, "event"))
    await estate.worker.process(Change(new, "event"))
    await estate.settle()
    assert estate.assignments(of=principal) != []
    assert (await estate.ledger.resource(old)).empty
    (record,) = [await estate.ledger.resource(new)]
    assert record.system_principals == {principal}
    scopes = {
        scope.rpartition("/")[2] for role, scope, _ in estate.assignments() if role == BLOB_READER
    }
    assert scopes == {"rg-identities"}


def move(estate: Estate, old: str, new: str) -> None:
    """What Azure's move of a resource does: another id, the same system-assigned principal."""
    resource = estate.azure.state.resources[old.lower()]
    moved = type(resource)(**{**vars(resource), "id": new})
    del estate.azure.state.resources[old.lower()]
    estate.azure.state.resources[new.lower()] = moved


async def test_a_rule_that_no_longer_matches_takes_its_access_back_at_the_next_event(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(SERVED_POLICY), monkeypatch)
    await estate.create_vm("vm1", tags=SERVED)
    await estate.create_vm("vm2", tags=SERVED)
    await estate.settle()
    await estate.create_vm("vm1", tags={}, properties=PROFILE)
    await estate.settle()
    assert await estate.identity_of("vm1") == {}
    assert len(estate.assignments()) == 1  # the other machine's claim


IDENTITY = "id-lanyard-westeurope"


async def delete_identity(estate: Estate) -> None:
    client = ManagedServiceIdentityClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    await client.user_assigned_identities.delete("rg-identities", IDENTITY)


async def test_a_deleted_identity_leaves_no_assignments_and_is_made_again_for_who_needs_it(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1")
    await estate.settle()
    old = (await estate.identity_of("vm1"))[IDENTITY]
    estate.azure.assign(old, "Reader", f"{estate.scope}/resourceGroups/rg-identities")
    await delete_identity(estate)
    await estate.settle()
    new = (await estate.identity_of("vm1"))[IDENTITY]
    assert new != old
    assert estate.assignments(of=old) == []
    assert [role for role, _, _ in estate.assignments(of=new)] == [BLOB_READER]


async def test_in_observe_mode_a_deleted_identitys_assignments_stay_and_it_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(POLICY), monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle()
    granted = estate.assignments()
    estate.change_policy(POLICY.replace("mode: full", "mode: observe"))
    await delete_identity(estate)
    await estate.settle()
    assert estate.assignments() == granted
    assert any("mode is observe" in reason for _, _, reason in await estate.decisions())


async def test_an_identity_that_lanyard_never_saw_is_none_of_its_business(
    estate: Estate,
) -> None:
    estate.new_events()
    never_seen = estate.vm_id("x").text.replace(
        "Microsoft.Compute/virtualMachines", "Microsoft.ManagedIdentity/userAssignedIdentities"
    )
    await estate.worker.process(Change(ResourceId.parse(never_seen), "event"))
    assert await estate.decisions() == []


OWN = """
version: 1
mode: full
identities: {own: {name: "id-{resource.name}", per: resource}}
rules:
  - name: r
    match: {types: [Microsoft.Compute/virtualMachines], exclude: {tags: {lanyard: ignore}}}
    attach: [own]
    imdsDefault: accept
    grant: [{role: Reader, scope: "{resourceGroup}", to: own}]
orphans: {graceMinutes: 0}
"""


async def own_identity(estate: Estate, name: str = "id-vm1") -> str | None:
    path = "/providers/microsoft.managedidentity/userassignedidentities/"
    key = f"{estate.scope}/resourcegroups/rg-app{path}{name}".lower()
    return key if key in estate.azure.state.resources else None


async def test_a_dedicated_identity_goes_with_its_resource_and_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(OWN), monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle()
    principal = (await estate.identity_of("vm1"))["id-vm1"]
    estate.azure.assign(principal, "Reader", f"{estate.scope}/resourceGroups/rg-identities")
    await estate.delete_vm("vm1")
    await estate.settle()
    assert await own_identity(estate) is None
    assert estate.assignments(of=principal) == []


async def test_a_dedicated_identity_that_something_else_uses_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(OWN), monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle()
    own = await own_identity(estate)
    assert own
    attached = {"type": "UserAssigned", "userAssignedIdentities": {own: {}}}
    await estate.create_vm("other", identity=attached, tags=IGNORED)
    await estate.delete_vm("vm1")
    await estate.settle()
    assert await own_identity(estate) == own
    assert list(await estate.identity_of("other")) == ["id-vm1"]
    assert any(f"{estate.vm_id('other')} has it, too" in r for _, _, r in await estate.decisions())


async def test_a_dedicated_identity_that_lanyard_did_not_make_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(OWN), monkeypatch)
    client = ManagedServiceIdentityClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    body = Identity(location="westeurope")
    await client.user_assigned_identities.create_or_update("rg-app", "id-vm1", body)
    await estate.create_vm("vm1")
    await estate.settle()
    assert await estate.identity_of("vm1") == {}
    await estate.delete_vm("vm1")
    await estate.settle()
    assert await own_identity(estate) is not None


async def test_a_dedicated_identity_that_lanyard_could_not_make_is_whose_who_made_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(OWN), monkeypatch)
    estate.azure.faults.add(
        Fault(method="PUT", path="id-vm1$", caller=estate.app.object_id, status=403, code="No")
    )
    await estate.create_vm("vm1")
    await estate.settle()
    client = ManagedServiceIdentityClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    body = Identity(location="westeurope")
    await client.user_assigned_identities.create_or_update("rg-app", "id-vm1", body)
    await estate.create_vm("vm1")
    await estate.settle()
    assert await estate.identity_of("vm1") == {}
    await estate.delete_vm("vm1")
    await estate.settle()
    assert await own_identity(estate) is not None


async def test_a_dedicated_identity_that_no_rule_wants_any_more_is_detached_and_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(
        Estate(OWN.replace("exclude: {tags: {lanyard: ignore}}", 'tags: {served: "yes"}')),
        monkeypatch,
    )
    await estate.create_vm("vm1", tags=SERVED)
    await estate.settle()
    await estate.create_vm("vm1", tags={})
    await estate.settle()
    assert await estate.identity_of("vm1") == {}
    assert await own_identity(estate) is None
    assert estate.assignments() == []


async def test_what_a_deleted_group_had_goes_onto_the_queue_side_by_side(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One after the other, a thousand messages take half a minute."""
    for number in range(40):
        await estate.ledger.save(ResourceRecord(id=estate.vm_id(f"vm{number}")))
    under_way, most, put = 0, 0, estate.queue.put

    async def slowly(change: Change, delay: float = 0) -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        await put(change, delay)
        under_way -= 1

    monkeypatch.setattr(estate.queue, "put", slowly)
    group = ResourceId.parse(estate.vm_id("vm0").resource_group_id)
    await estate.instance().worker.process(Change(group, "event"))
    assert len({change.resource for change, _ in estate.queue.messages}) == 40
    assert most == 16
