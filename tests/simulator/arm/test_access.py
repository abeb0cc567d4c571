"""The RBAC decision: inheritance, wildcards, groups, data actions, propagation."""

import json
from uuid import UUID

import pytest

from simulator.authorization.wildcards import matches
from simulator.azure import Azure
from simulator.state import RoleDefinition
from tests.support.arm.world import World

READ = "Microsoft.Compute/virtualMachines/read"
WRITE = "Microsoft.Compute/virtualMachines/write"
BLOB_READ = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
VM = "/providers/Microsoft.Compute/virtualMachines/vm1"


@pytest.fixture
def azure() -> Azure:
    return Azure()


@pytest.mark.parametrize(
    ("pattern", "action", "fits"),
    [
        ("*", WRITE, True),
        ("*/read", READ, True),
        ("*/read", WRITE, False),
        ("microsoft.compute/VIRTUALMACHINES/*", WRITE, True),
        ("Microsoft.Compute/virtualMachines", READ, False),
        (
            "Microsoft.ManagedIdentity/userAssignedIdentities/*/assign/action",
            "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action",
            True,
        ),
        ("Microsoft.Authorization/*/Write", "Microsoft.Authorization/roleAssignments/write", True),
        ("Microsoft.Compute/*/read", "Microsoft.Computer/x/read", False),
    ],
)
def test_patterns(pattern: str, action: str, fits: bool) -> None:
    assert matches(pattern, action) is fits


def test_a_right_is_inherited_downwards_only(azure: Azure) -> None:
    one = azure.state.add_subscription("one").id
    azure.assign("p", "Reader", f"/subscriptions/{one}/resourceGroups/RG")
    allowed = azure.access.allowed
    assert allowed("p", READ, f"/subscriptions/{one}/resourcegroups/rg{VM}")
    assert not allowed("p", READ, f"/subscriptions/{one}")
    assert not allowed("p", READ, f"/subscriptions/{one}/resourceGroups/rg2{VM}")
    assert not allowed("other", READ, f"/subscriptions/{one}/resourceGroups/rg{VM}")


def test_a_management_group_covers_its_subscriptions(azure: Azure) -> None:
    one, two = azure.state.add_subscription("one"), azure.state.add_subscription("two")
    one.management_groups = ("Landing", "Root")
    azure.assign("p", "Reader", "/providers/Microsoft.Management/managementGroups/landing")
    assert azure.access.allowed("p", READ, f"/subscriptions/{one.id}")
    assert not azure.access.allowed("p", READ, f"/subscriptions/{two.id}")
    assert azure.access.sees("p", f"/subscriptions/{one.id}")
    assert not azure.access.sees("p", f"/subscriptions/{two.id}")


def test_a_group_gives_its_members_what_it_has(azure: Azure) -> None:
    inner, outer = (azure.state.add_principal(name, "Group").object_id for name in ("in", "out"))
    azure.state.group_members = {outer: {inner}, inner: {"p"}}
    azure.assign(outer, "Reader", "/")
    assert azure.access.allowed("p", READ, "/subscriptions/x")


def test_actions_give_no_data_and_data_actions_no_management(azure: Azure) -> None:
    azure.assign("owner", "Owner", "/")
    azure.assign("reader", "Storage Blob Data Reader", "/")
    allowed = azure.access.allowed
    assert not allowed("owner", BLOB_READ, "/subscriptions/x", data=True)
    assert allowed("reader", BLOB_READ, "/subscriptions/x", data=True)
    assert not allowed("reader", BLOB_READ, "/subscriptions/x")
    assert not allowed("reader", BLOB_READ.replace("read", "write"), "/subscriptions/x", data=True)


def test_not_actions_take_from_their_own_role_only(azure: Azure) -> None:
    azure.assign("p", "Contributor", "/")
    write = "Microsoft.Authorization/roleAssignments/write"
    assert not azure.access.allowed("p", write, "/subscriptions/x")
    azure.assign("p", "User Access Administrator", "/")
    assert azure.access.allowed("p", write, "/subscriptions/x")


def test_an_unknown_role_gives_nothing(azure: Azure) -> None:
    role = RoleDefinition(str(UUID(int=1)), "R", "", "CustomRole", ["*"], [], [], [])
    azure.state.role_definitions[role.guid] = role
    azure.assign("p", "R", "/")
    del azure.state.role_definitions[role.guid]
    assert not azure.access.allowed("p", READ, "/")


async def test_a_grant_works_and_a_revoked_one_goes_on_until_it_has_propagated(
    world: World,
) -> None:
    world.azure.behaviour.role_propagation_seconds = 300
    name = str(UUID(int=1))
    path = (
        f"{world.group_scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
        "?api-version=2022-04-01"
    )
    body = {
        "properties": {
            "roleDefinitionId": "/providers/Microsoft.Authorization/roleDefinitions/"
            "acdd72a7-3385-48ef-bd42-f606fba81ae7",
            "principalId": world.app.object_id,
            "principalType": "ServicePrincipal",
        }
    }

    async def status() -> int:
        group = f"{world.group_scope}?api-version=2024-11-01"
        return (await world.raw("GET", group, principal=world.app)).status

    assert (await world.raw("PUT", path, body)).status == 201
    assert await status() == 403
    world.azure.clock.advance(300)
    assert await status() == 200
    assert (await world.raw("DELETE", path)).status == 200
    assert await status() == 200
    world.azure.clock.advance(300)
    assert await status() == 403


async def test_a_denied_call_says_what_was_missing_in_azures_words(world: World) -> None:
    answer = await world.raw(
        "GET", f"{world.vm_id('vm1')}?api-version=2024-11-01", principal=world.app
    )
    error = json.loads(answer.content)["error"]
    assert (answer.status, error["code"]) == (403, "AuthorizationFailed")
    assert error["message"] == (
        f"The client '{world.app.client_id}' with object id '{world.app.object_id}' does not have "
        f"authorization to perform action 'Microsoft.Compute/virtualMachines/read' over scope "
        f"'{world.vm_id('vm1')}' or the scope is invalid. If access was recently granted, please "
        "refresh your credentials."
    )


async def test_a_listing_needs_the_right_at_the_scope_it_lists(world: World) -> None:
    world.azure.assign(world.app.object_id, "Reader", world.vm_id("vm1"))
    machines = "/providers/Microsoft.Compute/virtualMachines?api-version=2024-11-01"
    answer = await world.raw("GET", f"{world.group_scope}{machines}", principal=world.app)
    assert answer.status == 403
    world.azure.assign(world.app.object_id, "Reader", world.group_scope)
    answer = await world.raw("GET", f"{world.group_scope}{machines}", principal=world.app)
    assert answer.status == 200
