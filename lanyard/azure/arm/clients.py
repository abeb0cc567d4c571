"""The SDK clients: built on first use, once, over one transport, and shared by all invocations."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from azure.core import AsyncPipelineClient
from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline import AsyncPipeline
from azure.core.pipeline.policies import (
    AsyncBearerTokenCredentialPolicy,
    ContentDecodePolicy,
    HeadersPolicy,
    RequestIdPolicy,
    UserAgentPolicy,
)
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.mgmt.authorization.v2022_04_01.aio import AuthorizationManagementClient
from azure.mgmt.core.policies import AsyncARMChallengeAuthenticationPolicy
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.azure.arm.answers import Objects
from lanyard.azure.arm.transport import Transport
from lanyard.azure.throttling.limiter import Limiter, spared
from lanyard.azure.throttling.measured import Measured
from lanyard.azure.throttling.quota import Quota
from lanyard.values.clouds import Endpoint

#: Operations by full resource id take the client of any subscription.
_ANY_SUBSCRIPTION = "00000000-0000-0000-0000-000000000000"


@dataclass(frozen=True, slots=True)
class Throttling:
    """How ARM's quota is spared. `reserve`: the share (0 to 1) left to other users of it;
    `patience`: seconds that a request waits for a token before it is put off; `now`: the clock.
    """

    reserve: float = 0.1
    patience: float = 3.0
    now: Callable[[], float] = time.monotonic


class Clients:
    """The clients for one cloud and one identity.

    Each call is made once: the SDKs' own retries are not in the pipeline, because a failed call is
    put back with its delay, and two schedules would multiply. Nor is the registration of resource
    providers, which is for a person to do.
    """

    def __init__(
        self,
        credential: AsyncTokenCredential,
        *,
        arm: Endpoint,
        graph: Endpoint,
        transport: AsyncHttpTransport[Any, Any] | None = None,
        throttling: Throttling | None = None,
    ) -> None:
        self._credential = credential
        self._arm = arm
        self._graph = graph
        self._transport = transport or Transport()
        self._throttling = throttling or Throttling()
        self._quota = Quota(self._throttling.reserve)
        self._identities: dict[str, ManagedServiceIdentityClient] = {}

    @cached_property
    def resources(self) -> ResourceManagementClient:
        """Any resource by its id."""
        return ResourceManagementClient(self._credential, _ANY_SUBSCRIPTION, **self._options)

    @cached_property
    def authorization(self) -> AuthorizationManagementClient:
        """Role assignments at any scope (api-version 2022-04-01)."""
        return AuthorizationManagementClient(self._credential, _ANY_SUBSCRIPTION, **self._options)

    def identities(self, subscription: str) -> ManagedServiceIdentityClient:
        """User-assigned identities of one subscription."""
        if subscription not in self._identities:
            client = ManagedServiceIdentityClient(self._credential, subscription, **self._options)
            self._identities[subscription] = client
        return self._identities[subscription]

    @cached_property
    def graph(self) -> AsyncPipelineClient[Any, Any]:
        """Microsoft Graph v1.0."""
        policies: list[Any] = [
            RequestIdPolicy(),
            HeadersPolicy({"Accept": "application/json"}),
            UserAgentPolicy("lanyard"),
            Measured("graph"),
            AsyncBearerTokenCredentialPolicy(self._credential, f"{self._graph.audience}/.default"),
        ]
        return AsyncPipelineClient(
            self._graph.url, pipeline=AsyncPipeline(self._transport, policies)
        )

    @cached_property
    def _options(self) -> dict[str, Any]:
        scope = f"{self._arm.audience}/.default"
        throttling = self._throttling
        policies: list[Any] = [
            RequestIdPolicy(),
            HeadersPolicy(),
            UserAgentPolicy("lanyard"),
            Objects(),
            ContentDecodePolicy(),
            Limiter(self._quota, throttling.patience, throttling.now, self.sleep),
            Measured("arm"),
            AsyncARMChallengeAuthenticationPolicy(self._credential, scope),
        ]
        return {
            "base_url": self._arm.url,
            "credential_scopes": [scope],
            "pipeline": AsyncPipeline(self._transport, policies),
        }

    def is_pressed(self, url: str) -> bool:
        """Whether more than half of what a subscription allows is used: then reads are spared."""
        now = self._throttling.now()
        return self._quota.is_low("GET", url, now) or self._quota.is_low("PUT", url, now)

    @contextmanager
    def writing(self, url: str) -> Iterator[None]:
        """While work goes on that may write to `url`. Raise NotYet where a write would not be sent
        now: better not to begin, then.
        """
        throttling = self._throttling
        refused = self._quota.begin("PUT", url, throttling.now(), throttling.patience)
        if refused is not None:
            raise spared(refused)
        try:
            yield
        finally:
            self._quota.end("PUT", url)

    def now(self) -> float:
        """Seconds, by the clock that the throttling goes by."""
        return self._throttling.now()

    async def sleep(self, seconds: float) -> None:
        """Wait as the SDK's pollers do: by the transport, which may keep its own time."""
        await self._transport.sleep(seconds)

    async def close(self) -> None:
        """Close the connections."""
        await self._transport.close()
