"""Identity-based connections: the storage and the identity that a binding's `connection` means.

Source: learn.microsoft.com/azure/azure-functions/functions-reference#connections. The settings of
connection NAME are `NAME__queueServiceUri` or `NAME__accountName`, `NAME__credential`
("managedidentity") and `NAME__clientId`. Connection strings, which carry account keys, are refused.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from azure.identity.aio import ManagedIdentityCredential
from azure.storage.queue.aio import QueueServiceClient

from simulator.functions_host.errors import StartError
from simulator.functions_host.settings import Settings


@dataclass(frozen=True)
class QueueConnection:
    """`client_id` None means the system-assigned identity."""

    queue_service_uri: str
    client_id: str | None


def read_queue_connection(name: str, settings: Settings) -> QueueConnection:
    """Read connection `name` (`AzureWebJobs<name>` is tried first). Raises StartError."""
    candidates = [f"AzureWebJobs{name}", name]
    for prefix in candidates:
        if settings.get(prefix):
            raise StartError(
                f"connection {name}: the setting {prefix} is a connection string; "
                f"use an identity: {prefix}__queueServiceUri and {prefix}__credential"
            )
        if uri := _service_uri(prefix, settings):
            _check_credential(prefix, settings)
            return QueueConnection(uri, settings.get(f"{prefix}__clientId"))
    raise StartError(f"connection {name}: set {name}__queueServiceUri or {name}__accountName")


def _service_uri(prefix: str, settings: Settings) -> str | None:
    account = settings.get(f"{prefix}__accountName")
    derived = f"https://{account}.queue.core.windows.net" if account else None
    return settings.get(f"{prefix}__queueServiceUri") or derived


def _check_credential(prefix: str, settings: Settings) -> None:
    credential = settings.get(f"{prefix}__credential") or "managedidentity"
    if credential.lower() != "managedidentity":
        raise StartError(f"{prefix}__credential: {credential!r} is not served; use managedidentity")


class Connections:
    """Opens each connection once; closes all of them at the end."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._services: dict[str, QueueServiceClient] = {}
        self._stack = AsyncExitStack()

    async def queue_service(self, name: str) -> QueueServiceClient:
        """The queue service of a binding's `connection` (empty: Storage). Raises StartError."""
        name = name or "Storage"
        if name not in self._services:
            self._services[name] = await self._open(read_queue_connection(name, self._settings))
        return self._services[name]

    async def _open(self, connection: QueueConnection) -> QueueServiceClient:
        credential = ManagedIdentityCredential(client_id=connection.client_id)
        await self._stack.enter_async_context(credential)
        # The SDK's first pause between retries is 15 s: too long for a call that Event Grid awaits.
        service = QueueServiceClient(
            connection.queue_service_uri,
            credential=credential,
            initial_backoff=1,
            increment_base=2,
            retry_total=2,
        )
        return await self._stack.enter_async_context(service)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
