"""The SDK clients: built on first use, once, over one transport, and shared by all invocations."""

import asyncio
from functools import cached_property
from typing import Any

from azure.core import AsyncPipelineClient
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    HeadersPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.settings import Endpoint

#: Operations by full resource id take the client of any subscription.
_ANY_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"
#: A VM's operation carries no Retry-After; the SDK's own default would then wait 30 s.
POLL_SECONDS = 2
#: Seconds to reach a server and to hear from it: together less than claims.CALL_SECONDS.
DEADLINES = {"connection_timeout": 10, "read_timeout": 25}


class Clients:
    """The clients for one cloud and one identity.

    The SDKs' own retries are off: a failed call is put back with its delay, and two schedules
    would multiply.
    """

    def __init__(
        self,
        credential: AsyncTokenCredential,
        *,
        arm: Endpoint,
        graph: Endpoint,
        transport: AsyncHttpTransport[Any, Any] | None = None,
    ) -> None:
        self._credential = credential
        self._graph = graph
        self._identities: dict[str, ManagedServiceIdentityClient] = {}
        self._common: dict[str, Any] = {
            "base_url": arm.url,
            "credential_scopes": [f"{arm.audience}/.default"],
            "retry_total": 0,
            "polling_interval": POLL_SECONDS,
            **DEADLINES,
        }
        if transport is not None:
            self._common["transport"] = transport

    @cached_property
    def resources(self) -> ResourceManagementClient:
        """Any resource by its id."""
        return ResourceManagementClient(self._credential, _ANY_SUBSCRIPTION, **self._common)

    @cached_property
    def authorization(self) -> AuthorizationManagementClient:
        """Role assignments at any scope (api-version 2022-04-01)."""
        return AuthorizationManagementClient(self._credential, _ANY_SUBSCRIPTION, **self._common)

    def identities(self, subscription: str) -> ManagedServiceIdentityClient:
        """User-assigned identities of one subscription."""
        if subscription not in self._identities:
            client = ManagedServiceIdentityClient(self._credential, subscription, **self._common)
            self._identities[subscription] = client
        return self._identities[subscription]

    @cached_property
    def graph(self) -> AsyncPipelineClient[Any, Any]:
        """Microsoft Graph v1.0."""
        policies = [
            RequestIdPolicy(),
            HeadersPolicy({"Accept": "application/json"}),
            UserAgentPolicy("lanyard"),
            AsyncBearerTokenCredentialPolicy(self._credential, f"{self._graph.audience}/.default"),
        ]
        options = {k: v for k, v in self._common.items() if k == "transport" or k in DEADLINES}
        return AsyncPipelineClient(self._graph.url, policies=policies, **options)

    async def sleep(self, seconds: float) -> None:
        """Wait as the SDK's pollers do: by the transport, which may keep its own time."""
        transport = self._common.get("transport")
        await (transport.sleep(seconds) if transport else asyncio.sleep(seconds))

    async def close(self) -> None:
        """Close every client that was built."""
        for name in ("resources", "authorization", "graph"):
            if name in self.__dict__:
                await self.__dict__[name].close()
        for client in self._identities.values():
            await client.close()
