"""Role assignments through the real azure-mgmt-authorization, and every refusal Azure knows."""

import json
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.support.arm.role_assignments import READER, VERSION, assign, guid, role_id
from tests.support.arm.world import World

BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"


async def test_the_sdk_creates_lists_and_deletes(world: World) -> None:
    async with world.authorization() as client:
        assignments = client.role_assignments
        made = await assignments.create(
            world.group_scope,
            guid(1),
            {
                "properties": {
                    "roleDefinitionId": role_id(world, READER),
                    "principalId": world.app.object_id,
                    "principalType": "ServicePrincipal",
                }
            },
        )
        assert made.scope == world.group_scope
        assert (await assignments.get_by_id(str(made.id))).principal_id == world.app.object_id
        wanted = f"principalId eq '{world.app.object_id}'"
        below = [each.name async for each in assignments.list_for_subscription(filter=wanted)]
        assert below == [guid(1)]
        gone = await assignments.delete(world.group_scope, guid(1))
        assert gone is not None
        assert gone.name == guid(1)
        assert await assignments.delete(world.group_scope, guid(1)) is None
        with pytest.raises(HttpResponseError) as missing:
            await assignments.get(world.group_scope, guid(1))
        assert missing.value.error is not None
        assert missing.value.error.code == "RoleAssignmentNotFound"


async def test_the_sdk_takes_a_managed_identity_for_a_user_unless_told(world: World) -> None:
    """The trap: azure-mgmt-authorization 4.0.0 sends principalType "User" of itself."""
    from azure.mgmt.authorization.v2022_04_01.models import RoleAssignmentCreateParameters

    parameters = RoleAssignmentCreateParameters(
        role_definition_id=role_id(world, READER), principal_id=world.app.object_id
    )
    async with world.authorization() as client:
        with pytest.raises(HttpResponseError) as refused:
            await client.role_assignments.create(world.group_scope, guid(1), parameters)
    assert refused.value.error is not None
    assert refused.value.error.code == "UnmatchedPrincipalType"


async def test_the_same_grant_under_another_name_is_a_conflict(world: World) -> None:
    assert (await assign(world, guid(1), world.app.object_id))[0] == 201
    status, body = await assign(world, guid(2), world.app.object_id)
    assert (status, body["error"]["code"]) == (409, "RoleAssignmentExists")
    assert body["error"]["message"].endswith(f"{guid(1).replace('-', '')}.")
    assert (await assign(world, guid(2), world.app.object_id, role=BLOB_READER))[0] == 201


async def test_a_name_stands_for_one_principal_one_role_and_one_scope(world: World) -> None:
    other = world.azure.state.add_principal("other")
    await assign(world, guid(1), world.app.object_id)
    changed = {
        "principal": await assign(world, guid(1), other.object_id),
        "role": await assign(world, guid(1), world.app.object_id, role=BLOB_READER),
        "scope": await assign(
            world, guid(1), world.app.object_id, scope=f"/subscriptions/{world.subscription}"
        ),
    }
    for what, (status, body) in changed.items():
        assert (status, body["error"]["code"]) == (400, "RoleAssignmentUpdateNotPermitted"), what


async def test_the_role_is_named_in_the_subscription_however_it_was_asked_for(world: World) -> None:
    tenant_wide = f"/providers/Microsoft.Authorization/roleDefinitions/{READER}"
    _, made = await assign(world, guid(1), world.app.object_id, roleDefinitionId=tenant_wide)
    assert made["properties"]["roleDefinitionId"] == role_id(world, READER)
    given = world.azure.assign(
        world.app.object_id, "Reader", f"/subscriptions/{world.subscription}"
    )
    assert given.role_definition_id == role_id(world, READER)
    assert world.azure.assign(world.app.object_id, "Reader", "/").role_definition_id == tenant_wide


async def test_description_and_condition_may_change(world: World) -> None:
    await assign(world, guid(1), world.app.object_id, description="first")
    world.azure.clock.advance(60)
    status, _ = await assign(world, guid(1), world.app.object_id, description="second")
    assert status == 201
    (stored,) = (
        each for each in world.azure.state.role_assignments.values() if each.name == guid(1)
    )
    assert stored.description == "second"
    assert stored.updated_at - stored.created_at == 60


async def test_a_new_principal_is_unknown_until_it_has_replicated(world: World) -> None:
    world.azure.behaviour.principal_replication_seconds = 12
    new = world.azure.state.add_principal("new").object_id
    status, body = await assign(world, guid(1), new, principalType=None)
    assert (status, body["error"]["code"]) == (400, "PrincipalNotFound")
    assert new.replace("-", "") in body["error"]["message"]
    status, body = await assign(world, guid(1), new, principalType="User")
    assert body["error"]["code"] == "PrincipalNotFound"

    assert (await assign(world, guid(1), new))[0] == 201
    world.azure.clock.advance(12)
    status, body = await assign(world, guid(2), new, principalType=None, role=BLOB_READER)
    assert (status, body["properties"]["principalType"]) == (201, "ServicePrincipal")


async def test_the_assignments_of_a_deleted_principal_stay(world: World) -> None:
    await assign(world, guid(1), world.app.object_id)
    world.azure.state.delete_principal(world.app.object_id)
    path = (
        f"{world.group_scope}/providers/Microsoft.Authorization/roleAssignments/{guid(1)}{VERSION}"
    )
    assert (await world.raw("GET", path)).status == 200


