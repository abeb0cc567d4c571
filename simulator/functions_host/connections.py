"""Identity-based connections: the storage and the identity that a binding's `connection` means.

Source: learn.microsoft.com/azure/azure-functions/functions-reference#connections. The settings of
connection NAME are `NAME__queueServiceUri` (and `NAME__blobServiceUri`) or `NAME__accountName`,
`NAME__credential` ("managedidentity") and `NAME__clientId`. Connection strings, which carry account
keys, are refused.
"""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Literal, Self

from azure.identity.aio import ManagedIdentityCredential
from azure.storage.blob.aio import BlobServiceClient, ContainerClient
from azure.storage.queue.aio import QueueServiceClient

from simulator.functions_host.errors import StartError
from simulator.functions_host.settings import Settings

#: Six within half a minute, as the real host's SDK makes them (26 s).
_TRIES: dict[str, Any] = {
    **dict.fromkeys(("retry_total", "retry_connect", "retry_read", "retry_status"), 5),
    "initial_backoff": 0,
    "increment_base": 1.6,
    "random_jitter_range": 1,
}
_HOST_CONTAINER = "azure-webjobs-hosts"

Service = Literal["queue", "blob"]


@dataclass(frozen=True)
class Connection:
    """Where a service is; `client_id` None means the system-assigned identity."""

    service_uri: str
    client_id: str | None


def read_connection(name: str, settings: Settings, service: Service = "queue") -> Connection:
    """Read connection `name` (`AzureWebJobs<name>` is tried first). Raises StartError."""
    candidates = [f"AzureWebJobs{name}", name]
    for prefix in candidates:
        if settings.get(prefix):
            raise StartError(
                f"connection {name}: the setting {prefix} is a connection string; "
                f"use an identity: {prefix}__{service}ServiceUri and {prefix}__credential"
            )
        if uri := _service_uri(prefix, settings, service):
            _check_credential(prefix, settings)
            return Connection(uri, settings.get(f"{prefix}__clientId"))
    raise StartError(f"connection {name}: set {name}__{service}ServiceUri or {name}__accountName")


def _service_uri(prefix: str, settings: Settings, service: Service) -> str | None:
    account = settings.get(f"{prefix}__accountName")
    derived = f"https://{account}.{service}.core.windows.net" if account else None
    return settings.get(f"{prefix}__{service}ServiceUri") or derived


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
            self._services[name] = await self._open(read_connection(name, self._settings))
        return self._services[name]

    async def host_blobs(self) -> ContainerClient:
        """Where the host keeps what it has to remember. Raises StartError."""
        connection = read_connection("Storage", self._settings, "blob")
        service = BlobServiceClient(
            connection.service_uri, credential=await self._credential(connection)
        )
        await self._stack.enter_async_context(service)
        return service.get_container_client(_HOST_CONTAINER)

    async def _credential(self, connection: Connection) -> ManagedIdentityCredential:
        credential = ManagedIdentityCredential(client_id=connection.client_id)
        return await self._stack.enter_async_context(credential)

    async def _open(self, connection: Connection) -> QueueServiceClient:
        service = QueueServiceClient(
            connection.service_uri,
            credential=await self._credential(connection),
            **_TRIES,
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
