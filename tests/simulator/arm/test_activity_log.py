"""The activity log: deletions by themselves, and none of what goes with its scope."""

import json
from urllib.parse import quote

import pytest

from simulator.times import utc_z
from tests.support.arm.role_assignments import guid
from tests.support.arm.world import VM_BODY, World


async def deletions(world: World, resource_id: str, since: float = 0.0) -> list[str]:
    """The operations that are shown of a resource."""
    until = world.azure.clock.now() + 60
    between = f"eventTimestamp ge '{utc_z(since)}' and eventTimestamp le '{utc_z(until)}'"
    clause = quote(f"{between} and resourceUri eq '{resource_id}'")
    log = "providers/Microsoft.Insights/eventtypes/management/values"
    path = f"/subscriptions/{world.subscription}/{log}?api-version=2015-04-01&$filter={clause}"
    answer = await world.raw("GET", path)
    assert answer.status == 200
    return [event["operationName"]["value"] for event in json.loads(answer.content)["value"]]


@pytest.fixture
async def assignment(world: World) -> str:
    """The id of a role assignment at a machine."""
    world.azure.behaviour.scope_deletion_removes_assignments = True
    await world.raw("PUT", f"{world.vm_id('vm1')}?api-version=2024-11-01", VM_BODY)
    made = world.azure.assign(world.app.object_id, "Reader", world.vm_id("vm1"), name=guid(1))
    return made.id


async def test_an_assignment_that_is_deleted_by_itself_is_shown(
    world: World, assignment: str
) -> None:
    assert await deletions(world, assignment) == []
    await world.raw("DELETE", f"{assignment}?api-version=2022-04-01")
    shown = ["Microsoft.Authorization/roleAssignments/delete"]
    assert await deletions(world, assignment.upper()) == shown
    assert await deletions(world, assignment, since=world.azure.clock.now() + 1) == []
    assert await deletions(world, world.vm_id("vm1")) == []


async def test_one_that_goes_with_its_scope_is_no_operation_of_its_own(
    world: World, assignment: str
) -> None:
    await world.raw("DELETE", f"{world.vm_id('vm1')}?api-version=2024-11-01")
    assert assignment.lower() not in world.azure.state.role_assignments
    assert await deletions(world, assignment) == []
    assert await deletions(world, world.vm_id("vm1")) == [
        "Microsoft.Compute/virtualMachines/delete"
    ]


async def test_a_group_is_shown_with_what_is_in_it(world: World, assignment: str) -> None:
    await world.raw("DELETE", f"{world.group_scope}?api-version=2024-11-01")
    shown = ["Microsoft.Resources/subscriptions/resourcegroups/delete"]
    assert await deletions(world, world.group_scope) == shown
    assert await deletions(world, world.vm_id("vm1")) == [
        "Microsoft.Compute/virtualMachines/delete"
    ]
    assert await deletions(world, assignment) == []


async def test_another_filter_is_refused(world: World) -> None:
    log = "providers/Microsoft.Insights/eventtypes/management/values"
    path = f"/subscriptions/{world.subscription}/{log}?api-version=2015-04-01"
    answer = await world.raw("GET", f"{path}&$filter=status%20eq%20'Failed'")
    assert answer.status == 400
