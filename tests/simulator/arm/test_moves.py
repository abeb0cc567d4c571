"""Resources that are moved from one group into another, through azure-mgmt-resource."""

import json

import pytest
from azure.core.exceptions import HttpResponseError

from simulator.state import Activity
from tests.support.arm.world import GROUP, VM_BODY, World

TARGET = "rg-two"
VERSION = "?api-version=2022-09-01"
VM_VERSION = "?api-version=2024-11-01"
SITE_VERSION = "?api-version=2023-12-01"
BOTH = {"type": "SystemAssigned, UserAssigned"}


async def make(world: World) -> str:
    """A machine with both kinds of identity, and another group; returns the machine's id."""
    identity = world.identity_id("id1")
    await world.raw("PUT", f"{identity}?api-version=2024-11-30", {"location": "westeurope"})
    body = VM_BODY | {"identity": {**BOTH, "userAssignedIdentities": {identity: {}}}}
    await world.raw("PUT", world.vm_id("vm1") + VM_VERSION, body)
    await world.raw("PUT", target(world) + "?api-version=2021-04-01", {"location": "westeurope"})
    return world.vm_id("vm1")


def target(world: World, group: str = TARGET) -> str:
    return f"/subscriptions/{world.subscription}/resourceGroups/{group}"


async def move(world: World, *resources: str, to: str = "") -> None:
    wanted = {"resources": list(resources), "targetResourceGroup": to or target(world)}
    async with world.resources() as client:
        work = await client.resources.begin_move_resources(GROUP, wanted, polling_interval=0)
        await work.result()


async def test_a_moved_machine_keeps_all_but_its_id(world: World) -> None:
    old = await make(world)
    before = world.azure.state.resources[old.lower()]
    principal = before.identity["principalId"] if before.identity else ""
    granted = world.azure.assign(principal, "Reader", old)
    world.azure.behaviour.operation_seconds = 20
    await move(world, old)
    new = old.replace(GROUP, TARGET)
    assert old.lower() not in world.azure.state.resources
    after = world.azure.state.resources[new.lower()]
    assert (after.id, after.name) == (new, "vm1")
    assert (after.properties, after.identity) == (before.properties, before.identity)
    assert world.azure.state.principals[principal].deleted_at is None
    assert world.azure.state.role_assignments[granted.id.lower()].scope == old


async def test_what_is_below_it_moves_with_it(world: World) -> None:
    await make(world)
    site = f"{world.group_scope}/providers/Microsoft.Web/sites/web1"
    for each in (site, f"{site}/slots/staging"):
        body = {"location": "westeurope", "properties": {}}
        await world.raw("PUT", each + SITE_VERSION, body)
    await move(world, site)
    found = {each.rpartition("/")[2] for each in world.azure.state.resources if "/sites/" in each}
    kept = [each for each in world.azure.state.resources if each.startswith(site.lower())]
    assert (found, kept) == ({"web1", "staging"}, [])


async def test_both_groups_refuse_writes_until_it_is_done(world: World) -> None:
    old = await make(world)
    world.azure.behaviour.operation_seconds = 20
    body = {"resources": [old], "targetResourceGroup": target(world)}
    accepted = await world.raw("POST", f"{world.group_scope}/moveResources{VERSION}", body)
    assert (accepted.status, accepted.content) == (202, b"")
    link = accepted.headers["location"].removeprefix("https://arm.local")
    there = f"{target(world)}/providers/Microsoft.Compute/virtualMachines/vm2"
    for method, path in (("PUT", there), ("DELETE", old)):
        refused = await world.raw(method, path + VM_VERSION, VM_BODY)
        assert json.loads(refused.content)["error"]["code"] == "ResourcesBeingMoved"
    assert (await world.raw("GET", link)).status == 202
    world.azure.clock.advance(20)
    assert (await world.raw("GET", link)).status == 204
    assert (await world.raw("PUT", there + VM_VERSION, VM_BODY)).status == 201


async def test_it_is_reported_at_both_ids_and_of_the_group(world: World) -> None:
    old = await make(world)
    told: list[Activity] = []
    world.azure.state.on_activity(told.append)
    await move(world, old)
    assert [(each.resource_id, each.action.rpartition("/")[2]) for each in told] == [
        (old, "delete"),
        (old.replace(GROUP, TARGET), "write"),
        (world.group_scope, "action"),
    ]


@pytest.mark.parametrize(
    ("what", "to", "code"),
    [
        ("identity", TARGET, "ResourceMoveNotSupported"),
        ("vm1", "rg-none", "ResourceGroupNotFound"),
        ("vm2", TARGET, "ResourceNotFound"),
        ("vm1", GROUP, "ResourceAlreadyExists"),
    ],
)
async def test_what_cannot_be_moved_is_refused(world: World, what: str, to: str, code: str) -> None:
    await make(world)
    resource = world.identity_id("id1") if what == "identity" else world.vm_id(what)
    before = dict(world.azure.state.resources)
    with pytest.raises(HttpResponseError) as refused:
        await move(world, resource, to=target(world, to))
    assert refused.value.error is not None
    assert refused.value.error.code == code
    assert dict(world.azure.state.resources) == before


async def test_it_takes_a_right_at_both_groups(world: World) -> None:
    old = await make(world)
    world.azure.assign(world.app.object_id, "Contributor", world.group_scope)
    body = {"resources": [old], "targetResourceGroup": target(world)}
    path = f"{world.group_scope}/moveResources{VERSION}"
    assert (await world.raw("POST", path, body, principal=world.app)).status == 403
    world.azure.assign(world.app.object_id, "Contributor", target(world))
    assert (await world.raw("POST", path, body, principal=world.app)).status == 202
