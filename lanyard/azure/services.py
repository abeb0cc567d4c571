"""Everything the product needs of Azure, over one identity: the app's own."""

import time
from collections.abc import Callable
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.data.tables.aio import TableClient
from azure.identity.aio import ManagedIdentityCredential
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from lanyard.apply import Services
from lanyard.azure.arm import Compute
from lanyard.azure.clients import Clients
from lanyard.azure.directory import Directory
from lanyard.azure.identities import Identities
from lanyard.azure.queue import WorkQueue
from lanyard.azure.resource_graph import ResourceGraph
from lanyard.azure.roles import Roles
from lanyard.azure.tables import AzureTable
from lanyard.budget import RemovalBudget
from lanyard.claims import Claims
from lanyard.ledger import Ledger
from lanyard.messages import QUEUE
from lanyard.orphans import Orphans
from lanyard.policy import Policy
from lanyard.settings import Settings
from lanyard.tables import Table


def connect(settings: Settings, policy: Policy) -> tuple[Ledger, Services, WorkQueue]:
    """The services of the deployed app. No call is made before the first use."""
    credential = ManagedIdentityCredential(client_id=settings.client_id)

    def table(name: str) -> AzureTable:
        client = TableClient(settings.table_url, name, credential=credential)
        return AzureTable(client)

    ledger = Ledger(
        table("lanyardresources"), table("lanyardidentities"), table("lanyarddecisions")
    )
    queue = QueueClient(
        settings.queue_url,
        QUEUE,
        credential=credential,
        message_encode_policy=TextBase64EncodePolicy(),
    )
    services = services_over(credential, settings, policy, ledger, table("lanyardgrants"))
    return ledger, services, WorkQueue(queue)


def services_over(
    credential: AsyncTokenCredential,
    settings: Settings,
    policy: Policy,
    ledger: Ledger,
    grants: Table,
    transport: AsyncHttpTransport[Any, Any] | None = None,
    now: Callable[[], float] = time.time,
) -> Services:
    """The services over a credential, a ledger and a table of grants."""
    clients = Clients(credential, arm=settings.arm, graph=settings.graph, transport=transport)
    roles, index = Roles(clients), ResourceGraph(clients)
    directory = Directory(clients, canary=settings.principal_id)
    grace = policy.orphans.grace_minutes * 60
    return Services(
        Compute(clients),
        Identities(clients),
        roles,
        index,
        ledger,
        Claims(grants, roles, now),
        Orphans(roles, index, directory, grace, now),
        RemovalBudget(grants, policy.limits.removals.per_hour, now),
    )
