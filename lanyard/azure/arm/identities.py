"""User-assigned managed identities (Microsoft.ManagedIdentity, api-version 2024-11-30)."""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.mgmt.msi.models import Identity

from lanyard.azure.arm.answers import Json, Unreadable, body_of, member, needed, principal
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import is_gone, translated
from lanyard.azure.arm.forbidden import forbidden
from lanyard.azure.arm.listing import listed
from lanyard.values.compute import ManagedIdentity
from lanyard.values.errors import NotYet
from lanyard.values.own_identity import Created
from lanyard.values.resource_id import ResourceId, folded

_VERSION = {"api-version": "2024-11-30"}
# Only previews have the operation.
_ASSOCIATED = {"api-version": "2021-09-30-preview", "$top": "0"}
# Whoever asks with it in the tenant gets through one by one: nothing failed (seconds).
_SHARED_DELAY = 60.0


class Identities:
    """Reads and makes identities. Principal ids are object ids, lower case."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def principal(self, identity: ResourceId) -> str | None:
        """The principal of an existing identity, or None where there is none of that id."""
        existing = await self.details(identity)
        return None if existing is None else existing.principal_id

    async def details(self, identity: ResourceId) -> ManagedIdentity | None:
        """The identity as it is now, or None where there is none of that id."""
        operations = self._clients.identities(identity.subscription).user_assigned_identities
        with translated(f"read identity {identity}"):
            try:
                existing = await operations.get(identity.resource_group, identity.name)
            except ResourceNotFoundError as error:
                if not is_gone(error):
                    raise
                return None
            return _read(existing)

    async def create(self, identity: ResourceId, location: str, tags: Mapping[str, str]) -> Created:
        """Make the identity with these tags; one that is there already stays, but for its tags.
        Raises Refused where Azure Policy does not let it.
        """
        operations = self._clients.identities(identity.subscription).user_assigned_identities
        body = Identity(location=location, tags=dict(tags))
        with translated(f"create identity {identity}"):
            try:
                made, status = await operations.create_or_update(
                    identity.resource_group, identity.name, body, cls=_with_status
                )
            except HttpResponseError as error:
                if refused := forbidden(f"create identity {identity}", error):
                    raise refused from error
                raise
            return Created(_principal(made), status == HTTPStatus.CREATED)

    async def delete(self, identity: ResourceId) -> None:
        """Delete the identity; one that is not there (204, or 404 with its group) is fine."""
        operations = self._clients.identities(identity.subscription).user_assigned_identities
        with translated(f"delete identity {identity}"):
            try:
                await operations.delete(identity.resource_group, identity.name)
            except ResourceNotFoundError as error:
                if not is_gone(error):
                    raise

    async def associated(self, identity: ResourceId) -> int:
        """How many resources have the identity attached, in every subscription of the tenant: also
        where the caller can read nothing. It lags as Resource Graph does.

        It takes an action of its own, `userAssignedIdentities/listAssociatedResources/action`.
        Raises NotYet where the tenant, which may ask once a second, asked a moment ago; Temporary,
        Permanent.
        """
        what = f"count what uses identity {identity}"
        request = HttpRequest("POST", f"{identity}/listAssociatedResources", params=_ASSOCIATED)
        with translated(what):
            response = await self._clients.resources.send_request(request)
            if response.status_code == HTTPStatus.TOO_MANY_REQUESTS:
                raise NotYet(f"{what}: the whole tenant may ask once a second", _SHARED_DELAY)
            response.raise_for_status()
            return _count(body_of(response))

    async def federated(self, identity: ResourceId) -> list[str]:
        """The names of its federated credentials: who trusts another issuer's tokens with it needs
        no resource. Raises Temporary, Permanent.
        """
        url = f"{identity}/federatedIdentityCredentials"
        with translated(f"list the federated credentials of identity {identity}"):
            found = listed(self._clients, url, _VERSION)
            return [needed(credential, "name") async for credential in found]


def _with_status(response: Any, made: Any, _headers: Any) -> Any:
    """The model, and the status: 201 where it was made, 200 where it was there (recorded)."""
    return made, response.http_response.status_code


def _count(body: Json) -> int:
    total = member(body, "totalCount")
    if not isinstance(total, int) or isinstance(total, bool) or total < 0:
        raise Unreadable("'totalCount' is no count")
    return total


def _read(identity: Identity) -> ManagedIdentity:
    return ManagedIdentity(
        location=identity.location or "",
        tags=dict(identity.tags or {}),
        principal_id=_principal(identity),
        client_id=folded(identity.client_id or ""),
    )


def _principal(identity: Identity) -> str:
    if not (found := principal({"principalId": identity.principal_id})):
        raise Unreadable("the identity shows no principal")
    return found
