"""What a cloud and a subscription say of themselves: endpoints, providers, locations."""

import json
from typing import Any

from simulator.tokens.jwt import ARM_AUDIENCES
from simulator.transport import ask
from tests.support.arm.world import VM_BODY, World

VERSION = "?api-version=2024-11-01"


async def get(world: World, path: str) -> Any:
    answer = await world.raw("GET", f"/subscriptions/{world.subscription}{path}{VERSION}")
    assert answer.status == 200, answer.content
    return json.loads(answer.content)


async def test_every_type_that_can_be_put_is_listed_with_its_versions(world: World) -> None:
    listed = {each["namespace"]: each for each in (await get(world, "/providers"))["value"]}
    identity = listed["Microsoft.ManagedIdentity"]["resourceTypes"]
    assert [each["resourceType"] for each in identity] == [
        "userAssignedIdentities",
        "userAssignedIdentities/federatedIdentityCredentials",
    ]
    assert identity[0]["apiVersions"] == sorted(identity[0]["apiVersions"], reverse=True)
    assert "2024-11-30" in identity[0]["apiVersions"]
    topics = [each["resourceType"] for each in listed["Microsoft.EventGrid"]["resourceTypes"]]
    assert topics == ["systemTopics", "systemTopics/eventSubscriptions", "topics"]


async def test_one_provider_is_found_in_any_case_and_is_registered(world: World) -> None:
    found = await get(world, "/providers/microsoft.compute")
    assert (found["namespace"], found["registrationState"]) == ("Microsoft.Compute", "Registered")
    path = f"/subscriptions/{world.subscription}/providers/Microsoft.Compute/register{VERSION}"
    assert (await world.raw("POST", path)).status == 200


async def test_an_unknown_provider_is_an_invalid_namespace(world: World) -> None:
    path = f"/subscriptions/{world.subscription}/providers/Microsoft.Nothing{VERSION}"
    answer = await world.raw("GET", path)
    assert answer.status == 404
    assert json.loads(answer.content)["error"]["code"] == "InvalidResourceNamespace"


async def test_locations_are_listed(world: World) -> None:
    listed = (await get(world, "/locations"))["value"]
    assert {"westeurope": "West Europe"}.items() <= {
        each["name"]: each["displayName"] for each in listed
    }.items()


async def test_the_cloud_tells_its_endpoints_without_a_token(world: World) -> None:
    url = "https://arm.local:8443/metadata/endpoints?api-version=2022-09-01"
    answer = await ask(world.azure.app, "GET", url, {}, b"")
    cloud = json.loads(answer.content)
    assert cloud["resourceManager"] == "https://arm.local:8443/"
    assert cloud["microsoftGraphResourceId"] == "https://arm.local:8443/graph/"
    assert {each.rstrip("/") for each in cloud["authentication"]["audiences"]} == ARM_AUDIENCES


async def test_a_type_whose_provider_is_not_registered_cannot_be_made(world: World) -> None:
    world.azure.state.unregistered.add((world.subscription, "microsoft.compute"))
    found = await get(world, "/providers/Microsoft.Compute")
    assert found["registrationState"] == "NotRegistered"
    machine = f"{world.vm_id('vm1')}?api-version=2024-11-01"
    refused = await world.raw("PUT", machine, VM_BODY)
    assert refused.status == 409
    code = json.loads(refused.content)["error"]["code"]
    assert code == "MissingSubscriptionRegistration"
    path = f"/subscriptions/{world.subscription}/providers/microsoft.compute/register{VERSION}"
    registered = json.loads((await world.raw("POST", path)).content)
    assert registered["registrationState"] == "Registered"
    assert (await world.raw("PUT", machine, VM_BODY)).status == 201
