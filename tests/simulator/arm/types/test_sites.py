"""Web apps, function apps, Logic Apps Standard and their slots."""

import json

import pytest

from tests.support.arm.generic import (
    Generic,
    app_token_owner,
    generic,
    graph_rows,
    make_identities,
    needs_assign_right,
    principal_of,
    refused,
    resource_id,
    takes_identities,
    told,
)
from tests.support.arm.world import World

VERSION = "2025-05-01"
APP = "Microsoft.Web/sites/app1"
SLOT = f"{APP}/slots/staging"


async def make(one: Generic, kind: str = "app") -> None:
    await one.put(location="West Europe", kind=kind, properties={})


@pytest.mark.parametrize("path", [APP, SLOT])
async def test_apps_and_slots_take_identities(world: World, path: str) -> None:
    async with generic(world, APP, VERSION) as app:
        await make(app)
    async with generic(world, path, VERSION) as one:
        await make(one)
        await takes_identities(world, one)


async def test_a_write_is_synchronous_and_shows_the_location_by_name(world: World) -> None:
    world.azure.behaviour.operation_seconds = 60
    path = f"{resource_id(world, APP)}?api-version={VERSION}"
    answer = await world.raw("PUT", path, {"location": "westeurope", "kind": "functionapp,linux"})
    assert answer.status == 200
    assert not {"azure-asyncoperation", "location"} & {each.lower() for each in answer.headers}
    assert answer.headers["etag"]
    async with generic(world, APP, VERSION) as app:
        shown = await app.get()
    assert (shown.location, shown.kind) == ("West Europe", "functionapp,linux")
    assert shown.properties["defaultHostName"] == "app1.azurewebsites.net"
    assert [row["location"] for row in await graph_rows(world, "Microsoft.Web/sites")] == [
        "westeurope"
    ]


async def test_each_write_of_the_identity_restarts_the_app_and_no_other_write(
    world: World,
) -> None:
    (first,) = await make_identities(world, "first")
    restarts = world.azure.compute_types.sites.restarts
    key = resource_id(world, APP).lower()
    async with generic(world, APP, VERSION) as app:
        await app.put(location="westeurope", identity={"type": "SystemAssigned"})
        await app.patch(tags={"a": "1"})
        assert restarts[key] == 0
        await app.attach("SystemAssigned, UserAssigned", first)
        await app.attach("SystemAssigned, UserAssigned", first)
    assert restarts[key] == 2


async def test_a_slot_has_an_identity_of_its_own(world: World) -> None:
    await make_identities(world, "first")
    async with generic(world, APP, VERSION) as app, generic(world, SLOT, VERSION) as slot:
        await app.put(location="westeurope", identity={"type": "SystemAssigned"})
        await make(slot)
        assert await slot.identity_type() is None
        await slot.attach("SystemAssigned")
        shown = await slot.get()
        mine, apps = shown.identity.principal_id, (await app.get()).identity.principal_id
    assert mine != apps
    assert shown.name == "app1/staging"
    assert world.azure.state.principals[mine].display_name == "app1/slots/staging"
    assert app_token_owner(world, slot.resource_id) == mine
    assert app_token_owner(world, app.resource_id) == apps


async def test_an_app_asks_for_its_identities_by_header(world: World) -> None:
    (first,) = await make_identities(world, "first")
    async with generic(world, APP, VERSION) as app:
        await make(app)
        await app.attach("UserAssigned", first)
        assert app_token_owner(world, app.resource_id, "first") == principal_of(world, "first")
        assert app_token_owner(world, app.resource_id) is None
        await app.patch(identity={"type": "None"})
        assert app_token_owner(world, app.resource_id, "first") is None


async def test_a_patch_replaces_the_set_where_the_switch_says_so(world: World) -> None:
    first, second = await make_identities(world, "first", "second")
    async with generic(world, APP, VERSION) as app:
        await make(app)
        await app.attach("UserAssigned", first)
        world.azure.behaviour.identity_patch_replaces = {"microsoft.web/sites"}
        await app.attach("UserAssigned", second)
        assert await app.attached() == ["second"]


async def test_a_slot_needs_its_app_and_goes_with_it(world: World) -> None:
    async with generic(world, APP, VERSION) as app, generic(world, SLOT, VERSION) as slot:
        assert await refused(make(slot)) == "ParentResourceNotFound"
        await make(app)
        await make(slot)
        await slot.attach("SystemAssigned")
        principal = (await slot.get()).identity.principal_id
        await app.delete()
        assert await refused(slot.get()) == "ResourceNotFound"
    assert world.azure.state.principals[principal].deleted_at is not None


async def test_slots_are_listed_under_their_app_and_are_in_resource_graph(world: World) -> None:
    async with generic(world, APP, VERSION) as app, generic(world, SLOT, VERSION) as slot:
        await make(app)
        await make(slot)
    answer = await world.raw("GET", f"{app.resource_id}/slots?api-version={VERSION}")
    assert b'"app1/staging"' in answer.content
    sites = await world.raw("GET", f"{app.resource_id.rpartition('/')[0]}?api-version={VERSION}")
    assert b"staging" not in sites.content
    rows = await graph_rows(world, "Microsoft.Web/sites/slots")
    assert [row["name"] for row in rows] == ["app1/staging"]


