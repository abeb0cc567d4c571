"""What an inventory must not take for the whole: partial, failed and misleading answers; and what
rows of role assignments, role definitions and identities carry."""

import json
from typing import Any

import pytest

from simulator.behaviour import ResourceGraphAnswer
from simulator.faults import Fault
from simulator.state import Principal
from tests.support.arm.resource_graph import PATH, add_machines, ask, rows
from tests.support.arm.world import World

BY_ID = "resources | project id | order by id asc"
DEFINITIONS = "authorizationresources | where type =~ 'microsoft.authorization/roledefinitions'"


async def pages(
    world: World, query: str, *, principal: Principal | None = None
) -> list[tuple[int, dict[str, Any]]]:
    """Every page to the last or to the first error."""
    found: list[tuple[int, dict[str, Any]]] = []
    token: str | None = None
    while not found or token:
        options = {"$skipToken": token} if token else {}
        found.append(await ask(world, query, options, principal=principal))
        token = found[-1][1].get("$skipToken")
    return found


@pytest.fixture
def machines(world: World) -> World:
    add_machines(world, 10)
    world.azure.behaviour.page_size = 4
    return world


def answering(world: World, how: ResourceGraphAnswer, *tables: str) -> None:
    world.azure.behaviour.resource_graph_answer = how
    world.azure.behaviour.resource_graph_answer_tables = set(tables)


async def test_the_whole_answer_comes_in_pages_that_add_up(machines: World) -> None:
    found = [body for _, body in await pages(machines, BY_ID)]
    assert [body["count"] for body in found] == [4, 4, 2]
    assert {body["totalRecords"] for body in found} == {10}
    assert {body["resultTruncated"] for body in found} == {"false"}


async def test_a_truncated_answer_has_no_way_to_the_rest(machines: World) -> None:
    answering(machines, ResourceGraphAnswer.TRUNCATED)
    ((status, body),) = await pages(machines, BY_ID)
    assert (status, body["resultTruncated"], body["count"]) == (200, "true", 4)
    assert body["totalRecords"] == 10
    machines.azure.behaviour.page_size = 1000
    ((_, body),) = await pages(machines, BY_ID)
    assert (body["resultTruncated"], body["count"]) == ("true", 5)


async def test_half_a_page_is_told_by_the_total_alone(machines: World) -> None:
    answering(machines, ResourceGraphAnswer.HALF)
    found = [body for _, body in await pages(machines, BY_ID)]
    assert [body["count"] for body in found] == [2, 2, 1]
    assert {(body["totalRecords"], body["resultTruncated"]) for body in found} == {(10, "false")}


async def test_half_a_page_may_be_told_by_nothing(machines: World) -> None:
    answering(machines, ResourceGraphAnswer.HALF_UNTOLD)
    found = [body for _, body in await pages(machines, BY_ID)]
    assert sum(body["count"] for body in found) == found[0]["totalRecords"] == 5


async def test_an_empty_answer_looks_like_an_empty_estate(machines: World) -> None:
    answering(machines, ResourceGraphAnswer.EMPTY)
    ((status, body),) = await pages(machines, BY_ID)
    assert (status, body["totalRecords"], body["data"]) == (200, 0, [])


async def test_an_expired_token_ends_the_listing_after_its_first_page(machines: World) -> None:
    answering(machines, ResourceGraphAnswer.EXPIRED_TOKEN)
    (first, _), (second, refused) = await pages(machines, BY_ID)
    assert (first, second) == (200, 400)
    assert refused["error"]["details"][0]["code"] == "InvalidSkipToken"


@pytest.mark.parametrize(
    ("how", "status", "code"),
    [
        (ResourceGraphAnswer.TIMEOUT, 504, "GatewayTimeout"),
        (ResourceGraphAnswer.DENIED, 403, "AccessDenied"),
    ],
)
async def test_a_query_may_fail(
    machines: World, how: ResourceGraphAnswer, status: int, code: str
) -> None:
    answering(machines, how)
    ((answered, body),) = await pages(machines, BY_ID)
    assert (answered, body["error"]["code"]) == (status, code)


