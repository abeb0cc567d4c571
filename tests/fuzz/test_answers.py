"""Whatever ARM, Resource Graph and the directory answer: what it plainly says, or Temporary or
Permanent. Never that something is gone, never an identity less than there is.
"""

import asyncio
import copy
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import pytest
from azure.core.credentials import AccessToken
from hypothesis import example, given, settings
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send

from lanyard.azure.arm.activity_log import ActivityLog
from lanyard.azure.arm.clients import Clients, Throttling
from lanyard.azure.arm.compute import Compute
from lanyard.azure.arm.identities import Identities
from lanyard.azure.arm.resource_graph import ResourceGraph
from lanyard.azure.arm.role_assignments import Roles
from lanyard.azure.directory import Directory
from lanyard.desk.azure.inventory import Inventory
from lanyard.values.clouds import Endpoint
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId, folded
from simulator.clock import Clock
from simulator.transport import InProcessTransport
from tests.support.examples import GROUP, READER, SUBSCRIPTION, VM_TYPE, identity_id, vm, vm_id
from tests.support.fuzz.strategies import DEEP_TEXT, any_json

CANARY = "aaaaaaaa-0000-0000-0000-000000000001"
PRINCIPAL = "aaaaaaaa-0000-0000-0000-000000000002"
ASSIGNMENT = f"{GROUP}/providers/Microsoft.Authorization/roleAssignments/{CANARY}"
GONE = {
    "NotFound",
    "ParentResourceNotFound",
    "ResourceGroupNotFound",
    "ResourceNotFound",
    "RoleAssignmentNotFound",
}
DELETION = {
    "resourceId": ASSIGNMENT,
    "operationName": {"value": "Microsoft.Authorization/roleAssignments/delete"},
    "status": {"value": "Succeeded"},
}
#: A service that pages or polls for ever is cut off after so many answers.
MOST_ANSWERS = 6

MACHINE: dict[str, Any] = {
    "id": vm_id().text,
    "name": "vm1",
    "type": VM_TYPE,
    "location": "westeurope",
    "tags": {"env": "prod"},
    "etag": '"1"',
    "kind": "",
    "identity": {
        "type": "SystemAssigned, UserAssigned",
        "principalId": PRINCIPAL,
        "tenantId": CANARY,
        "userAssignedIdentities": {
            identity_id("id-a").text: {"principalId": CANARY, "clientId": CANARY},
            identity_id("id-b").text.upper(): {},
        },
    },
    "properties": {"provisioningState": "Succeeded", "vmId": CANARY},
    "systemData": {"createdAt": "2026-11-02T09:00:00Z"},
}
ROLE_ASSIGNMENT: dict[str, Any] = {
    "id": ASSIGNMENT,
    "name": CANARY,
    "type": "Microsoft.Authorization/roleAssignments",
    "properties": {
        "scope": GROUP,
        "roleDefinitionId": f"/providers/Microsoft.Authorization/roleDefinitions/{READER}",
        "principalId": PRINCIPAL,
        "principalType": "ServicePrincipal",
        "description": "Managed by Lanyard",
        "createdOn": "2026-11-02T09:00:00Z",
    },
}
CUSTOM = "eeeeeeee-0000-0000-0000-000000000001"
DEFINITION = {
    "id": f"/providers/Microsoft.Authorization/roleDefinitions/{CUSTOM}",
    "type": "Microsoft.Authorization/roleDefinitions",
    "properties": {"roleName": "Reader", "permissions": [{"actions": ["*/read"]}]},
}
IDENTITY = {
    "id": identity_id().text,
    "type": "Microsoft.ManagedIdentity/userAssignedIdentities",
    "location": "westeurope",
    "properties": {"principalId": PRINCIPAL, "clientId": CANARY, "tenantId": CANARY},
}


def page(*rows: Any) -> dict[str, Any]:
    return {"totalRecords": len(rows), "count": len(rows), "data": list(rows)}


