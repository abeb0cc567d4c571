"""Azure as a person at the command line reads it: with their own credentials, and never writing."""

import logging
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.identity.aio import (
    AzureCliCredential,
    ChainedTokenCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
)

from lanyard.azure.arm import Compute
from lanyard.azure.clients import Clients
from lanyard.azure.identities import Identities
from lanyard.azure.inventory import Inventory
from lanyard.azure.roles import Roles
from lanyard.errors import Permanent
from lanyard.settings import Endpoint, read_endpoints


@dataclass(frozen=True, slots=True)
class Reading:
    """What a look ahead asks of Azure. `clients` also knows how to wait."""

    clients: Clients
    compute: Compute
    identities: Identities
    assignments: Roles
    inventory: Inventory


@asynccontextmanager
async def reading(environment: Mapping[str, str] = os.environ) -> AsyncIterator[Reading]:
    """Connected as whoever runs the command, while the context is open.

    LANYARD_ARM_ENDPOINT and the others of `read_settings` name another cloud. Raises Permanent
    where nobody is signed in.
    """
    arm, graph = read_endpoints(environment)
    async with own_credential(environment.get("AZURE_CLIENT_ID")) as credential:
        await _check(credential, arm)
        async with reading_over(credential, arm, graph) as connected:
            yield connected


@asynccontextmanager
async def reading_over(
    credential: AsyncTokenCredential,
    arm: Endpoint,
    graph: Endpoint,
    transport: AsyncHttpTransport[Any, Any] | None = None,
) -> AsyncIterator[Reading]:
    """Over a credential; the clients are closed at the end."""
    clients = Clients(credential, arm=arm, graph=graph, transport=transport)
    try:
        yield Reading(
            clients, Compute(clients), Identities(clients), Roles(clients), Inventory(clients)
        )
    finally:
        await clients.close()


def own_credential(client_id: str | None) -> ChainedTokenCredential:
    """What was set on purpose comes first: the environment's service principal, then `az login`,
    then a managed identity (`client_id`: a user-assigned one).
    """
    return ChainedTokenCredential(
        EnvironmentCredential(),
        AzureCliCredential(),
        ManagedIdentityCredential(client_id=client_id),
    )


async def _check(credential: AsyncTokenCredential, arm: Endpoint) -> None:
    # The chain logs each credential that is not there, and says it again in its error.
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
    try:
        await credential.get_token(f"{arm.audience}/.default")
    except ClientAuthenticationError as error:
        advice = (
            "no Azure credentials: run 'az login', or set AZURE_TENANT_ID, AZURE_CLIENT_ID and "
            "AZURE_CLIENT_SECRET, or run where a managed identity is attached"
        )
        raise Permanent(f"{advice}\n{_reasons(error)}") from None


def _reasons(error: ClientAuthenticationError) -> str:
    """One line for each credential that was tried."""
    lines = [line.strip() for line in error.message.splitlines()]
    return "\n".join(f"  {line}" for line in lines if "Credential: " in line)
