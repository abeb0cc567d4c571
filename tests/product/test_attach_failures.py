"""What Azure refuses, loses or takes long over when an identity is attached."""

from dataclasses import replace
from typing import Any

import pytest

from lanyard.azure.arm.identity_block import MOST_AT_ONCE
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.compute_types import COMPUTE_TYPES
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.resource_id import ResourceId
from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.faults import Fault
from tests.support.subscription import LOCATION, Subscription

PRINCIPAL = "0f6b1d5e-3c5f-4f43-9a3d-3f1f1a2b0c11"
MACHINE = "Microsoft.Compute/virtualMachines"
SITE = "Microsoft.Web/sites"
_VM = {"hardwareProfile": {"vmSize": "Standard_B1s"}}
#: Writes to machines, and no right to assign an identity.
MACHINE_WRITER = "Virtual Machine Contributor"


async def started(role: str = "Contributor") -> Subscription:
    made = Subscription(role)
    await made.create_group()
    return made


@pytest.fixture
async def subscription() -> Subscription:
    return await started()


async def create(
    subscription: Subscription, type: str = MACHINE, *identities: ResourceId
) -> ComputeResource:
    body: dict[str, Any] = {"location": LOCATION, "properties": _VM if type == MACHINE else {}}
    if identities:
        ids: dict[str, Any] = {identity.text: {} for identity in identities}
        body["identity"] = {"type": "UserAssigned", "userAssignedIdentities": ids}
    resource = subscription.resource_id(type, "main")
    await subscription.put(resource, body)
    found = await subscription.read(resource)
    subscription.calls()
    return found


async def test_an_identity_that_does_not_exist_is_named_by_azures_code(
    subscription: Subscription,
) -> None:
    there = await create(subscription)
    missing = subscription.resource_id("Microsoft.ManagedIdentity/userAssignedIdentities", "id-x")
    with pytest.raises(Permanent) as refused:
        await subscription.compute.update_identity(there, add=[missing])
    assert refused.value.code == "FailedIdentityOperation"
    assert "id-x" in str(refused.value)


async def test_without_the_right_to_assign_the_code_says_so() -> None:
    subscription = await started(MACHINE_WRITER)
    a = await subscription.make_identity("id-a")
    there = await create(subscription)
    with pytest.raises(Permanent) as refused:
        await subscription.compute.update_identity(there, add=[a])
    assert refused.value.code == "LinkedAuthorizationFailed"


async def test_an_identity_that_is_none_is_refused_by_azures_code(
    subscription: Subscription,
) -> None:
    there = await create(subscription)
    with pytest.raises(Permanent) as refused:
        await subscription.compute.update_identity(there, add=[there.id])
    assert refused.value.code == "LinkedInvalidPropertyId"


@pytest.mark.parametrize("type", [MACHINE, SITE])
async def test_a_dangling_identity_goes_in_the_same_write_that_it_would_block(
    subscription: Subscription, type: str
) -> None:
    dangling = await subscription.make_identity("id-gone")
    ours, theirs = (
        await subscription.make_identity("id-o"),
        await subscription.make_identity("id-t"),
    )
    there = await create(subscription, type, dangling, theirs)
    await subscription.delete_identity(dangling)
    with pytest.raises(Permanent) as refused:
        await subscription.compute.update_identity(there, add=[ours])
    assert refused.value.code == "FailedIdentityOperation"
    subscription.calls()
    after = await subscription.compute.update_identity(there, add=[ours], remove=[dangling])
    assert set(after.identity.user_assigned) == {ours, theirs}
    assert subscription.writes() == ["PATCH"]


async def test_a_machine_that_changed_since_it_was_read_is_left_as_it_is(
    subscription: Subscription,
) -> None:
    ours, theirs = (
        await subscription.make_identity("id-o"),
        await subscription.make_identity("id-t"),
    )
    read_before = await create(subscription)
    await subscription.compute.update_identity(read_before, add=[theirs])
    with pytest.raises(Temporary) as late:
        await subscription.compute.update_identity(read_before, add=[ours])
    assert late.value.delay > 0
    assert set((await subscription.read(read_before.id)).identity.user_assigned) == {theirs}


async def test_a_write_that_was_lost_is_noticed_by_reading_again(
    subscription: Subscription,
) -> None:
    """Someone's whole resource, sent back without ours, arrives between the write and the read."""
    ours = await subscription.make_identity("id-o")
    there = await create(subscription)
    azure = subscription.azure
    azure.behaviour.operation_seconds = 6.0

    def overtake() -> None:
        azure.state.resources[there.id.key].identity = None

    azure.clock.on_advance(overtake)
    with pytest.raises(Temporary, match="does not show the change yet"):
        await subscription.compute.update_identity(there, add=[ours])


def remade(subscription: Subscription, there: ComputeResource) -> None:
    """The machine is another one as soon as time passes: its ETag is "1" again, and it has a
    system-assigned identity, which the one that was read had not.
    """
    azure = subscription.azure

    def replace_it() -> None:
        machine = azure.state.resources[there.id.key]
        properties = {**machine.properties, "vmId": "another"}
        system = {"type": "SystemAssigned", "principalId": PRINCIPAL, "tenantId": "t"}
        azure.state.resources[there.id.key] = replace(
            machine, properties=properties, identity=system, etag=1, provisioning_state="Succeeded"
        )

    azure.clock.on_advance(replace_it)


