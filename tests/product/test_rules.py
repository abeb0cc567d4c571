"""What rules can ask for beyond the main job, and what happens when a part of it cannot be had."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from azure.mgmt.compute.models import VirtualMachineUpdate
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity

from simulator.state import RoleDefinition
from tests.support.estate import BLOB_READER, Estate
from tests.support.handlers import started

OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"

type Start = Callable[..., Awaitable[Estate]]


@pytest.fixture
def start(monkeypatch: pytest.MonkeyPatch) -> Start:
    async def with_rules(rules: str, before: str = "") -> Estate:
        match = "match: {types: [Microsoft.Compute/virtualMachines]}"
        policy = f"version: 1\nmode: full\n{before}\nrules:\n{rules}"
        return await started(Estate(policy.replace("MATCH", match)), monkeypatch)

    return with_rules


def identities(estate: Estate) -> ManagedServiceIdentityClient:
    return ManagedServiceIdentityClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )


async def make_identity(estate: Estate, name: str) -> str:
    body = Identity(location="westeurope")
    made = await identities(estate).user_assigned_identities.create_or_update("rg-app", name, body)
    return str(made.id)


async def attach_by_hand(estate: Estate, vm: str, *ids: str) -> None:
    update = {
        "identity": {"type": "UserAssigned", "userAssignedIdentities": {id: {} for id in ids}}
    }
    poller = await estate.compute.virtual_machines.begin_update(
        "rg-app", vm, VirtualMachineUpdate(update), polling_interval=1
    )
    await poller.result()
    estate.new_events()


OWN = 'identities: {own: {name: "id-{resource.name}", per: resource}}'


async def test_an_identity_for_each_resource_is_made_in_its_own_group(start: Start) -> None:
    estate = await start("  - {name: r, MATCH, attach: [own]}", OWN)
    await estate.create_vm("vm1")
    await estate.create_vm("vm2")
    await estate.settle()
    first, second = await estate.identity_of("vm1"), await estate.identity_of("vm2")
    assert (list(first), list(second)) == (["id-vm1"], ["id-vm2"])
    assert first["id-vm1"] != second["id-vm2"]


async def test_a_standard_gives_all_its_roles(start: Start) -> None:
    rule = "  - {name: r, MATCH, attach: [own], grant: [{standard: lanyard/queue-worker, to: own}]}"
    estate = await start(rule, OWN)
    await estate.create_vm("vm1")
    await estate.settle()
    roles = {estate.azure.state.role_definitions[r].role_name for r, _, _ in estate.assignments()}
    assert roles == {"Storage Queue Data Message Processor", "Storage Queue Data Message Sender"}


async def test_the_system_identity_is_enabled_granted_to_and_cleaned_up_after(
    start: Start,
) -> None:
    rule = (
        "  - {name: r, MATCH, system: true, "
        "grant: [{role: Reader, scope: '{resourceGroup}', to: system}]}"
    )
    estate = await start(rule, "orphans: {graceMinutes: 0}")
    await estate.create_vm("vm1")
    await estate.settle()
    machine = await estate.compute.virtual_machines.get("rg-app", "vm1")
    assert machine.identity is not None
    principal = str(machine.identity.principal_id)
    scope = f"{estate.scope}/resourceGroups/rg-app"
    assert estate.assignments() == [(READER, scope, principal)]
    record = await estate.ledger.resource(estate.vm_id("vm1"))
    assert record.system_principals == {principal}
    await estate.delete_vm("vm1")
    await estate.settle()
    assert estate.assignments() == []


async def test_a_condition_is_part_of_the_assignment(start: Start) -> None:
    attribute = "Microsoft.Storage/storageAccounts/blobServices/containers:name"
    condition = f"@Resource[{attribute}] StringEquals 'logs'"
    role = 'role: Storage Blob Data Reader, scope: "{resourceGroup}"'
    grant = f'{{{role}, to: own, condition: "{condition}"}}'
    estate = await start(f"  - {{name: r, MATCH, attach: [own], grant: [{grant}]}}", OWN)
    await estate.create_vm("vm1")
    await estate.settle()
    (role, scope, _) = estate.assignments()[0]
    assert role == BLOB_READER
    (made,) = [
        a
        for a in estate.azure.state.role_assignments.values()
        if a.scope == scope and a.description
    ]
    assert (made.condition, made.condition_version) == (condition, "2.0")


def granting(role: str) -> str:
    grant = f"{{role: {role}, scope: '{{resourceGroup}}', to: own}}"
    return f"  - {{name: r, MATCH, attach: [own], grant: [{grant}]}}"


async def test_a_privileged_role_is_held_and_everything_else_is_done(start: Start) -> None:
    estate = await start(granting("Owner"), OWN)
    await estate.create_vm("vm1")
    await estate.settle()
    assert list(await estate.identity_of("vm1")) == ["id-vm1"]
    assert estate.assignments() == []
    ((_, _, reason),) = [entry for entry in await estate.decisions() if entry[1] == "held"]
    assert "Owner" in reason
    assert "privileged.allow" in reason


async def test_a_privileged_role_that_the_policy_allows_is_given(start: Start) -> None:
    allow = (
        "privileged: {allow: [{role: Owner, scopes: ['/subscriptions/*/resourceGroups/rg-app']}]}"
    )
    estate = await start(granting("Owner"), f"{OWN}\n{allow}")
    await estate.create_vm("vm1")
    await estate.settle()
    assert [role for role, _, _ in estate.assignments()] == [OWNER]


@pytest.mark.parametrize(
    ("actions", "held"),
    [
        (["*"], True),
        (["Microsoft.Authorization/*"], True),
        (["*/write"], True),
        (["Microsoft.Compute/*", "*/read"], False),
    ],
)
async def test_a_custom_role_is_privileged_when_it_can_assign_roles(
    start: Start, actions: list[str], held: bool
) -> None:
    guid = "eeeeeeee-0000-0000-0000-000000000001"
    estate = await start(granting(guid), OWN)
    role = RoleDefinition(guid, "Custom", "", "CustomRole", actions, [], [], [], [estate.scope])
    estate.azure.state.role_definitions[guid] = role
    await estate.create_vm("vm1")
    await estate.settle()
    assert bool(estate.assignments()) is not held


def existing(name: str = "id-shared") -> str:
    group = "/subscriptions/d23f0824-128b-4f33-8c5c-7fd0a6a3a450/resourceGroups/rg-app"
    return f"{group}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"


BOTH = f"""identities:
  shared: {{id: {existing()}}}
  own: {{name: "id-{{resource.name}}", per: resource}}"""
ATTACH_BOTH = "  - {name: r, MATCH, attach: [shared, own], imdsDefault: accept}"


async def test_an_identity_that_does_not_exist_is_told_and_the_others_are_attached(
    start: Start,
) -> None:
    estate = await start(ATTACH_BOTH, BOTH)
    await estate.create_vm("vm1")
    await estate.settle()
    assert list(await estate.identity_of("vm1")) == ["id-vm1"]
    ((action, _, reason),) = [entry for entry in await estate.decisions() if entry[1] == "held"]
    assert "id-shared" in action
    assert "does not exist" in reason


async def test_an_identity_deleted_behind_our_back_is_parked_and_the_others_are_attached(
    start: Start,
) -> None:
    estate = await start(ATTACH_BOTH, BOTH)
    await make_identity(estate, "id-shared")
    await estate.create_vm("vm0")
    await estate.settle()
    shared = (await estate.identity_of("vm0"))["id-shared"]
    estate.azure.assign(shared, "Reader", f"{estate.scope}/resourceGroups/rg-identities")
    await identities(estate).user_assigned_identities.delete("rg-app", "id-shared")
    estate.new_events()  # lost
    await estate.create_vm("vm1")
    await estate.settle()
    assert list(await estate.identity_of("vm1")) == ["id-vm1"]
    held = {action for action, outcome, _ in await estate.decisions() if outcome == "held"}
    assert held == {"attach identity id-shared"}
    assert estate.assignments(of=shared) == []  # what it left, though nothing told of its end


async def test_a_dangling_identity_on_the_machine_does_not_block_ours(start: Start) -> None:
    rule = "  - {name: r, MATCH, attach: [own], imdsDefault: accept}"
    estate = await start(rule, OWN)
    dangling = await make_identity(estate, "id-dangling")
    await estate.create_vm("vm1", tags={"step": "before"})
    await attach_by_hand(estate, "vm1", dangling)
    await identities(estate).user_assigned_identities.delete("rg-app", "id-dangling")
    estate.new_events()
    await estate.create_vm("vm1", tags={"step": "after"})
    await estate.settle()
    assert "id-vm1" in await estate.identity_of("vm1")


async def test_a_recreated_identity_is_attached_again_with_its_new_principal(
    start: Start,
) -> None:
    rule = (
        "  - {name: r, MATCH, attach: [shared], "
        "grant: [{role: Reader, scope: '{resourceGroup}', to: shared}]}"
    )
    estate = await start(rule, f"identities: {{shared: {{id: {existing()}}}}}")
    await make_identity(estate, "id-shared")
    await estate.create_vm("vm1")
    await estate.settle()
    dead = (await estate.identity_of("vm1"))["id-shared"]
    await identities(estate).user_assigned_identities.delete("rg-app", "id-shared")
    await make_identity(estate, "id-shared")
    await estate.create_vm("vm1", tags={"any": "event"})
    await estate.settle()
    new = (await estate.identity_of("vm1"))["id-shared"]
    assert new != dead
    assert [principal for _, _, principal in estate.assignments()] == [new]


async def test_a_write_that_someone_else_made_in_between_is_not_overwritten(
    start: Start, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate = await start("  - {name: r, MATCH, attach: [own], imdsDefault: accept}", OWN)
    theirs = await make_identity(estate, "id-theirs")
    await estate.create_vm("vm1")
    compute = estate.worker.reconciler.services.compute
    update = compute.update_identity

    async def after_someone_else(resource: Any, **change: Any) -> Any:
        monkeypatch.setattr(compute, "update_identity", update)
        await attach_by_hand(estate, "vm1", theirs)
        return await update(resource, **change)

    monkeypatch.setattr(compute, "update_identity", after_someone_else)
    await estate.settle()
    assert set(await estate.identity_of("vm1")) == {"id-theirs", "id-vm1"}
