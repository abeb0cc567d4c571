"""An estate made straight in the state is one that the services could have made."""

import json
from typing import Any

import pytest

from simulator.azure import Azure
from simulator.seeding import Contents, Sizes, fill
from simulator.state import Principal
from tests.support.arm.world import VM_BODY, World

SMALL = Sizes(
    subscriptions=2,
    groups=2,
    machines=8,
    web_apps=4,
    identities=2,
    assignments=12,
    orphans=5,
    unknown=3,
    user_assignments=2,
    group_assignments=2,
)
LARGE = Sizes(machines=5000, web_apps=4500, identities=500, assignments=3000, orphans=1000)


async def shown(world: World, resource_id: str, version: str) -> dict[str, Any]:
    answer = await world.raw("GET", f"{resource_id}?api-version={version}")
    assert answer.status == 200, answer.content
    body: dict[str, Any] = json.loads(answer.content)
    return body


def owned(world: World, contents: Contents) -> None:
    for subscription in contents.subscriptions:
        world.azure.assign(world.owner.object_id, "Owner", f"/subscriptions/{subscription}")


def principal(azure: Azure, object_id: str) -> Principal:
    return azure.state.principals[object_id]


def test_there_is_as_much_of_everything_as_asked_for() -> None:
    azure = Azure()
    made = fill(azure, SMALL)
    assert [len(getattr(made, name)) for name in ("subscriptions", "groups")] == [2, 4]
    assert [len(made.machines), len(made.web_apps), len(made.identities)] == [8, 4, 2]
    assert len(azure.state.resources) == 4 + 8 + 4 + 2
    assert len(made.assignments) == 12
    assert [len(made.orphans), len(made.unknown)] == [5, 3]
    assert len(azure.state.role_assignments) == 12 + 5 + 3 + 2 + 2


def test_the_same_seed_makes_the_same_estate() -> None:
    one, two, other = (fill(Azure(seed), SMALL) for seed in (1, 1, 2))
    assert one == two
    assert one != other


def test_who_is_assigned_what_is_as_it_says() -> None:
    azure = Azure()
    made = fill(azure, SMALL)
    known = azure.state.principals
    now = azure.clock.now()
    assert all(known[each.principal_id].deleted_at is None for each in made.assignments)
    assert {known[each.principal_id].deleted_at for each in made.orphans} == {now - 7 * 86400}
    assert len({each.principal_id for each in made.orphans}) == 3
    assert not any(each.principal_id in known for each in made.unknown)
    assert {known[each.principal_id].kind for each in made.user_assignments} == {"User"}
    assert {known[each.principal_id].kind for each in made.group_assignments} == {"Group"}
    (member,) = azure.state.group_members[made.group_assignments[0].principal_id]
    assert azure.access.allowed(
        member, "Microsoft.Compute/virtualMachines/read", made.group_assignments[0].scope
    )


def test_assignments_differ_as_azure_demands() -> None:
    made = fill(Azure(), SMALL)
    every = made.assignments + made.orphans + made.unknown
    seen = {(each.principal_id, each.role_definition_id, each.scope) for each in every}
    assert len(seen) == len(every)
    with pytest.raises(ValueError, match="cannot have"):
        fill(Azure(), Sizes(identities=0, machines=0, web_apps=0, assignments=1))


async def test_a_machine_reads_like_one_that_was_put(world: World) -> None:
    made = fill(world.azure, SMALL)
    owned(world, made)
    await world.raw("PUT", f"{world.identity_id('own')}?api-version=2024-11-30", VM_BODY)
    both = {
        "type": "SystemAssigned, UserAssigned",
        "userAssignedIdentities": {world.identity_id("own"): {}},
    }
    path = f"{world.vm_id('own')}?api-version=2024-11-01"
    await world.raw("PUT", path, VM_BODY | {"identity": both, "tags": {"env": "test"}})
    put, seeded = [
        await shown(world, each, "2024-11-01") for each in (world.vm_id("own"), made.machines[1])
    ]
    assert seeded.keys() == put.keys()
    assert seeded["properties"].keys() == put["properties"].keys()
    assert seeded["identity"].keys() == put["identity"].keys()
    assert seeded["identity"]["type"] == put["identity"]["type"]
    system = principal(world.azure, seeded["identity"]["principalId"])
    assert system.alternative_names == ["isExplicit=False", made.machines[1]]


async def test_an_app_and_an_identity_read_like_ones_that_were_put(world: World) -> None:
    made = fill(world.azure, SMALL)
    owned(world, made)
    app_id = f"{world.group_scope}/providers/Microsoft.Web/sites/own"
    body = {"location": "westeurope", "tags": {"a": "b"}, "identity": {"type": "SystemAssigned"}}
    await world.raw("PUT", f"{app_id}?api-version=2025-05-01", body)
    pairs = [(app_id, made.web_apps[1], "2025-05-01")]
    await world.raw("PUT", f"{world.identity_id('own')}?api-version=2024-11-30", VM_BODY)
    pairs.append((world.identity_id("own"), made.identities[0], "2024-11-30"))
    for put_id, seeded_id, version in pairs:
        put, seeded = await shown(world, put_id, version), await shown(world, seeded_id, version)
        assert seeded.keys() == put.keys()
        assert seeded["properties"].keys() == put["properties"].keys()
    listed = json.loads(
        (await world.raw("GET", f"{made.groups[0]}/resources?api-version=2024-11-01")).content
    )
    assert len(listed["value"]) == 4


async def test_a_seeded_machine_can_be_patched_and_deleted(world: World) -> None:
    made = fill(world.azure, SMALL)
    owned(world, made)
    machine, path = made.machines[1], f"{made.machines[1]}?api-version=2024-11-01"
    system = (await shown(world, machine, "2024-11-01"))["identity"]["principalId"]
    assert (await world.raw("PATCH", path, {"tags": {"x": "y"}})).status == 200
    assert (await shown(world, machine, "2024-11-01"))["tags"] == {"x": "y"}
    assert (await world.raw("DELETE", path)).status == 202
    assert (await world.raw("GET", path)).status == 404
    assert principal(world.azure, system).deleted_at is not None


async def test_a_large_estate_is_listed_page_by_page(world: World) -> None:
    made = fill(world.azure, LARGE)
    owned(world, made)
    pages = [*await listed(world, "resources"), *await listed(world, "authorizationresources")]
    roles = len(world.azure.state.role_definitions)
    assignments = 4_000 + len(made.subscriptions) + 1  # and the owner's own
    assert sum(pages) == 10_000 + assignments + roles
    assert len(pages) == 10 + 5


async def listed(world: World, table: str) -> list[int]:
    """How many rows each page of a table has."""
    path = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    counts: list[int] = []
    options: dict[str, Any] = {}
    while not counts or options:
        query = f"{table} | project id | order by id asc"
        answer = await world.raw("POST", path, {"query": query, "options": options})
        body = json.loads(answer.content)
        counts.append(body["count"])
        options = {"$skipToken": body["$skipToken"]} if "$skipToken" in body else {}
    return counts