async def test_writes_and_deletions_are_told_and_guarded(world: World) -> None:
    seen = told(world)
    async with generic(world, APP, VERSION) as app, generic(world, SLOT, VERSION) as slot:
        await make(app)
        await make(slot)
        await slot.delete()
    assert seen == [
        ("Microsoft.Web/sites/write", "app1"),
        ("Microsoft.Web/sites/slots/write", "staging"),
        ("Microsoft.Web/sites/slots/delete", "staging"),
    ]
    async with generic(world, APP, VERSION, world.app) as theirs:
        assert await refused(theirs.attach("SystemAssigned")) == "AuthorizationFailed"
    await needs_assign_right(world, APP, VERSION, "Website Contributor")


@pytest.mark.parametrize("path", [APP, SLOT])
async def test_identities_that_an_app_works_with_by_name_are_shown(world: World, path: str) -> None:
    (first,) = await make_identities(world, "first")
    client_id = world.azure.state.resources[first.lower()].properties["clientId"]
    storage = {"authentication": {"userAssignedIdentityResourceId": first}}
    async with generic(world, APP, VERSION) as app, generic(world, path, VERSION) as one:
        await make(app)
        await make(one)
        shown = (await one.get()).properties
        assert shown["keyVaultReferenceIdentity"] == "SystemAssigned"
        assert shown["siteConfig"]["acrUserManagedIdentityID"] is None
        assert shown["functionAppConfig"] is None
        await one.patch(
            properties={
                "keyVaultReferenceIdentity": first,
                "siteConfig": {"acrUserManagedIdentityID": client_id},
                "functionAppConfig": {"deployment": {"storage": storage}},
            }
        )
        await one.attach("UserAssigned", first)
        shown = (await one.get()).properties
    assert shown["keyVaultReferenceIdentity"] == first
    assert shown["siteConfig"]["acrUserManagedIdentityID"] == client_id
    assert shown["siteConfig"]["acrUseManagedIdentityCreds"] is False
    assert shown["functionAppConfig"]["deployment"]["storage"] == storage


async def test_changes_of_the_apps_of_one_plan_exclude_each_other(world: World) -> None:
    for name, plan in (("app1", "/plans/A"), ("app2", "/plans/a"), ("app3", "/plans/b")):
        path = f"{resource_id(world, f'Microsoft.Web/sites/{name}')}?api-version={VERSION}"
        body = {"location": "westeurope", "properties": {"serverFarmId": plan}}
        assert (await world.raw("PUT", path, body)).status == 200
    world.azure.behaviour.app_service_plan_lock_seconds = 2

    async def change(name: str) -> tuple[int, str | None]:
        path = f"{resource_id(world, f'Microsoft.Web/sites/{name}')}?api-version={VERSION}"
        answer = await world.raw("PATCH", path, {"tags": {"a": "b"}})
        return answer.status, json.loads(answer.content).get("Code")

    done, refused = (200, None), (429, "429")
    assert [await change(f"app{number}") for number in (1, 2, 3)] == [done, refused, done]
    world.azure.clock.advance(2)
    assert await change("app2") == done


async def test_an_app_is_made_in_its_turn_too(world: World) -> None:
    world.azure.behaviour.app_service_plan_lock_seconds = 30
    body = {"location": "westeurope", "properties": {"serverFarmId": "plan1"}}
    paths = [
        f"{resource_id(world, f'Microsoft.Web/sites/{name}')}?api-version={VERSION}"
        for name in ("app1", "app2")
    ]
    assert [(await world.raw("PUT", path, body)).status for path in paths] == [200, 429]


async def test_an_app_on_container_apps_goes_on_after_the_answer(world: World) -> None:
    kind = "functionapp,linux,container,azurecontainerapps"
    world.azure.behaviour.operation_seconds = 20
    path = f"{resource_id(world, APP)}?api-version={VERSION}"
    for method in ("PUT", "PATCH"):
        body = {"location": "westeurope", "kind": kind}
        accepted = await world.raw(method, path, body)
        assert (accepted.status, accepted.content) == (202, b"")
        link = accepted.headers["location"].removeprefix("https://arm.local")
        assert link.startswith(f"{resource_id(world, APP)}/operationresults/")
        running = await world.raw("GET", link)
        assert (running.status, running.headers["location"]) == (202, accepted.headers["location"])
        world.azure.clock.advance(20)
        assert (await world.raw("GET", link)).status == 200


async def test_a_put_shows_the_location_as_it_was_sent(world: World) -> None:
    path = f"{resource_id(world, APP)}?api-version={VERSION}"
    put = await world.raw("PUT", path, {"location": "westeurope", "properties": {}})
    got = await world.raw("GET", path)
    assert [json.loads(each.content)["location"] for each in (put, got)] == [
        "westeurope",
        "West Europe",
    ]
