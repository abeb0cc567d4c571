"""Locks: what they refuse at their scope, below it and above it, and what they let through."""

import json
from typing import Any
from uuid import UUID

import pytest
from azure.core.exceptions import HttpResponseError, ResourceExistsError

from simulator.transport import Answer
from tests.support.arm.role_assignments import assign, guid
from tests.support.arm.world import VM_BODY, World

VERSION = "?api-version=2020-05-01"
LOCKED = (409, "ScopeLocked")


def lock_path(scope: str, name: str = "keep") -> str:
    return f"{scope}/providers/Microsoft.Authorization/locks/{name}{VERSION}"


async def lock(world: World, scope: str, level: str = "CanNotDelete", name: str = "keep") -> Answer:
    return await world.raw("PUT", lock_path(scope, name), {"properties": {"level": level}})


async def unlock(world: World, scope: str) -> None:
    assert (await world.raw("DELETE", lock_path(scope))).status == 200


async def put_machine(world: World, name: str = "vm1") -> Answer:
    return await world.raw("PUT", f"{world.vm_id(name)}?api-version=2024-11-01", VM_BODY)


def assignment_path(scope: str, number: int) -> str:
    name = UUID(int=number)
    kind = "providers/Microsoft.Authorization/roleAssignments"
    return f"{scope}/{kind}/{name}?api-version=2022-04-01"


def outcome(answer: Answer) -> tuple[int, str]:
    body = json.loads(answer.content) if answer.content else {}
    return answer.status, body.get("error", {}).get("code", "")


def body_of(answer: Answer) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.content)
    return body


@pytest.fixture
def subscription_scope(world: World) -> str:
    return f"/subscriptions/{world.subscription}"


async def test_a_lock_is_made_changed_read_and_removed(world: World) -> None:
    path = lock_path(world.group_scope)
    properties = {"level": "CanNotDelete", "notes": "the shop's"}
    made = await world.raw("PUT", path, {"properties": properties})
    assert made.status == 201
    assert body_of(made) == {
        "properties": properties,
        "id": f"{world.group_scope}/providers/Microsoft.Authorization/locks/keep",
        "type": "Microsoft.Authorization/locks",
        "name": "keep",
    }
    changed = await world.raw("PUT", path, {"properties": {"level": "readonly"}})
    assert (changed.status, body_of(changed)["properties"]) == (200, {"level": "ReadOnly"})
    assert body_of(await world.raw("GET", path)) == body_of(changed)
    await unlock(world, world.group_scope)
    assert outcome(await world.raw("GET", path)) == (404, "LockNotFound")
    assert (await world.raw("DELETE", path)).status == 204


async def test_the_generic_sdk_client_locks_and_is_refused(world: World) -> None:
    await put_machine(world)
    lock_id = lock_path(world.vm_id("vm1")).removesuffix(VERSION)
    async with world.resources() as client:
        making = await client.resources.begin_create_or_update_by_id(
            lock_id, {"properties": {"level": "CanNotDelete"}}, api_version="2020-05-01"
        )
        assert (await making.result()).name == "keep"
    async with world.compute() as compute:
        with pytest.raises(ResourceExistsError, match="ScopeLocked"):
            await compute.virtual_machines.begin_delete("rg-demo", "vm1")


@pytest.mark.parametrize("level", ["CanNotDelete", "ReadOnly"])
async def test_an_assignment_below_a_lock_cannot_be_deleted(world: World, level: str) -> None:
    await assign(world, guid(1), world.app.object_id)
    await lock(world, world.group_scope, level)
    async with world.authorization() as client:
        with pytest.raises(HttpResponseError) as refused:
            await client.role_assignments.delete(world.group_scope, guid(1))
    assert refused.value.status_code == 409
    assert refused.value.error is not None
    assert refused.value.error.message == (
        f"The scope '{world.group_scope}/providers/Microsoft.Authorization/roleAssignments/"
        f"{guid(1)}' cannot perform delete operation because following scope(s) are locked: "
        f"'{world.group_scope}'. Please remove the lock and try again."
    )
    assert (await world.raw("GET", assignment_path(world.group_scope, 1))).status == 200
    await unlock(world, world.group_scope)
    assert (await world.raw("DELETE", assignment_path(world.group_scope, 1))).status == 200


async def test_an_assignment_above_a_lock_can_be_deleted(
    world: World, subscription_scope: str
) -> None:
    await put_machine(world)
    await assign(world, guid(1), world.app.object_id)
    await assign(world, guid(2), world.app.object_id, scope=subscription_scope)
    await lock(world, world.vm_id("vm1"))
    assert (await world.raw("DELETE", assignment_path(world.group_scope, 1))).status == 200
    assert (await world.raw("DELETE", assignment_path(subscription_scope, 2))).status == 200


async def test_a_delete_lock_lets_everything_be_created_and_changed(world: World) -> None:
    await lock(world, world.group_scope)
    assert (await put_machine(world)).status == 201
    path = f"{world.vm_id('vm1')}?api-version=2024-11-01"
    assert (await world.raw("PATCH", path, {"tags": {"a": "b"}})).status == 200
    assert (await assign(world, guid(1), world.app.object_id))[0] == 201
    assert (await assign(world, guid(1), world.app.object_id, description="more"))[0] == 201


