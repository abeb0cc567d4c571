"""Container groups: a PATCH changes tags, an identity takes the whole definition by PUT.

A GET gives back no secure value, so what it answered cannot be put again as it is.
"""

import copy
from collections.abc import Iterator

from simulator.errors import AzureError
from simulator.identity import IdentityRules
from simulator.resources import read_properties
from simulator.state import Json, Resource
from simulator.tracked.kind import Kind
from simulator.tracked.models import TrackedResources

#: The state while anything is at work (recorded).
AT_WORK = "Pending"

GROUPS = Kind(
    "Microsoft.ContainerInstance/containerGroups",
    top_level=("zones",),
    rules=IdentityRules(shows_tenant=True),
    lasting=("sku",),
    slow=frozenset({"PUT"}),
    shows_state=True,
    creating=AT_WORK,
    updating=AT_WORK,
    patches_tags_only=True,
)


class ContainerGroups(TrackedResources):
    """The container groups of all subscriptions."""

    def check(self, base: Resource, body: Json, *, created: bool) -> None:  # noqa: ARG002
        """Registry credentials are complete: a password, or an identity instead."""
        for credential in _members(read_properties(body), "imageRegistryCredentials"):
            if not credential.get("password") and not credential.get("identity"):
                raise _password_missing(base.name)

    def not_found_error(self, resource_id: str) -> AzureError:
        """As the service itself says it (recorded)."""
        name = resource_id.rpartition("/")[2]
        return AzureError(
            404, "ContainerGroupNotFound", f"The container group '{name}' does not exist."
        )

    def properties(self, base: Resource, sent: Json, *, merge: bool) -> Json:
        """Without anything secure."""
        properties = copy.deepcopy(super().properties(base, sent, merge=merge))
        for holder, secret in _secure(properties):
            holder.pop(secret, None)
        return properties


def _secure(properties: Json) -> Iterator[tuple[Json, str]]:
    """The objects that may hold a secure value, each with the member's name."""
    for credential in _members(properties, "imageRegistryCredentials"):
        yield credential, "password"
    for container in _members(properties, "containers"):
        inner = container.get("properties")
        for variable in _members(inner, "environmentVariables"):
            yield variable, "secureValue"
    for volume in _members(properties, "volumes"):
        yield volume, "secret"
        if isinstance(share := volume.get("azureFile"), dict):
            yield share, "storageAccountKey"


def _members(holder: object, name: str) -> list[Json]:
    listed = holder.get(name) if isinstance(holder, dict) else None
    return [each for each in listed if isinstance(each, dict)] if isinstance(listed, list) else []


def _password_missing(name: str) -> AzureError:
    """The text as an issue of azure-cli quotes it; the code is an assumption."""
    return AzureError(
        400,
        "InvalidImageRegistryCredential",
        f"The password in the 'imageRegistryCredentials' of container group '{name}' cannot be "
        "empty.",
    )
