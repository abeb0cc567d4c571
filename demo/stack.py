"""Everything that runs: the local Azure, Azurite, and the app in a Functions host of its own.

What a deployment would make, it makes here by the same calls to ARM, with the real SDKs, as the
person who deploys: groups, storage, the app with its identity and rights, the event subscription.
"""

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from azure.storage.queue.aio import QueueClient

from demo.events import BY_WEBHOOK, EVENTS, make_queues, subscribe, webhook_of
from demo.hosts import PROJECT, project_host
from demo.operator import Operator
from demo.timers import run_now
from lanyard.desk.rights import rights
from lanyard.policy import load_policy
from simulator.azure import Azure
from simulator.azurite import Azurite
from simulator.behaviour import Behaviour
from simulator.certificates import Certificates, make_certificates
from simulator.clock import Clock
from simulator.functions_host.process import HostProcess
from simulator.serve import Addresses, serve

POLICY = PROJECT / "demo" / "lanyard.yaml"
LOCATION = "westeurope"
SHOP = "rg-shop"
#: Whose the app's role assignments are.
INSTALLATION = "1a57a11a-0000-4000-8000-000000000001"
QUEUE = "lanyard-reconcile"
BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"
#: Functions that a time of day starts; they can always be run by the host's admin API.
_TIMED = ("sweep", "policy_changes", "dead_letters")
#: So that a story, or a test, goes the same way at any time of day.
TIMERS_OFF = {f"AzureWebJobs.{name}.Disabled": "true" for name in _TIMED}
NOTHING_MORE: Mapping[str, str] = {}
#: For tests: a message is found soon. In Azure an idle queue is polled once a second.
POLLED_OFTEN = {"AzureFunctionsJobHost__extensions__queues__maxPollingInterval": "00:00:00.2"}
METRICS_PUBLISHER = "3913510d-42f4-4e42-8a64-420c390055eb"
MANAGED_IDENTITY_OPERATOR = "f1a07417-d97a-45cb-824c-7a7467783830"

#: Shows that a part of the start is under way: `async with progress("Azurite"): …`.
type Progress = Callable[[str], AbstractAsyncContextManager[None]]
#: What stands before the storage, if anything does.
type Front = Callable[[Azurite, Certificates], AbstractAsyncContextManager["Storage"]]
#: The host for the app settings; it keeps its log and keys in the folder.
type MakeHost = Callable[[Mapping[str, str], Path], HostProcess]


@dataclass(frozen=True)
class Stack:
    """What is running, and who looks after it."""

    azure: Azure
    addresses: Addresses
    azurite: Azurite
    host: HostProcess
    operator: Operator
    app_principal: str
    webhook: str
    #: How Event Grid brings the events.
    way: str = BY_WEBHOOK

    async def quiet(self) -> None:
        """Return once every event was delivered and every message of the queues worked on."""
        while True:
            await self.addresses.delivery.settled()
            # Events first: what is taken from there lies on the queue of work before it goes.
            if not await self.waiting(EVENTS) and not await self.waiting(QUEUE):
                return
            await self.azure.clock.sleep_until(self.azure.clock.now() + 0.1)

    async def waiting(self, name: str) -> int:
        """The messages of a queue, those that are being worked on included."""
        async with QueueClient(
            self.azurite.queue_url,
            name,
            credential=self.operator.credential,
            **self.operator.options,
        ) as queue:
            return (await queue.get_queue_properties()).approximate_message_count or 0


@asynccontextmanager
async def running(
    directory: Path,
    progress: Progress,
    *,
    operation_seconds: float = 2.0,
    policy: Path = POLICY,
    make_host: MakeHost = project_host,
    front: Front | None = None,
    timers: bool = False,
    way: str = BY_WEBHOOK,
    more: Mapping[str, str] = NOTHING_MORE,
    telemetry_by_key: bool = False,
) -> AsyncIterator[Stack]:
    """Start everything, keep it running while the context is open, stop it.

    `timers`: what the clock starts is started, too. `front`: the app alone reaches its storage
    through it. `way`: how the events come. `more`: app settings beside those of a deployment.
    `telemetry_by_key`: Application Insights takes telemetry without a token, too.
    """
    certificates = make_certificates(directory / "tls")
    async with AsyncExitStack() as stack:
        async with progress("Azurite: blobs, queues and tables"):
            azurite = await stack.enter_async_context(Azurite(certificates))
            storage: Storage = azurite
            if front is not None:
                storage = await stack.enter_async_context(front(azurite, certificates))
        async with progress("Azure: ARM, Event Grid, directory, identities"):
            azure = Azure(
                clock=Clock(running=True), behaviour=Behaviour(operation_seconds=operation_seconds)
            )
            azure.state.add_subscription("Lanyard demo")
            addresses = await stack.enter_async_context(
                serve(
                    azure,
                    certificates,
                    azurite_blob_url=azurite.blob_url,
                    azurite_queue_url=azurite.queue_url,
                )
            )
            operator = await stack.enter_async_context(Operator(addresses))
        async with progress("the app's identity, its rights and its storage"):
            app = await deploy(azure, operator, policy)
            await make_queues(operator, azurite.queue_url, QUEUE, EVENTS)
        async with progress("the app, in a Functions host"):
            settings = settings_of(azure, addresses, storage, app, policy)
            settings |= {} if timers else TIMERS_OFF
            settings |= await telemetry_of(operator, addresses, app, by_key=telemetry_by_key)
            settings |= more
            host = await stack.enter_async_context(make_host(settings, directory))
        async with progress(f"the event subscription, by {way}"):
            webhook = webhook_of(host)
            await subscribe(operator, way, webhook)
        async with progress("the first look at everything"):
            assert await run_now(host, "policy_changes", azure.clock), host.log_file
        yield Stack(azure, addresses, azurite, host, operator, app["principalId"], webhook, way)


