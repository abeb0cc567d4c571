"""Instances of a scale set: a uniform one's copy its model, a flexible one's are machines."""

from typing import Any

import pytest

from lanyard.values.compute import ComputeResource
from lanyard.values.errors import Permanent
from lanyard.values.resource_id import ResourceId
from tests.support.subscription import LOCATION, Subscription

SET = "Microsoft.Compute/virtualMachineScaleSets"
MACHINE = "Microsoft.Compute/virtualMachines"


@pytest.fixture
async def subscription() -> Subscription:
    made = Subscription()
    await made.create_group()
    return made


async def create(
    subscription: Subscription, *, mode: str = "Uniform", upgrade: str = "Manual"
) -> ComputeResource:
    resource = subscription.resource_id(SET, "main")
    properties = {
        "orchestrationMode": mode,
        "upgradePolicy": {"mode": upgrade},
        "virtualMachineProfile": {"osProfile": {"computerNamePrefix": "main"}},
    }
    body = {
        "location": LOCATION,
        "sku": {"name": "Standard_B1s", "capacity": 2},
        "properties": properties,
    }
    await subscription.put(resource, body)
    return await subscription.read(resource)


async def instances(
    subscription: Subscription, scale_set: ComputeResource
) -> list[tuple[bool, list[str]]]:
    """Of each instance, whether it has the latest model, and the names of its identities."""
    shown = [await _instance(subscription, scale_set.id, number) for number in ("0", "1")]
    return [
        (
            each["properties"]["latestModelApplied"],
            [
                key.rpartition("/")[2]
                for key in each.get("identity", {}).get("userAssignedIdentities", {})
            ],
        )
        for each in shown
    ]


async def _instance(subscription: Subscription, scale_set: ResourceId, number: str) -> Any:
    return await subscription.get(ResourceId.parse(f"{scale_set}/virtualMachines/{number}"))


async def test_with_upgrade_mode_manual_instances_get_the_identity_when_upgraded(
    subscription: Subscription,
) -> None:
    a = await subscription.make_identity("id-a")
    scale_set = await create(subscription)
    assert scale_set.manual_upgrade
    attached = await subscription.compute.update_identity(scale_set, add=[a])
    assert await instances(subscription, attached) == [(False, []), (False, [])]
    subscription.azure.behaviour.operation_seconds = 30.0
    subscription.calls()
    await subscription.compute.upgrade_instances(attached)
    assert subscription.calls() == ["POST"]
    assert await instances(subscription, attached) == [(True, ["id-a"]), (True, ["id-a"])]


async def test_with_upgrade_mode_automatic_they_have_it_already(subscription: Subscription) -> None:
    a = await subscription.make_identity("id-a")
    scale_set = await create(subscription, upgrade="Automatic")
    assert not scale_set.manual_upgrade
    attached = await subscription.compute.update_identity(scale_set, add=[a])
    assert await instances(subscription, attached) == [(True, ["id-a"]), (True, ["id-a"])]


async def test_a_machine_of_a_flexible_set_names_its_set(subscription: Subscription) -> None:
    scale_set = await create(subscription, mode="Flexible")
    assert not scale_set.manual_upgrade
    machines = [key for key in subscription.azure.state.resources if f"/{MACHINE}/".lower() in key]
    assert len(machines) == 2
    found = await subscription.read(ResourceId.parse(machines[0]))
    assert found.scale_set == scale_set.id


@pytest.mark.parametrize("mode", ["Flexible", None])
async def test_what_has_no_instances_is_not_upgraded(
    subscription: Subscription, mode: str | None
) -> None:
    if mode:
        there = await create(subscription, mode=mode)
    else:
        resource = subscription.resource_id(MACHINE, "main")
        profile = {"hardwareProfile": {"vmSize": "Standard_B1s"}}
        await subscription.put(resource, {"location": LOCATION, "properties": profile})
        there = await subscription.read(resource)
    subscription.calls()
    with pytest.raises(Permanent, match="no uniform scale set"):
        await subscription.compute.upgrade_instances(there)
    assert subscription.calls() == []


async def test_without_the_right_to_upgrade_the_code_says_so() -> None:
    subscription = Subscription("Reader")
    await subscription.create_group()
    scale_set = await create(subscription)
    with pytest.raises(Permanent) as refused:
        await subscription.compute.upgrade_instances(scale_set)
    assert refused.value.code == "AuthorizationFailed"
