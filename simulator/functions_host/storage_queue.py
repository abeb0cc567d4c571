"""One storage queue by the real SDK."""

from collections.abc import Awaitable, Callable
from dataclasses import replace

from azure.core.exceptions import ResourceExistsError, ResourceNotFoundError
from azure.storage.queue import QueueMessage
from azure.storage.queue.aio import QueueServiceClient

from simulator.functions_host.messages import Message

_POISON = "-poison"


class StorageQueue:
    """`name` is the queue's; contents pass through as stored, encoding is the caller's."""

    def __init__(self, service: QueueServiceClient, name: str) -> None:
        self.name = name
        self._service = service
        self._client = service.get_queue_client(name)

    @property
    def poison(self) -> "StorageQueue | None":
        """Where messages go that fail too often. A poison queue has none of its own."""
        if self.name.endswith(_POISON):
            return None
        return StorageQueue(self._service, self.name + _POISON)

    async def create(self) -> None:
        try:
            await self._client.create_queue()
        except ResourceExistsError:
            return

    async def receive(self, count: int, visibility: int) -> list[Message]:
        """Take up to `count` (1 to 32) messages, invisible to others for `visibility` seconds."""
        paged = self._client.receive_messages(
            messages_per_page=count, max_messages=count, visibility_timeout=visibility
        )
        # One page: the plain iterator would ask again until the queue is empty.
        async for page in paged.by_page():
            return [_message(found) async for found in page]
        return []

    async def hide(self, message: Message, visibility: int) -> Message:
        """Keep a taken message invisible for `visibility` seconds from now; 0 gives it back."""
        updated = await self._client.update_message(
            message.id, message.pop_receipt, visibility_timeout=visibility
        )
        return replace(message, pop_receipt=updated.pop_receipt or "")

    async def delete(self, message: Message) -> None:
        await self._client.delete_message(message.id, message.pop_receipt)

    async def send(self, content: str) -> None:
        """Add a message; a queue that is not there yet is created, as the real host does."""
        await self._created(lambda: self._client.send_message(content))

    async def _created(self, send: Callable[[], Awaitable[QueueMessage]]) -> None:
        try:
            await send()
        except ResourceNotFoundError:
            await self.create()
            await send()


def _message(found: QueueMessage) -> Message:
    # The SDK's type also serves messages to be sent, where all of these may be missing.
    assert found.pop_receipt is not None
    assert found.inserted_on is not None
    assert found.expires_on is not None
    assert found.next_visible_on is not None
    return Message(
        id=found.id,
        content=found.content or "",
        pop_receipt=found.pop_receipt,
        dequeue_count=found.dequeue_count or 0,
        inserted_on=found.inserted_on,
        expires_on=found.expires_on,
        next_visible_on=found.next_visible_on,
    )
