"""The storage of a deployed app, reached from elsewhere: with the caller's own identity, never with
keys, and only where the app's tables are.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import (
    AzureError,
    ClientAuthenticationError,
    HttpResponseError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.core.pipeline.transport import AsyncHttpTransport
from azure.data.tables.aio import TableClient
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from lanyard.azure.arm.failures import code_of, translated
from lanyard.azure.arm.unreachable import in_the_way
from lanyard.azure.storage.dead_letters import CONTAINER, POISON, DeadLetterBlobs, PoisonQueue
from lanyard.azure.storage.queue import WorkQueue
from lanyard.azure.storage.tables import AzureTable
from lanyard.desk.azure.sign_in import AT_ONCE
from lanyard.ports.queue import WaitingEvents
from lanyard.ports.tables import Tables
from lanyard.queue.messages import EVENTS, QUEUE
from lanyard.values.change import Change
from lanyard.values.errors import LanyardError, Permanent, Temporary

#: Every sweep writes to it, so an app that has run has it.
_PROOF = "lanyarddecisions"
# At a desk nothing puts a failed call back: the SDK tries again itself, but for a connection.
_TRIES = 3
#: The least role for a service and kind of call.
_ROLES = {
    ("table", False): "Storage Table Data Reader",
    ("table", True): "Storage Table Data Contributor",
    ("queue", False): "Storage Queue Data Reader",
    ("queue", True): "Storage Queue Data Message Sender",
    ("blob", False): "Storage Blob Data Reader",
    ("blob", True): "Storage Blob Data Contributor",
}
# Poison messages are received and, where they stay, put back. Message Processor is not enough
# for that: Update Message takes queues/messages/write (REST reference of Azure Storage,
# "Authorize with Microsoft Entra ID").
_MESSAGES_ROLE = "Storage Queue Data Contributor"


@dataclass(frozen=True, slots=True)
class StorageAddress:
    """Where an app's storage is: `account` is its name, for people."""

    account: str
    table_url: str
    queue_url: str
    blob_url: str

    def queues_of(self, account: str) -> str:
        """Where the queues of an account (name) are: of the app's own one, or of another beside it,
        which events may have. Where addresses were named, there is only the own one.
        """
        return self.queue_url.replace(f"//{self.account}.", f"//{account}.", 1)


class DeployedQueue:
    """The app's queue of work."""

    def __init__(self, work: QueueClient) -> None:
        self._work = WorkQueue(work)
        self._waiting = work

    async def put(self, change: Change, delay: float = 0) -> None:
        """Enqueue `change`, visible after `delay` seconds."""
        await self._work.put(change, delay)

    async def waiting(self) -> int:
        """About how many messages wait, delayed ones included."""
        with translated(f"count the messages of queue {QUEUE}"):
            try:
                properties = await self._waiting.get_queue_properties()
            except ResourceNotFoundError:
                return 0  # made with its first message
        return int(properties.approximate_message_count or 0)


class DeployedEvents:
    """The queues of events: `opened` gives that of an account (name)."""

    def __init__(self, opened: Callable[[str], Awaitable[QueueClient]]) -> None:
        self._opened = opened

    async def waiting(self, account: str) -> WaitingEvents | None:
        """What waits in that of an account (name); None where there is no such queue."""
        queue = await self._opened(account)
        with translated(f"look into queue {EVENTS} of storage account {account}"):
            try:
                found = await queue.peek_messages(max_messages=1)
            except ResourceNotFoundError:
                return None
        return WaitingEvents(found[0].inserted_on if found else None)


@dataclass(frozen=True, slots=True)
class Deployed:
    """What the storage of an app holds."""

    tables: Tables[AzureTable]
    queue: DeployedQueue
    events: DeployedEvents
    dead_letters: DeadLetterBlobs
    poison: PoisonQueue


