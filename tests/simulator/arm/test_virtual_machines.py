"""Virtual machines through the real azure-mgmt-compute, and their states as the clock moves."""

import json
from typing import Any

import pytest
from azure.core import MatchConditions
from azure.core.exceptions import HttpResponseError, ResourceModifiedError, ResourceNotFoundError

from simulator.state import Activity
from tests.support.arm.world import GROUP, VM_BODY, World

VERSION = "?api-version=2025-04-01"


async def shown(world: World, name: str) -> dict[str, Any]:
    answer = await world.raw("GET", world.vm_id(name) + VERSION)
    assert answer.status == 200
    body: dict[str, Any] = json.loads(answer.content)
    return body


async def test_the_sdk_creates_reads_updates_lists_and_deletes_a_machine(world: World) -> None:
    async with world.compute() as compute:
        machines = compute.virtual_machines
        created = await (await machines.begin_create_or_update(GROUP, "vm1", VM_BODY)).result()
        assert (created.name, created.provisioning_state) == ("vm1", "Succeeded")

        updated = await (
            await machines.begin_update(GROUP, "vm1", {"tags": {"env": "prod"}})
        ).result()
        assert updated.tags == {"env": "prod"}
        assert (await machines.get(GROUP, "vm1")).vm_id == created.vm_id
        assert [vm.name async for vm in machines.list(GROUP)] == ["vm1"]
        assert [vm.name async for vm in machines.list_all()] == ["vm1"]

        await (await machines.begin_delete(GROUP, "vm1")).result()
        with pytest.raises(ResourceNotFoundError):
            await machines.get(GROUP, "vm1")


async def test_a_machine_is_creating_until_the_clock_has_moved(world: World) -> None:
    world.azure.behaviour.operation_seconds = 5
    created = await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    assert created.status == 201
    link = created.headers["azure-asyncoperation"].removeprefix("https://arm.local")

    running = json.loads((await world.raw("GET", link)).content)
    assert running["status"] == "InProgress"
    assert "endTime" not in running
    assert (await shown(world, "vm1"))["properties"]["provisioningState"] == "Creating"

    world.azure.clock.advance(5)
    ended = json.loads((await world.raw("GET", link)).content)
    assert ended["status"] == "Succeeded"
    assert (await shown(world, "vm1"))["properties"]["provisioningState"] == "Succeeded"


async def test_a_machine_answers_as_deleting_until_it_is_gone(world: World) -> None:
    await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    world.azure.behaviour.operation_seconds = 5
    accepted = await world.raw("DELETE", world.vm_id("vm1") + VERSION)
    assert accepted.status == 202
    assert {"location", "azure-asyncoperation"} <= {name.lower() for name in accepted.headers}

    assert (await shown(world, "vm1"))["properties"]["provisioningState"] == "Deleting"
    refused = await world.raw("PATCH", world.vm_id("vm1") + VERSION, {"tags": {}})
    assert refused.status == 409
    assert json.loads(refused.content)["error"]["code"] == "OperationNotAllowed"

    world.azure.clock.advance(5)
    assert (await world.raw("GET", world.vm_id("vm1") + VERSION)).status == 404
    assert (await world.raw("DELETE", world.vm_id("vm1") + VERSION)).status == 204


async def test_a_deletion_joined_twice_spares_a_machine_made_anew(world: World) -> None:
    await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    world.azure.behaviour.operation_seconds = 5
    await world.raw("DELETE", world.vm_id("vm1") + VERSION)
    world.azure.clock.advance(3)
    await world.raw("DELETE", world.vm_id("vm1") + VERSION)
    world.azure.clock.advance(2)
    await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    world.azure.clock.advance(10)
    assert (await shown(world, "vm1"))["properties"]["provisioningState"] == "Succeeded"


async def test_the_etag_moves_when_a_write_is_accepted_and_guards_the_next(world: World) -> None:
    await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    world.azure.behaviour.operation_seconds = 5
    before = await shown(world, "vm1")
    accepted = await world.raw("PATCH", world.vm_id("vm1") + VERSION, {"tags": {"a": "1"}})
    assert accepted.headers["etag"] != before["etag"]
    world.azure.clock.advance(5)
    assert (await shown(world, "vm1"))["etag"] == accepted.headers["etag"]

    async with world.compute() as compute:
        with pytest.raises(ResourceModifiedError) as refused:
            await compute.virtual_machines.begin_update(
                GROUP,
                "vm1",
                {"tags": {}},
                etag=before["etag"],
                match_condition=MatchConditions.IfNotModified,
            )
    assert refused.value.error is not None
    assert refused.value.error.code == "PreconditionFailed"


