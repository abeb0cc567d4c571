"""Federated credentials of user-assigned identities: whose tokens an identity is given for.

They lie below their identity, and go with it. Neither Resource Graph nor ARM's listing of all
resources shows them.
"""

import re
from dataclasses import dataclass, replace

from simulator.managed_identity import errors
from simulator.managed_identity.models import TYPE as PARENT
from simulator.resources import inside, read_properties, remove, require
from simulator.state import Json, Resource, State

TYPE = f"{PARENT}/federatedIdentityCredentials"

#: FederatedIdentityCredential.tsp of Azure's REST API specifications.
_NAME = re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_-]{2,119}")
#: Of one identity (entra-docs, considerations for federated identity credentials).
_MOST = 20


@dataclass(frozen=True)
class FederatedCredentials:
    """Those of all identities."""

    state: State

    def put(self, resource_id: str, body: Json) -> tuple[Resource, bool]:
        """Create or replace. Returns the credential and whether it is new. Raises AzureError."""
        identity = self._identity(resource_id)
        name = resource_id.rpartition("/")[2]
        properties = _checked(name, body)
        others = [each for each in self._of(identity) if each.name.lower() != name.lower()]
        if any(_trusts(each.properties) == _trusts(properties) for each in others):
            raise errors.trusted_twice()
        existing = self.state.resources.get(resource_id.lower())
        if existing is None and len(others) >= _MOST:
            raise errors.too_many_credentials(_MOST)
        credential = (
            replace(existing, properties=properties)
            if existing is not None
            else self._new(identity, name, properties)
        )
        self.state.resources[resource_id.lower()] = credential
        return credential, existing is None

    def get(self, resource_id: str) -> Resource:
        """Raises AzureError 404."""
        self._identity(resource_id)
        return require(self.state, resource_id)

    def delete(self, resource_id: str) -> bool:
        """Returns whether it was there."""
        if resource_id.lower() not in self.state.resources:
            return False
        remove(self.state, resource_id)
        return True

    def list_of(self, identity_id: str) -> list[Resource]:
        """Those of one identity. Raises AzureError 404 where there is none of that id."""
        return self._of(self._parent(identity_id))

    def _of(self, identity: Resource) -> list[Resource]:
        return list(inside(self.state, identity.id, TYPE))

    def _identity(self, resource_id: str) -> Resource:
        return self._parent(resource_id.rsplit("/", 2)[0])

    def _parent(self, identity_id: str) -> Resource:
        identity = self.state.resources.get(identity_id.lower())
        if identity is None:
            raise errors.no_identity()
        return identity

    def _new(self, identity: Resource, name: str, properties: Json) -> Resource:
        """The id has a lower-case "resourcegroups", as that of its identity (recorded)."""
        return Resource(
            id=f"{identity.id}/federatedIdentityCredentials/{name}",
            type=TYPE,
            name=name,
            location="",
            tags={},
            properties=properties,
            created_at=self.state.clock.now(),
            graph_table="",
        )


def show(credential: Resource) -> Json:
    """As Azure answers it: no location, no tags, no systemData (recorded)."""
    return {
        "id": credential.id,
        "name": credential.name,
        "type": credential.type,
        "properties": credential.properties,
    }


def _checked(name: str, body: Json) -> Json:
    if _NAME.fullmatch(name) is None:
        raise errors.invalid_credential_name(name)
    properties = read_properties(body)
    if not properties.get("issuer") or not properties.get("subject"):
        raise errors.empty_credential()
    audiences = properties.get("audiences")
    if not isinstance(audiences, list) or len(audiences) != 1:
        raise errors.not_one_audience()
    return {member: properties[member] for member in ("issuer", "subject", "audiences")}


def _trusts(properties: Json) -> tuple[str, str]:
    return properties["issuer"], properties["subject"]
