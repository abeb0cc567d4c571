"""What Azure does with the identity block: the traps a product falls into."""

import json
from typing import Any

import pytest

from tests.support.arm.world import GROUP, VM_BODY, World

VERSION = "?api-version=2024-11-01"
IDENTITY_VERSION = "?api-version=2024-11-30"
SITE_VERSION = "?api-version=2025-05-01"


async def make_identity(world: World, name: str) -> dict[str, Any]:
    answer = await world.raw(
        "PUT", world.identity_id(name) + IDENTITY_VERSION, {"location": "westeurope"}
    )
    body: dict[str, Any] = json.loads(answer.content)
    return body


async def make_machine(world: World, identity: dict[str, Any] | None = None) -> None:
    body = VM_BODY if identity is None else VM_BODY | {"identity": identity}
    answer = await world.raw("PUT", world.vm_id("vm1") + VERSION, body)
    assert answer.status == 201, answer.content


async def patch(world: World, identity: object, **options: Any) -> tuple[int, dict[str, Any]]:
    answer = await world.raw(
        "PATCH", world.vm_id("vm1") + VERSION, {"identity": identity}, **options
    )
    return answer.status, json.loads(answer.content)


async def identity_of(world: World) -> dict[str, Any] | None:
    answer = await world.raw("GET", world.vm_id("vm1") + VERSION)
    block: dict[str, Any] | None = json.loads(answer.content).get("identity")
    return block


def names(block: dict[str, Any] | None) -> list[str]:
    attached = (block or {}).get("userAssignedIdentities") or {}
    return sorted(each.rpartition("/")[2] for each in attached)


