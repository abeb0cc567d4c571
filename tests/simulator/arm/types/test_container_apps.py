"""Container apps and jobs."""

import json
from typing import Any

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

VERSION = "2025-07-01"
APP = "Microsoft.App/containerApps/app1"
JOB = "Microsoft.App/jobs/job1"
SECRET = {"name": "key", "value": "of a test"}


def properties(image: str = "a:1", *secrets: Any) -> dict[str, Any]:
    return {
        "configuration": {"secrets": list(secrets)},
        "template": {"containers": [{"name": "main", "image": image}]},
    }


async def make(one: Generic, *secrets: Any) -> None:
    await one.put(location="West Europe", properties=properties("a:1", *secrets))


@pytest.mark.parametrize("waits", [True, False], ids=["202", "200"])
@pytest.mark.parametrize("path", [APP, JOB])
async def test_apps_and_jobs_take_identities(world: World, path: str, waits: bool) -> None:
    world.azure.behaviour.container_app_patch_waits = waits
    async with generic(world, path, VERSION) as one:
        await make(one)
        await takes_identities(world, one)


@pytest.mark.parametrize("both", [True, False])
async def test_a_patch_is_accepted_without_a_body_and_followed(world: World, *, both: bool) -> None:
    if not both:
        world.azure.behaviour.container_app_patch_both_links.clear()
    (first,) = await make_identities(world, "first")
    async with generic(world, APP, VERSION) as app:
        await make(app)
    world.azure.behaviour.operation_seconds = 20
    path = f"{resource_id(world, APP)}?api-version={VERSION}"
    body = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {first: {}}}}
    accepted = await world.raw("PATCH", path, body)
    assert (accepted.status, accepted.content) == (202, b"")
    named = accepted.headers.get("azure-asyncoperation", "")
    assert ("/containerappOperationStatuses/" in named) is both
    link = accepted.headers["location"].removeprefix("https://arm.local")
    assert "/locations/westeurope/containerappOperationResults/" in link
    running = await world.raw("GET", link)
    assert (running.status, running.headers["location"]) == (202, accepted.headers["location"])

    world.azure.clock.advance(20)
    ended = await world.raw("GET", link)
    assert ended.status == 200
    assert json.loads(ended.content)["properties"]["provisioningState"] == "Succeeded"
    expected = principal_of(world, "first")
    assert app_token_owner(world, resource_id(world, APP), "first") == expected


async def test_what_a_get_answers_cannot_be_put_again(world: World) -> None:
    async with generic(world, APP, VERSION) as app:
        await make(app, SECRET)
        shown = (await app.get()).properties
        assert shown["configuration"]["secrets"] == [{"name": "key"}]
        again = app.put(location="westeurope", properties=shown)
        assert await refused(again) == "ContainerAppSecretInvalid"
        await app.attach("SystemAssigned")
        assert (await app.get()).properties["configuration"] == shown["configuration"]


async def test_a_secret_in_a_vault_needs_no_value(world: World) -> None:
    elsewhere = {"name": "key", "keyVaultUrl": "https://kv.test/secrets/key", "identity": "system"}
    async with generic(world, APP, VERSION) as app:
        await make(app, elsewhere)
        assert (await app.get()).properties["configuration"]["secrets"] == [elsewhere]


async def test_a_new_template_makes_a_revision_an_identity_where_the_switch_says_so(
    world: World,
) -> None:
    async def revision() -> str:
        return str((await app.get()).properties["latestRevisionName"])

    async with generic(world, APP, VERSION) as app:
        await make(app)
        assert await revision() == "app1--0000001"
        await app.attach("SystemAssigned")
        assert await revision() == "app1--0000001"
        await app.patch(properties={"template": properties("a:2")["template"]})
        assert await revision() == "app1--0000002"
        world.azure.behaviour.container_app_identity_makes_revision = True
        await app.patch(identity={"type": "None"})
        assert await revision() == "app1--0000003"