async def test_one_table_may_fail_alone(machines: World) -> None:
    answering(machines, ResourceGraphAnswer.EMPTY, "authorizationresources")
    assert len(await pages(machines, BY_ID)) == 3
    assert await rows(machines, "AuthorizationResources") == []


async def test_a_fault_may_spare_the_first_pages(machines: World) -> None:
    fault = Fault(path="ResourceGraph", after=2, times=1, status=500, code="InternalServerError")
    machines.azure.faults.add(fault)
    assert [status for status, _ in await pages(machines, BY_ID)] == [200, 200, 500]
    assert (fault.spared, fault.hits) == (2, 1)
    assert len(await pages(machines, BY_ID)) == 3


@pytest.mark.parametrize(
    "query", ["resources | take 8", "resources | project properties, tags", "resources | limit 8"]
)
async def test_a_query_that_cannot_be_paged_is_cut_off_and_says_so(
    machines: World, query: str
) -> None:
    ((_, body),) = await pages(machines, query)
    assert (body["count"], body["resultTruncated"]) == (4, "true")


async def test_a_row_that_goes_between_two_pages_makes_another_one_slip_through(
    machines: World,
) -> None:
    """Pages are no snapshot, as Azure's guidance on paging says."""
    _, first = await ask(machines, BY_ID)
    del machines.azure.state.resources[machines.vm_id("vm0000").lower()]
    _, second = await ask(machines, BY_ID, {"$skipToken": first["$skipToken"]})
    seen = [row["id"] for row in first["data"] + second["data"]]
    assert machines.vm_id("vm0004") not in seen


async def test_a_row_shows_what_its_resource_became(machines: World) -> None:
    query = f"resources | where id == '{machines.vm_id('vm0001')}' | project tags"
    assert await rows(machines, query) == [{"tags": {}}]
    path = f"{machines.vm_id('vm0001')}?api-version=2024-11-01"
    await machines.raw("PATCH", path, {"tags": {"env": "prod"}})
    assert await rows(machines, query) == [{"tags": {"env": "prod"}}]


async def test_an_assignment_carries_what_an_undo_needs(world: World) -> None:
    made = world.azure.assign(
        world.app.object_id,
        "Reader",
        world.group_scope,
        condition="@Resource[a:b] StringEquals 'x'",
        description="for the shop",
    )
    query = f"authorizationresources | where name == '{made.name}' | project properties"
    (row,) = await rows(world, query)
    properties = row["properties"]
    assert properties["roleDefinitionId"].rpartition("/")[0] == (
        f"/subscriptions/{world.subscription}/providers/Microsoft.Authorization/RoleDefinitions"
    )
    assert properties["principalId"] == world.app.object_id
    assert properties["principalType"] == "ServicePrincipal"
    assert properties["scope"] == world.group_scope
    assert properties["description"] == "for the shop"
    assert properties["condition"] == "@Resource[a:b] StringEquals 'x'"
    assert properties["conditionVersion"] == "2.0"
    assert properties["createdOn"] == properties["updatedOn"] == "2026-11-02T09:00:00.0000000Z"
    assert properties["createdBy"]


async def test_role_definitions_are_rows_built_in_and_custom(world: World) -> None:
    name = "00000000-0000-0000-0000-000000000007"
    path = f"{world.group_scope}/providers/Microsoft.Authorization/roleDefinitions/{name}"
    custom = {"roleName": "Restarter", "assignableScopes": [world.group_scope]}
    await world.raw("PUT", f"{path}?api-version=2022-04-01", {"properties": custom})
    query = f"{DEFINITIONS} | where properties.roleName in~ ('reader', 'restarter')"
    reader, restarter = await rows(world, f"{query} | order by tostring(properties.roleName) asc")
    assert reader["id"] == (
        "/providers/Microsoft.Authorization/RoleDefinitions/acdd72a7-3385-48ef-bd42-f606fba81ae7"
    )
    assert (reader["properties"]["type"], reader["subscriptionId"]) == ("BuiltInRole", "")
    assert reader["properties"]["permissions"][0]["actions"] == ["*/read"]
    assert restarter["name"] == name
    assert restarter["subscriptionId"] == world.subscription
    assert restarter["properties"]["assignableScopes"] == [world.group_scope]


