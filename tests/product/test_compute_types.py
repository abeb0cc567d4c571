"""Attaching and detaching on every type of the table, against Azure's own quirks of each: the real
SDK, and a local Azure that has them. Each change is one write.
"""

from collections.abc import Mapping
from typing import Any

import pytest

from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.compute_types import COMPUTE_TYPES
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.resource_id import ResourceId
from tests.support.compute_examples import (
    CLUSTER,
    CONTAINER_APP,
    EXAMPLES,
    PARENTS,
    POOL,
    REPORTED,
    SITE,
    SLOT,
    Example,
)
from tests.support.subscription import LOCATION, Subscription

WITH_SYSTEM = [each for each in EXAMPLES if each.row.system_assigned]
SYSTEM = {"type": "SystemAssigned"}

each_type = pytest.mark.parametrize("made", EXAMPLES, ids=str)
each_type_with_system = pytest.mark.parametrize("made", WITH_SYSTEM, ids=str)
#: Whether a PATCH merges the set of identities is only recorded for machines: both must do.
merging_and_replacing = pytest.mark.parametrize(
    "replaces", [False, True], ids=["merges", "replaces"]
)


@pytest.fixture
async def subscription() -> Subscription:
    made = Subscription()
    await made.create_group()
    return made


async def create(
    subscription: Subscription, made: Example, identity: Mapping[str, Any] | None = None
) -> ComputeResource:
    """The resource as Lanyard reads it; nothing is counted yet."""
    if parent := PARENTS.get(made.type):
        await create(subscription, parent)
    resource = subscription.resource_id(made.type, *made.names)
    body = {**made.body, **({"identity": dict(identity)} if identity else {})}
    await subscription.put(resource, body)
    found = await subscription.read(resource)
    subscription.calls()
    return found


def with_identity(identity: ResourceId) -> Mapping[str, Any]:
    return {"type": "UserAssigned", "userAssignedIdentities": {identity.text: {}}}


def switched(subscription: Subscription, made: Example, replaces: bool) -> None:
    if replaces and not made.row.merges:
        subscription.azure.behaviour.identity_patch_replaces = {made.type.lower()}


@each_type
async def test_a_resource_is_read_in_one_call(subscription: Subscription, made: Example) -> None:
    there = await create(subscription, made)
    assert await subscription.read(there.id) == there
    assert subscription.calls() == ["GET"]
    assert there.location == LOCATION
    assert there.kind == made.body.get("kind", "")
    assert there.identity.user_assigned == {}


@each_type
async def test_one_that_does_not_exist_is_none(subscription: Subscription, made: Example) -> None:
    missing = subscription.resource_id(made.type, *made.names)
    assert await subscription.compute.read(missing) is None


@each_type
async def test_attaches(subscription: Subscription, made: Example) -> None:
    a = await subscription.make_identity("id-a")
    there = await create(subscription, made)
    after = await subscription.compute.update_identity(there, add=[a])
    assert after.identity.user_assigned == {a: subscription.principal_of(a)}
    assert subscription.writes() == ["PATCH"]


@each_type
@merging_and_replacing
async def test_adds_a_second_to_the_first(
    subscription: Subscription, made: Example, replaces: bool
) -> None:
    switched(subscription, made, replaces)
    a, b = await subscription.make_identity("id-a"), await subscription.make_identity("id-b")
    there = await create(subscription, made)
    first = await subscription.compute.update_identity(there, add=[a])
    await subscription.compute.update_identity(first, add=[b])
    after = await subscription.read(there.id)
    assert after.identity.user_assigned == {
        a: subscription.principal_of(a),
        b: subscription.principal_of(b),
    }
    assert subscription.writes() == ["PATCH", "PATCH"]


@each_type_with_system
async def test_keeps_the_system_identity(subscription: Subscription, made: Example) -> None:
    a = await subscription.make_identity("id-a")
    there = await create(subscription, made, SYSTEM)
    own = there.identity.system_principal_id
    assert own
    attached = await subscription.compute.update_identity(there, add=[a])
    assert attached.identity.system_principal_id == own
    assert list(attached.identity.user_assigned) == [a]
    detached = await subscription.compute.update_identity(attached, remove=[a])
    assert detached.identity.system_principal_id == own
    assert detached.identity.user_assigned == {}