async def test_the_location_is_shown_by_name_and_kept_plain_in_resource_graph(
    world: World,
) -> None:
    async with generic(world, JOB, VERSION) as job:
        await make(job)
        assert (await job.get()).location == "West Europe"
    assert [row["location"] for row in await graph_rows(world, "Microsoft.App/jobs")] == [
        "westeurope"
    ]


async def test_writes_and_deletions_are_told_at_their_end_and_guarded(world: World) -> None:
    seen = told(world)
    async with generic(world, APP, VERSION) as app:
        await make(app)
        await app.delete()
        assert await refused(app.get()) == "ResourceNotFound"
        await make(app)
    kind = "Microsoft.App/containerApps"
    assert [action for action, _ in seen] == [f"{kind}/write", f"{kind}/delete", f"{kind}/write"]
    async with generic(world, APP, VERSION, world.app) as theirs:
        assert await refused(theirs.attach("SystemAssigned")) == "AuthorizationFailed"
    await needs_assign_right(world, APP, VERSION, "Contributor")


@pytest.mark.parametrize("path", [APP, JOB])
async def test_secrets_are_listed_with_their_values(world: World, path: str) -> None:
    vault = {"name": "far", "keyVaultUrl": "https://kv/secrets/far", "identity": "system"}
    url = f"{resource_id(world, path)}/listSecrets?api-version={VERSION}"

    async def listed() -> Any:
        return json.loads((await world.raw("POST", url)).content)

    assert (await listed())["error"]["code"] == "ResourceNotFound"
    async with generic(world, path, VERSION) as one:
        await make(one, SECRET, vault)
        assert await listed() == {"value": [SECRET, vault]}
        await one.attach("SystemAssigned")
        assert await listed() == {"value": [SECRET, vault]}
        await make(one, SECRET)
        assert await listed() == {"value": [SECRET]}
        await make(one)
        assert await listed() == {"value": []}


async def test_only_who_may_list_secrets_gets_them(world: World) -> None:
    async with generic(world, APP, VERSION) as app:
        await make(app, SECRET)
    world.azure.assign(world.app.object_id, "Reader", world.group_scope)
    url = f"{resource_id(world, APP)}/listSecrets?api-version={VERSION}"
    refusal = await world.raw("POST", url, principal=world.app)
    assert json.loads(refusal.content)["error"]["code"] == "AuthorizationFailed"


@pytest.mark.parametrize("path", [APP, JOB])
async def test_an_identity_is_shown_where_there_is_none(world: World, path: str) -> None:
    url = f"{resource_id(world, path)}?api-version={VERSION}"
    async with generic(world, path, VERSION) as one:
        await make(one)
        assert json.loads((await world.raw("GET", url)).content)["identity"] == {"type": "None"}
        await one.attach("SystemAssigned")
        shown = json.loads((await world.raw("GET", url)).content)["identity"]
        assert shown["type"] == "SystemAssigned"


@pytest.mark.parametrize("path", [APP, JOB])
async def test_identities_of_registries_and_scale_rules_are_given_back(
    world: World, path: str
) -> None:
    (first,) = await make_identities(world, "first")
    registries = [{"server": "r.azurecr.io", "username": "", "identity": first}]
    rule = {"name": "queue", "azureQueue": {"queueName": "q", "identity": first}}
    async with generic(world, path, VERSION) as one:
        sent = properties()
        sent["configuration"]["registries"] = registries
        sent["template"]["scale"] = {"rules": [rule]}
        await one.put(location="westeurope", properties=sent)
        await one.attach("UserAssigned", first)
        shown = (await one.get()).properties
    assert shown["configuration"]["registries"] == registries
    assert shown["template"]["scale"]["rules"] == [rule]


async def test_a_put_that_leaves_the_environment_out_keeps_it(world: World) -> None:
    path = f"{resource_id(world, APP)}?api-version={VERSION}"
    for more in ({"environmentId": "/env"}, {}):
        properties = {"template": {}, **more}
        await world.raw("PUT", path, {"location": "westeurope", "properties": properties})
    shown = json.loads((await world.raw("GET", path)).content)
    assert shown["properties"]["environmentId"] == "/env"
