"""Resource Graph: the queries an inventory asks, in pages, late, and within one's rights."""

import json
from typing import Any

import pytest

from simulator.resource_graph.query import parse_query
from simulator.resource_graph.tokens import InvalidQuery
from simulator.state import Resource
from tests.support.arm.resource_graph import PATH, add_machines, ask, rows
from tests.support.arm.world import VM_BODY, World


async def test_machines_come_with_lower_case_types_and_their_identities(world: World) -> None:
    path = f"{world.vm_id('vm1')}?api-version=2024-11-01"
    await world.raw("PUT", path, VM_BODY | {"identity": {"type": "SystemAssigned"}})
    query = """
        resources  // every machine
        | where type =~ 'Microsoft.Compute/virtualMachines'
        | project id, name, type, location, identity, state = properties.provisioningState
    """
    (row,) = await rows(world, query)
    assert row["id"] == world.vm_id("vm1")
    assert row["type"] == "microsoft.compute/virtualmachines"
    assert row["identity"]["type"] == "SystemAssigned"
    assert row["state"] == "Succeeded"


async def test_assignments_are_found_by_their_principal(world: World) -> None:
    world.azure.assign(world.app.object_id, "Reader", world.group_scope)
    query = f"""
        authorizationresources
        | where type =~ 'microsoft.authorization/roleassignments'
        | where properties.principalId in~ ('{world.app.object_id.upper()}', 'x')
        | project id, principal = tolower(properties.principalId), properties.scope
    """
    (row,) = await rows(world, query)
    assert row["principal"] == world.app.object_id
    assert row["properties_scope"] == world.group_scope
    assert "/RoleAssignments/" in row["id"]


async def test_containers_are_subscriptions_and_groups(world: World) -> None:
    found = await rows(world, "resourcecontainers | project type, name | order by type asc")
    assert [row["name"] for row in found] == ["Demo", "rg-demo"]


@pytest.mark.parametrize(
    ("condition", "names"),
    [
        ("name == 'a'", ["a"]),
        ("name == 'A'", []),
        ("name =~ 'A'", ["a"]),
        ("name != 'a'", ["b-one", "c"]),
        ("name in ('a', \"c\")", ["a", "c"]),
        ("name !in~ ('A')", ["b-one", "c"]),
        ("name has 'ONE'", ["b-one"]),
        ("name has 'on'", []),
        ("name contains 'on'", ["b-one"]),
        ("name startswith 'B-'", ["b-one"]),
        ("tags.env =~ 'prod' or tags['env'] == 'test'", ["a", "b-one"]),
        ("isnotempty(tags.env) and not(name == 'a')", ["b-one"]),
        ("isempty(tags.missing) and (name == 'a' or name == 'c')", ["a", "c"]),
        ("tolower(properties.deep.key) == 'value'", ["c"]),
    ],
)
async def test_filters(world: World, condition: str, names: list[str]) -> None:
    made: list[tuple[str, dict[str, str], dict[str, Any]]] = [
        ("a", {"env": "PROD"}, {}),
        ("b-one", {"env": "test"}, {}),
        ("c", {}, {"deep": {"key": "Value"}}),
    ]
    for name, tags, properties in made:
        vm_id = world.vm_id(name)
        world.azure.state.resources[vm_id.lower()] = Resource(
            vm_id, "Microsoft.Compute/virtualMachines", name, "x", tags, properties
        )
    found = await rows(world, f"Resources | where {condition} | project name | order by name asc")
    assert [row["name"] for row in found] == names


async def test_a_thousand_rows_make_a_page(world: World) -> None:
    add_machines(world, 2500)
    seen: list[str] = []
    token: str | None = None
    pages = 0
    while pages == 0 or token:
        options = {"$skipToken": token} if token else {}
        _, body = await ask(world, "resources | project id | order by id asc", options)
        seen += [row["id"] for row in body["data"]]
        assert body["totalRecords"] == 2500
        assert body["count"] == len(body["data"]) <= 1000
        token, pages = body.get("$skipToken"), pages + 1
    assert pages == 3
    assert len(set(seen)) == 2500
    assert seen == sorted(seen)