@asynccontextmanager
async def deployed(
    credential: AsyncTokenCredential,
    address: StorageAddress,
    transport: AsyncHttpTransport[Any, Any] | None = None,
) -> AsyncIterator[Deployed]:
    """The storage at `address`, while the context is open.

    Raises LanyardError, which names what is wrong and the right that is missing, also for what
    fails inside the context.
    """
    options: dict[str, Any] = {"credential": credential, "retry_total": _TRIES, **AT_ONCE}
    if transport is not None:
        options["transport"] = transport
    async with AsyncExitStack() as opened:
        clients: dict[str, TableClient] = {}

        def table(name: str) -> AzureTable:
            clients[name] = TableClient(address.table_url, name, **options)
            return AzureTable(clients[name])

        def queue(name: str) -> QueueClient:
            encoded = TextBase64EncodePolicy()
            return QueueClient(address.queue_url, name, message_encode_policy=encoded, **options)

        async def events_of(account: str) -> QueueClient:
            found = QueueClient(address.queues_of(account), EVENTS, **options)
            return await opened.enter_async_context(found)

        tables = Tables.named(table)
        work, poison = queue(QUEUE), queue(POISON)
        dead_letters = ContainerClient(address.blob_url, CONTAINER, **options)
        for client in clients.values():
            await opened.enter_async_context(client)
        for each in (work, poison):
            await opened.enter_async_context(each)
        await opened.enter_async_context(dead_letters)
        with explained(address):
            await _prove(clients[_PROOF], address)
            # The app's own writes are not among them: its event subscriptions leave them out.
            given_up = DeadLetterBlobs(dead_letters, own_ids=())
            queues = DeployedQueue(work), DeployedEvents(events_of)
            yield Deployed(tables, *queues, given_up, PoisonQueue(poison))


async def _prove(table: TableClient, address: StorageAddress) -> None:
    """Never work on an account that is not an app's: a first write would make tables there."""
    with translated(f"read table {_PROOF}"):
        try:
            async for _ in table.list_entities(results_per_page=1):
                return
        except ResourceNotFoundError:
            raise LanyardError(
                f"storage account {address.account} has no table {_PROOF}: either it is not the "
                "app's account (app setting AzureWebJobsStorage__accountName), or the app has not "
                "run yet (it sweeps within its first hour)"
            ) from None


@contextmanager
def explained(address: StorageAddress) -> Iterator[None]:
    """What fails is raised with what to do about it."""
    try:
        yield
    except (Temporary, Permanent) as error:
        cause = error.__cause__
        advice = _advice(cause, address) if isinstance(cause, AzureError) else ""
        if not advice:
            raise
        raise LanyardError(advice) from error


def _advice(error: AzureError, address: StorageAddress) -> str:
    """What to do about a failed call to the storage; "" for a call to something else."""
    if isinstance(error, ServiceRequestError):
        return _unreachable(error, address)
    response = getattr(error, "response", None)
    request = getattr(response, "request", None)
    service = _service(str(getattr(request, "url", "")), address)
    if not (service and isinstance(error, HttpResponseError)):
        return ""
    if error.status_code == 403:
        role = _role(service, getattr(request, "method", "GET"), str(getattr(request, "url", "")))
        return _forbidden(error, role, address)
    if isinstance(error, ClientAuthenticationError):
        return f"storage account {address.account} refuses the token: is this its tenant?"
    return ""


def _unreachable(error: ServiceRequestError, address: StorageAddress) -> str:
    host = getattr(error.inner_exception, "host", None)
    roots = (address.table_url, address.queue_url, address.blob_url)
    if host not in [urlsplit(root).hostname for root in roots]:
        return ""
    return (
        f"storage account {address.account} cannot be reached: {error.message}{in_the_way(error)}\n"
        "is its name right, and is it open to this network?"
    )


def _service(url: str, address: StorageAddress) -> str:
    roots = {"table": address.table_url, "queue": address.queue_url, "blob": address.blob_url}
    return next((name for name, root in roots.items() if url.startswith(root)), "")


def _role(service: str, method: str, url: str) -> str:
    if service == "queue" and method != "POST" and "/messages" in urlsplit(url).path:
        return _MESSAGES_ROLE
    return _ROLES[service, method not in ("GET", "HEAD")]


def _forbidden(error: HttpResponseError, role: str, address: StorageAddress) -> str:
    account = address.account
    if code_of(error) == "AuthorizationFailure":
        return (
            f"storage account {account} refuses this network or this kind of sign-in "
            "(403 AuthorizationFailure): allow it in the account's networking"
        )
    return (
        f"you need the role {role} on storage account {account}:\n"
        f"  az role assignment create --role '{role}' --assignee <you> "
        f"--scope $(az storage account show --name {account} --query id --output tsv)\n"
        "a new assignment takes up to ten minutes to count"
    )
