"""A role that a group has: inherited by its members, listed as the group's alone."""

import json

from tests.support.arm.world import World


async def listed(world: World, clause: str) -> list[str]:
    async with world.authorization() as client:
        found = client.role_assignments.list_for_scope(world.group_scope, filter=clause)
        return [str(each.name) async for each in found]


async def status(world: World) -> int:
    path = f"{world.group_scope}?api-version=2024-11-01"
    return (await world.raw("GET", path, principal=world.app)).status


async def test_an_inherited_assignment_is_not_among_the_members_own(world: World) -> None:
    member = world.app.object_id
    team = world.azure.state.add_group("team", [member])
    made = world.azure.assign(team.object_id, "Reader", world.group_scope)
    assert made.principal_type == "Group"
    assert await listed(world, f"principalId eq '{member}'") == []
    assert await listed(world, f"principalId eq '{team.object_id}'") == [made.name]
    assert await listed(world, f"assignedTo('{member}')") == [made.name]


async def test_members_of_groups_in_groups_have_what_the_outer_one_has(world: World) -> None:
    inner = world.azure.state.add_group("inner", [world.app.object_id])
    outer = world.azure.state.add_group("outer", [inner.object_id])
    assert await status(world) == 403
    made = world.azure.assign(outer.object_id, "Reader", world.group_scope)
    assert await status(world) == 200
    assert await listed(world, f"assignedTo('{world.app.object_id}')") == [made.name]


async def test_who_leaves_a_group_leaves_its_rights(world: World) -> None:
    team = world.azure.state.add_group("team", [world.app.object_id])
    world.azure.assign(team.object_id, "Reader", world.group_scope)
    assert await status(world) == 200
    world.azure.state.group_members[team.object_id].clear()
    assert await status(world) == 403
    assert await listed(world, f"assignedTo('{world.app.object_id}')") == []


async def test_a_deleted_group_gives_nothing_and_leaves_its_assignment(world: World) -> None:
    team = world.azure.state.add_group("team", [world.app.object_id])
    made = world.azure.assign(team.object_id, "Reader", world.group_scope)
    world.azure.state.delete_principal(team.object_id)
    assert await status(world) == 403
    assert await listed(world, f"principalId eq '{team.object_id}'") == [made.name]


async def test_a_group_is_assigned_a_role_by_its_type(world: World) -> None:
    team = world.azure.state.add_group("team").object_id
    name = "00000000-0000-0000-0000-000000000001"
    reader = "/providers/Microsoft.Authorization/roleDefinitions/"
    reader += "acdd72a7-3385-48ef-bd42-f606fba81ae7"
    path = f"{world.group_scope}/providers/Microsoft.Authorization/roleAssignments/{name}"
    wanted = {"roleDefinitionId": reader, "principalId": team}
    outcomes = []
    for kind in ("ServicePrincipal", "Group"):
        body = {"properties": {**wanted, "principalType": kind}}
        answer = await world.raw("PUT", f"{path}?api-version=2022-04-01", body)
        outcomes.append((answer.status, json.loads(answer.content)))
    (refused, error), (made, assignment) = outcomes
    assert (refused, error["error"]["code"]) == (400, "UnmatchedPrincipalType")
    assert (made, assignment["properties"]["principalType"]) == (201, "Group")
