"""What the tests of all compute types share: the generic SDK client, identities, tokens."""

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import pytest
from azure.core.exceptions import HttpResponseError

from simulator.state import Activity, Principal
from simulator.tokens.endpoints import TokenRefused
from tests.support.arm.world import LOCATION, World

STORAGE = "https://storage.azure.com"


@dataclass(frozen=True)
class Generic:
    """One resource through `ResourceManagementClient.resources`, as a caller of ARM has it."""

    client: Any
    resource_id: str
    api_version: str

    async def put(self, **body: Any) -> Any:
        poller = await self.client.begin_create_or_update_by_id(
            self.resource_id, api_version=self.api_version, parameters=body
        )
        return await poller.result()

    async def patch(self, **body: Any) -> Any:
        poller = await self.client.begin_update_by_id(
            self.resource_id, api_version=self.api_version, parameters=body
        )
        return await poller.result()

    async def attach(self, kind: str, *ids: str) -> None:
        """PATCH with `ids` to add."""
        await self.patch(identity=identity(kind, *ids))

    async def get(self) -> Any:
        return await self.client.get_by_id(self.resource_id, api_version=self.api_version)

    async def delete(self) -> None:
        poller = await self.client.begin_delete_by_id(
            self.resource_id, api_version=self.api_version
        )
        await poller.result()

    async def attached(self) -> list[str]:
        """The names of the user-assigned identities."""
        found = (await self.get()).identity
        ids = (found.user_assigned_identities or {}) if found else {}
        return sorted(each.rpartition("/")[2] for each in ids)

    async def identity_type(self) -> str | None:
        found = (await self.get()).identity
        return str(getattr(found.type, "value", found.type)) if found else None


@asynccontextmanager
async def generic(
    world: World, path: str, api_version: str, principal: Principal | None = None
) -> AsyncIterator[Generic]:
    """`path` below the resource group's providers: "Microsoft.Web/sites/app1"."""
    async with world.resources(principal) as client:
        yield Generic(client.resources, resource_id(world, path), api_version)


def resource_id(world: World, path: str) -> str:
    return f"{world.group_scope}/providers/{path}"


def identity(kind: str, *ids: str) -> dict[str, Any]:
    """An `identity` block that adds `ids`."""
    return {"type": kind, **({"userAssignedIdentities": {each: {} for each in ids}} if ids else {})}


async def make_identities(world: World, *names: str) -> list[str]:
    """The ids of new identities, as a client writes them."""
    for name in names:
        path = f"{world.identity_id(name)}?api-version=2024-11-30"
        assert (await world.raw("PUT", path, {"location": LOCATION})).status == 201
    return [world.identity_id(name) for name in names]


async def delete_identity(world: World, name: str) -> None:
    await world.raw("DELETE", f"{world.identity_id(name)}?api-version=2024-11-30")


def principal_of(world: World, name: str) -> str:
    """The principal id of an identity made here."""
    found = world.azure.state.resources[world.identity_id(name).lower()]
    return str(found.properties["principalId"])


async def takes_identities(world: World, one: Generic) -> None:
    """What every type with both kinds of identity does.

    Attach one, add a second beside the system identity, live with one that is gone, take it anew
    under its name, and detach.
    """
    combined = "SystemAssigned, UserAssigned"
    first, second = await make_identities(world, "first", "second")
    await one.attach("SystemAssigned")
    system = (await one.get()).identity.principal_id
    assert world.azure.state.principals[system].deleted_at is None

    await one.attach("SystemAssigned,UserAssigned", first)
    assert await one.identity_type() == combined
    await refuses_malformed(one, first)
    await one.attach("SystemAssigned, UserAssigned", second)
    assert await one.attached() == ["first", "second"]
    assert (await one.get()).identity.principal_id == system
    await one.patch(identity={"type": "SystemAssigned, UserAssigned"})
    assert await one.attached() == ["first", "second"]

    await delete_identity(world, "first")
    assert await refused(one.attach(combined, second)) == "FailedIdentityOperation"
    await make_identities(world, "first")
    await one.patch(identity={"type": combined, "userAssignedIdentities": {first: None}})
    assert await one.attached() == ["second"]
    await one.attach(combined, first)
    shown = (await one.get()).identity.user_assigned_identities
    (value,) = [found for key, found in shown.items() if key.lower() == first.lower()]
    assert value.principal_id == principal_of(world, "first")

    await one.attach("SystemAssigned")
    assert (await one.attached(), await one.identity_type()) == ([], "SystemAssigned")
    await one.patch(identity={"type": "None"})
    # Some types show no block then, others one that says so.
    assert await one.identity_type() in (None, "None")
    assert world.azure.state.principals[system].deleted_at is not None


