"""A served local Azure with one subscription; resources are put straight into its state."""

from dataclasses import dataclass

from simulator.azure import Azure
from simulator.serve import Addresses
from simulator.state import Json, Principal, Resource

LOCATION = "westeurope"


@dataclass(frozen=True)
class World:
    """One subscription with a resource group; resources are put straight into the state."""

    azure: Azure
    addresses: Addresses
    group: str

    def resource_id(self, resource_type: str, name: str) -> str:
        return f"{self.group}/providers/{resource_type}/{name}"

    def add_resource(self, resource_type: str, name: str, identity: Json | None = None) -> str:
        resource_id = self.resource_id(resource_type, name)
        self.azure.state.resources[resource_id.lower()] = Resource(
            resource_id, resource_type, name, LOCATION, {}, {}, identity
        )
        return resource_id

    def add_identity(self, name: str) -> tuple[str, Principal]:
        """A user-assigned identity's resource id and its principal."""
        principal = self.azure.state.add_principal(name, names=["isExplicit=True"])
        return self.resource_id("Microsoft.ManagedIdentity/userAssignedIdentities", name), principal


def carrying(*user_assigned: tuple[str, Principal], system: Principal | None = None) -> Json:
    """An identity block as ARM keeps it."""
    block: Json = {"type": "UserAssigned" if system is None else "SystemAssigned, UserAssigned"}
    if system is not None:
        block["principalId"] = system.object_id
    block["userAssignedIdentities"] = {
        resource_id: {"principalId": principal.object_id, "clientId": principal.client_id}
        for resource_id, principal in user_assigned
    }
    return block
