"""The data of the proof's storage account, reached as whoever runs the proof."""

from collections.abc import AsyncIterator
from typing import Any

from azure.core.credentials_async import AsyncTokenCredential
from azure.core.exceptions import ResourceExistsError
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueClient

from lanyard.azure.arm.answers import Json
from lanyard.azure.arm.failures import translated
from prove.proof import Message


class AccountStorage:
    """Over the SDKs. `queue_url`: where queues are, "" where the account itself says so."""

    def __init__(self, credential: AsyncTokenCredential, queue_url: str = "") -> None:
        self._credential = credential
        self._queue_url = queue_url

    async def upload(self, container_url: str, name: str, text: str) -> None:
        """Write a blob; its container is made."""
        with translated("write the proof's blob"):
            client = ContainerClient.from_container_url(container_url, credential=self._credential)
            async with client as container:
                if not await container.exists():
                    await container.create_container()
                await container.upload_blob(name, text.encode(), overwrite=True)

    async def make_queue(self, account: Json, name: str) -> None:
        """Make it, unless it is there."""
        with translated(f"make queue {name}"):
            async with self._queue(account, name) as queue:
                try:
                    await queue.create_queue()
                except ResourceExistsError:
                    return

    async def messages(self, account: Json, name: str) -> AsyncIterator[Message]:
        """Those that wait there. Each is deleted when the next one is asked for."""
        with translated(f"read queue {name}"):
            async with self._queue(account, name) as queue:
                async for message in queue.receive_messages():
                    yield Message(str(message.content), message.inserted_on.timestamp())
                    await queue.delete_message(message)

    def _queue(self, account: Json, name: str) -> Any:
        url = self._queue_url or account["properties"]["primaryEndpoints"]["queue"]
        return QueueClient(url, name, credential=self._credential)
