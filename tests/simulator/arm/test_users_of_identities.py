"""Who uses an identity: `listAssociatedResources` and federated credentials."""

import json
from typing import Any

import pytest

from simulator.state import RoleDefinition
from tests.support.arm.world import LOCATION, VM_BODY, World

VERSION = "?api-version=2024-11-30"
ASSOCIATED = "/listAssociatedResources?api-version=2021-09-30-preview"
ACTION = "Microsoft.ManagedIdentity/userAssignedIdentities/listAssociatedResources/action"
POD: dict[str, Any] = {
    "issuer": "https://westeurope.oic.prod-aks.azure.com/tenant/cluster/",
    "subject": "system:serviceaccount:shop:web",
    "audiences": ["api://AzureADTokenExchange"],
}


@pytest.fixture
async def identity(world: World) -> str:
    """Its id."""
    made = world.identity_id("id-web")
    await world.raw("PUT", made + VERSION, {"location": LOCATION})
    return made


async def machine(world: World, name: str, *identities: str) -> None:
    block = {"type": "UserAssigned", "userAssignedIdentities": {key: {} for key in identities}}
    body = {**VM_BODY, "identity": block}
    made = await world.raw("PUT", f"{world.vm_id(name)}?api-version=2024-11-01", body)
    assert made.status == 201


async def associated(world: World, identity: str, **options: Any) -> tuple[int, Any]:
    query = options.pop("query", "")
    answer = await world.raw("POST", identity + ASSOCIATED + query, **options)
    return answer.status, json.loads(answer.content)


def credential(identity: str, name: str = "pod") -> str:
    return f"{identity}/federatedIdentityCredentials/{name}{VERSION}"


async def trust(world: World, path: str, **changed: Any) -> tuple[int, Any]:
    answer = await world.raw("PUT", path, {"properties": {**POD, **changed}})
    return answer.status, json.loads(answer.content)


async def test_what_has_an_identity_is_listed_and_counted(world: World, identity: str) -> None:
    await machine(world, "vm1", identity)
    await machine(world, "vm2", identity.upper())
    status, body = await associated(world, identity)
    assert (status, body["totalCount"]) == (200, 2)
    assert body["value"][0] == {
        "id": world.vm_id("vm1"),
        "name": "vm1",
        "type": "microsoft.compute/virtualmachines",
        "resourceGroup": "rg-demo",
        "subscriptionId": world.subscription,
        "subscriptionDisplayName": "Demo",
    }
    assert await associated(world, identity, query="&$top=0") == (
        200,
        {"totalCount": 2, "value": []},
    )
    _, first = await associated(world, identity, query="&$top=1")
    assert [each["name"] for each in first["value"]] == ["vm1"]
    assert "skipToken" in first["nextLink"]


async def test_a_longer_name_is_another_identity(world: World, identity: str) -> None:
    await world.raw("PUT", world.identity_id("id-web1") + VERSION, {"location": LOCATION})
    await machine(world, "vm1", world.identity_id("id-web1"))
    _, body = await associated(world, identity)
    assert body["totalCount"] == 0


async def test_it_counts_where_the_caller_can_read_nothing(world: World, identity: str) -> None:
    other = world.azure.state.add_subscription("Other").id
    scope = f"/subscriptions/{other}"
    world.azure.assign(world.owner.object_id, "Owner", scope)
    await world.raw(
        "PUT", f"{scope}/resourceGroups/rg?api-version=2024-11-01", {"location": LOCATION}
    )
    block = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    path = f"{scope}/resourceGroups/rg/providers/Microsoft.Compute/virtualMachines/vm9"
    await world.raw("PUT", f"{path}?api-version=2024-11-01", {**VM_BODY, "identity": block})
    role = RoleDefinition(
        world.azure.state.ids.uuid(), "Asks", "", "CustomRole", [ACTION], [], [], []
    )
    world.azure.state.role_definitions[role.guid] = role
    world.azure.assign(world.app.object_id, role.guid, identity)
    status, body = await associated(world, identity, principal=world.app)
    assert (status, [each["id"] for each in body["value"]]) == (200, [path])


async def test_it_takes_an_action_of_its_own(world: World, identity: str) -> None:
    for role in ("Managed Identity Operator", "Managed Identity Contributor"):
        world.azure.assign(world.app.object_id, role, identity)
    status, body = await associated(world, identity, principal=world.app)
    assert (status, body["error"]["code"]) == (403, "AuthorizationFailed")
    assert ACTION in body["error"]["message"]


