"""Compute resources through ARM's generic resource route, for every type alike."""

import asyncio
from collections.abc import Iterable, Mapping
from typing import Any

from azure.core.exceptions import ResourceNotFoundError

from lanyard.azure.clients import Clients
from lanyard.azure.compute_types import ComputeType, compute_type
from lanyard.azure.failures import is_gone, translated
from lanyard.errors import Temporary
from lanyard.model import ComputeResource, Identity, ResourceId

type Json = Mapping[str, Any]

# A VM takes 3 to 7 s. What takes longer is not waited for: it is read again later.
_OPERATION_SECONDS = 60
_VERIFY_DELAY = 15.0


class Compute:
    """Reads compute resources and changes their identity block, nothing else of them."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def read(self, resource: ResourceId) -> ComputeResource | None:
        """The resource as it is now, in one GET; None where ARM answers that it is not there.

        A missing resource group counts as gone too, a missing subscription does not. Raises
        Temporary, Permanent.
        """
        kind = _kind(resource)
        with translated(f"read {resource}"):
            try:
                body: Json = await self._clients.resources.resources.get_by_id(
                    resource.text, api_version=kind.api_version, cls=_body
                )
            except ResourceNotFoundError as error:
                if not is_gone(error):
                    raise
                return None
        return _resource(body)

    async def update_identity(
        self,
        resource: ComputeResource,
        *,
        add: Iterable[ResourceId] = (),
        remove: Iterable[ResourceId] = (),
        enable_system: bool = False,
    ) -> ComputeResource:
        """Attach, detach and enable in one PATCH; returns the resource read after the write.

        Raises Temporary where the resource changed since it was read (If-Match), where the
        operation takes long, or where the write was lost to another one.
        """
        kind = _kind(resource.id)
        added, removed = list(add), list(remove)
        body = {"identity": identity_block(resource.identity, added, removed, enable_system)}
        headers = {"If-Match": resource.etag} if kind.has_etag and resource.etag else {}
        with translated(f"update the identity of {resource.id}"):
            async with asyncio.timeout(_OPERATION_SECONDS):
                poller = await self._clients.resources.resources.begin_update_by_id(
                    resource.id.text, body, api_version=kind.api_version, headers=headers, cls=_body
                )
                after = _resource(await poller.result())
        _verify(after, added, removed, enable_system)
        return after


def identity_block(
    before: Identity, add: list[ResourceId], remove: list[ResourceId], enable_system: bool
) -> dict[str, Any]:
    """The `identity` of a merging PATCH: a delta of the identities, and the type that results.

    The type must repeat SystemAssigned where it is on: "UserAssigned" alone would drop it.
    `{}` adds and `null` removes; any other value is refused (InvalidIdentityValues).
    """
    left = (set(before.user_assigned) | set(add)) - set(remove)
    system = enable_system or before.system_principal_id is not None
    parts = (["SystemAssigned"] if system else []) + (["UserAssigned"] if left else [])
    block: dict[str, Any] = {"type": ", ".join(parts) or "None"}
    changes: dict[str, Any] = {identity.text: {} for identity in add}
    if left:
        changes |= {identity.text: None for identity in remove}
        if changes:
            block["userAssignedIdentities"] = changes
    return block


def _kind(resource: ResourceId) -> ComputeType:
    kind = compute_type(resource.type)
    if kind is None:
        raise ValueError(f"{resource.type!r} is not in the table of compute types")
    return kind


def _body(response: Any, _model: Any, _headers: Any) -> Json:
    """The SDK's hook for the plain JSON: the generic model knows fewer fields than we read."""
    body: Json = response.http_response.json()
    return body


def _resource(body: Json) -> ComputeResource:
    properties: Json = body.get("properties") or {}
    return ComputeResource(
        ResourceId.parse(body["id"]),
        # Some services answer the display name, "West Europe".
        str(body.get("location", "")).replace(" ", "").lower(),
        body.get("tags") or {},
        _identity(body.get("identity") or {}),
        str(properties.get("provisioningState", "Succeeded")),
        body.get("etag"),
    )


def _identity(block: Json) -> Identity:
    kinds = {part.strip().lower() for part in str(block.get("type", "")).split(",")}
    system = block.get("principalId") if "systemassigned" in kinds else None
    attached = {
        ResourceId.parse(text): _lower((value or {}).get("principalId"))
        for text, value in (block.get("userAssignedIdentities") or {}).items()
    }
    return Identity(_lower(system), attached)


def _lower(text: str | None) -> str | None:
    return text.lower() if text else None


def _verify(
    after: ComputeResource, add: list[ResourceId], remove: list[ResourceId], system: bool
) -> None:
    attached = after.identity.user_assigned
    lost = [str(identity) for identity in add if attached.get(identity) is None]
    lost += [str(identity) for identity in remove if identity in attached]
    if system and after.identity.system_principal_id is None:
        lost.append("the system-assigned identity")
    if lost:
        what = ", ".join(lost)
        raise Temporary(f"{after.id} does not show the change yet: {what}", _VERIFY_DELAY)
