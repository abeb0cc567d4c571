"""Who a person at a desk, or a pipeline, is to Azure. The deployed app is its own identity, always
(connection.py).
"""

import base64
import json
import logging
import os
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ClientAuthenticationError
from azure.identity.aio import (
    AzureCliCredential,
    AzureDeveloperCliCredential,
    ChainedTokenCredential,
    EnvironmentCredential,
    ManagedIdentityCredential,
    WorkloadIdentityCredential,
)

from lanyard.values.clouds import Cloud
from lanyard.values.errors import Permanent

#: For the SDKs' own retries: a person is not kept waiting for a connection that is refused.
AT_ONCE: Mapping[str, Any] = {"retry_connect": 0}

_ADVICE = (
    "no Azure credentials: run 'az login' (or 'azd auth login'), or set AZURE_TENANT_ID, "
    "AZURE_CLIENT_ID and AZURE_CLIENT_SECRET, or run where a managed identity is attached"
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """The tenant to sign in to, and the subscription whose account `az` is to use."""

    tenant: str | None = None
    subscription: str | None = None


def own_credential(
    cloud: Cloud, sign_in: SignIn, environment: Mapping[str, str] = os.environ
) -> ChainedTokenCredential:
    """What was set on purpose comes first: a service principal or a federated token in the
    environment, then `az login`, `azd auth login`, and last a managed identity.

    What else DefaultAzureCredential would try (editors, PowerShell, a browser) is left out: it
    must be plain who acts.
    """
    return ChainedTokenCredential(*_credentials(cloud, sign_in, environment))


def _credentials(
    cloud: Cloud, sign_in: SignIn, environment: Mapping[str, str]
) -> Iterator[AsyncTokenCredential]:
    yield EnvironmentCredential(authority=cloud.authority, **AT_ONCE)
    if environment.get("AZURE_FEDERATED_TOKEN_FILE"):
        yield WorkloadIdentityCredential(
            tenant_id=sign_in.tenant, authority=cloud.authority, **AT_ONCE
        )
    yield AzureCliCredential(
        tenant_id=sign_in.tenant or "", subscription=sign_in.subscription or None
    )
    yield AzureDeveloperCliCredential(tenant_id=sign_in.tenant or "")
    yield ManagedIdentityCredential(client_id=environment.get("AZURE_CLIENT_ID"), **AT_ONCE)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A credential that works, and who it is, for the record."""

    credential: AsyncTokenCredential
    name: str


@asynccontextmanager
async def signed_in(cloud: Cloud, sign_in: SignIn) -> AsyncIterator[SignedIn]:
    """Signed in while the context is open. Raises Permanent with every reason where nobody is."""
    # The chain logs each credential that is not there, and repeats it in its error.
    logging.getLogger("azure.identity").setLevel(logging.ERROR)
    async with own_credential(cloud, sign_in) as credential:
        try:
            token = await credential.get_token(f"{cloud.arm.audience}/.default")
        except ClientAuthenticationError as error:
            raise Permanent(f"{_ADVICE}\n{_reasons(error)}") from None
        yield SignedIn(credential, name_in(token.token))


def name_in(token: str) -> str:
    """Who a token is for: a person's user name, else the application's or the object's id.

    It is for the record only; nothing is allowed or refused by it.
    """
    claims = claims_in(token)
    names = ("upn", "preferred_username", "unique_name", "appid", "oid")
    return next((str(claims[name]) for name in names if claims.get(name)), "somebody")


def claims_in(token: str) -> Mapping[str, Any]:
    """What a token says of itself, unchecked; nothing where it cannot be read."""
    try:
        body = token.split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(body + "=" * (-len(body) % 4)))
    except (IndexError, ValueError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _reasons(error: ClientAuthenticationError) -> str:
    """One line for each credential that was tried."""
    lines = [line.strip() for line in error.message.splitlines()]
    return "\n".join(f"  {line}" for line in lines if "Credential: " in line)
