"""What becomes of role assignments when their scope goes; and how many a subscription can have."""

from collections.abc import Callable

import pytest

from simulator.seeding import Sizes, fill
from simulator.transport import Answer
from tests.support.arm.role_assignments import assign, guid
from tests.support.arm.world import VM_BODY, World

VERSION = "?api-version=2022-04-01"


def machine(world: World) -> str:
    return f"{world.vm_id('vm1')}?api-version=2024-11-01"


def group(world: World) -> str:
    return f"{world.group_scope}?api-version=2024-11-01"


async def ask(world: World, method: str, scope: str, name: str) -> Answer:
    kind = "providers/Microsoft.Authorization/roleAssignments"
    return await world.raw(method, f"{scope}/{kind}/{name}{VERSION}")


async def names(world: World) -> set[str]:
    async with world.authorization() as client:
        clause = f"principalId eq '{world.app.object_id}'"
        found = client.role_assignments.list_for_subscription(filter=clause)
        return {str(each.name) async for each in found}


@pytest.fixture
async def assigned(world: World) -> World:
    """A role on a machine (1), on its group (2) and on the subscription (3)."""
    await world.raw("PUT", machine(world), VM_BODY)
    scopes = (world.vm_id("vm1"), world.group_scope, f"/subscriptions/{world.subscription}")
    for number, scope in enumerate(scopes, 1):
        world.azure.assign(world.app.object_id, "Reader", scope, name=guid(number))
    return world


@pytest.mark.parametrize(
    ("deleted", "cascade", "left"),
    [
        (machine, False, {1, 2, 3}),
        (machine, True, {2, 3}),
        (group, False, {1, 2, 3}),
        (group, True, {3}),
    ],
)
async def test_assignments_go_with_their_scope_or_stay(
    assigned: World, deleted: Callable[[World], str], cascade: bool, left: set[int]
) -> None:
    assigned.azure.behaviour.scope_deletion_removes_assignments = cascade
    assert (await assigned.raw("DELETE", deleted(assigned))).status == 202
    assert await names(assigned) == {guid(number) for number in left}


async def test_an_assignment_on_a_machine_that_is_gone_can_be_read_and_deleted(
    assigned: World,
) -> None:
    await assigned.raw("DELETE", machine(assigned))
    for method, status in (("GET", 200), ("DELETE", 200), ("DELETE", 204), ("GET", 404)):
        answer = await ask(assigned, method, assigned.vm_id("vm1"), guid(1))
        assert answer.status == status


async def test_one_that_stayed_works_again_for_a_machine_of_the_same_name(assigned: World) -> None:
    for number, scope in (
        (2, assigned.group_scope),
        (3, f"/subscriptions/{assigned.subscription}"),
    ):
        await ask(assigned, "DELETE", scope, guid(number))
    await assigned.raw("DELETE", machine(assigned))
    await assigned.raw("PUT", machine(assigned), VM_BODY)
    assert (await assigned.raw("GET", machine(assigned), principal=assigned.app)).status == 200


async def test_assignments_that_go_with_their_scope_raise_no_events_of_their_own(
    assigned: World,
) -> None:
    assigned.azure.behaviour.scope_deletion_removes_assignments = True
    told: list[str] = []
    assigned.azure.state.on_activity(lambda activity: told.append(activity.action))
    await assigned.raw("DELETE", group(assigned))
    assert told == [
        "Microsoft.Compute/virtualMachines/delete",
        "Microsoft.Resources/subscriptions/resourceGroups/delete",
    ]


async def test_four_thousand_are_a_subscriptions_limit(world: World) -> None:
    made = fill(world.azure, Sizes(subscriptions=1, assignments=3999))
    full = f"/subscriptions/{made.subscriptions[0]}"
    world.azure.assign(world.owner.object_id, "Owner", full)
    known = made.assignments[0]
    status, body = await assign(world, guid(1), world.app.object_id, scope=made.groups[0])
    assert (status, body["error"]["code"]) == (400, "RoleAssignmentLimitExceeded")
    assert "(4000)" in body["error"]["message"]
    assert (await assign(world, guid(2), world.app.object_id))[0] == 201, "in another subscription"
    role = known.role_definition_id.rpartition("/")[2]
    changed, _ = await assign(
        world, known.name, known.principal_id, scope=known.scope, role=role, description="changed"
    )
    assert changed == 201, "an update adds none"

    assert (await ask(world, "DELETE", known.scope, known.name)).status == 200
    for name, expected in ((guid(1), 201), (guid(3), 400)):
        scope = made.groups[0] if expected == 201 else full
        status, _ = await assign(world, name, world.app.object_id, scope=scope)
        assert status == expected
