"""Switches for what people met of Azure: each is turned on and shows."""

import json
from typing import Any

import pytest

from simulator.behaviour import Behaviour
from simulator.faults import Fault
from tests.support.arm.world import GROUP, VM_BODY, World

VM = "microsoft.compute/virtualmachines"
VERSION = "?api-version=2024-11-01"
ROLE = "11111111-2222-3333-4444-555555555555"


@pytest.fixture
async def machine(world: World) -> str:
    path = world.vm_id("vm1")
    assert (await world.raw("PUT", path + VERSION, VM_BODY)).status == 201
    return path


async def shown(world: World, path: str) -> Any:
    answer = await world.raw("GET", path + VERSION)
    return json.loads(answer.content)


async def test_a_deny_assignment_refuses_changes_and_no_reads(world: World, machine: str) -> None:
    scope = machine.lower().partition("/providers/")[0]
    world.azure.behaviour.denied_scopes.add(scope)
    for method in ("PUT", "PATCH", "DELETE"):
        answer = await world.raw(method, machine + VERSION, VM_BODY)
        error = json.loads(answer.content)["error"]
        assert (answer.status, error["code"]) == (403, "DenyAssignmentAuthorizationFailed")
        assert f"at scope '{scope}'" in error["message"]
    assert (await world.raw("GET", machine + VERSION)).status == 200


async def test_a_write_that_does_nothing_answers_as_any_other(world: World, machine: str) -> None:
    world.azure.behaviour.operation_seconds = 5
    world.azure.behaviour.ignored_writes.add(VM)
    answer = await world.raw("PATCH", machine + VERSION, {"tags": {"a": "b"}})
    assert (answer.status, json.loads(answer.content)["tags"]) == (200, {"a": "b"})
    world.azure.clock.advance(5)
    assert (await shown(world, machine))["tags"] == {}
    made = await world.raw("PUT", world.vm_id("vm2") + VERSION, VM_BODY)
    assert made.status == 201
    assert (await world.raw("GET", world.vm_id("vm2") + VERSION)).status == 404


async def test_an_operation_fails_although_the_write_took(world: World, machine: str) -> None:
    world.azure.behaviour.operation_seconds = 5
    world.azure.behaviour.failing_operations.add(VM)
    answer = await world.raw("PATCH", machine + VERSION, {"tags": {"a": "b"}})
    world.azure.clock.advance(5)
    link = answer.headers["azure-asyncoperation"].removeprefix("https://arm.local")
    status = json.loads((await world.raw("GET", link)).content)
    assert (status["status"], status["error"]["code"]) == ("Failed", "InternalExecutionError")
    found = await shown(world, machine)
    assert (found["tags"], found["properties"]["provisioningState"]) == ({"a": "b"}, "Failed")


async def test_every_other_read_of_something_new_knows_nothing(world: World, machine: str) -> None:
    world.azure.behaviour.replica_lag_seconds = 30
    answers = [(await world.raw("GET", machine + VERSION)).status for _ in range(4)]
    assert answers == [404, 200, 404, 200]
    world.azure.clock.advance(30)
    assert (await world.raw("GET", machine + VERSION)).status == 200


async def test_a_new_role_is_found_by_its_guid_and_not_given_yet(world: World) -> None:
    behaviour = world.azure.behaviour
    behaviour.role_definition_lag_seconds = behaviour.role_definition_replication_seconds = 60
    scope = f"/subscriptions/{world.subscription}"
    kind = f"{scope}/providers/Microsoft.Authorization/roleDefinitions"
    body = {"properties": {"roleName": "mine", "assignableScopes": [scope], "permissions": [{}]}}
    version = "?api-version=2022-04-01"
    assert (await world.raw("PUT", f"{kind}/{ROLE}{version}", body)).status == 201
    assert (await world.raw("GET", f"{kind}/{ROLE}{version}")).status == 200
    listed = f"{kind}{version}&$filter=roleName%20eq%20'mine'"
    assert json.loads((await world.raw("GET", listed)).content)["value"] == []
    wanted = {"roleDefinitionId": f"{kind}/{ROLE}", "principalId": world.owner.object_id}
    given = f"{scope}/providers/Microsoft.Authorization/roleAssignments/{ROLE}{version}"
    refused = await world.raw("PUT", given, {"properties": wanted})
    code = json.loads(refused.content)["error"]["code"]
    assert (refused.status, code) == (400, "RoleDefinitionDoesNotExist")
    world.azure.clock.advance(60)
    assert len(json.loads((await world.raw("GET", listed)).content)["value"]) == 1
    assert (await world.raw("PUT", given, {"properties": wanted})).status == 201


async def test_an_error_may_act_all_the_same(world: World, machine: str) -> None:
    world.azure.faults.add(Fault(method="PATCH", status=504, acts=True))
    answer = await world.raw("PATCH", machine + VERSION, {"tags": {"a": "b"}})
    assert (answer.status, answer.headers["x-ms-failure-cause"]) == (504, "service")
    assert (await shown(world, machine))["tags"] == {"a": "b"}


async def test_who_manages_a_group_shows(world: World) -> None:
    path = f"/subscriptions/{world.subscription}/resourceGroups/{GROUP}-managed{VERSION}"
    made = await world.raw("PUT", path, {"location": "westeurope", "managedBy": "somebody"})
    assert json.loads(made.content)["managedBy"] == "somebody"
    query = "resourcecontainers | where isnotempty(managedBy) | project name, managedBy"
    graph = "/providers/Microsoft.ResourceGraph/resources?api-version=2022-10-01"
    found = json.loads((await world.raw("POST", graph, {"query": query})).content)
    assert found["data"] == [{"name": f"{GROUP}-managed", "managedBy": "somebody"}]


def test_all_of_them_are_off_by_default() -> None:
    off = Behaviour()
    for switched in (off.denied_scopes, off.ignored_writes, off.failing_operations):
        assert not switched
    assert off.replica_lag_seconds == off.role_definition_replication_seconds == 0.0