async def test_a_subscription_holds_only_so_many(world: World) -> None:
    world.azure.behaviour.role_assignment_limit = 2  # the owner's own is one
    assert (await assign(world, guid(1), world.app.object_id))[0] == 201
    status, body = await assign(world, guid(2), world.app.object_id, role=BLOB_READER)
    assert (status, body["error"]["code"]) == (400, "RoleAssignmentLimitExceeded")


@pytest.mark.parametrize(
    ("name", "change", "status", "code"),
    [
        ("no-guid", {}, 400, "InvalidRoleAssignmentId"),
        (guid(1), {"roleDefinitionId": f"/x/{guid(9)}"}, 400, "RoleDefinitionDoesNotExist"),
        (guid(1), {"principalId": "someone"}, 400, "BadRequestFormat"),
        (guid(1), {"condition": "@Request[", "conditionVersion": "2.0"}, 400, "InvalidCondition"),
        (
            guid(1),
            {"condition": "@Resource[a:b] StringEquals 'x'", "conditionVersion": "1.0"},
            400,
            "InvalidCondition",
        ),
    ],
)
async def test_a_malformed_assignment_is_refused(
    world: World, name: str, change: dict[str, Any], status: int, code: str
) -> None:
    answered, body = await assign(world, name, world.app.object_id, **change)
    assert (answered, body["error"]["code"]) == (status, code)


async def test_a_scope_in_no_group_is_refused(world: World) -> None:
    nowhere = f"/subscriptions/{world.subscription}/resourceGroups/nowhere"
    status, body = await assign(world, guid(1), world.app.object_id, scope=nowhere)
    assert (status, body["error"]["code"]) == (404, "ResourceGroupNotFound")


async def test_lists_narrow_by_scope_principal_and_group(world: World) -> None:
    state, azure = world.azure.state, world.azure
    team = state.add_principal("team", kind="Group")
    state.group_members[team.object_id] = {world.app.object_id}
    azure.assign(world.app.object_id, "Reader", "/", name=guid(10))
    azure.assign(world.app.object_id, "Reader", world.group_scope, name=guid(11))
    azure.assign(world.app.object_id, "Reader", world.vm_id("vm1"), name=guid(12))
    azure.assign(team.object_id, "Reader", world.group_scope, name=guid(13))

    async def listed(filter: str) -> set[str]:
        async with world.authorization() as client:
            found = client.role_assignments.list_for_scope(world.group_scope, filter=filter)
            return {str(each.name) async for each in found} & {guid(n) for n in range(10, 14)}

    assert await listed("atScope()") == {guid(10), guid(11), guid(13)}
    mine = f"principalId eq '{world.app.object_id}'"
    assert await listed(mine) == {guid(10), guid(11), guid(12)}
    assigned = f"assignedTo('{world.app.object_id}')"
    assert await listed(assigned) == {guid(10), guid(11), guid(12), guid(13)}
    assert await listed(f"atScope() and {assigned}") == {guid(10), guid(11), guid(13)}
    for refused in (f"atScope() and {mine}", "roleName eq 'x'"):
        with pytest.raises(HttpResponseError) as bad:
            await listed(refused)
        assert bad.value.status_code == 400


async def test_long_lists_come_in_pages(world: World) -> None:
    for number in range(5):
        world.azure.assign(guid(100 + number), "Reader", world.group_scope, name=guid(number))
    world.azure.behaviour.page_size = 2
    world.azure.calls.clear()
    async with world.authorization() as client:
        found = [
            each.name async for each in client.role_assignments.list_for_scope(world.group_scope)
        ]
    assert len(found) == 6
    assert len(world.azure.calls) == 3


async def test_built_in_roles_are_found_by_name_with_their_actions(world: World) -> None:
    async with world.authorization() as client:
        definitions = client.role_definitions
        (found,) = [
            each
            async for each in definitions.list(
                world.group_scope, filter="roleName eq 'storage blob data READER'"
            )
        ]
        assert found.name == BLOB_READER
        (permission,) = found.permissions or []
        assert permission.data_actions == [
            "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/read"
        ]
        same = await definitions.get_by_id(str(found.id))
        assert same.role_name == "Storage Blob Data Reader"
        absent = definitions.list(world.group_scope, filter="roleName eq 'No Such Role'")
        assert [each async for each in absent] == []


async def test_a_custom_role_lives_and_dies_by_its_assignments(world: World) -> None:
    scope = f"/subscriptions/{world.subscription}"
    path = f"{scope}/providers/Microsoft.Authorization/roleDefinitions/{guid(7)}{VERSION}"
    body = {
        "properties": {
            "roleName": "Restarter",
            "assignableScopes": [world.group_scope],
            "permissions": [{"actions": ["Microsoft.Compute/virtualMachines/read"]}],
        }
    }
    assert (await world.raw("PUT", path, body)).status == 201
    vm = f"{world.vm_id('vm1')}?api-version=2024-11-01"
    assert (await world.raw("GET", vm, principal=world.app)).status == 403
    await assign(world, guid(1), world.app.object_id, role=guid(7))
    assert (await world.raw("GET", vm, principal=world.app)).status == 404

    used = await world.raw("DELETE", path)
    assert json.loads(used.content)["error"]["code"] == "RoleDefinitionHasAssignments"
    await world.raw(
        "DELETE",
        f"{world.group_scope}/providers/Microsoft.Authorization/roleAssignments/{guid(1)}{VERSION}",
    )
    assert (await world.raw("DELETE", path)).status == 200
    assert (await world.raw("DELETE", path)).status == 204
    reader = path.replace(guid(7), READER)
    built_in = await world.raw("PUT", reader, body)
    assert json.loads(built_in.content)["error"]["code"] == "BuiltInRoleCannotBeModified"