@each_type_with_system
async def test_enables_the_system_identity_beside_what_is_there(
    subscription: Subscription, made: Example
) -> None:
    a = await subscription.make_identity("id-a")
    there = await create(subscription, made, with_identity(a))
    after = await subscription.compute.update_identity(there, enable_system=True)
    assert after.identity.system_principal_id
    assert list(after.identity.user_assigned) == [a]
    assert subscription.writes() == ["PATCH"]


@each_type
@merging_and_replacing
async def test_what_someone_else_attached_stays(
    subscription: Subscription, made: Example, replaces: bool
) -> None:
    switched(subscription, made, replaces)
    theirs, ours = (
        await subscription.make_identity("id-t"),
        await subscription.make_identity("id-o"),
    )
    there = await create(subscription, made, with_identity(theirs))
    attached = await subscription.compute.update_identity(there, add=[ours])
    assert set(attached.identity.user_assigned) == {theirs, ours}
    await subscription.compute.update_identity(attached, remove=[ours])
    after = await subscription.read(there.id)
    assert after.identity.user_assigned == {theirs: subscription.principal_of(theirs)}


@each_type
async def test_repairs_an_identity_that_was_recreated(
    subscription: Subscription, made: Example
) -> None:
    a, b = await subscription.make_identity("id-a"), await subscription.make_identity("id-b")
    there = await create(subscription, made)
    there = await subscription.compute.update_identity(there, add=[a, b])
    await subscription.recreate_identity(a)
    dead = (await subscription.read(there.id)).identity.user_assigned[a]
    assert dead != subscription.principal_of(a)
    subscription.calls()
    without = await subscription.compute.update_identity(
        await subscription.read(there.id), remove=[a]
    )
    after = await subscription.compute.update_identity(without, add=[a])
    assert after.identity.user_assigned == {
        a: subscription.principal_of(a),
        b: subscription.principal_of(b),
    }
    assert subscription.writes() == ["PATCH", "PATCH"]


@each_type
async def test_detaches_one_and_then_the_last(subscription: Subscription, made: Example) -> None:
    a, b = await subscription.make_identity("id-a"), await subscription.make_identity("id-b")
    there = await create(subscription, made)
    both = await subscription.compute.update_identity(there, add=[a, b])
    subscription.calls()
    one = await subscription.compute.update_identity(both, remove=[a])
    assert list(one.identity.user_assigned) == [b]
    none = await subscription.compute.update_identity(one, remove=[b])
    assert none.identity.user_assigned == {}
    assert subscription.writes() == ["PATCH", "PATCH"]


@each_type
async def test_nothing_is_written_where_nothing_changes(
    subscription: Subscription, made: Example
) -> None:
    a, b = await subscription.make_identity("id-a"), await subscription.make_identity("id-b")
    there = await create(subscription, made, with_identity(a))
    shouted = ResourceId.parse(a.text.replace("resourceGroups", "RESOURCEGROUPS"))
    assert await subscription.compute.update_identity(there, add=[shouted], remove=[b]) is there
    assert subscription.calls() == []


@pytest.mark.parametrize("made", REPORTED, ids=str)
async def test_a_type_that_is_only_reported_is_read_with_its_identity(
    subscription: Subscription, made: Example
) -> None:
    there = await create(subscription, made, SYSTEM)
    assert not made.row.attachable
    assert await subscription.read(there.id) == there
    assert subscription.calls() == ["GET"]
    assert there.location == LOCATION
    assert there.identity.system_principal_id


def test_every_type_that_is_attached_to_has_an_example() -> None:
    covered = {each.type.lower() for each in [*EXAMPLES, CLUSTER]}
    assert covered == {name for name, row in COMPUTE_TYPES.items() if row.attachable}


@pytest.mark.parametrize("made", [SITE, SLOT], ids=str)
async def test_an_app_restarts_once_for_a_change_and_not_for_none(
    subscription: Subscription, made: Example
) -> None:
    assert made.row.restarts
    a, b = await subscription.make_identity("id-a"), await subscription.make_identity("id-b")
    there = await create(subscription, made)
    after = await subscription.compute.update_identity(there, add=[a, b], enable_system=True)
    await subscription.compute.update_identity(after, add=[a, b], enable_system=True)
    types = subscription.azure.compute_types
    restarts = (types.slots if made is SLOT else types.sites).restarts
    assert restarts[there.id.key] == 1


