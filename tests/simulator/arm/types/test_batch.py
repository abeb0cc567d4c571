"""Batch accounts and pools."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from tests.support.arm.generic import (
    Generic,
    generic,
    graph_rows,
    imds_token_owner,
    make_identities,
    needs_assign_right,
    principal_of,
    refused,
    refuses_malformed,
    resource_id,
    told,
)
from tests.support.arm.world import LOCATION, World

VERSION = "2025-06-01"
ACCOUNT = "Microsoft.Batch/batchAccounts/account1"
POOL = f"{ACCOUNT}/pools/pool1"


def nodes(count: int) -> dict[str, Any]:
    return {"scaleSettings": {"fixedScale": {"targetDedicatedNodes": count}}}


@asynccontextmanager
async def pool(world: World, count: int = 0) -> AsyncIterator[Generic]:
    async with generic(world, ACCOUNT, VERSION) as account:
        await account.put(location=LOCATION, properties={})
    async with generic(world, POOL, VERSION) as one:
        await one.put(properties=nodes(count))
        yield one


def node_owners(world: World, name: str) -> list[str | None]:
    """For each node, oldest first, whose token IMDS gives for an identity."""
    found = world.azure.compute_types.pools.nodes(resource_id(world, POOL))
    return [imds_token_owner(world, each.id, name) for each in found]


async def test_a_pool_takes_user_assigned_identities_or_none(world: World) -> None:
    first, second = await make_identities(world, "first", "second")
    async with pool(world) as one:
        await one.attach("UserAssigned", first)
        await refuses_malformed(one, first)
        await one.attach("UserAssigned", second)
        assert await one.attached() == ["first", "second"]
        await one.patch(identity={"type": "UserAssigned", "userAssignedIdentities": {first: None}})
        assert await one.attached() == ["second"]
        for kind in ("SystemAssigned", "SystemAssigned, UserAssigned"):
            code = await refused(one.attach(kind, *([first] if "," in kind else [])))
            assert code == "CannotSetResourceIdentity"
        await one.patch(identity={"type": "None"})
        assert await one.identity_type() is None


async def test_nodes_keep_what_they_started_with_until_the_pool_was_empty(world: World) -> None:
    (first,) = await make_identities(world, "first")
    async with pool(world, 1) as one:
        await one.attach("UserAssigned", first)
        assert node_owners(world, "first") == [None]
        await one.patch(properties=nodes(2))
        assert node_owners(world, "first") == [None, None]
        await one.patch(properties=nodes(0))
        await one.patch(properties=nodes(1))
        assert node_owners(world, "first") == [principal_of(world, "first")]
        assert (await one.get()).properties["currentDedicatedNodes"] == 1


async def test_a_pool_with_nodes_refuses_a_change_where_the_switch_says_so(world: World) -> None:
    world.azure.behaviour.batch_pool_identity_needs_empty = True
    (first,) = await make_identities(world, "first")
    async with pool(world, 1) as one:
        assert await refused(one.attach("UserAssigned", first)) == "Conflict"
        await one.patch(properties=nodes(0))
        await one.attach("UserAssigned", first)


async def test_if_match_guards_a_pool(world: World) -> None:
    path = f"{resource_id(world, POOL)}?api-version={VERSION}"
    async with pool(world) as one:
        before = (await world.raw("GET", path)).headers["etag"]
        assert before.startswith('W/"')
        await one.patch(properties=nodes(1))
    stale = await world.raw("PATCH", path, {"properties": {}}, headers={"If-Match": before})
    assert stale.status == 412
    current = (await world.raw("GET", path)).headers["etag"]
    fresh = await world.raw("PATCH", path, {"properties": {}}, headers={"If-Match": current})
    assert fresh.status == 200


async def test_an_account_has_one_kind_of_identity_and_says_none(world: World) -> None:
    (first,) = await make_identities(world, "first")
    async with generic(world, ACCOUNT, VERSION) as account:
        await account.put(location=LOCATION, properties={})
        assert await account.identity_type() == "None"
        both = account.attach("SystemAssigned, UserAssigned", first)
        assert await refused(both) == "CannotSetResourceIdentity"
        await account.attach("SystemAssigned")
        await account.attach("UserAssigned", first)
        assert await account.identity_type() == "UserAssigned"


async def test_pools_lie_in_accounts_and_in_a_table_of_their_own(world: World) -> None:
    async with generic(world, POOL, VERSION) as orphan:
        assert await refused(orphan.put(properties={})) == "ParentResourceNotFound"
    async with pool(world, 1):
        kind = "Microsoft.Batch/batchAccounts/pools"
        assert await graph_rows(world, kind) == []
        (row,) = await graph_rows(world, kind, "batchresources")
        assert row["name"] == "account1/pool1"
        listed = await world.raw(
            "GET", f"{resource_id(world, ACCOUNT)}/pools?api-version={VERSION}"
        )
        assert b'"account1/pool1"' in listed.content
    async with generic(world, ACCOUNT, VERSION) as account:
        await account.delete()
        with pytest.raises(HttpResponseError):
            await account.get()
    assert [each for each in world.azure.state.resources if "account1" in each] == []


async def test_writes_and_deletions_are_told_and_guarded(world: World) -> None:
    seen = told(world)
    async with pool(world) as one:
        await one.delete()
        await one.put(properties={})
    kind = "Microsoft.Batch/batchAccounts"
    assert [action for action, _ in seen] == [
        f"{kind}/write",
        f"{kind}/pools/write",
        f"{kind}/pools/delete",
        f"{kind}/pools/write",
    ]
    async with generic(world, POOL, VERSION, world.app) as theirs:
        assert await refused(theirs.patch(properties={})) == "AuthorizationFailed"
    await needs_assign_right(world, POOL, VERSION, "Contributor")


async def test_the_deletion_of_an_account_is_followed_beside_it(world: World) -> None:
    world.azure.behaviour.operation_seconds = 60
    path = f"{resource_id(world, ACCOUNT)}?api-version={VERSION}"
    await world.raw("PUT", path, {"location": LOCATION, "properties": {}})
    world.azure.clock.advance(60)
    link = (await world.raw("DELETE", path)).headers["location"].removeprefix("https://arm.local")
    place = f"/providers/Microsoft.Batch/locations/{LOCATION}/accountOperationResults/account1-"
    assert place in link
    assert (await world.raw("GET", link)).status == 202
    world.azure.clock.advance(60)
    ended = await world.raw("GET", link)
    assert (ended.status, ended.content) == (200, b"")
    elsewhere = f"{link.partition('account1-')[0]}none?api-version={VERSION}"
    assert (await world.raw("GET", elsewhere)).status == 404