class Service:
    """Answers every request alike; what comes after too many is an error of the server."""

    def __init__(self, status: int, body: bytes) -> None:
        self._status, self._body = status, body
        self._answers = 0

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self._answers += 1
        status = self._status if self._answers <= MOST_ANSWERS else 500
        headers = [(b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": self._body})


class Credential:
    """Signs nothing in."""

    async def get_token(self, *_scopes: str, **_options: Any) -> AccessToken:
        return AccessToken("token", 2**40)

    async def close(self) -> None:
        return None

    async def __aenter__(self) -> "Credential":
        return self

    async def __aexit__(self, *_exception: object) -> None:
        return None


def clients(status: int, body: bytes) -> Clients:
    clock = Clock()
    return Clients(
        Credential(),
        arm=Endpoint("https://arm.example", "https://arm.example"),
        graph=Endpoint("https://graph.example", "https://graph.example"),
        transport=InProcessTransport(Service(status, body), clock),
        throttling=Throttling(now=clock.now),
    )


async def listed(found: Any) -> list[Any]:
    return [each async for each in found]


async def changed(service: Clients) -> ComputeResource:
    return await Compute(service).update_identity(vm(), add=[identity_id("id-a")])


type Call = Callable[[Clients], Awaitable[Any]]
GRANT = Grant(GROUP, READER, PRINCIPAL)
CALLS: dict[str, tuple[Call, Any]] = {
    "read": (lambda to: Compute(to).read(vm_id()), MACHINE),
    "change": (changed, MACHINE),
    "identity": (lambda to: Identities(to).principal(identity_id()), IDENTITY),
    "new identity": (lambda to: Identities(to).create(identity_id(), "x", {}), IDENTITY),
    "assignment": (lambda to: Roles(to).read(ASSIGNMENT), ROLE_ASSIGNMENT),
    "assign": (lambda to: Roles(to).ensure(GRANT), ROLE_ASSIGNMENT),
    "assignments": (
        lambda to: Roles(to).of_principal(PRINCIPAL, SUBSCRIPTION),
        {"value": [ROLE_ASSIGNMENT, ROLE_ASSIGNMENT]},
    ),
    "role": (lambda to: Roles(to).definition(CUSTOM, GROUP), DEFINITION),
    "all rights": (
        lambda to: listed(ResourceGraph(to).assignments()),
        page(ROLE_ASSIGNMENT, DEFINITION),
    ),
    "all resources": (
        lambda to: listed(ResourceGraph(to).resources([VM_TYPE])),
        page(MACHINE, IDENTITY),
    ),
    "users of an identity": (
        lambda to: ResourceGraph(to).resources_with(identity_id("id-a")),
        page({**IDENTITY, "id": identity_id("id-a").text}, MACHINE),
    ),
    "how many users": (
        lambda to: Identities(to).associated(identity_id()),
        {"totalCount": 3, "value": []},
    ),
    "federated": (
        lambda to: Identities(to).federated(identity_id()),
        {"value": [{"name": "pod"}, {"name": "pipeline"}]},
    ),
    "who shows a principal": (
        lambda to: ResourceGraph(to).showing(PRINCIPAL),
        page(MACHINE),
    ),
    "assignments elsewhere": (
        lambda to: ResourceGraph(to).assignments_of(PRINCIPAL),
        page({"id": ASSIGNMENT}),
    ),
    "deleted": (
        lambda to: ActivityLog(to).deleted(ASSIGNMENT, SUBSCRIPTION, 0.0, 9.0),
        {"value": [DELETION]},
    ),
    "known": (
        lambda to: Directory(to, CANARY).existing([PRINCIPAL]),
        {"value": [{"id": CANARY}, {"id": PRINCIPAL}]},
    ),
    "exists": (lambda to: Directory(to, CANARY).exists(PRINCIPAL), {"id": PRINCIPAL}),
    "restorable": (
        lambda to: Directory(to, CANARY).restorable(PRINCIPAL),
        {"id": PRINCIPAL, "servicePrincipalType": "Application"},
    ),
    "inventory": (
        lambda to: Inventory(to).resources(ResourceId.parse(GROUP), [VM_TYPE]),
        page({"id": vm_id().text}),
    ),
}
FAILED = "failed"


def outcome(name: str, status: int, body: Any) -> Any:
    """What a call returns, or FAILED; anything but Temporary and Permanent comes through."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    try:
        return asyncio.run(_run(CALLS[name][0], clients(status, content)))
    except (Temporary, Permanent):
        return FAILED


async def _run(call: Call, service: Clients) -> Any:
    return await call(service)


def paths(value: Any, above: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every part of a body."""
    yield above
    if isinstance(value, Mapping):
        for key, inner in value.items():
            yield from paths(inner, (*above, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from paths(inner, (*above, index))


def at(value: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


def put(body: Any, path: tuple[Any, ...], value: Any) -> Any:
    """The body with another part there."""
    made = copy.deepcopy(body)
    if not path:
        return value
    at(made, path[:-1])[path[-1]] = value
    return made


@st.composite
def bodies(draw: st.DrawFn, good: Any) -> Any:
    """A good answer with one or two parts of another kind, or left out."""
    body = good
    for _ in range(draw(st.integers(1, 2))):
        path = draw(st.sampled_from(list(paths(body))))
        body = put(body, path, draw(st.none() | any_json()))
        if draw(st.booleans()) and path and isinstance(at(body, path[:-1]), dict):
            del at(body, path[:-1])[path[-1]]
    return body


STATUSES = st.sampled_from([200, 200, 200, 201, 202, 204, 400, 403, 404, 409, 429, 500])


@settings(max_examples=125)
@given(st.data(), st.sampled_from(sorted(CALLS)), STATUSES)
def test_any_answer_is_read_or_is_a_failure_of_ours(
    data: st.DataObject, name: str, status: int
) -> None:
    body = data.draw(bodies(CALLS[name][1]) | any_json() | st.binary(max_size=40))
    found = outcome(name, status, body)
    if name in ("read", "identity", "assignment"):
        assert found is not None or status == 404
    if name == "exists":
        assert found is not False or status == 404
    if name == "deleted" and found is True:
        assert all(word in json.dumps(body).lower() for word in ("/delete", "succeeded", CANARY))
    if name == "known":
        assert found in (FAILED, frozenset({PRINCIPAL}), frozenset())
        assert found == FAILED or CANARY in json.dumps(body).lower()


ERRORS = st.sampled_from(sorted(GONE | {"SubscriptionNotFound", "Request_ResourceNotFound", ""}))


@settings(max_examples=100)
@given(
    st.sampled_from(["read", "identity", "assignment", "exists", "restorable"]),
    ERRORS.map(lambda code: {"error": {"code": code, "message": "m"}}) | any_json() | st.binary(),
)
@example("exists", b"<html>Not Found</html>")
@example("read", {"error": {"code": "SubscriptionNotFound", "message": "m"}})
def test_only_azures_own_word_makes_a_404_mean_gone(name: str, body: Any) -> None:
    found = outcome(name, 404, body)
    code = body["error"]["code"] if isinstance(body, dict) and "error" in body else ""
    words = {"Request_ResourceNotFound"} if name in ("exists", "restorable") else GONE
    assert (found == FAILED) == (code not in words)


def plainly(body: Any) -> tuple[bool, set[str]]:
    """Which identities a body shows, to whoever looks for them and nothing else."""
    block = body.get("identity") or {}
    names = block.get("userAssignedIdentities") or {}
    return bool(block.get("principalId")), {folded(name).rstrip("/") for name in names}


@settings(max_examples=125)
@given(bodies(MACHINE))
@example(put(MACHINE, ("identity", "principalId"), None))
@example(put(MACHINE, ("identity", "userAssignedIdentities"), None))
@example(put(MACHINE, ("identity", "type"), "SystemAssigned"))
@example(put(MACHINE, ("id",), vm_id("vm2").text))
@example(put(MACHINE, ("identity", "principalId"), "vm-\u212a"))
def test_an_identity_that_is_shown_is_never_dropped(body: Any) -> None:
    found = outcome("read", 200, body)
    if found == FAILED:
        return
    assert found.id == vm_id()
    system, attached = plainly(body)
    # What is no id is kept as it is written.
    odd = {folded(name).rstrip("/") for name in found.identity.odd}
    assert {each.key for each in found.identity.user_assigned} | odd == attached
    block = body.get("identity") or {}
    if "systemassigned" in str(block.get("type")).lower():
        assert system
        assert found.identity.system_principal_id == folded(block["principalId"])


@settings(max_examples=100)
@given(st.lists(st.sampled_from([str.upper, str.lower, str.title]), min_size=1, max_size=6))
def test_the_names_of_members_count_in_any_case(spellings: list[Callable[[str], str]]) -> None:
    names = iter(spellings * 50)

    def spelt(value: Any, path: tuple[str, ...] = ()) -> Any:
        if not isinstance(value, dict):
            return value
        free = path not in (("identity", "userAssignedIdentities"), ("tags",))
        return {
            (next(names)(name) if free else name): spelt(inner, (*path, name))
            for name, inner in value.items()
        }

    found = outcome("read", 200, spelt(MACHINE))
    whole = outcome("read", 200, MACHINE)
    assert isinstance(whole, ComputeResource)
    # A path is shown as it is spelt.
    assert {one: len(paths) for one, paths in found.names.items()} == {
        one: len(paths) for one, paths in whole.names.items()
    }
    assert replace(found, names={}) == replace(whole, names={})
    assert found.identity == Identity(
        PRINCIPAL, {identity_id("id-a"): CANARY, identity_id("id-b"): None}
    )


LISTINGS = ("all rights", "all resources", "who shows a principal", "federated",
            "assignments elsewhere", "assignments", "inventory")  # fmt: skip


@settings(max_examples=150)
@given(st.data(), st.sampled_from(LISTINGS))
@example(None, "all rights")
def test_a_listing_is_whole_or_fails(data: st.DataObject | None, name: str) -> None:
    good = CALLS[name][1]
    rows = good.get("data") or good["value"]
    body = good if data is None else data.draw(bodies(good))
    found = outcome(name, 200, body)
    assert found == FAILED or len(found) >= min(len(rows), _told(body))


USERS = CALLS["users of an identity"][1]


@settings(max_examples=125)
@given(bodies(USERS))
@example(put(USERS, ("data", 0, "id"), identity_id("id-a1").text))
@example(put(USERS, ("data", 1, "identity", "userAssignedIdentities"), {}))
@example(put(USERS, ("data",), 2**600))
@example(put(USERS, ("data",), None))
def test_no_user_of_an_identity_is_overlooked(body: Any) -> None:
    found = outcome("users of an identity", 200, body)
    if found == FAILED:
        return
    # What is no list of rows has failed above; a row without an id shows nobody.
    shown = [
        row for row in body["data"] if isinstance(row, dict) and isinstance(row.get("id"), str)
    ]
    assert identity_id("id-a").key in {row["id"].lower() for row in shown}
    using = {row["id"] for row in shown if identity_id("id-a").key in _attached(row)}
    assert set(found) >= using


def _attached(row: Any) -> set[str]:
    block = row.get("identity")
    names = block.get("userAssignedIdentities") if isinstance(block, dict) else None
    return {name.lower() for name in names} if isinstance(names, dict) else set()


def _told(body: Any) -> int:
    """How many rows an answer itself says that there are."""
    total = body.get("totalRecords") if isinstance(body, dict) else None
    held = (body.get("data") or body.get("value") or []) if isinstance(body, dict) else []
    return total if isinstance(total, int) else len(held)


@given(st.sampled_from(sorted(CALLS)))
@example("known")
def test_answers_too_deep_or_no_text_are_failures(name: str) -> None:
    for body in (DEEP_TEXT.encode(), b"\xff\xfe\x00", b"", b"nul"):
        found = outcome(name, 200, body)
        assert found == FAILED or (body == b"" and name == "assign")


@pytest.mark.parametrize(
    ("member", "value", "deleted"),
    [
        ("resourceId", ASSIGNMENT.upper(), True),
        ("resourceId", GROUP, False),
        ("operationName", {"value": "Microsoft.Authorization/roleAssignments/write"}, False),
        ("status", {"value": "Started"}, False),
        ("status", {"value": "Failed"}, False),
    ],
)
def test_only_a_deletion_of_that_very_resource_that_was_done_is_one(
    member: str, value: Any, deleted: bool
) -> None:
    assert outcome("deleted", 200, {"value": [{**DELETION, member: value}]}) is deleted
