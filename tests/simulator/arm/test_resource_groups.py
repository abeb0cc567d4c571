"""Resource groups through the real azure-mgmt-resource, their deletion, tags and listings."""

import json

import pytest
from azure.core.exceptions import ResourceNotFoundError

from simulator.behaviour import GroupDeletion
from simulator.state import Activity
from tests.support.arm.world import GROUP, VM_BODY, World

VM_VERSION = "?api-version=2024-11-01"
VERSION = "?api-version=2024-11-01"


async def fill(world: World) -> None:
    await world.raw(
        "PUT", world.vm_id("vm1") + VM_VERSION, VM_BODY | {"identity": {"type": "SystemAssigned"}}
    )
    await world.raw(
        "PUT",
        world.identity_id("id1") + "?api-version=2024-11-30",
        {"location": "westeurope", "tags": {"team": "blue"}},
    )


async def test_the_sdk_keeps_groups(world: World) -> None:
    async with world.resources() as client:
        groups = client.resource_groups
        made = await groups.create_or_update("rg-two", {"location": "West Europe"})
        assert (made.location, made.properties.provisioning_state) == ("westeurope", "Succeeded")
        tagged = await groups.update("rg-two", {"tags": {"a": "1"}})
        assert tagged.tags == {"a": "1"}
        assert {each.name async for each in groups.list()} == {GROUP, "rg-two"}
        assert await groups.check_existence("rg-two")
        await (await groups.begin_delete("rg-two")).result()
        with pytest.raises(ResourceNotFoundError):
            await groups.get("rg-two")


async def test_a_group_dies_slowly_and_takes_its_contents_along(world: World) -> None:
    await fill(world)
    world.azure.behaviour.group_delete_seconds = 20
    accepted = await world.raw("DELETE", world.group_scope + VERSION)
    assert (accepted.status, accepted.headers["retry-after"]) == (202, "15")
    link = accepted.headers["location"].removeprefix("https://arm.local")

    world.azure.clock.advance(15)
    again = await world.raw("GET", link)
    assert again.status == 202
    assert again.headers["location"] != accepted.headers["location"]
    refused = await world.raw("PUT", world.vm_id("vm2") + VM_VERSION, VM_BODY)
    assert json.loads(refused.content)["error"]["code"] == "ResourceGroupBeingDeleted"

    world.azure.clock.advance(5)
    assert (await world.raw("GET", link)).status == 200
    assert list(world.azure.state.resources) == []
    principals = world.azure.state.principals.values()
    gone = {each.display_name for each in principals if each.deleted_at is not None}
    assert gone == {"vm1", "id1"}


@pytest.mark.parametrize(
    ("switch", "ends"),
    [
        (GroupDeletion.EACH, ["virtualMachines/vm1", "userAssignedIdentities/id1"]),
        (GroupDeletion.GROUP_ONLY, [f"resourceGroups/{GROUP}"]),
        (
            GroupDeletion.BOTH,
            ["virtualMachines/vm1", "userAssignedIdentities/id1", f"resourceGroups/{GROUP}"],
        ),
    ],
)
async def test_the_switch_decides_which_deletions_are_told(
    world: World, switch: GroupDeletion, ends: list[str]
) -> None:
    await fill(world)
    told: list[Activity] = []
    world.azure.state.on_activity(told.append)
    world.azure.behaviour.group_deletion_events = switch
    await world.raw("DELETE", world.group_scope + VERSION)
    assert ["/".join(each.resource_id.split("/")[-2:]) for each in told] == ends
    assert all(each.action.endswith("/delete") for each in told)
    assert {each.caller["oid"] for each in told} == {world.owner.object_id}


async def test_assignments_on_a_dead_scope_stay_unless_the_switch_removes_them(
    world: World,
) -> None:
    await fill(world)
    kept = world.azure.assign(world.app.object_id, "Reader", world.vm_id("vm1"))
    await world.raw("DELETE", world.vm_id("vm1") + VM_VERSION)
    assert kept.id.lower() in world.azure.state.role_assignments

    world.azure.behaviour.scope_deletion_removes_assignments = True
    on_identity = world.azure.assign(world.app.object_id, "Reader", world.identity_id("id1"))
    await world.raw("DELETE", world.group_scope + VERSION)
    assert on_identity.id.lower() not in world.azure.state.role_assignments


async def test_all_resources_are_listed_by_type_tag_and_page(world: World) -> None:
    await fill(world)
    async with world.resources() as client:
        every = [each.name async for each in client.resources.list()]
        assert every == ["vm1", "id1"]
        wanted = "resourceType eq 'Microsoft.Compute/virtualMachines'"
        assert [each.name async for each in client.resources.list(filter=wanted)] == ["vm1"]
        tagged = "tagName eq 'team' and tagValue eq 'blue'"
        assert [each.name async for each in client.resources.list(filter=tagged)] == ["id1"]
        world.azure.behaviour.page_size = 1
        in_group = client.resources.list_by_resource_group(GROUP)
        assert [each.name async for each in in_group] == ["vm1", "id1"]


