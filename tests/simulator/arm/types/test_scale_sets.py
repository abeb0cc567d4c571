"""Uniform and flexible scale sets: how a change of identity reaches their machines."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import ResourceModifiedError

from simulator.behaviour import FlexibleIdentities
from tests.support.arm.generic import (
    Generic,
    generic,
    graph_rows,
    identity,
    imds_token_owner,
    make_identities,
    needs_assign_right,
    principal_of,
    refused,
    resource_id,
    takes_identities,
    told,
)
from tests.support.arm.world import GROUP, LOCATION, World

VERSION = "2024-11-01"
SET = "Microsoft.Compute/virtualMachineScaleSets/set1"
SKU = {"name": "Standard_B1s", "tier": "Standard", "capacity": 2}


def uniform(mode: str = "Manual", **members: Any) -> dict[str, Any]:
    policy = {"mode": mode}
    return {
        "location": LOCATION,
        "sku": SKU,
        "properties": {"upgradePolicy": policy, "virtualMachineProfile": {}},
        **members,
    }


def flexible(**members: Any) -> dict[str, Any]:
    properties = {"orchestrationMode": "Flexible", "platformFaultDomainCount": 1}
    return {"location": LOCATION, "sku": SKU, "properties": properties, **members}


@asynccontextmanager
async def scale_set(world: World, body: dict[str, Any]) -> AsyncIterator[Generic]:
    async with generic(world, SET, VERSION) as one:
        await one.put(**body)
        yield one


async def latest(compute: Any) -> list[bool]:
    """Whether each instance runs the latest model, in the order of their numbers."""
    instances = compute.virtual_machine_scale_set_vms.list(GROUP, "set1")
    return [each.latest_model_applied async for each in instances]


def instance_id(world: World, number: int) -> str:
    return f"{resource_id(world, SET)}/virtualMachines/{number}"


async def test_a_scale_set_takes_identities(world: World) -> None:
    async with scale_set(world, uniform()) as one:
        await takes_identities(world, one)


async def test_under_manual_instances_change_by_manual_upgrade_alone(world: World) -> None:
    (first,) = await make_identities(world, "first")
    async with scale_set(world, uniform()) as one, world.compute() as compute:
        assert await latest(compute) == [True, True]
        await one.attach("UserAssigned", first)
        assert await latest(compute) == [False, False]
        assert imds_token_owner(world, instance_id(world, 0), "first") is None

        sets = compute.virtual_machine_scale_sets
        poller = await sets.begin_update_instances(GROUP, "set1", {"instanceIds": ["0"]})
        await poller.result()
        assert await latest(compute) == [True, False]
        expected = principal_of(world, "first")
        assert imds_token_owner(world, instance_id(world, 0)) == expected
        assert imds_token_owner(world, instance_id(world, 1)) is None

        poller = await sets.begin_update_instances(GROUP, "set1", {"instanceIds": ["*"]})
        await poller.result()
        assert await latest(compute) == [True, True]
        assert imds_token_owner(world, instance_id(world, 1)) == expected
        vm = await compute.virtual_machine_scale_set_vms.get(GROUP, "set1", "1")
        assert list(vm.identity.user_assigned_identities) == [first]


async def test_under_automatic_instances_change_at_once(world: World) -> None:
    (first,) = await make_identities(world, "first")
    async with scale_set(world, uniform("Automatic")) as one, world.compute() as compute:
        await one.attach("UserAssigned", first)
        assert await latest(compute) == [True, True]
        assert imds_token_owner(world, instance_id(world, 1)) == principal_of(world, "first")


async def test_identities_reach_instances_without_upgrade_where_the_switch_says_so(
    world: World,
) -> None:
    world.azure.behaviour.scale_set_identities_need_upgrade = False
    (first,) = await make_identities(world, "first")
    async with scale_set(world, uniform()) as one, world.compute() as compute:
        await one.attach("UserAssigned", first)
        assert await latest(compute) == [True, True]
        assert imds_token_owner(world, instance_id(world, 0)) == principal_of(world, "first")


async def test_instances_share_the_sets_system_identity_and_keep_it_when_one_goes(
    world: World,
) -> None:
    body = uniform("Automatic", identity={"type": "SystemAssigned"})
    async with scale_set(world, body) as one, world.compute() as compute:
        principal = (await one.get()).identity.principal_id
        assert imds_token_owner(world, instance_id(world, 0)) == principal
        await one.patch(sku={**SKU, "capacity": 1})
        assert len(await latest(compute)) == 1
        assert imds_token_owner(world, instance_id(world, 0)) == principal
        await one.patch(sku={**SKU, "capacity": 3})
        assert len(await latest(compute)) == 3


async def test_a_new_instance_has_the_latest_model_under_manual_too(world: World) -> None:
    (first,) = await make_identities(world, "first")
    async with scale_set(world, uniform()) as one, world.compute() as compute:
        await one.attach("UserAssigned", first)
        await one.patch(sku={**SKU, "capacity": 3})
        assert await latest(compute) == [False, False, True]


async def test_an_upgrade_is_long_running_and_names_instances_that_exist(world: World) -> None:
    (first,) = await make_identities(world, "first")
    async with scale_set(world, uniform()) as one:
        await one.attach("UserAssigned", first)
    world.azure.behaviour.operation_seconds = 5
    path = f"{resource_id(world, SET)}/manualupgrade?api-version={VERSION}"
    accepted = await world.raw("POST", path, {"instanceIds": ["*"]})
    assert (accepted.status, accepted.content) == (202, b"")
    assert {"location", "azure-asyncoperation"} <= {each.lower() for each in accepted.headers}
    assert imds_token_owner(world, instance_id(world, 0)) is None
    world.azure.clock.advance(5)
    assert imds_token_owner(world, instance_id(world, 0)) == principal_of(world, "first")

    async with world.compute() as compute:
        unknown = compute.virtual_machine_scale_sets.begin_update_instances(
            GROUP, "set1", {"instanceIds": ["7"]}
        )
        assert await refused(unknown) == "InvalidParameter"


async def test_the_etag_guards_the_next_write(world: World) -> None:
    async with scale_set(world, uniform()) as one, world.compute() as compute:
        sets = compute.virtual_machine_scale_sets
        before = (await sets.get(GROUP, "set1")).etag
        await one.patch(tags={"a": "1"})
        with pytest.raises(ResourceModifiedError):
            await sets.begin_update(
                GROUP,
                "set1",
                {"tags": {}},
                etag=before,
                match_condition=MatchConditions.IfNotModified,
            )


async def test_the_sdk_creates_lists_and_deletes_a_scale_set(world: World) -> None:
    async with world.compute() as compute:
        sets = compute.virtual_machine_scale_sets
        made = await (await sets.begin_create_or_update(GROUP, "set1", uniform())).result()
        assert (made.provisioning_state, made.sku.capacity) == ("Succeeded", 2)
        assert [each.name async for each in sets.list(GROUP)] == ["set1"]
        assert [each.name async for each in sets.list_all()] == ["set1"]
        await (await sets.begin_delete(GROUP, "set1")).result()
        assert [each.name async for each in sets.list(GROUP)] == []
    left = [each for each in world.azure.state.resources if "set1" in each]
    assert left == []


async def test_a_uniform_set_needs_an_upgrade_policy(world: World) -> None:
    async with generic(world, SET, VERSION) as one:
        assert await refused(one.put(location=LOCATION, sku=SKU)) == "InvalidParameter"


async def test_instances_are_in_their_own_table_and_in_no_listing(world: World) -> None:
    async with scale_set(world, uniform()):
        kind = "Microsoft.Compute/virtualMachineScaleSets"
        assert len(await graph_rows(world, kind)) == 1
        assert await graph_rows(world, f"{kind}/virtualMachines") == []
        rows = await graph_rows(world, f"{kind}/virtualMachines", "computeresources")
        assert len(rows) == 2
    path = f"/subscriptions/{world.subscription}/resources?api-version=2024-11-01"
    assert b"set1_0" not in (await world.raw("GET", path)).content


async def test_an_identity_is_associated_with_the_set_alone(world: World) -> None:
    (first,) = await make_identities(world, "first")
    async with scale_set(world, uniform("Automatic", identity=identity("UserAssigned", first))):
        path = f"{first}/listAssociatedResources?api-version=2021-09-30-preview"
        found = json.loads((await world.raw("POST", path)).content)
    assert [each["name"] for each in found["value"]] == ["set1"]


async def test_a_flexible_sets_instances_are_machines_that_got_its_identity(world: World) -> None:
    first, second = await make_identities(world, "first", "second")
    body = flexible(identity=identity("UserAssigned", first))
    async with scale_set(world, body) as one, world.compute() as compute:
        own = f"'virtualMachineScaleSet/id' eq '{one.resource_id}'"
        machines = [each async for each in compute.virtual_machines.list(GROUP, filter=own)]
        assert len(machines) == 2
        assert machines[0].virtual_machine_scale_set.id == one.resource_id
        assert imds_token_owner(world, machines[0].id) == principal_of(world, "first")
        await one.attach("UserAssigned", second)
        assert imds_token_owner(world, machines[0].id, "second") is None

        world.azure.behaviour.flexible_identities = FlexibleIdentities.ALL
        await one.patch(tags={"a": "1"})
        expected = principal_of(world, "second")
        assert imds_token_owner(world, machines[0].id, "second") == expected


async def test_flexible_instances_inherit_nothing_where_the_switch_says_so(world: World) -> None:
    world.azure.behaviour.flexible_identities = FlexibleIdentities.NONE
    (first,) = await make_identities(world, "first")
    async with (
        scale_set(world, flexible(identity=identity("UserAssigned", first))),
        world.compute() as compute,
    ):
        machines = [each async for each in compute.virtual_machines.list(GROUP)]
    assert [each.identity for each in machines] == [None, None]


async def test_flexible_machines_are_told_of_and_go_with_their_set(world: World) -> None:
    seen = told(world)
    async with scale_set(world, flexible()) as one:
        write = "Microsoft.Compute/virtualMachines/write"
        assert [action for action, _ in seen].count(write) == 2
        path = f"{one.resource_id}/manualupgrade?api-version={VERSION}"
        answer = await world.raw("POST", path, {"instanceIds": ["*"]})
        assert answer.status == 409
        await one.delete()
    assert [action for action, _ in seen].count("Microsoft.Compute/virtualMachines/delete") == 2
    assert await graph_rows(world, "Microsoft.Compute/virtualMachines") == []


async def test_writes_are_told_and_guarded(world: World) -> None:
    seen = told(world)
    async with scale_set(world, uniform()) as one:
        await one.patch(tags={"a": "1"})
    kind = "Microsoft.Compute/virtualMachineScaleSets"
    assert seen == [(f"{kind}/write", "set1"), (f"{kind}/write", "set1")]
    async with generic(world, SET, VERSION, world.app) as theirs:
        assert await refused(theirs.attach("SystemAssigned")) == "AuthorizationFailed"
    await needs_assign_right(world, SET, VERSION, "Virtual Machine Contributor")
