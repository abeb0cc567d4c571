"""One subscription of an in-process Azure, and Lanyard's access to compute in it: nothing else of
Lanyard, and no policy. An owner makes things; what Lanyard's own identity calls is counted.
"""

from typing import Any

from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.compute import Compute
from lanyard.values.clouds import Endpoint
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import compute_type
from lanyard.values.resource_id import ResourceId
from simulator.azure import IN_PROCESS_URL, Azure
from simulator.tokens.credential import AsyncPrincipalCredential

GROUP = "rg-app"
LOCATION = "westeurope"
_IDENTITY_TYPE = "Microsoft.ManagedIdentity/userAssignedIdentities"


class Subscription:
    """Lanyard may do what a Contributor may, unless `role` says otherwise."""

    def __init__(self, role: str = "Contributor") -> None:
        self.azure = Azure(seed=7)
        state = self.azure.state
        self.id = state.add_subscription("production").id
        self.scope = f"/subscriptions/{self.id}"
        self.group = f"{self.scope}/resourceGroups/{GROUP}"
        self.owner = state.add_principal("owner", "User")
        self.azure.assign(self.owner.object_id, "Owner", self.scope)
        self.app = state.add_principal("id-lanyard-app")
        self.azure.assign(self.app.object_id, role, self.scope)
        self._clients = ResourceManagementClient(
            subscription_id=self.id, **self.azure.client_options(self.owner)
        )
        self._identities = ManagedServiceIdentityClient(
            subscription_id=self.id, **self.azure.client_options(self.owner)
        )
        endpoint = Endpoint(IN_PROCESS_URL, "https://management.azure.com")
        self.compute = Compute(
            Clients(
                AsyncPrincipalCredential(self.azure.tokens, self.app),
                arm=endpoint,
                graph=endpoint,
                transport=self.azure.transport(),
            )
        )

    # What people and pipelines do.

    async def create_group(self) -> None:
        await self._clients.resource_groups.create_or_update(GROUP, {"location": LOCATION})

    async def put(self, resource: ResourceId, body: dict[str, Any]) -> None:
        poller = await self._clients.resources.begin_create_or_update_by_id(
            resource.text, body, api_version=_version(resource), polling_interval=1
        )
        await poller.wait()

    async def patch(self, resource: ResourceId, body: dict[str, Any]) -> None:
        poller = await self._clients.resources.begin_update_by_id(
            resource.text, body, api_version=_version(resource), polling_interval=1
        )
        await poller.wait()

    async def get(self, resource: ResourceId) -> dict[str, Any]:
        """The body as ARM shows it to its owner."""
        body: Any = await self._clients.resources.get_by_id(
            resource.text,
            api_version=_version(resource),
            cls=lambda response, _model, _headers: response.http_response.json(),
        )
        return dict(body)

    async def make_identity(self, name: str) -> ResourceId:
        await self._identities.user_assigned_identities.create_or_update(
            GROUP, name, Identity(location=LOCATION)
        )
        return self.resource_id(_IDENTITY_TYPE, name)

    async def delete_identity(self, identity: ResourceId) -> None:
        await self._identities.user_assigned_identities.delete(GROUP, identity.name)

    async def recreate_identity(self, identity: ResourceId) -> None:
        """Another identity of the same name: the resources that had the old one keep that."""
        await self.delete_identity(identity)
        await self.make_identity(identity.name)

    def principal_of(self, identity: ResourceId) -> str:
        return str(self.azure.state.resources[identity.key].properties["principalId"])

    # What Lanyard sees and does.

    async def read(self, resource: ResourceId) -> ComputeResource:
        found = await self.compute.read(resource)
        assert found is not None
        return found

    def calls(self) -> list[str]:
        """The methods of Lanyard's calls since the last time, polls of operations aside."""
        calls = self.azure.calls_of(self.app.object_id)
        self.azure.calls.clear()
        return [call.method for call in calls if "operation" not in call.path.lower()]

    def writes(self) -> list[str]:
        """The same without the reads."""
        return [method for method in self.calls() if method != "GET"]

    def resource_id(self, kind: str, *names: str) -> ResourceId:
        namespace, *types = kind.split("/")
        path = "/".join(f"{each}/{name}" for each, name in zip(types, names, strict=True))
        return ResourceId.parse(f"{self.group}/providers/{namespace}/{path}")


def _version(resource: ResourceId) -> str:
    kind = compute_type(resource.type)
    assert kind is not None
    return kind.api_version
