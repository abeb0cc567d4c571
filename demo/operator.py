"""The person at the desk: makes and deletes resources, gives roles, and looks at what is there.

Only real SDK clients, over TLS, with a token from the local Azure's managed identity endpoint.
"""

import asyncio
import os
import uuid
from collections.abc import Iterator, Mapping
from contextlib import AsyncExitStack, contextmanager
from types import TracebackType
from typing import Any, Self

from azure.core.exceptions import ResourceNotFoundError
from azure.core.rest import HttpRequest
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient
from azure.mgmt.authorization.v2022_04_01.models import (
    Permission,
    RoleAssignment,
    RoleAssignmentCreateParameters,
    RoleDefinition,
)
from azure.mgmt.compute.aio import ComputeManagementClient
from azure.mgmt.compute.models import (
    HardwareProfile,
    VirtualMachine,
    VirtualMachineIdentity,
    VirtualMachineProperties,
)
from azure.mgmt.resource.resources.aio import ResourceManagementClient
from azure.mgmt.resource.resources.models import GenericResource, ResourceGroup

from simulator.serve import Addresses

_POLL_SECONDS = 1


#: Between two looks at what is not there yet.
_LOOK_SECONDS = 0.2


class Operator:
    """Acts in the first subscription. `options` are the keyword arguments of any SDK client."""

    def __init__(self, addresses: Addresses) -> None:
        self.subscription = addresses.subscriptions[0]
        self.scope = f"/subscriptions/{self.subscription}"
        self.options: dict[str, Any] = {"connection_verify": str(addresses.certificates.ca_file)}
        identity = {
            "IDENTITY_ENDPOINT": addresses.identity_endpoint,
            "IDENTITY_HEADER": addresses.operator.identity_header,
        }
        with _environment(identity):
            self.credential = ManagedIdentityCredential()
        common: dict[str, Any] = {
            "base_url": addresses.arm,
            "credential_scopes": ["https://management.azure.com/.default"],
            "polling_interval": _POLL_SECONDS,
            **self.options,
        }
        self._resources = ResourceManagementClient(self.credential, self.subscription, **common)
        self._compute = ComputeManagementClient(self.credential, self.subscription, **common)
        self._roles = AuthorizationManagementClient(self.credential, self.subscription, **common)
        self._open = AsyncExitStack()

    async def __aenter__(self) -> Self:
        for client in (self.credential, self._resources, self._compute, self._roles):
            await self._open.enter_async_context(client)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._open.aclose()

    def group(self, name: str) -> str:
        """The id of a resource group."""
        return f"{self.scope}/resourceGroups/{name}"

    async def create_group(self, name: str, location: str) -> None:
        """A new resource group."""
        await self._resources.resource_groups.create_or_update(
            name, ResourceGroup(location=location)
        )

    async def create(
        self, path: str, api_version: str, body: Mapping[str, Any], *, long: bool = False
    ) -> dict[str, Any]:
        """PUT a resource at `{group}/{namespace}/{types and names}`; returns it as ARM has it.

        `long`: follow the operation until it ended. An identity, made at once, cannot be followed:
        its 201 has a Location without an api-version, which the SDK would poll in vain.
        """
        group, _, rest = path.partition("/")
        resource_id = f"{self.group(group)}/providers/{rest}"
        if not long:
            return await self._made(resource_id, api_version, dict(body))
        poller = await self._resources.resources.begin_create_or_update_by_id(
            resource_id, dict(body), api_version=api_version
        )
        return (await poller.result()).as_dict()

    async def _made(
        self, resource_id: str, api_version: str, body: dict[str, Any]
    ) -> dict[str, Any]:
        """As it is once it is there: some services accept without a word."""
        version = {"api-version": api_version}
        request = HttpRequest("PUT", resource_id, params=version, json=body)
        answer = await self._resources.send_request(request)
        answer.raise_for_status()
        while answer.status_code in (202, 404):
            await asyncio.sleep(_LOOK_SECONDS)
            request = HttpRequest("GET", resource_id, params=version)
            answer = await self._resources.send_request(request)
        answer.raise_for_status()
        made: dict[str, Any] = answer.json()
        return made

    async def create_role(self, name: str, actions: list[str]) -> str:
        """A custom role of the subscription; returns its GUID."""
        guid = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        role = RoleDefinition(
            role_name=name,
            role_type="CustomRole",
            permissions=[Permission(actions=actions)],
            assignable_scopes=[self.scope],
        )
        await self._roles.role_definitions.create_or_update(self.scope.lstrip("/"), guid, role)
        return guid

    async def assign(
        self, role: str, principal: str, scope: str = "", condition: str | None = None
    ) -> str:
        """Give a role (GUID) at a scope, by default the subscription; returns the id."""
        made = await self._roles.role_assignments.create(
            scope or self.scope,
            str(uuid.uuid4()),
            RoleAssignmentCreateParameters(
                role_definition_id=f"{self.scope}/providers/Microsoft.Authorization"
                f"/roleDefinitions/{role}",
                principal_id=principal,
                principal_type="ServicePrincipal",
                condition=condition,
                condition_version="2.0" if condition else None,
            ),
        )
        return str(made.id)

    async def assignments(self, principal: str) -> list[RoleAssignment]:
        """What a principal holds in the subscription, as ARM lists it now."""
        pages = self._roles.role_assignments.list_for_subscription(
            filter=f"principalId eq '{principal}'"
        )
        return [found async for found in pages]

    async def create_vm(self, group: str, name: str, location: str, *, system: bool = False) -> str:
        """A virtual machine, by azure-mgmt-compute; returns its id when Azure says it is made."""
        machine = VirtualMachine(
            location=location,
            identity=VirtualMachineIdentity(type="SystemAssigned") if system else None,
            properties=VirtualMachineProperties(
                hardware_profile=HardwareProfile(vm_size="Standard_B2s")
            ),
        )
        poller = await self._compute.virtual_machines.begin_create_or_update(group, name, machine)
        return str((await poller.result()).id)

    async def vm(self, group: str, name: str) -> VirtualMachine | None:
        """The machine as ARM has it now, or None."""
        try:
            return await self._compute.virtual_machines.get(group, name)
        except ResourceNotFoundError:
            return None

    async def delete_vm(self, group: str, name: str) -> None:
        """Delete the machine and wait until Azure says that it is gone."""
        poller = await self._compute.virtual_machines.begin_delete(group, name)
        await poller.result()

    async def resource(self, resource_id: str, api_version: str) -> GenericResource:
        """Any resource as ARM has it now."""
        return await self._resources.resources.get_by_id(resource_id, api_version=api_version)


@contextmanager
def _environment(values: Mapping[str, str]) -> Iterator[None]:
    """azure-identity takes the endpoint from the environment when the credential is made."""
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