@pytest.mark.parametrize("late", [False, True], ids=["seen", "not seen yet"])
async def test_a_machine_that_is_made_again_during_a_write_is_not_written_on_what_the_old_one_was(
    subscription: Subscription, late: bool
) -> None:
    ours = await subscription.make_identity("id-o")
    there = await create(subscription)
    azure = subscription.azure
    azure.behaviour.operation_seconds = 6.0
    remade(subscription, there)
    if late:
        fault = Fault(method="GET", path=r"/virtualMachines/", status=404, code="ResourceNotFound")
        azure.faults.add(fault)
    with pytest.raises(Temporary) as lost:
        await subscription.compute.update_identity(there, add=[ours])
    assert lost.value.uncertain
    with pytest.raises(Temporary, match="changed since it was read"):
        await subscription.compute.unchanged(there)
    assert (await subscription.read(there.id)).identity.system_principal_id == PRINCIPAL


async def test_what_takes_something_off_a_machine_is_not_written_to_one_that_was_made_again(
    subscription: Subscription,
) -> None:
    """Their ETags are the same: a number that begins with "1" again."""
    ours = await subscription.make_identity("id-o")
    there = await create(subscription, MACHINE, ours)
    remade(subscription, there)
    subscription.azure.clock.advance(1)
    with pytest.raises(Temporary, match="changed since it was read"):
        await subscription.compute.update_identity(there, remove=[ours])
    assert (await subscription.read(there.id)).identity.system_principal_id == PRINCIPAL


async def test_an_operation_that_takes_seconds_is_followed_to_its_end(
    subscription: Subscription,
) -> None:
    a = await subscription.make_identity("id-a")
    there = await create(subscription)
    subscription.azure.behaviour.operation_seconds = 6.0
    after = await subscription.compute.update_identity(there, add=[a])
    assert after.identity.user_assigned == {a: subscription.principal_of(a)}
    assert after.provisioning_state == "Succeeded"


@pytest.mark.parametrize(
    "end",
    [ArmResponse(204), ArmResponse(200, {"id": "/operations/1"})],
    ids=["nothing", "something else"],
)
async def test_an_operation_may_end_without_showing_the_resource(
    subscription: Subscription, end: ArmResponse
) -> None:
    a = await subscription.make_identity("id-a")
    there = await create(subscription, SITE)
    state = subscription.azure.state
    shown = {"principalId": subscription.principal_of(a), "clientId": "c"}

    def patch(request: ArmRequest) -> ArmResponse:
        block = {"type": "UserAssigned", "userAssignedIdentities": {a.text: shown}}
        state.resources[there.id.key].identity = block
        where = f"{request.base_url}{there.id}/ended?api-version={request.api_version}"
        return ArmResponse(202, None, {"location": where})

    path = f"{there.id}".replace("/main", "/{name}")
    subscription.azure.add_operations(
        [
            Operation("PATCH", path, patch, None, told=True),
            Operation("GET", f"{path}/ended", lambda _request: end, None),
        ]
    )
    after = await subscription.compute.update_identity(there, add=[a])
    assert after.identity.user_assigned == {a: subscription.principal_of(a)}


async def test_more_identities_than_one_write_takes_are_attached_in_several(
    subscription: Subscription,
) -> None:
    names = [f"id-{number:03}" for number in range(MOST_AT_ONCE + 10)]
    many = [await subscription.make_identity(name) for name in names]
    for type in (MACHINE, SITE):
        there = await create(subscription, type)
        after = await subscription.compute.update_identity(there, add=many)
        assert set(after.identity.user_assigned) == set(many)
        assert subscription.writes() == ["PATCH", "PATCH"]


@pytest.mark.parametrize("type", [row.name for row in COMPUTE_TYPES.values() if not row.attachable])
async def test_a_type_that_is_only_reported_is_refused_with_its_reason_and_without_a_call(
    subscription: Subscription, type: str
) -> None:
    names = ["main"] * type.count("/")
    there = ComputeResource(
        id=subscription.resource_id(type, *names), location=LOCATION, tags={}, identity=Identity()
    )
    reason = COMPUTE_TYPES[type.lower()].reason
    with pytest.raises(Permanent) as refused:
        await subscription.compute.update_identity(there, add=[there.id])
    assert reason in str(refused.value)
    assert subscription.calls() == []


@pytest.mark.parametrize("type", ["Microsoft.Network/loadBalancers", "Microsoft.Unknown/things"])
async def test_what_cannot_carry_an_identity_is_not_even_read(
    subscription: Subscription, type: str
) -> None:
    with pytest.raises(Permanent, match=r"no managed identity|does not know the type"):
        await subscription.compute.read(subscription.resource_id(type, "main"))
    assert subscription.calls() == []


async def test_what_has_no_etag_is_read_again_right_before_it_is_written(
    subscription: Subscription,
) -> None:
    """It was made again since it was read: the block that is written repeats what the one before
    had, and would take what this one has.
    """
    ours = await subscription.make_identity("id-o")
    there = await create(subscription, SITE)
    remade(subscription, there)
    subscription.azure.clock.advance(1)
    with pytest.raises(Temporary, match="changed since it was read"):
        await subscription.compute.update_identity(there, add=[ours])
    assert (await subscription.read(there.id)).identity.system_principal_id == PRINCIPAL


@pytest.mark.parametrize("type", [MACHINE, SITE])
async def test_what_was_tagged_since_it_was_planned_is_planned_again_before_anything_is_written(
    subscription: Subscription, type: str
) -> None:
    """The tag may exclude it: without an ETag nothing else says so, and what is taken off is read
    again with the ETag of then.
    """
    ours, new = [await subscription.make_identity(name) for name in ("id-o", "id-n")]
    there = await create(subscription, type, ours)
    shown = subscription.azure.state.resources[there.id.key]
    tagged = replace(shown, tags={"lanyard": "ignore"})
    subscription.azure.state.resources[there.id.key] = tagged
    with pytest.raises(Temporary, match="changed since it was read"):
        await subscription.compute.update_identity(there, add=[new], remove=[ours])
    assert list((await subscription.read(there.id)).identity.user_assigned) == [ours]
