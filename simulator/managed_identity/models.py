"""User-assigned identities: a resource in ARM and a service principal in the directory."""

from dataclasses import dataclass, replace

from simulator.errors import AzureError
from simulator.resource_ids import group_id
from simulator.resources import (
    check_location,
    inside,
    read_location,
    read_properties,
    read_tags,
    remove,
    render,
    require,
)
from simulator.state import Json, Resource, State

TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"

#: `isolationScope` came with this api-version; earlier ones do not show it (recorded).
_ISOLATION_SINCE = "2024-11-30"


@dataclass(frozen=True)
class UserAssignedIdentities:
    """The identities of all subscriptions."""

    state: State

    def put(self, subscription: str, group: str, name: str, body: Json) -> tuple[Resource, bool]:
        """Create, or update tags. Returns the identity and whether it is new.

        The id is kept with a lower-case "resourcegroups", as Azure answers it (recorded).
        """
        resource_id = (
            f"/subscriptions/{subscription}/resourcegroups/{group}/providers/{TYPE}/{name}"
        )
        if existing := self.state.resources.get(resource_id.lower()):
            check_location(existing, body)
            updated = replace(existing, tags=read_tags(body))
            self.state.resources[resource_id.lower()] = updated
            return updated, False
        _check_name(name)
        identity = self._new(resource_id, name, body)
        self.state.resources[resource_id.lower()] = identity
        return identity, True

    def patch(self, resource_id: str, body: Json) -> Resource:
        """Tags only: nothing else of an identity can change."""
        identity = require(self.state, resource_id)
        if "tags" in body:
            identity = replace(identity, tags=read_tags(body))
            self.state.resources[resource_id.lower()] = identity
        return identity

    def delete(self, resource_id: str) -> bool:
        """Remove it and its principal. Returns whether it was there.

        Resources that carry it go on naming it, as in Azure.
        """
        if resource_id.lower() not in self.state.resources:
            return False
        remove(self.state, resource_id)
        return True

    def list_in(self, subscription: str, group: str | None) -> list[Resource]:
        """Of a resource group, or of a whole subscription."""
        scope = group_id(subscription, group) if group else f"/subscriptions/{subscription}"
        return list(inside(self.state, scope, TYPE))

    def _new(self, resource_id: str, name: str, body: Json) -> Resource:
        location = read_location(body)
        principal = self.state.add_principal(name, names=["isExplicit=True", resource_id])
        properties = {
            "tenantId": self.state.tenant_id,
            "principalId": principal.object_id,
            "clientId": principal.client_id,
            "isolationScope": read_properties(body).get("isolationScope") or "None",
        }
        return Resource(
            id=resource_id,
            type=TYPE,
            name=name,
            location=location,
            tags=read_tags(body),
            properties=properties,
            created_at=self.state.clock.now(),
        )


def show(identity: Resource, api_version: str) -> Json:
    """The identity as this api-version answers it."""
    body = render(identity)
    if api_version < _ISOLATION_SINCE:
        body["properties"] = {
            key: value for key, value in identity.properties.items() if key != "isolationScope"
        }
    return body


def _check_name(name: str) -> None:
    if not 3 <= len(name) <= 128 or not all(each.isalnum() or each in "-_" for each in name):
        raise AzureError(
            400,
            "BadRequest",
            f"The resource name '{name}' is invalid: 3 to 128 letters, digits, '-' or '_'.",
        )
