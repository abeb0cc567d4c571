"""Where Event Grid puts what it could not deliver, and what else was given up.

Dead letters are blobs, each a JSON array of events (or one event), with why and when it was given
up beside the event's own members: in camel case for Event Grid's schema, in lower case for
CloudEvents. Their path is not documented, so every blob of the container is looked at.
"""

import base64
import json
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from typing import Any

from azure.core import MatchConditions
from azure.core.exceptions import (
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
)
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueClient

from lanyard.azure.arm.failures import stored
from lanyard.azure.event_bodies import event_of, events_in, first, moment
from lanyard.azure.events import Event, change_of
from lanyard.ports.dead_letters import Batch, DeadLetter
from lanyard.queue.messages import EVENTS, QUEUE, decode, unpacked
from lanyard.values.change import Ignored
from lanyard.values.compute_types import WATCHED_TYPES
from lanyard.values.errors import Permanent

#: The container that the event subscriptions name (infra/).
CONTAINER = "dead-letters"
#: Where a message lies that was given up: by the host, or by Lanyard.
POISON = f"{QUEUE}-poison"
#: Where the host puts a message of the queue of events that it gave up.
EVENTS_POISON = f"{EVENTS}-poison"
# A queue gives so many messages at most, and hides them for so long.
_PAGE = 32
_HIDDEN_SECONDS = 300
# The year in which a message without an end expires ("Put Message", Azure Storage).
_NEVER = 9999
# Why the host gives a message up.
_GIVEN_UP = "MaxDequeueCount"

#: Puts a text on the queue, as it is, without an end.
type Send = Callable[[str], Awaitable[None]]
#: Reads what is in a message that was given up.
type Read = Callable[[QueueMessage], list[DeadLetter]]


class DeadLetterBlobs:
    """The blobs of one container. `own_ids`: as in `events.change_of`."""

    def __init__(self, container: ContainerClient, own_ids: Collection[str]) -> None:
        self._container = container
        self._own_ids = own_ids

    async def count(self) -> int:
        """How many blobs there are."""
        return len(await self._names())

    async def batches(self) -> AsyncGenerator[Batch]:
        """Each blob. One that is gone when it is read was replayed by somebody else."""
        for name in await self._names():
            if (blob := await self._read(name)) is not None:
                yield blob

    async def _names(self) -> list[str]:
        with stored("list the dead letters"):
            try:
                return [name async for name in self._container.list_blob_names()]
            except ResourceNotFoundError:
                return []  # the container is made with the event subscriptions

    async def _read(self, name: str) -> "DeadLetterBlob | None":
        with stored(f"read the dead letter {name}"):
            try:
                blob = await self._container.download_blob(name)
                content = await blob.readall()
            except ResourceNotFoundError:
                return None
        entries = _entries(content)
        dead_letters = [
            read_dead_letter(f"{name}#{number}", entry, self._own_ids)
            for number, entry in enumerate(entries)
        ]
        return DeadLetterBlob(self._container, name, blob.properties.etag, entries, dead_letters)