async def test_a_patch_merges_and_a_put_replaces(world: World) -> None:
    profile = {"adminUsername": "admin", "adminPassword": "not kept"}
    body = {**VM_BODY, "properties": {**VM_BODY["properties"], "osProfile": profile}}
    await world.raw("PUT", world.vm_id("vm1") + VERSION, body)
    first = await shown(world, "vm1")
    assert first["properties"]["osProfile"] == {"adminUsername": "admin"}

    change = {"properties": {"osProfile": {"computerName": "vm1"}}}
    await world.raw("PATCH", world.vm_id("vm1") + VERSION, change)
    merged = (await shown(world, "vm1"))["properties"]
    assert merged["osProfile"] == {"adminUsername": "admin", "computerName": "vm1"}

    await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    replaced = (await shown(world, "vm1"))["properties"]
    assert "osProfile" not in replaced
    assert replaced["vmId"] == first["properties"]["vmId"]


async def test_a_write_during_a_write_conflicts_where_the_switch_says_so(world: World) -> None:
    world.azure.behaviour.operation_seconds = 5
    await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    assert (await world.raw("PATCH", world.vm_id("vm1") + VERSION, {"tags": {}})).status == 200

    world.azure.behaviour.conflict_while_updating = True
    refused = await world.raw("PATCH", world.vm_id("vm1") + VERSION, {"tags": {}})
    assert refused.status == 409
    assert json.loads(refused.content)["error"]["code"] == "Conflict"


async def test_a_machine_cannot_move_to_another_location(world: World) -> None:
    await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    moved = {**VM_BODY, "location": "eastus"}
    answer = await world.raw("PUT", world.vm_id("vm1") + VERSION, moved)
    assert answer.status == 409
    assert json.loads(answer.content)["error"]["code"] == "InvalidResourceLocation"


async def test_overlapping_writes_end_with_the_last_one(world: World) -> None:
    await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    world.azure.behaviour.operation_seconds = 5
    await world.raw("PATCH", world.vm_id("vm1") + VERSION, {"tags": {"n": "1"}})
    world.azure.clock.advance(3)
    await world.raw("PATCH", world.vm_id("vm1") + VERSION, {"tags": {"n": "2"}})
    world.azure.clock.advance(2)
    assert (await shown(world, "vm1"))["properties"]["provisioningState"] == "Updating"
    world.azure.clock.advance(3)
    after = await shown(world, "vm1")
    assert (after["properties"]["provisioningState"], after["tags"]) == ("Succeeded", {"n": "2"})


async def test_a_write_is_told_when_it_has_ended(world: World) -> None:
    told: list[Activity] = []
    world.azure.state.on_activity(told.append)
    world.azure.behaviour.operation_seconds = 5
    await world.raw("PUT", world.vm_id("vm1") + VERSION, VM_BODY)
    assert told == []
    world.azure.clock.advance(60)
    assert [each.action for each in told] == ["Microsoft.Compute/virtualMachines/write"]
    assert told[0].resource_id == world.vm_id("vm1")
    assert told[0].caller["oid"] == world.owner.object_id
    assert told[0].at == world.azure.clock.now() - 55


async def test_a_create_without_hardware_or_in_no_group_is_refused(world: World) -> None:
    async with world.compute() as compute:
        with pytest.raises(HttpResponseError) as bad:
            await compute.virtual_machines.begin_create_or_update(
                GROUP, "vm1", {"location": "westeurope"}
            )
        assert bad.value.status_code == 400
        with pytest.raises(ResourceNotFoundError) as missing:
            await compute.virtual_machines.begin_create_or_update("nowhere", "vm1", VM_BODY)
        assert missing.value.error is not None
        assert missing.value.error.code == "ResourceGroupNotFound"


async def test_a_machine_with_its_instance_view_has_no_etag(world: World) -> None:
    path = f"{world.vm_id('vm1')}?api-version=2024-11-01"
    await world.raw("PUT", path, VM_BODY)
    answers = [await world.raw("GET", f"{path}{more}") for more in ("", "&$expand=instanceView")]
    assert ["etag" in each.headers for each in answers] == [True, False]
