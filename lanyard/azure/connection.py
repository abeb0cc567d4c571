"""The app's connection to Azure: the product's ports and its storage, over one identity."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.data.tables.aio import TableClient
from azure.identity.aio import AzureCliCredential, ManagedIdentityCredential
from azure.storage.blob.aio import BlobClient, ContainerClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from lanyard.azure.arm.activity_log import ActivityLog
from lanyard.azure.arm.clients import Clients, Throttling
from lanyard.azure.arm.compute import Compute
from lanyard.azure.arm.identities import Identities
from lanyard.azure.arm.obstacles import Obstacles
from lanyard.azure.arm.resource_graph import ResourceGraph
from lanyard.azure.arm.role_assignments import Roles
from lanyard.azure.arm.transport import TOKEN_SECONDS, Transport
from lanyard.azure.directory import Directory
from lanyard.azure.logs import quiet_sdks
from lanyard.azure.notifications import Notifications
from lanyard.azure.storage import dead_letters, leases, sweep_mark
from lanyard.azure.storage.dead_letters import DeadLetterBlobs, PoisonQueue
from lanyard.azure.storage.leases import BlobLeases
from lanyard.azure.storage.policy_blob import PolicyBlob
from lanyard.azure.storage.queue import WorkQueue
from lanyard.azure.storage.sweep_mark import BlobMark
from lanyard.azure.storage.tables import AzureTable
from lanyard.ports.azure import Azure
from lanyard.ports.tables import Tables
from lanyard.queue.messages import QUEUE
from lanyard.settings import CredentialKind, Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The app's own storage."""

    #: Of changes to look at.
    queue: WorkQueue
    #: What is on record.
    tables: Tables[AzureTable]
    #: The locks of resources.
    leases: BlobLeases
    #: Events that could not be delivered.
    dead_letters: DeadLetterBlobs
    #: Messages that failed too often.
    poison: PoisonQueue
    #: Events that the host gave up.
    lost_events: PoisonQueue
    #: None where the policy is in the package.
    policy: PolicyBlob | None
    #: When a sweep last read everything.
    mark: BlobMark


@dataclass(frozen=True, slots=True)
class Connection:
    """All that the deployed app reaches; `notifications` is None where no topic is set."""

    azure: Azure
    storage: Storage
    notifications: Notifications | None


def connect(settings: Settings) -> Connection:
    """Everything, as the app's own identity. No call is made before the first use."""
    quiet_sdks()
    credential, transport = _credential(settings), Transport()
    return Connection(
        azure_over(credential, settings, transport),
        _storage(credential, settings, transport),
        notifications_over(credential, settings, transport),
    )


def _credential(settings: Settings) -> AsyncTokenCredential:
    if settings.credential is CredentialKind.AZURE_CLI:
        return AzureCliCredential()
    return ManagedIdentityCredential(
        client_id=settings.client_id, transport=Transport(TOKEN_SECONDS), retry_total=0
    )


def _storage(
    credential: AsyncTokenCredential, settings: Settings, transport: AsyncHttpTransport[Any, Any]
) -> Storage:
    # One try a call, as with ARM: what fails is put back with its delay.
    options: dict[str, Any] = {"credential": credential, "transport": transport, "retry_total": 0}

    def table(name: str) -> AzureTable:
        return AzureTable(TableClient(settings.table_url, name, **options))

    def container(name: str) -> ContainerClient:
        return ContainerClient(settings.blob_url, name, **options)

    queue = QueueClient(
        settings.queue_url, QUEUE, message_encode_policy=TextBase64EncodePolicy(), **options
    )
    return Storage(
        queue=WorkQueue(queue, settings.longest_delay),
        tables=Tables.named(table),
        leases=BlobLeases(container(leases.CONTAINER)),
        dead_letters=DeadLetterBlobs(container(dead_letters.CONTAINER), settings.own_ids),
        poison=PoisonQueue(QueueClient(settings.queue_url, dead_letters.POISON, **options)),
        lost_events=PoisonQueue(
            QueueClient(settings.events_url, dead_letters.EVENTS_POISON, **options),
            dead_letters.given_up_events(settings.own_ids),
        ),
        policy=_policy(settings, options),
        mark=BlobMark(container(sweep_mark.CONTAINER)),
    )


def _policy(settings: Settings, options: dict[str, Any]) -> PolicyBlob | None:
    if not settings.policy_url:
        return None
    return PolicyBlob(BlobClient.from_blob_url(settings.policy_url, **options))


def notifications_over(
    credential: AsyncTokenCredential, settings: Settings, transport: AsyncHttpTransport[Any, Any]
) -> Notifications | None:
    """Where decisions are published; None where no topic is set."""
    if not settings.notices_url:
        return None
    source = f"urn:lanyard:{settings.client_id}"
    return Notifications(settings.notices_url, source, credential, transport)


def azure_over(
    credential: AsyncTokenCredential,
    settings: Settings,
    transport: AsyncHttpTransport[Any, Any] | None = None,
    now: Callable[[], float] = time.monotonic,
) -> Azure:
    """The ports over the SDKs, with any credential and any transport. `now` is the transport's own
    clock, in seconds.
    """
    clients = Clients(
        credential,
        arm=settings.arm,
        graph=settings.graph,
        transport=transport,
        throttling=Throttling(settings.quota_reserve, now=now),
    )
    return Azure(
        compute=Compute(clients),
        identities=Identities(clients),
        assignments=Roles(clients, settings.installation),
        index=ResourceGraph(clients),
        directory=Directory(clients, control_principal=settings.principal_id),
        activity_log=ActivityLog(clients),
        obstacles=Obstacles(clients),
        own_principal=settings.principal_id,
        sleep=clients.sleep,
    )
