"""User-assigned managed identities (Microsoft.ManagedIdentity, api-version 2024-11-30)."""

from azure.core.exceptions import ResourceNotFoundError
from azure.mgmt.msi.models import Identity

from lanyard.azure.arm.answers import Unreadable
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import is_gone, translated
from lanyard.values.compute import ManagedIdentity
from lanyard.values.resource_id import ResourceId, folded


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

    async def create(self, identity: ResourceId, location: str) -> str:
        """Make the identity and return its principal; one that exists keeps what it has."""
        operations = self._clients.identities(identity.subscription).user_assigned_identities
        body = Identity(location=location, tags={"createdBy": "lanyard"})
        with translated(f"create identity {identity}"):
            made = await operations.create_or_update(identity.resource_group, identity.name, body)
            return _principal(made)

    async def delete(self, identity: ResourceId) -> None:
        """Delete the identity; one that is not there (204, or 404 with its group) is fine."""
        operations = self._clients.identities(identity.subscription).user_assigned_identities
        with translated(f"delete identity {identity}"):
            try:
                await operations.delete(identity.resource_group, identity.name)
            except ResourceNotFoundError as error:
                if not is_gone(error):
                    raise


def _read(identity: Identity) -> ManagedIdentity:
    return ManagedIdentity(
        location=identity.location or "",
        tags=dict(identity.tags or {}),
        principal_id=_principal(identity),
        client_id=folded(identity.client_id or ""),
    )


def _principal(identity: Identity) -> str:
    if not isinstance(identity.principal_id, str) or not identity.principal_id:
        raise Unreadable("the identity shows no principal")
    return folded(identity.principal_id)
