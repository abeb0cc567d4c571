"""A queue trigger: polls, processes in batches, deletes, gives back or moves to the poison queue.

The rules are those of the storage extension 5.x (QueueListener, QueueProcessor): a message is taken
for ten minutes and kept while its invocation runs; the idle poll backs off from 100 ms to
maxPollingInterval; a message that failed maxDequeueCount times goes to `<queue>-poison`; a poison
queue has no poison queue, there a failed message stays invisible until its ten minutes are over.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Protocol, Self

from azure.core.exceptions import AzureError

from simulator.functions_host.host_json import QueueOptions
from simulator.functions_host.messages import Message, decode_content

log = logging.getLogger("host.queues")

VISIBILITY = 600
"""Seconds for which a message is taken; renewed at half of it."""
FIRST_POLLING_INTERVAL = 0.1
"""Seconds between two polls of an idle queue, at first."""


def polling_pauses(longest: float) -> Iterator[float]:
    """Seconds between the polls of an idle queue: doubling, never more than `longest`."""
    pause = FIRST_POLLING_INTERVAL
    while True:
        yield min(pause, longest)
        pause = min(pause * 2, longest)


class MessageQueue(Protocol):
    """What the listener needs of a queue."""

    @property
    def name(self) -> str: ...
    @property
    def poison(self) -> Self | None: ...
    async def receive(self, count: int, visibility: int, /) -> list[Message]: ...
    async def hide(self, message: Message, visibility: int, /) -> Message: ...
    async def delete(self, message: Message) -> None: ...
    async def send(self, content: str) -> None: ...


class QueueListener[Q: MessageQueue]:
    """`invoke` runs the function with a message and its text, and tells whether it succeeded."""

    def __init__(
        self,
        queue: Q,
        options: QueueOptions,
        invoke: Callable[[Message, str], Awaitable[bool]],
        *,
        visibility: int = VISIBILITY,
    ) -> None:
        self._queue = queue
        self._options = options
        self._invoke = invoke
        self._visibility = visibility
        self._running: set[asyncio.Task[None]] = set()
        self._stopping = False
        self._wake = asyncio.Event()
        self._finished = asyncio.Event()

    def wake(self) -> None:
        """Poll now: somebody in this host has put a message into the queue."""
        self._wake.set()

    def stop(self) -> None:
        """Take no more messages; `run` returns when those being processed are done."""
        self._stopping = True
        self._wake.set()
        self._finished.set()

    async def run(self) -> None:
        longest = self._options.max_polling_interval.total_seconds()
        pauses = polling_pauses(longest)
        while not self._stopping:
            self._wake.clear()
            if await self._take_batch():
                pauses = polling_pauses(longest)
                await self._until_room()
            else:
                await self._until_woken(next(pauses))
        if self._running:
            await asyncio.wait(self._running)

    async def _take_batch(self) -> bool:
        try:
            messages = await self._queue.receive(self._options.batch_size, self._visibility)
        except AzureError as error:
            log.warning("queue %s cannot be read: %s", self._queue.name, error)
            return False
        for message in messages:
            task = asyncio.create_task(self._process(message))
            self._running.add(task)
            task.add_done_callback(self._done)
        return bool(messages)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._finished.set()

    async def _until_room(self) -> None:
        while len(self._running) > self._options.new_batch_threshold and not self._stopping:
            self._finished.clear()
            await self._finished.wait()

    async def _until_woken(self, seconds: float) -> None:
        if not self._stopping:
            with suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), seconds)

    async def _process(self, message: Message) -> None:
        try:
            await self._process_once(message)
        except AzureError as error:
            log.error(
                "queue %s, message %s: not completed, comes back when its visibility ends: %s",
                self._queue.name,
                message.id,
                error,
            )

    async def _process_once(self, message: Message) -> None:
        try:
            text = decode_content(message.content, self._options.message_encoding)
        except ValueError:
            await self._to_poison(message, "its content is no base64")
            return
        if message.dequeue_count > self._options.max_dequeue_count:
            await self._to_poison(message, "taken too often without an end")
            return
        message, succeeded = await self._invoke_and_keep(message, text)
        await self._complete(message, succeeded)

    async def _invoke_and_keep(self, message: Message, text: str) -> tuple[Message, bool]:
        """Run the function and keep the message invisible; each renewal changes its receipt."""
        running = asyncio.ensure_future(self._invoke(message, text))
        while not (await asyncio.wait([running], timeout=self._visibility / 2))[0]:
            try:
                message = await self._queue.hide(message, self._visibility)
            except AzureError as error:
                log.warning("message %s: visibility not renewed: %s", message.id, error)
        return message, running.result()

    async def _complete(self, message: Message, succeeded: bool) -> None:
        if succeeded:
            await self._queue.delete(message)
        elif self._queue.poison is None:
            return
        elif message.dequeue_count >= self._options.max_dequeue_count:
            await self._to_poison(message, f"failed {message.dequeue_count} times")
        else:
            delay = int(self._options.visibility_timeout.total_seconds())
            await self._queue.hide(message, delay)

    async def _to_poison(self, message: Message, reason: str) -> None:
        poison = self._queue.poison
        if poison is None:
            log.error("message %s in %s: %s", message.id, self._queue.name, reason)
            return
        log.warning("message %s moves to %s: %s", message.id, poison.name, reason)
        await poison.send(message.content)
        await self._queue.delete(message)
