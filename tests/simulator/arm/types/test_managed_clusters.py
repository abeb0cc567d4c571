"""AKS clusters: one identity, written by PUT alone."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from tests.support.arm.generic import (
    Generic,
    delete_identity,
    generic,
    graph_rows,
    identity,
    make_identities,
    principal_of,
    refused,
    resource_id,
    told,
)
from tests.support.arm.world import GROUP, LOCATION, World

KIND = "Microsoft.ContainerService/managedClusters"
CLUSTER = f"{KIND}/cluster1"
VERSION = "2026-08-01"
NODE_GROUP = f"MC_{GROUP}_cluster1_{LOCATION}"
SYSTEM = {"type": "SystemAssigned"}


@asynccontextmanager
async def cluster(world: World) -> AsyncIterator[Generic]:
    async with generic(world, CLUSTER, VERSION) as one:
        await one.put(location=LOCATION, identity=SYSTEM, properties={"dnsPrefix": "c"})
        yield one


async def test_a_put_replaces_the_one_identity(world: World) -> None:
    first, second = await make_identities(world, "first", "second")
    async with cluster(world) as one:
        system = (await one.get()).identity.principal_id
        for chosen in (first, second):
            await one.put(location=LOCATION, identity=identity("UserAssigned", chosen))
        assert await one.attached() == ["second"]
        assert world.azure.state.principals[system].deleted_at is not None


async def test_two_identities_or_both_kinds_are_refused(world: World) -> None:
    first, second = await make_identities(world, "first", "second")
    async with cluster(world) as one:
        two = one.put(location=LOCATION, identity=identity("UserAssigned", first, second))
        assert await refused(two) == "InvalidParameter"
        both = one.put(location=LOCATION, identity=identity("SystemAssigned, UserAssigned", first))
        assert await refused(both) == "CannotSetResourceIdentity"
        assert await one.identity_type() == "SystemAssigned"


async def test_a_patch_changes_tags_alone(world: World) -> None:
    (first,) = await make_identities(world, "first")
    async with cluster(world) as one:
        await one.patch(tags={"a": "1"}, identity=identity("UserAssigned", first))
        shown = await one.get()
    assert shown.tags == {"a": "1"}
    assert (shown.identity.type, shown.properties["dnsPrefix"]) == ("SystemAssigned", "c")


async def test_a_cluster_is_never_without_identity(world: World) -> None:
    async with cluster(world) as one:
        nothing = one.put(location=LOCATION, identity={"type": "None"})
        assert await refused(nothing) == "InvalidParameter"
        await one.put(
            location=LOCATION,
            identity={"type": "None"},
            properties={"servicePrincipalProfile": {"clientId": "x"}},
        )
        assert await one.identity_type() is None


async def test_a_missing_identity_fails_the_whole_put(world: World) -> None:
    (first,) = await make_identities(world, "first")
    await delete_identity(world, "first")
    async with cluster(world) as one:
        put = one.put(location=LOCATION, identity=identity("UserAssigned", first))
        assert await refused(put) == "FailedIdentityOperation"


async def test_the_kubelets_have_an_identity_of_their_own_that_goes_with_the_cluster(
    world: World,
) -> None:
    async with cluster(world) as one:
        shown = (await one.get()).properties
        kubelet = shown["identityProfile"]["kubeletidentity"]
        assert shown["nodeResourceGroup"] == NODE_GROUP
        assert f"/resourcegroups/{NODE_GROUP}/" in kubelet["resourceId"]
        principal = world.azure.state.principals[kubelet["objectId"]]
        assert (principal.client_id, principal.deleted_at) == (kubelet["clientId"], None)
        await one.put(location=LOCATION, properties={"dnsPrefix": "d"})
        again = (await one.get()).properties
        assert again["identityProfile"]["kubeletidentity"] == kubelet
        await one.delete()
    assert principal.deleted_at is not None
    group = f"/subscriptions/{world.subscription}/resourceGroups/{NODE_GROUP}"
    assert (await world.raw("GET", f"{group}?api-version=2024-11-01")).status == 404


async def test_the_node_group_goes_when_the_clusters_group_is_deleted(world: World) -> None:
    async with cluster(world):
        assert any(NODE_GROUP.lower() in each for each in world.azure.state.resources)
    await world.raw("DELETE", f"{world.group_scope}?api-version=2024-11-01")
    assert not any(NODE_GROUP.lower() in each for each in world.azure.state.resources)


async def test_if_match_guards_a_put(world: World) -> None:
    path = f"{resource_id(world, CLUSTER)}?api-version={VERSION}"
    async with cluster(world) as one:
        before = (await world.raw("GET", path)).headers["etag"]
        await one.patch(tags={"a": "1"})
    body = {"location": LOCATION, "properties": {}}
    assert (await world.raw("PUT", path, body, headers={"If-Match": before})).status == 412
    assert (await world.raw("PUT", path, body, headers={"If-Match": "*"})).status == 200


async def test_a_write_takes_its_time_and_is_told(world: World) -> None:
    world.azure.behaviour.operation_seconds = 60
    seen = told(world)
    path = f"{resource_id(world, CLUSTER)}?api-version={VERSION}"
    answer = await world.raw("PUT", path, {"location": LOCATION, "identity": SYSTEM})
    assert (answer.status, seen) == (201, [])
    assert "azure-asyncoperation" in answer.headers
    world.azure.clock.advance(60)
    assert seen == [(f"{KIND}/write", "cluster1")]
    assert [row["name"] for row in await graph_rows(world, KIND)] == ["cluster1"]
    async with generic(world, CLUSTER, VERSION, world.app) as theirs:
        assert await refused(theirs.put(location=LOCATION)) == "AuthorizationFailed"


async def test_kubelets_have_the_identity_that_the_cluster_is_made_with(world: World) -> None:
    control, kubelet = await make_identities(world, "control", "kubelet")
    async with generic(world, CLUSTER, VERSION) as one:
        await one.put(
            location=LOCATION,
            identity=identity("UserAssigned", control),
            properties={"identityProfile": {"kubeletidentity": {"resourceId": kubelet}}},
        )
        named = (await one.get()).properties["identityProfile"]["kubeletidentity"]
        assert await one.attached() == ["control"]
    assert named["resourceId"].lower() == kubelet.lower()
    assert named["objectId"] == principal_of(world, "kubelet")


async def test_a_cluster_says_what_it_is_at(world: World) -> None:
    path = f"{resource_id(world, CLUSTER)}?api-version={VERSION}"
    world.azure.behaviour.operation_seconds = 30

    async def put(version: str, count: int) -> str:
        pools = [{"name": "pool1", "count": count}]
        properties = {"kubernetesVersion": version, "agentPoolProfiles": pools}
        body = {"location": LOCATION, "identity": SYSTEM, "properties": properties}
        answer = await world.raw("PUT", path, body)
        world.azure.clock.advance(30)
        return str(json.loads(answer.content)["properties"]["provisioningState"])

    states = [
        await put("1.30", 1),
        await put("1.30", 2),
        await put("1.31", 2),
        await put("1.31", 2),
    ]
    assert states == ["Creating", "Scaling", "Upgrading", "Updating"]


async def test_the_nodes_of_a_cluster_with_a_service_principal_have_no_identity(
    world: World,
) -> None:
    async with generic(world, CLUSTER, VERSION) as one:
        own = {"servicePrincipalProfile": {"clientId": "1"}}
        made = await one.put(location=LOCATION, properties=own)
        assert "identityProfile" not in made.properties
        changed = await one.put(location=LOCATION, identity=SYSTEM, properties=own)
        assert "kubeletidentity" in changed.properties["identityProfile"]


async def test_a_put_that_leaves_it_out_keeps_what_lasts(world: World) -> None:
    async with cluster(world) as one:
        drivers = {"diskCSIDriver": {"enabled": True}}
        sent = {"supportPlan": "AKSLongTermSupport", "storageProfile": drivers}
        await one.put(location=LOCATION, identity=SYSTEM, properties=sent)
        kept = {"dnsPrefix": "c", "storageProfile": {}}
        shown = (await one.put(location=LOCATION, identity=SYSTEM, properties=kept)).properties
        assert shown["supportPlan"] == "AKSLongTermSupport"
        assert shown["storageProfile"] == drivers


async def test_an_error_of_aks_has_no_envelope(world: World) -> None:
    world.azure.behaviour.conflict_while_updating = True
    world.azure.behaviour.operation_seconds = 60
    path = f"{resource_id(world, CLUSTER)}?api-version={VERSION}"
    body = {"location": LOCATION, "identity": SYSTEM, "properties": {"dnsPrefix": "c"}}
    assert (await world.raw("PUT", path, body)).status == 201
    busy = await world.raw("PUT", path, body)
    error = json.loads(busy.content)
    assert (busy.status, error["code"], error["details"]) == (409, "OperationNotAllowed", None)
    assert "in progress update managed cluster operation" in error["message"]
    assert (await world.raw("DELETE", path)).status == 202
    leaving = await world.raw("PUT", path, body)
    assert "in progress delete" in json.loads(leaving.content)["message"]