async def test_it_lags_as_resource_graph_does(world: World, identity: str) -> None:
    world.azure.behaviour.resource_graph_lag_seconds = 120
    await machine(world, "vm1", identity)
    _, body = await associated(world, identity)
    assert body["totalCount"] == 0
    world.azure.clock.advance(120)
    _, body = await associated(world, identity)
    assert body["totalCount"] == 1


async def test_a_tenant_asks_once_a_second(world: World, identity: str) -> None:
    world.azure.behaviour.throttling = True
    assert (await associated(world, identity))[0] == 200
    refused = await world.raw("POST", identity + ASSOCIATED)
    assert (refused.status, dict(refused.headers)["retry-after"]) == (429, "1")
    world.azure.clock.advance(1)
    assert (await associated(world, identity))[0] == 200


async def test_later_versions_do_not_have_it(world: World, identity: str) -> None:
    answer = await world.raw("POST", f"{identity}/listAssociatedResources{VERSION}")
    assert answer.status == 400


async def test_a_federated_credential_is_made_read_listed_and_deleted(
    world: World, identity: str
) -> None:
    shown = {
        "id": f"{identity.replace('resourceGroups', 'resourcegroups')}"
        "/federatedIdentityCredentials/pod",
        "name": "pod",
        "type": "Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials",
        "properties": POD,
    }
    made = await world.raw("PUT", credential(identity), {"properties": POD})
    assert (made.status, json.loads(made.content)) == (201, shown)
    assert dict(made.headers)["location"] == shown["id"]
    status, body = await trust(world, credential(identity), subject="system:serviceaccount:a:b")
    assert (status, body["properties"]["subject"]) == (200, "system:serviceaccount:a:b")
    read = await world.raw("GET", credential(identity))
    assert json.loads(read.content) == body
    everything = f"{identity}/federatedIdentityCredentials{VERSION}"
    assert json.loads((await world.raw("GET", everything)).content) == {"value": [body]}
    assert [(await world.raw("DELETE", credential(identity))).status for _ in range(2)] == [
        200,
        204,
    ]
    assert json.loads((await world.raw("GET", everything)).content) == {"value": []}
    assert (await world.raw("GET", credential(identity))).status == 404


REFUSED: list[tuple[str, dict[str, Any], str]] = [
    ("pod2", {}, "Issuer and subject combination already exists"),
    ("pod2", {"subject": "x", "audiences": ["a", "b"]}, "exactly one audience"),
    ("pod2", {"subject": ""}, "empty properties"),
    ("p", {"subject": "x"}, "'p' is invalid"),
]


@pytest.mark.parametrize(("name", "changed", "reason"), REFUSED)
async def test_what_is_no_credential_is_refused(
    world: World, identity: str, name: str, changed: dict[str, Any], reason: str
) -> None:
    await trust(world, credential(identity))
    status, body = await trust(world, credential(identity, name), **changed)
    assert status == 400
    assert reason in body["error"]["message"]


async def test_an_identity_has_twenty_at_most(world: World, identity: str) -> None:
    made = [await trust(world, credential(identity, f"c-{n}"), subject=str(n)) for n in range(21)]
    assert [status for status, _ in made] == [201] * 20 + [400]


async def test_credentials_lie_below_an_identity_and_go_with_it(
    world: World, identity: str
) -> None:
    status, body = await trust(world, credential(world.identity_id("id-none")))
    assert (status, body["error"]["message"]) == (
        404,
        "The parent user-assigned identity doesn't exist.",
    )
    await trust(world, credential(identity))
    await world.raw("DELETE", identity + VERSION)
    await world.raw("PUT", identity + VERSION, {"location": LOCATION})
    assert (await world.raw("GET", credential(identity))).status == 404


async def test_credentials_are_in_pages(world: World, identity: str) -> None:
    world.azure.behaviour.page_size = 2
    for number in range(3):
        await trust(world, credential(identity, f"c-{number}"), subject=str(number))
    found = world.identities().federated_identity_credentials.list("rg-demo", "id-web")
    assert [each.name async for each in found] == ["c-0", "c-1", "c-2"]


async def test_reading_credentials_takes_their_own_right(world: World, identity: str) -> None:
    path = f"{identity}/federatedIdentityCredentials{VERSION}"
    assert (await world.raw("GET", path, principal=world.app)).status == 403
    world.azure.assign(world.app.object_id, "Managed Identity Operator", identity)
    assert (await world.raw("GET", path, principal=world.app)).status == 200