async def test_tags_merge_replace_and_go_at_any_scope(world: World) -> None:
    await fill(world)
    async with world.resources() as client:
        scope = world.vm_id("vm1")
        first = {"properties": {"tags": {"a": "1"}}}
        await (await client.tags.begin_create_or_update_at_scope(scope, first)).result()
        merge = {"operation": "Merge", "properties": {"tags": {"b": "2"}}}
        await (await client.tags.begin_update_at_scope(scope, merge)).result()
        shown = await client.tags.get_at_scope(scope)
        assert shown.properties.tags == {"a": "1", "b": "2"}
        delete = {"operation": "Delete", "properties": {"tags": {"a": "1"}}}
        await (await client.tags.begin_update_at_scope(scope, delete)).result()
        shown = await client.tags.get_at_scope(scope)
        assert shown.properties.tags == {"b": "2"}


async def test_only_subscriptions_with_a_right_are_listed(world: World) -> None:
    other = world.azure.state.add_subscription("Other")
    path = "/subscriptions?api-version=2022-12-01"
    mine = json.loads((await world.raw("GET", path)).content)["value"]
    assert [each["subscriptionId"] for each in mine] == [world.subscription]
    assert json.loads((await world.raw("GET", path, principal=world.app)).content)["value"] == []
    world.azure.assign(world.app.object_id, "Reader", f"/subscriptions/{other.id}")
    seen = json.loads((await world.raw("GET", path, principal=world.app)).content)["value"]
    assert [each["displayName"] for each in seen] == ["Other"]


async def test_groups_are_listed_by_tag(world: World) -> None:
    await world.raw("PUT", f"{world.group_scope}-two{VERSION}", {"location": "westeurope"})
    tagged = {"location": "westeurope", "tags": {"Team": "blue"}}
    await world.raw("PUT", f"{world.group_scope}-blue{VERSION}", tagged)
    query = "&$filter=tagName%20eq%20'team'%20and%20tagValue%20eq%20'blue'"
    path = f"/subscriptions/{world.subscription}/resourcegroups{VERSION}{query}"
    listed = json.loads((await world.raw("GET", path)).content)["value"]
    assert [each["name"] for each in listed] == [f"{GROUP}-blue"]


async def test_who_may_read_one_group_is_listed_that_group_and_what_is_in_it(world: World) -> None:
    await fill(world)
    await world.raw("PUT", f"{world.group_scope}-two{VERSION}", {"location": "westeurope"})
    other = world.identity_id("id2").replace(GROUP, f"{GROUP}-two")
    await world.raw("PUT", f"{other}?api-version=2024-11-30", {"location": "westeurope"})

    async def names(kind: str) -> list[str] | str:
        path = f"/subscriptions/{world.subscription}/{kind}{VERSION}"
        body = json.loads((await world.raw("GET", path, principal=world.app)).content)
        if "error" in body:
            return str(body["error"]["code"])
        return [each["name"] for each in body["value"]]

    assert await names("resourcegroups") == await names("resources") == "AuthorizationFailed"
    world.azure.assign(world.app.object_id, "Managed Identity Contributor", world.group_scope)
    assert await names("resourcegroups") == [GROUP]
    assert await names("resources") == ["id1"]
    world.azure.assign(world.app.object_id, "Reader", f"/subscriptions/{world.subscription}")
    assert await names("resources") == ["vm1", "id1", "id2"]


async def test_tags_that_are_sent_empty_are_shown_empty(world: World) -> None:
    path = f"{world.group_scope.rpartition('/')[0]}/rg-two{VERSION}"
    sent: tuple[dict[str, object], ...] = ({}, {"tags": {}}, {"tags": {"a": "b"}})
    shown = [
        json.loads((await world.raw("PUT", path, {"location": "westeurope", **tags})).content)
        for tags in sent
    ]
    assert [each.get("tags") for each in shown] == [None, {}, {"a": "b"}]


async def test_head_of_a_group_that_is_not_there_has_no_body(world: World) -> None:
    answer = await world.raw("HEAD", f"{world.group_scope}-none{VERSION}")
    assert (answer.status, answer.content) == (404, b"")
    assert answer.headers["x-ms-failure-cause"] == "gateway"


async def test_what_is_listed_by_its_tag_is_listed_without_tags(world: World) -> None:
    await fill(world)
    path = f"/subscriptions/{world.subscription}/resources{VERSION}"
    by_tag = "&$filter=tagName%20eq%20'team'%20and%20tagValue%20eq%20'blue'"
    (row,) = json.loads((await world.raw("GET", path + by_tag)).content)["value"]
    assert (row["name"], "tags" in row) == ("id1", False)
    rows = json.loads((await world.raw("GET", path)).content)["value"]
    assert {"team": "blue"} in [each["tags"] for each in rows]