async def test_top_skip_take_and_count(world: World) -> None:
    add_machines(world, 10)
    _, body = await ask(
        world, "resources | project name | order by name asc", {"$top": 3, "$skip": 2}
    )
    assert [row["name"] for row in body["data"]] == ["vm0002", "vm0003", "vm0004"]
    assert "$skipToken" in body
    assert len(await rows(world, "resources | take 4")) == 4
    assert await rows(world, "resources | count") == [{"Count": 10}]
    assert (await ask(world, "resources", {"$top": 1001}))[0] == 400
    assert (await ask(world, "resources", {"$skipToken": "x"}))[0] == 400


async def test_rows_lag_behind_creations_changes_and_deletions(world: World) -> None:
    world.azure.behaviour.resource_graph_lag_seconds = 30
    path = f"{world.vm_id('vm1')}?api-version=2024-11-01"
    query = "resources | project name, tags"
    await world.raw("PUT", path, VM_BODY)
    assert await rows(world, query) == []
    world.azure.clock.advance(30)
    assert await rows(world, query) == [{"name": "vm1", "tags": {}}]

    await world.raw("PATCH", path, {"tags": {"a": "1"}})
    assert await rows(world, query) == [{"name": "vm1", "tags": {}}]
    world.azure.clock.advance(30)
    assert await rows(world, query) == [{"name": "vm1", "tags": {"a": "1"}}]

    await world.raw("DELETE", path)
    assert len(await rows(world, query)) == 1
    world.azure.clock.advance(30)
    assert await rows(world, query) == []


async def test_only_what_the_caller_may_read_is_shown(world: World) -> None:
    add_machines(world, 3)
    status, body = await ask(world, "resources", principal=world.app)
    assert (status, body["error"]["code"]) == (403, "AccessDenied")
    world.azure.assign(world.app.object_id, "Reader", world.vm_id("vm0001"))
    _, body = await ask(world, "resources | project name", principal=world.app)
    assert body["data"] == [{"name": "vm0001"}]


@pytest.mark.parametrize(
    "query",
    [
        "",
        "policyresources",
        "resources | summarize count() by type",
        "resources | where",
        "resources | where name =",
        "resources | where name matches 'x'",
        "resources | where strlen(name) == 1",
        "resources | project",
        "resources where name == 'x'",
        "resources | take x",
        "resources | where name == 'x",
    ],
)
async def test_what_is_not_simulated_is_refused_in_resource_graphs_shape(
    world: World, query: str
) -> None:
    with pytest.raises(InvalidQuery):
        parse_query(query)
    status, body = await ask(world, query)
    assert (status, body["error"]["code"]) == (400, "BadRequest")
    assert body["error"]["details"][0]["code"] == "InvalidQuery"


async def test_fifteen_queries_in_five_seconds_are_enough(world: World) -> None:
    world.azure.behaviour.throttling = True
    for left in range(14, -1, -1):
        answer = await world.raw("POST", PATH, {"query": "resources"})
        assert answer.headers["x-ms-user-quota-remaining"] == str(left)
    answer = await world.raw("POST", PATH, {"query": "resources"})
    assert (answer.status, answer.headers["retry-after"]) == (429, "5")
    assert json.loads(answer.content)["error"]["code"] == "RateLimiting"
    world.azure.clock.advance(5)
    assert (await world.raw("POST", PATH, {"query": "resources"})).status == 200


async def test_a_choice_and_a_bag(world: World) -> None:
    add_machines(world, 2)
    query = (
        "resources | order by id asc | project name, "
        "found = iff(name =~ 'VM0000' and isnotempty(type), location, "
        "bag_pack('a', name, 'b', properties.none))"
    )
    assert [row["found"] for row in await rows(world, query)] == [
        "westeurope",
        {"a": "vm0001", "b": None},
    ]