class DeadLetterBlob:
    """One blob, as it was read."""

    def __init__(
        self,
        container: ContainerClient,
        name: str,
        etag: str,
        entries: Sequence[Any],
        dead_letters: Sequence[DeadLetter],
    ) -> None:
        self._container = container
        self._name = name
        self._etag = etag
        self._entries = entries
        self.dead_letters = dead_letters

    async def take_out(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Remove these from the blob, and the blob with the last. One that changed stays."""
        pairs = zip(self._entries, self.dead_letters, strict=True)
        rest = [entry for entry, dead_letter in pairs if dead_letter not in dead_letters]
        unchanged: Any = {"etag": self._etag, "match_condition": MatchConditions.IfNotModified}
        with stored(f"remove the dead letter {self._name}"):
            try:
                if rest:
                    blob = self._container.get_blob_client(self._name)
                    await blob.upload_blob(json.dumps(rest), overwrite=True, **unchanged)
                else:
                    await self._container.delete_blob(self._name, **unchanged)
            except (ResourceModifiedError, ResourceNotFoundError, ResourceExistsError):
                return


class PoisonQueue:
    """A poison queue: that of the work, unless `read` reads what another one holds. Each message is
    hidden for minutes while it is looked at.
    """

    def __init__(self, queue: QueueClient, read: Read | None = None) -> None:
        self._queue = queue
        self._read = read or _given_up_message

    async def count(self) -> int:
        """About how many messages were given up; 0 where there never was one."""
        with stored("count the poison messages"):
            try:
                properties = await self._queue.get_queue_properties()
            except ResourceNotFoundError:
                return 0
        return int(properties.approximate_message_count or 0)

    async def keep(self, body: bytes) -> None:
        """Put a message there, without an end. Raises Temporary, Permanent."""
        await self._send(base64.b64encode(body).decode())  # as `packed`, whatever is in it

    async def _send(self, content: str) -> None:
        with stored("keep a message that was given up"):
            try:
                await self._queue.send_message(content, time_to_live=-1)
            except ResourceNotFoundError:
                with suppress(ResourceExistsError):
                    await self._queue.create_queue()
                await self._queue.send_message(content, time_to_live=-1)

    async def batches(self) -> AsyncGenerator["PoisonMessage"]:
        """Each message. What is not taken out can be seen again when the last one was given."""
        seen: list[PoisonMessage] = []
        try:
            while page := await self._receive():
                for message in page:
                    seen.append(message)
                    yield message
        finally:
            for message in seen:
                await message.put_back()

    async def _receive(self) -> "list[PoisonMessage]":
        with stored("read the poison messages"):
            try:
                pages = self._queue.receive_messages(
                    max_messages=_PAGE, visibility_timeout=_HIDDEN_SECONDS
                )
                return [
                    PoisonMessage(self._queue, self._send, found, self._read(found))
                    async for found in pages
                ]
            except ResourceNotFoundError:
                return []


class PoisonMessage:
    """One message, hidden from others."""

    def __init__(
        self,
        queue: QueueClient,
        send: Send,
        message: QueueMessage,
        dead_letters: Sequence[DeadLetter],
    ) -> None:
        self._queue = queue
        self._send = send
        self._message = message
        self._removed = False
        self.dead_letters = dead_letters

    @property
    def ends(self) -> bool:
        """Whether it goes by itself: what the host puts there does, after seven days."""
        expires = self._message.expires_on
        return expires is not None and expires.year < _NEVER

    async def keep(self) -> None:
        """Put a copy without an end in its place."""
        await self._send(str(self._message.content))
        await self.take_out(self.dead_letters)

    async def take_out(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Delete the message; one that is gone is fine."""
        self._removed = bool(dead_letters)
        with stored("delete a poison message"):
            try:
                await self._queue.delete_message(self._message)
            except ResourceNotFoundError:
                return

    async def put_back(self) -> None:
        """Let others see it again, unless it was taken out."""
        if self._removed:
            return
        # By its id alone: given the message, the SDK would write its content anew, encoded again.
        receipt = self._message.pop_receipt
        with stored("put a poison message back"):
            try:
                await self._queue.update_message(self._message.id, receipt, visibility_timeout=0)
            except ResourceNotFoundError:
                return


def read_dead_letter(dead_letter_id: str, entry: Any, own_ids: Collection[str]) -> DeadLetter:
    """One event of a dead letter, in either schema. Never raises, whatever is in it."""
    if not isinstance(entry, Mapping):
        return DeadLetter(dead_letter_id, None, "it is no event", None)
    at = moment(first(entry, "lastDeliveryAttemptTime", "lastdeliveryattempttime"))
    reason = first(entry, "deadLetterReason", "deadletterreason")
    return _dead_letter(dead_letter_id, event_of(entry), own_ids, str(reason or ""), at)


def _dead_letter(
    dead_letter_id: str,
    event: Event,
    own_ids: Collection[str],
    reason: str,
    at: datetime | None,
) -> DeadLetter:
    change = change_of(event, types=WATCHED_TYPES, own_ids=own_ids)
    shown = event.type if isinstance(event.type, str) else ""
    if isinstance(change, Ignored):
        return DeadLetter(dead_letter_id, at, change.reason, None, shown, of_no_use=True)
    return DeadLetter(dead_letter_id, at, reason, change, shown)


def given_up_events(own_ids: Collection[str]) -> Read:
    """Reads the events in a message of the queue of events. `own_ids`: as in `events.change_of`."""

    def read(message: QueueMessage) -> list[DeadLetter]:
        try:
            events = events_in(unpacked(str(message.content).encode()))
        except Permanent as error:
            return [DeadLetter(message.id, message.inserted_on, str(error), None)]
        return [
            _dead_letter(f"{message.id}#{number}", event, own_ids, _GIVEN_UP, message.inserted_on)
            for number, event in enumerate(events)
        ]

    return read


def _given_up_message(message: QueueMessage) -> list[DeadLetter]:
    try:
        change = decode(unpacked(str(message.content).encode()))
    except Permanent as error:
        return [DeadLetter(message.id, message.inserted_on, str(error), None)]
    return [DeadLetter(message.id, message.inserted_on, _GIVEN_UP, change, change.event_type)]


def _entries(content: bytes) -> list[Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        return [None]
    return found if isinstance(found, list) else [found]
