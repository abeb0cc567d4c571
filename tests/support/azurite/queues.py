"""What tests need to look into queues: a bearer token, and a reader that waits for a message."""

import asyncio
import base64
import json
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from azure.core.credentials import AccessToken
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient, QueueServiceClient

from tests.support.azurite.token_endpoint import mint_token

DEADLINE = 15
"""Seconds after which a condition that did not come true fails the test."""


async def until(condition: Callable[[], bool], seconds: float = DEADLINE) -> None:
    """Return once `condition` is true; TimeoutError after the deadline."""
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


class SigningCredential:
    """Signs its own tokens, where the app asks the token endpoint."""

    async def get_token(self, *scopes: str, **_options: Any) -> AccessToken:
        resource = scopes[0].removesuffix("/.default")
        return AccessToken(mint_token(resource, "the-tester"), int(time.time()) + 3600)

    async def close(self) -> None:
        """Nothing is open."""

    async def __aenter__(self) -> "SigningCredential":
        return self

    async def __aexit__(self, *_error: object) -> None:
        await self.close()


def open_queues(url: str, ca_file: Path) -> QueueServiceClient:
    return QueueServiceClient(
        url, credential=SigningCredential(), connection_verify=str(ca_file), retry_total=0
    )


class Queue:
    """One queue, as a person with a storage explorer would use it."""

    def __init__(self, service: QueueServiceClient, name: str) -> None:
        self._client: QueueClient = service.get_queue_client(name)
        self._seen: list[str] = []

    async def send(self, text: str) -> None:
        await self._client.send_message(base64.b64encode(text.encode()).decode())

    async def send_raw(self, content: str) -> None:
        await self._client.send_message(content)

    async def wait_for(self, wanted: Callable[[str], bool]) -> str:
        """The first stored content that fits; what is taken stays known for later questions."""
        async with asyncio.timeout(DEADLINE):
            while True:
                for content in self._seen:
                    if wanted(content):
                        return content
                await self._take()

    async def wait_for_json(self, **fields: Any) -> dict[str, Any]:
        """The first base64 message whose JSON has these fields."""
        found = await self.wait_for(lambda content: fields.items() <= _decoded(content).items())
        return _decoded(found)

    async def has_json(self, **fields: Any) -> bool:
        await self._take()
        return any(fields.items() <= _decoded(content).items() for content in self._seen)

    async def until_empty(self) -> None:
        async with asyncio.timeout(DEADLINE):
            while True:
                if await self.count() == 0:
                    return

    async def count(self) -> int:
        """All messages, the invisible ones included."""
        return (await self._client.get_queue_properties()).approximate_message_count or 0

    async def _take(self) -> None:
        messages = self._client.receive_messages(messages_per_page=32, max_messages=32)
        with suppress(ResourceNotFoundError):  # nobody has written to it yet
            async for message in messages:
                self._seen.append(message.content)
                await self._client.delete_message(message)
        await asyncio.sleep(0.02)


def _decoded(content: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(base64.b64decode(content))
    return found