async def refuses_malformed(one: Generic, known: str) -> None:
    """The refusals that ARM itself gives, the same for all types."""
    wrong = {"type": "UserAssigned", "userAssignedIdentities": {known: {"clientId": "x"}}}
    assert await refused(one.patch(identity=wrong)) == "InvalidIdentityValues"
    none = {"type": "UserAssigned", "userAssignedIdentities": {known: None}}
    rest = [name for name in await one.attached() if not known.endswith(f"/{name}")]
    if not rest:
        assert await refused(one.patch(identity=none)) == "MissingIdentityIds"


async def refused(call: Any) -> str:
    """The error code that `call` ends with."""
    with pytest.raises(HttpResponseError) as caught:
        await call
    assert caught.value.error is not None
    return str(caught.value.error.code)


async def needs_assign_right(world: World, path: str, api_version: str, role: str) -> None:
    """Who may write the resource but not assign the identity is refused, then not any more."""
    (only,) = await make_identities(world, "guarded")
    world.azure.assign(world.app.object_id, role, resource_id(world, path))
    async with generic(world, path, api_version, world.app) as one:
        assert await refused(one.attach("UserAssigned", only)) == "LinkedAuthorizationFailed"
        world.azure.assign(world.app.object_id, "Managed Identity Operator", only)
        await one.attach("UserAssigned", only)
        assert await one.attached() == ["guarded"]


def imds_token_owner(world: World, machine_id: str, name: str | None = None) -> str | None:
    """Whose token IMDS gives on a machine: by an identity's name, or the default one."""
    query = {"resource": STORAGE}
    if name is not None:
        query["msi_res_id"] = world.identity_id(name)
    endpoints = world.azure.services.identity_endpoints
    try:
        answer = endpoints.imds_token(machine_id, query)
    except TokenRefused:
        return None
    return world.azure.tokens.verify(answer["access_token"])["oid"]


def app_token_owner(world: World, app_id: str, name: str | None = None) -> str | None:
    """The same of the App Service endpoint, asked with the app's own header."""
    endpoints = world.azure.services.identity_endpoints
    query = {"resource": STORAGE}
    if name is not None:
        query["client_id"] = world.azure.state.principals[principal_of(world, name)].client_id
    try:
        answer = endpoints.app_service_token(endpoints.identity_header(app_id), query)
    except TokenRefused:
        return None
    return world.azure.tokens.verify(answer["access_token"])["oid"]


async def graph_rows(world: World, resource_type: str, table: str = "resources") -> list[Any]:
    """What Resource Graph has of a type."""
    query = f"{table} | where type =~ '{resource_type}' | order by id asc"
    path = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
    body = {"query": query, "subscriptions": [world.subscription]}
    answer = await world.raw("POST", path, body)
    assert answer.status == 200, answer.content
    return list(json.loads(answer.content)["data"])


def told(world: World) -> list[tuple[str, str]]:
    """A list that grows with each (action, last part of the resource's id) from now on."""
    seen: list[tuple[str, str]] = []

    def note(activity: Activity) -> None:
        seen.append((activity.action, activity.resource_id.rpartition("/")[2]))

    world.azure.state.on_activity(note)
    return seen