async def deploy(azure: Azure, operator: Operator, policy: Path) -> dict[str, str]:
    """Make what azd would make; returns the app's identity and the id of its site."""
    for group in ("rg-lanyard", "rg-identities", SHOP, "rg-other"):
        await operator.create_group(group, LOCATION)
    identity = await operator.create(
        "rg-lanyard/Microsoft.ManagedIdentity/userAssignedIdentities/id-lanyard-app",
        "2024-11-30",
        {"location": LOCATION},
    )
    site = await operator.create(
        "rg-lanyard/Microsoft.Web/sites/func-lanyard",
        "2025-05-01",
        {
            "location": LOCATION,
            "kind": "functionapp,linux",
            "identity": {"type": "UserAssigned", "userAssignedIdentities": {identity["id"]: {}}},
            "properties": {},
        },
    )
    principal = identity["properties"]["principalId"]
    await _grant(operator, principal, policy)
    azure.services.directory.grant_permission(principal)
    return {
        "clientId": identity["properties"]["clientId"],
        "principalId": principal,
        "site": site["id"],
    }


async def _grant(operator: Operator, principal: str, policy: Path) -> None:
    """What the policy needs; and Reader, which someone gives in the story, may be cleaned up."""
    needed = rights(load_policy(policy), also_removable=[READER])
    role = await operator.create_role("Lanyard", [*needed.actions])
    await operator.assign(role, principal, condition=needed.condition or None)
    if needed.identity_actions:
        role = await operator.create_role("Lanyard identities", [*needed.identity_actions])
        for group in needed.identity_groups:
            await operator.create_group(group, LOCATION)
            await operator.assign(role, principal, operator.group(group))
        if not needed.identity_groups:
            await operator.assign(role, principal)
    for identity in needed.operator_on:
        await operator.assign(MANAGED_IDENTITY_OPERATOR, principal, identity.text)


class Storage(Protocol):
    """Where the app's storage account is."""

    @property
    def blob_url(self) -> str: ...
    @property
    def queue_url(self) -> str: ...
    @property
    def table_url(self) -> str: ...


def settings_of(
    azure: Azure, addresses: Addresses, storage: Storage, app: dict[str, str], policy: Path
) -> dict[str, str]:
    """The app settings: what differs from a deployment is only where Azure is."""
    return {
        "AzureWebJobsStorage__blobServiceUri": storage.blob_url,
        "AzureWebJobsStorage__queueServiceUri": storage.queue_url,
        "AzureWebJobsStorage__tableServiceUri": storage.table_url,
        "AzureWebJobsStorage__credential": "managedidentity",
        "AzureWebJobsStorage__clientId": app["clientId"],
        "AZURE_CLIENT_ID": app["clientId"],
        "LANYARD_PRINCIPAL_ID": app["principalId"],
        "LANYARD_INSTALLATION": INSTALLATION,
        # Whatever a local.settings.json of the developer's says.
        "LANYARD_CREDENTIAL": "managedIdentity",
        "LANYARD_POLICY": str(policy),
        "LANYARD_ARM_ENDPOINT": addresses.arm,
        "LANYARD_ARM_AUDIENCE": "https://management.azure.com",
        "LANYARD_GRAPH_ENDPOINT": addresses.graph,
        "LANYARD_GRAPH_AUDIENCE": "https://graph.microsoft.com",
        "IDENTITY_ENDPOINT": addresses.identity_endpoint,
        "IDENTITY_HEADER": azure.services.identity_endpoints.identity_header(app["site"]),
        "SSL_CERT_FILE": str(addresses.certificates.ca_file),
    }


async def telemetry_of(
    operator: Operator, addresses: Addresses, app: dict[str, str], *, by_key: bool
) -> dict[str, str]:
    """Application Insights, which takes telemetry of the app's identity alone, or of whoever knows
    its key, too (`by_key`), and its settings.
    """
    insights = await operator.create(
        "rg-lanyard/Microsoft.Insights/components/appi-lanyard",
        "2020-02-02",
        {"location": LOCATION, "kind": "web", "properties": {"DisableLocalAuth": not by_key}},
    )
    await operator.assign(METRICS_PUBLISHER, app["principalId"], insights["id"])
    return {
        "APPLICATIONINSIGHTS_CONNECTION_STRING": insights["properties"]["ConnectionString"],
        "APPLICATIONINSIGHTS_AUTHENTICATION_STRING": f"ClientId={app['clientId']};"
        "Authorization=AAD",
        "LANYARD_TELEMETRY": "true",
        "REQUESTS_CA_BUNDLE": str(addresses.certificates.ca_file),
    }


def as_json(stack: Stack) -> str:
    """The addresses of a running stack, as one line of JSON."""
    return json.dumps(
        stack.addresses.as_json()
        | {
            "storage": {
                "blob": stack.azurite.blob_url,
                "queue": stack.azurite.queue_url,
                "table": stack.azurite.table_url,
            },
            "app": {
                "url": stack.host.url,
                "functions": [function["name"] for function in stack.host.functions],
                "log": str(stack.host.log_file),
                "webhook": stack.webhook,
            },
        }
    )