async def test_role_definitions_need_the_right_to_read_them(world: World) -> None:
    world.azure.assign(world.app.object_id, "Key Vault Secrets User", world.group_scope)
    query = f"{DEFINITIONS} | count"
    ((_, body),) = await pages(world, query, principal=world.app)
    assert body["data"] == [{"Count": 0}]
    scope = f"/subscriptions/{world.subscription}"
    world.azure.assign(world.app.object_id, "Reader", scope)
    ((_, body),) = await pages(world, query, principal=world.app)
    assert body["data"] == [{"Count": len(world.azure.state.role_definitions)}]


async def test_a_user_assigned_identity_shows_its_ids(world: World) -> None:
    path = f"{world.identity_id('shop')}?api-version=2023-01-31"
    made = json.loads((await world.raw("PUT", path, {"location": "westeurope"})).content)
    query = """
        resources | where type =~ 'Microsoft.ManagedIdentity/userAssignedIdentities'
        | extend key = tolower(id)
        | project key, properties.principalId, properties.clientId, properties.tenantId
        | order by key asc
    """
    (row,) = await rows(world, query)
    assert row == {
        "key": world.identity_id("shop").lower(),
        "properties_principalId": made["properties"]["principalId"],
        "properties_clientId": made["properties"]["clientId"],
        "properties_tenantId": world.azure.state.tenant_id,
    }


@pytest.mark.parametrize(
    ("condition", "found"),
    [
        ("tostring(identity.userAssignedIdentities) contains '/ID-SHOP'", True),
        ('tostring(identity) contains \'"type":"UserAssigned"\'', True),
        ("isempty(identity) or name =~ 'nobody'", False),
        ("isnotempty(identity) and (type has 'compute' or name =~ 'nobody')", True),
        ("properties.ready == true", True),
        ("properties.ready == 'true' and properties.count == 2", True),
        ("properties.ready", True),
        ("not(properties.ready)", False),
    ],
)
async def test_values_read_as_in_kusto(world: World, condition: str, found: bool) -> None:
    add_machines(world, 1)
    (machine,) = (each for each in world.azure.state.resources.values() if each.name == "vm0000")
    machine.identity = {"type": "UserAssigned", "userAssignedIdentities": {"/x/id-shop": {}}}
    machine.properties = {"ready": True, "count": 2}
    shown = await rows(world, f"resources | where {condition} | project name")
    assert bool(shown) is found


async def test_quota_headers_come_with_each_answer(world: World) -> None:
    answer = await world.raw("POST", PATH, {"query": "resources"})
    assert answer.headers["x-ms-user-quota-remaining"] == "14"
    assert answer.headers["x-ms-user-quota-resets-after"] == "00:00:05"


async def test_a_page_over_the_limit_is_refused_and_a_smaller_one_is_not(world: World) -> None:
    add_machines(world, 20)
    world.azure.behaviour.resource_graph_most_bytes = 2_500
    query = "resources | project id, type | order by id asc"
    status, body = await ask(world, query)
    assert (status, body["error"]["details"][0]["code"]) == (400, "ResponsePayloadTooLarge")
    status, first = await ask(world, query, {"$top": 10})
    assert status == 200
    token = first["$skipToken"]
    _, second = await ask(world, query, {"$skipToken": token, "$top": 5})
    assert len(second["data"]) == 5, "$top overrides what the token has"
    assert second["data"][0] not in first["data"]


async def test_a_table_that_a_cloud_lacks_is_disallowed(world: World) -> None:
    world.azure.behaviour.resource_graph_lacks = {"batchresources"}
    status, body = await ask(world, "batchresources | project id")
    codes = [each["code"] for each in body["error"]["details"]]
    assert (status, "DisallowedLogicalTableName" in codes) == (400, True)