async def test_a_read_only_lock_refuses_writes_and_actions_and_lets_read(world: World) -> None:
    await put_machine(world)
    identity = f"{world.identity_id('shop')}?api-version=2023-01-31"
    await world.raw("PUT", identity, {"location": "westeurope"})
    await lock(world, world.group_scope, "ReadOnly")
    path = f"{world.vm_id('vm1')}?api-version=2024-11-01"
    assert outcome(await world.raw("PATCH", path, {"tags": {}})) == LOCKED
    refused = await put_machine(world, "vm2")
    assert outcome(refused) == LOCKED
    assert "cannot perform write operation" in body_of(refused)["error"]["message"]
    status, body = await assign(world, guid(1), world.app.object_id)
    assert (status, body["error"]["code"]) == LOCKED
    action = f"{world.identity_id('shop')}/listAssociatedResources?api-version=2021-09-30-preview"
    assert outcome(await world.raw("POST", action, {})) == LOCKED
    assert (await world.raw("GET", path)).status == 200
    assert (await world.raw("GET", assignment_path(world.group_scope, 1))).status == 404


@pytest.mark.parametrize("inherited", [False, True])
async def test_a_resource_is_not_deleted(
    world: World, subscription_scope: str, inherited: bool
) -> None:
    await put_machine(world)
    scope = subscription_scope if inherited else world.vm_id("vm1")
    await lock(world, scope)
    path = f"{world.vm_id('vm1')}?api-version=2024-11-01"
    refused = await world.raw("DELETE", path)
    assert outcome(refused) == LOCKED
    assert f"are locked: '{scope}'" in body_of(refused)["error"]["message"]
    await unlock(world, scope)
    assert (await world.raw("DELETE", path)).status == 202


async def test_a_group_with_a_locked_resource_inside_is_not_deleted(world: World) -> None:
    await put_machine(world)
    await lock(world, world.vm_id("vm1"))
    path = f"{world.group_scope}?api-version=2024-11-01"
    assert outcome(await world.raw("DELETE", path)) == LOCKED
    await unlock(world, world.vm_id("vm1"))
    assert (await world.raw("DELETE", path)).status == 202


async def test_a_lock_says_nothing_of_its_neighbours(world: World, subscription_scope: str) -> None:
    other = f"{subscription_scope}/resourceGroups/rg-demo-2"
    await world.raw("PUT", f"{other}?api-version=2024-11-01", {"location": "westeurope"})
    await lock(world, world.group_scope, "ReadOnly")
    assert (await world.raw("DELETE", f"{other}?api-version=2024-11-01")).status == 202


async def test_lists_show_what_holds_here_and_below(world: World, subscription_scope: str) -> None:
    await put_machine(world)
    scopes = (subscription_scope, world.group_scope, world.vm_id("vm1"))
    for number, scope in enumerate(scopes):
        await lock(world, scope, name=f"lock{number}")

    async def listed(scope: str, query: str = "") -> list[str]:
        path = f"{scope}/providers/Microsoft.Authorization/locks{VERSION}{query}"
        return [each["name"] for each in body_of(await world.raw("GET", path))["value"]]

    assert await listed(subscription_scope) == ["lock0", "lock1", "lock2"]
    assert await listed(world.vm_id("vm1")) == ["lock0", "lock1", "lock2"]
    assert await listed(world.group_scope, "&$filter=atScope()") == ["lock0", "lock1"]
    path = f"{subscription_scope}/providers/Microsoft.Authorization/locks{VERSION}&$filter=x"
    assert (await world.raw("GET", path)).status == 400


async def test_locks_need_rights_of_their_own(world: World) -> None:
    world.azure.assign(world.app.object_id, "Contributor", world.group_scope)
    path, body = lock_path(world.group_scope), {"properties": {"level": "ReadOnly"}}
    refused = await world.raw("PUT", path, body, principal=world.app)
    assert outcome(refused) == (403, "AuthorizationFailed")
    await lock(world, world.group_scope)
    refused = await world.raw("DELETE", path, principal=world.app)
    assert outcome(refused) == (403, "AuthorizationFailed")
    assert (await world.raw("GET", path, principal=world.app)).status == 200


async def test_who_may_not_delete_is_told_that_and_nothing_of_locks(world: World) -> None:
    await assign(world, guid(1), world.app.object_id)
    await lock(world, world.group_scope)
    path = assignment_path(world.group_scope, 1)
    refused = await world.raw("DELETE", path, principal=world.app)
    assert outcome(refused) == (403, "AuthorizationFailed")


@pytest.mark.parametrize(
    ("properties", "code"),
    [
        ({}, "InvalidRequestContent"),
        ({"level": "Forever"}, "InvalidLockDefinition"),
        ({"level": "ReadOnly", "notes": "x" * 513}, "InvalidLockDefinition"),
    ],
)
async def test_a_malformed_lock_is_refused(
    world: World, properties: dict[str, str], code: str
) -> None:
    path = lock_path(world.group_scope)
    assert outcome(await world.raw("PUT", path, {"properties": properties})) == (400, code)
    nowhere = lock_path(f"{world.group_scope}-2")
    refused = await world.raw("PUT", nowhere, {"properties": {"level": "ReadOnly"}})
    assert outcome(refused) == (404, "ResourceGroupNotFound")


def test_a_lock_may_be_put_straight_in_the_state(world: World) -> None:
    made, created = world.azure.locks.put(world.group_scope, "keep", "ReadOnly")
    assert (made.scope, created) == (world.group_scope, True)