@pytest.mark.parametrize("waits", [False, True], ids=["at once", "202"])
async def test_a_container_app_keeps_its_secrets_whether_or_not_the_write_takes_time(
    subscription: Subscription, waits: bool
) -> None:
    subscription.azure.behaviour.container_app_patch_waits = waits
    subscription.azure.behaviour.operation_seconds = 20.0
    a = await subscription.make_identity("id-a")
    there = await create(subscription, CONTAINER_APP)
    after = await subscription.compute.update_identity(there, add=[a], enable_system=True)
    assert list(after.identity.user_assigned) == [a]
    secrets = there.raw["properties"]["configuration"]["secrets"]
    assert secrets
    assert after.raw["properties"]["configuration"]["secrets"] == secrets
    assert subscription.writes() == ["PATCH"]


# A Batch pool: no location of its own, no system-assigned identity.


async def test_a_pool_is_where_its_account_is_which_is_read_once(
    subscription: Subscription,
) -> None:
    await create(subscription, POOL)
    pool = subscription.resource_id(POOL.type, *POOL.names)
    assert (await subscription.read(pool)).location == LOCATION
    assert subscription.calls() == ["GET"]  # the account was read with the pool's first read


async def test_a_pool_takes_no_system_identity_and_is_not_asked(subscription: Subscription) -> None:
    there = await create(subscription, POOL)
    with pytest.raises(Permanent, match="user-assigned identities only"):
        await subscription.compute.update_identity(there, enable_system=True)
    assert subscription.calls() == []


# An AKS cluster: one identity, written by PUT of everything.


def cluster_in_part(cluster: ComputeResource) -> Mapping[str, Any]:
    """What nobody asked to change, and a careless PUT would."""
    body = {key: value for key, value in cluster.raw.items() if key not in ("identity", "eTag")}
    assert body["properties"]["agentPoolProfiles"]
    return body


async def test_a_cluster_has_one_identity_and_attaching_replaces_it(
    subscription: Subscription,
) -> None:
    a, b = await subscription.make_identity("id-a"), await subscription.make_identity("id-b")
    there = await create(subscription, CLUSTER, SYSTEM)
    first = await subscription.compute.update_identity(there, add=[a])
    assert first.identity == Identity(None, {a: subscription.principal_of(a)})
    second = await subscription.compute.update_identity(first, add=[b])
    assert second.identity == Identity(None, {b: subscription.principal_of(b)})
    assert cluster_in_part(second) == cluster_in_part(there)
    assert subscription.writes() == ["PUT", "PUT"]
    back = await subscription.compute.update_identity(second, enable_system=True)
    assert back.identity.system_principal_id
    assert back.identity.user_assigned == {}


async def test_a_cluster_that_changed_since_it_was_read_is_not_overwritten(
    subscription: Subscription,
) -> None:
    a = await subscription.make_identity("id-a")
    there = await create(subscription, CLUSTER, SYSTEM)
    body = {**CLUSTER.body, "identity": SYSTEM, "tags": {"env": "test"}}
    await subscription.put(there.id, body)
    with pytest.raises(Temporary, match="changed since it was read"):
        await subscription.compute.update_identity(there, add=[a])
    tagged = await subscription.read(there.id)
    after = await subscription.compute.update_identity(tagged, add=[a])
    assert (after.tags, set(after.identity.user_assigned)) == ({"env": "test"}, {a})
    with pytest.raises(Temporary, match="changed since it was read"):
        await subscription.compute.update_identity(tagged, add=[a])


async def test_a_cluster_is_never_left_without_an_identity(subscription: Subscription) -> None:
    a, b = await subscription.make_identity("id-a"), await subscription.make_identity("id-b")
    there = await create(subscription, CLUSTER, with_identity(a))
    for change in (
        subscription.compute.update_identity(there, remove=[a]),
        subscription.compute.update_identity(there, add=[a, b]),
        subscription.compute.update_identity(there, add=[b], enable_system=True),
    ):
        with pytest.raises(Permanent, match="one identity for its control plane"):
            await change
    assert subscription.calls() == []
