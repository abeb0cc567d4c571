"""No request body and no query makes an operation fail in any way but by an answer of 4xx."""

from itertools import product
from typing import Any

import pytest

from simulator.arm.messages import Operation
from simulator.azure import Azure
from tests.support.arm.world import GROUP, VM_BODY, World

GUID = "b0f2f1d3-4bb7-4d8a-8b8e-2d5b9d2b1a11"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"

#: Services that stand beside ARM's own, with tests of their own.
_ELSEWHERE = ("Microsoft.EventGrid/", "Microsoft.Storage/")
_NO_OBJECTS: list[Any] = [5, [1], "x"]
_NO_IDENTITIES: list[Any] = [5, [], {"type": 5}]
_NO_SETS: list[Any] = [5, [], {"": {}}, {"/subscriptions/x": 5}]
_BODIES: list[Any] = [
    None,
    [],
    "x",
    5,
    {},
    {"location": 5},
    {"location": "x", "tags": [1]},
    {"location": "x", "tags": {"a": 1}},
    *({"location": "westeurope", "properties": wrong} for wrong in _NO_OBJECTS),
    *({"location": "westeurope", "identity": wrong} for wrong in _NO_IDENTITIES),
    *(
        {"identity": {"type": "UserAssigned", "userAssignedIdentities": wrong}}
        for wrong in _NO_SETS
    ),
    {"location": "westeurope", "properties": {"hardwareProfile": {}, "osProfile": 5}},
    {"properties": {"roleDefinitionId": 5, "principalId": 5}},
    *(
        {"properties": {"roleDefinitionId": READER, "principalId": GUID, name: 5}}
        for name in ("principalType", "description", "condition", "conditionVersion")
    ),
    {"properties": {"roleName": 5, "assignableScopes": 5, "permissions": 5}},
    {"properties": {"roleName": "x", "assignableScopes": [5]}},
    {"properties": {"roleName": "x", "assignableScopes": ["/"], "permissions": [5]}},
    {"properties": {"roleName": "x", "assignableScopes": ["/"], "permissions": [{"actions": 5}]}},
    {"query": 5},
    *({"query": "resources", "options": wrong} for wrong in (5, {"$top": "x"}, {"$skip": -1})),
    {"query": "resources", "subscriptions": 5},
    {"operation": 5, "properties": {"tags": {"a": 5}}},
]
_QUERIES = ["", "&$filter=x%20eq", "&$top=x", "&$skipToken=x", "&$filter=atScope()"]


def _operations() -> list[Any]:
    return [
        pytest.param(each, id=f"{each.method} {each.template}")
        for each in Azure().arm.operations()
        if each.method not in ("DELETE", "HEAD")
        and not any(name in each.template for name in _ELSEWHERE)
    ]


def _path(world: World, operation: Operation, name: str) -> str:
    values = {
        "{subscription}": world.subscription,
        "{group}": GROUP,
        "/{scope:path}": world.group_scope,
        "{name}": name,
        "{topic}": "topic1",
        "{location}": "westeurope",
        "{id}": GUID,
        "{job}": "eyJqb2JJZCI6MX0",
    }
    path = operation.template
    for placeholder, value in values.items():
        path = path.replace(placeholder, value)
    version = operation.versions[-1] if operation.versions else "2024-11-01"
    return f"{path}?api-version={version}"


@pytest.mark.parametrize("operation", _operations())
async def test_bad_input_is_answered(world: World, operation: Operation) -> None:
    await world.raw("PUT", f"{world.vm_id('vm1')}?api-version=2024-11-01", VM_BODY)
    bodies = [None] if operation.method == "GET" else _BODIES
    queries = _QUERIES if operation.method == "GET" else [""]
    for name, body, query in product(("vm1", GUID), bodies, queries):
        answer = await world.raw(operation.method, _path(world, operation, name) + query, body)
        assert answer.status < 500, (name, body, query)
