"""What the tests of ARM start from: one subscription, its owner, an app without rights, clients."""

from dataclasses import dataclass
from typing import Any

from azure.core.rest import HttpRequest
from azure.mgmt.authorization.aio import AuthorizationManagementClient
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from simulator.azure import Azure
from simulator.state import Principal
from simulator.transport import Answer, ask

GROUP = "rg-demo"
LOCATION = "westeurope"
VM_BODY: dict[str, Any] = {
    "location": LOCATION,
    "properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}},
}


@dataclass(frozen=True)
class World:
    """`owner` may do everything in the subscription, `app` nothing until a test says so."""

    azure: Azure
    subscription: str
    owner: Principal
    app: Principal

    @property
    def group_scope(self) -> str:
        return f"/subscriptions/{self.subscription}/resourceGroups/{GROUP}"

    def vm_id(self, name: str) -> str:
        return f"{self.group_scope}/providers/Microsoft.Compute/virtualMachines/{name}"

    def identity_id(self, name: str) -> str:
        return (
            f"{self.group_scope}/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
        )

    def compute(self, principal: Principal | None = None) -> Any:
        """Any: its types take models or bytes, while it sends a plain dictionary just as well."""
        return ComputeManagementClient(
            subscription_id=self.subscription, **self._options(principal)
        )

    def identities(self, principal: Principal | None = None) -> ManagedServiceIdentityClient:
        return ManagedServiceIdentityClient(
            subscription_id=self.subscription, **self._options(principal)
        )

    def authorization(self, principal: Principal | None = None) -> AuthorizationManagementClient:
        return AuthorizationManagementClient(
            subscription_id=self.subscription, **self._options(principal)
        )

    def resources(self, principal: Principal | None = None) -> Any:
        """Any, for the same reason."""
        return ResourceManagementClient(
            subscription_id=self.subscription, **self._options(principal)
        )

    async def raw(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        principal: Principal | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """One request without the SDK; `path` carries its query."""
        token = self.azure.tokens.issue(
            principal or self.owner, "https://management.azure.com"
        ).access_token
        url = f"https://arm.local{path}"
        request = HttpRequest(method, url, json=body) if body is not None else None
        content = b"" if request is None else str(request.content).encode()
        given = {"authorization": f"Bearer {token}", **(headers or {})}
        return await ask(self.azure.app, method, url, given, content)

    def _options(self, principal: Principal | None) -> dict[str, Any]:
        return self.azure.client_options(principal or self.owner)


async def make_world() -> World:
    """A world with the resource group `GROUP`."""
    azure = Azure()
    subscription = azure.state.add_subscription("Demo").id
    owner = azure.state.add_principal("owner", kind="User")
    app = azure.state.add_principal("lanyard")
    azure.assign(owner.object_id, "Owner", f"/subscriptions/{subscription}")
    world = World(azure, subscription, owner, app)
    await world.raw("PUT", f"{world.group_scope}?api-version=2024-11-01", {"location": LOCATION})
    azure.calls.clear()
    return world
