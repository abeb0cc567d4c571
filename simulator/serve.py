"""The local Azure on loopback: ARM, Graph and blobs over TLS, metadata and control over http."""

import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import httpx
from starlette.routing import Router

from simulator import control
from simulator.azure import Azure
from simulator.certificates import Certificates
from simulator.event_grid.dead_letters import EVENT_GRID_APP_ID, BlobDeadLetters
from simulator.event_grid.delivery import Delivery
from simulator.event_grid.queues import Queues, StorageQueues
from simulator.listener import HOST, listen
from simulator.operator import Operator, make_operator
from simulator.state import Json, Principal
from simulator.tokens import routes as token_routes


@dataclass(frozen=True)
class Addresses:
    """Where everything is. A blob account is at `{blob}/{account}`, Graph at `{graph}/v1.0`.

    A machine's metadata endpoint (`AZURE_POD_IDENTITY_AUTHORITY_HOST`) is
    `{metadata}/imds{resource id}`; an app's `IDENTITY_ENDPOINT` is `{metadata}/msi/token`.
    """

    arm: str
    graph: str
    blob: str
    metadata: str
    control: str
    certificates: Certificates
    tenant_id: str
    subscriptions: tuple[str, ...]
    operator: Operator
    delivery: Delivery

    @property
    def identity_endpoint(self) -> str:
        """`IDENTITY_ENDPOINT` of every app."""
        return f"{self.metadata}/msi/token"

    def imds(self, resource_id: str) -> str:
        """`AZURE_POD_IDENTITY_AUTHORITY_HOST` on the machine `resource_id`."""
        return f"{self.metadata}/imds{resource_id}"

    def as_json(self) -> Json:
        """What `python -m simulator` prints when it is ready."""
        header = self.operator.identity_header
        return {
            "arm": self.arm,
            "graph": self.graph,
            "blob": self.blob,
            "metadata": self.metadata,
            "control": self.control,
            "caFile": str(self.certificates.ca_file),
            "tenantId": self.tenant_id,
            "subscriptions": list(self.subscriptions),
            "operator": {
                "objectId": self.operator.principal.object_id,
                "clientId": self.operator.principal.client_id,
                "identityEndpoint": self.identity_endpoint,
                "identityHeader": header,
            },
            "token": f"curl -s -H 'X-IDENTITY-HEADER: {header}' '{self.identity_endpoint}"
            "?api-version=2019-08-01&resource=https://management.azure.com/'",
        }


@asynccontextmanager
async def serve(
    azure: Azure,
    certificates: Certificates,
    *,
    port: int = 0,
    metadata_port: int = 0,
    azurite_blob_url: str | None = None,
    azurite_queue_url: str | None = None,
    verbose: bool = False,
) -> AsyncIterator[Addresses]:
    """Serve `azure` while the context is open; events are delivered as long.

    Port 0 takes a free one. Dead letters go to `azurite_blob_url` ("https://127.0.0.1:…/account");
    without it they are dropped. Events for a queue go to that of `azurite_queue_url`; without it
    there is none. Subscriptions made later are not the operator's.
    """
    operator = make_operator(azure)
    async with AsyncExitStack() as stack:
        trust = ssl.create_default_context(cafile=str(certificates.ca_file))
        http = await stack.enter_async_context(
            httpx.AsyncClient(verify=trust, trust_env=False, limits=httpx.Limits())
        )
        delivery = await stack.enter_async_context(
            _delivery(azure, http, azurite_blob_url, azurite_queue_url)
        )
        plain = Router(
            [
                *token_routes.routes(azure.services.identity_endpoints, azure.state, azure.faults),
                *control.routes(azure, delivery, operator),
            ]
        )
        metadata = await stack.enter_async_context(
            listen(plain, port=metadata_port, verbose=verbose)
        )
        secure = await stack.enter_async_context(
            listen(azure.app, port=port, certificates=certificates, verbose=verbose)
        )
        yield _addresses(azure, certificates, operator, delivery, secure, metadata)


def _delivery(
    azure: Azure, http: httpx.AsyncClient, blob_url: str | None, queue_url: str | None
) -> Delivery:
    store, queues, event_grid = None, None, azure.services.event_grid
    if queue_url is not None:
        messages = StorageQueues(http, queue_url, azure.services.tokens)
        queues = Queues(azure.state, azure.access, event_grid.behaviour, messages)
    if blob_url is not None:
        store = BlobDeadLetters(http, blob_url, azure.services.tokens, _event_grid(azure))
    return Delivery(azure.state, event_grid, http, store, queues)


def _event_grid(azure: Azure) -> Principal:
    """The service principal that writes dead letters, under the id that it has in every tenant."""
    principal = azure.state.add_principal("Microsoft.EventGrid")
    principal.client_id = EVENT_GRID_APP_ID
    return principal


def _addresses(
    azure: Azure,
    certificates: Certificates,
    operator: Operator,
    delivery: Delivery,
    secure: int,
    metadata: int,
) -> Addresses:
    base, plain = f"https://{HOST}:{secure}", f"http://{HOST}:{metadata}"
    return Addresses(
        arm=base,
        graph=f"{base}/graph",
        blob=f"{base}/blob",
        metadata=plain,
        control=f"{plain}/control",
        certificates=certificates,
        tenant_id=azure.state.tenant_id,
        subscriptions=tuple(azure.state.subscriptions),
        operator=operator,
        delivery=delivery,
    )