async def test_an_added_identity_leaves_the_others_in_place(world: World) -> None:
    for name in ("id1", "id2"):
        await make_identity(world, name)
    await make_machine(
        world, {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id1"): {}}}
    )
    status, _ = await patch(
        world, {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id2"): {}}}
    )
    assert status == 200
    assert names(await identity_of(world)) == ["id1", "id2"]


async def test_system_assigned_alone_drops_every_user_assigned_identity(world: World) -> None:
    await make_identity(world, "id1")
    await make_machine(
        world, {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id1"): {}}}
    )
    status, _ = await patch(world, {"type": "SystemAssigned"})
    assert status == 200
    block = await identity_of(world)
    assert block is not None
    assert block["type"] == "SystemAssigned"
    assert "userAssignedIdentities" not in block


async def test_user_assigned_alone_drops_the_system_identity_and_its_principal(
    world: World,
) -> None:
    await make_identity(world, "id1")
    await make_machine(world, {"type": "SystemAssigned"})
    principal = ((await identity_of(world)) or {})["principalId"]
    assert world.azure.state.principals[principal].deleted_at is None

    await patch(
        world, {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id1"): {}}}
    )
    assert "principalId" not in ((await identity_of(world)) or {})
    assert world.azure.state.principals[principal].deleted_at is not None


async def test_type_none_makes_the_block_disappear(world: World) -> None:
    await make_machine(world, {"type": "SystemAssigned"})
    await patch(world, {"type": "None", "userAssignedIdentities": None})
    assert await identity_of(world) is None


async def test_one_dangling_identity_fails_the_whole_patch(world: World) -> None:
    for name in ("id1", "id2"):
        await make_identity(world, name)
    await make_machine(
        world, {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id1"): {}}}
    )
    await world.raw("DELETE", world.identity_id("id1") + IDENTITY_VERSION)
    assert names(await identity_of(world)) == ["id1"]

    add = {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id2"): {}}}
    status, body = await patch(world, add)
    assert (status, body["error"]["code"]) == (400, "FailedIdentityOperation")
    assert world.identity_id("id1").lower() in body["error"]["message"].lower()
    assert names(await identity_of(world)) == ["id1"]

    add["userAssignedIdentities"][world.identity_id("id1")] = None  # type: ignore[index]
    status, _ = await patch(world, add)
    assert (status, names(await identity_of(world))) == (200, ["id2"])


async def test_an_identity_made_anew_under_its_name_leaves_a_dead_principal(world: World) -> None:
    first = await make_identity(world, "id1")
    wanted = {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id1"): {}}}
    await make_machine(world, {**wanted, "type": "SystemAssigned, UserAssigned"})
    await world.raw("DELETE", world.identity_id("id1") + IDENTITY_VERSION)
    second = await make_identity(world, "id1")
    assert second["properties"]["principalId"] != first["properties"]["principalId"]

    async def attached_principal() -> str:
        block = await identity_of(world) or {}
        (value,) = block["userAssignedIdentities"].values()
        return str(value["principalId"])

    await patch(world, {**wanted, "type": "SystemAssigned, UserAssigned"})
    assert await attached_principal() == first["properties"]["principalId"]

    remove = {"type": "SystemAssigned", "userAssignedIdentities": {world.identity_id("id1"): None}}
    await patch(world, remove)
    await patch(world, {**wanted, "type": "SystemAssigned, UserAssigned"})
    assert await attached_principal() == second["properties"]["principalId"]


async def test_a_new_identity_shows_its_principal_only_at_the_end(world: World) -> None:
    identity = await make_identity(world, "id1")
    await make_machine(world)
    world.azure.behaviour.operation_seconds = 5
    wanted = {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id1"): {}}}
    _, answered = await patch(world, wanted)
    assert list(answered["identity"]["userAssignedIdentities"].values()) == [{}]
    world.azure.clock.advance(5)
    (value,) = ((await identity_of(world)) or {})["userAssignedIdentities"].values()
    assert value["principalId"] == identity["properties"]["principalId"]


async def test_an_identity_deleted_while_it_is_attached_leaves_its_dead_principal(
    world: World,
) -> None:
    identity = await make_identity(world, "id1")
    await make_machine(world)
    world.azure.behaviour.operation_seconds = 5
    wanted = {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id1"): {}}}
    await patch(world, wanted)
    await world.raw("DELETE", world.identity_id("id1") + IDENTITY_VERSION)
    world.azure.clock.advance(5)
    (value,) = ((await identity_of(world)) or {})["userAssignedIdentities"].values()
    assert value["principalId"] == identity["properties"]["principalId"]


@pytest.mark.parametrize(
    ("identity", "code"),
    [
        ({"type": "UserAssigned"}, "MissingIdentityIds"),
        ({"type": "UserAssigned", "userAssignedIdentities": {}}, "MissingIdentityIds"),
        ({"type": "UserAssigned", "userAssignedIdentities": {"ID": "x"}}, "InvalidIdentityValues"),
        (
            {"type": "UserAssigned", "userAssignedIdentities": {"ID": {"clientId": "x"}}},
            "InvalidIdentityValues",
        ),
        (
            {"type": "UserAssigned", "userAssignedIdentities": {"/no/id": {}}},
            "LinkedInvalidPropertyId",
        ),
        ({"type": "SystemAssigned", "userAssignedIdentities": {"ID": {}}}, "InvalidParameter"),
        ({"type": "Somehow"}, "InvalidIdentityType"),
        ({"userAssignedIdentities": {"ID": {}}}, "InvalidIdentityType"),
        ("SystemAssigned", "InvalidRequestContent"),
    ],
)
async def test_a_malformed_block_is_refused(world: World, identity: Any, code: str) -> None:
    await make_machine(world)
    text = json.dumps(identity).replace("ID", world.identity_id("id1"))
    status, body = await patch(world, json.loads(text))
    assert (status, body["error"]["code"]) == (400, code)


async def test_the_existing_value_may_be_sent_back_in_any_casing(world: World) -> None:
    await make_identity(world, "id1")
    await make_machine(
        world, {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id1"): {}}}
    )
    block = await identity_of(world) or {}
    shouted = {key.upper(): value for key, value in block["userAssignedIdentities"].items()}
    status, _ = await patch(world, {"type": "UserAssigned", "userAssignedIdentities": shouted})
    assert (status, names(await identity_of(world))) == (200, ["id1"])


async def test_null_is_no_value_for_a_put(world: World) -> None:
    body = VM_BODY | {
        "identity": {
            "type": "UserAssigned",
            "userAssignedIdentities": {world.identity_id("id1"): None},
        }
    }
    answer = await world.raw("PUT", world.vm_id("vm1") + VERSION, body)
    assert json.loads(answer.content)["error"]["code"] == "InvalidIdentityValues"


async def test_attaching_needs_a_right_on_the_identity_itself(world: World) -> None:
    await make_identity(world, "id1")
    await make_machine(world)
    wanted = {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id1"): {}}}
    world.azure.assign(world.app.object_id, "Virtual Machine Contributor", world.group_scope)
    status, body = await patch(world, wanted, principal=world.app)
    assert (status, body["error"]["code"]) == (403, "LinkedAuthorizationFailed")
    assert "userAssignedIdentities/assign/action" in body["error"]["message"]

    world.azure.assign(world.app.object_id, "Managed Identity Operator", world.identity_id("id1"))
    status, _ = await patch(world, wanted, principal=world.app)
    assert status == 200


async def test_an_app_takes_identities_as_a_machine_does_but_at_once(world: World) -> None:
    identity = await make_identity(world, "id1")
    site = f"{world.group_scope}/providers/Microsoft.Web/sites/app1"
    made = await world.raw("PUT", site + SITE_VERSION, {"location": "westeurope", "kind": "linux"})
    assert made.status == 200
    wanted = {
        "type": "SystemAssigned, UserAssigned",
        "userAssignedIdentities": {world.identity_id("id1"): {}},
    }
    answer = await world.raw("PATCH", site + SITE_VERSION, {"identity": wanted})
    block = json.loads(answer.content)["identity"]
    assert block["type"] == "SystemAssigned, UserAssigned"
    (value,) = block["userAssignedIdentities"].values()
    assert value["principalId"] == identity["properties"]["principalId"]

    assert (await world.raw("DELETE", site + SITE_VERSION)).status == 200
    assert world.azure.state.principals[block["principalId"]].deleted_at is not None
    assert (await world.raw("DELETE", site + SITE_VERSION)).status == 204


async def test_the_sdk_keeps_identities(world: World) -> None:
    async with world.identities() as client:
        identities = client.user_assigned_identities
        made = await identities.create_or_update(
            GROUP, "id1", {"location": "westeurope", "tags": {"a": "1"}}
        )
        assert made.id is not None
        assert "/resourcegroups/" in made.id
        changed = await identities.update(GROUP, "id1", {"tags": {"b": "2"}})
        assert (changed.principal_id, changed.tags) == (made.principal_id, {"b": "2"})
        assert [i.name async for i in identities.list_by_resource_group(GROUP)] == ["id1"]
        assert [i.name async for i in identities.list_by_subscription()] == ["id1"]
        await identities.delete(GROUP, "id1")
    principal = world.azure.state.principals[str(made.principal_id)]
    assert principal.deleted_at is not None


async def test_the_identity_names_the_resources_that_carry_it(world: World) -> None:
    await make_identity(world, "id1")
    await make_machine(
        world, {"type": "UserAssigned", "userAssignedIdentities": {world.identity_id("id1"): {}}}
    )
    path = f"{world.identity_id('id1')}/listAssociatedResources?api-version=2021-09-30-preview"
    answer = json.loads((await world.raw("POST", path)).content)
    assert answer["totalCount"] == 1
    assert answer["value"][0]["id"] == world.vm_id("vm1")
