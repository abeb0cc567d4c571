"""A queue trigger: polls, processes in batches, deletes, gives back or moves to the poison queue.

The rules are those of the storage extension 5.x (QueueListener, QueueProcessor): a message is taken
for ten minutes and kept while its invocation runs; the idle poll backs off from 100 ms to
maxPollingInterval; a message that failed maxDequeueCount times goes to `<queue>-poison`; a poison
queue has no poison queue, there a failed message stays invisible until its ten minutes are over.
Storage that refuses, or stays away beyond the SDK's tries, ends the host (queue_faults.py).
"""

import asyncio
import logging
import random
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from typing import Protocol, Self

from azure.core.exceptions import AzureError

from simulator.functions_host.errors import HostFailure
from simulator.functions_host.host_json import QueueOptions
from simulator.functions_host.messages import Message, decode_content
from simulator.functions_host.queue_faults import message_is_gone, passes_by

log = logging.getLogger("host.queues")

VISIBILITY = 600
"""Seconds for which a message is taken; renewed at half of it."""
FIRST_POLLING_INTERVAL = 0.1
"""Seconds between two polls of an idle queue, at first."""
_SPREAD = 0.2
"""By so much of itself what is added to a pause is more or less."""


def polling_pauses(longest: float, dice: random.Random) -> Iterator[float]:
    """Seconds between the polls of an idle queue, up to `longest`: what is added to the first
    doubles, but for chance.
    """
    added = 0.0
    while True:
        spread = dice.uniform(1 - _SPREAD, 1 + _SPREAD)
        yield min(FIRST_POLLING_INTERVAL + added * spread, longest)
        added = min(added * 2, longest) or FIRST_POLLING_INTERVAL


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
        dice: random.Random | None = None,
    ) -> None:
        self._queue = queue
        self._options = options
        self._invoke = invoke
        self._visibility = visibility
        self._dice = dice or random.Random()
        self._running: set[asyncio.Task[None]] = set()
        self._failure: Exception | None = None
        self._stopping = asyncio.Event()
        self._finished = asyncio.Event()

    def stop(self) -> None:
        """Take no more messages; `run` returns when those being processed are done."""
        self._stopping.set()
        self._finished.set()

    async def run(self) -> None:
        """Raises HostFailure where the queue fails in a way that ends the host; what is being
        processed goes on.
        """
        longest = self._options.max_polling_interval.total_seconds()
        pauses = polling_pauses(longest, self._dice)
        while not self._stopping.is_set():
            if await self._take_batch():
                pauses = polling_pauses(longest, self._dice)
                await self._until_room()
            else:
                await self._wait(next(pauses))
            self._raise_failure()
        if self._running:
            await asyncio.wait(self._running)

    def _raise_failure(self) -> None:
        if self._failure is not None:
            log.critical("An unhandled exception has occurred. Host is shutting down.")
            raise HostFailure(f"queue {self._queue.name}: {self._failure}") from self._failure

    async def _take_batch(self) -> bool:
        try:
            messages = await self._queue.receive(self._options.batch_size, self._visibility)
            # Within the receiving: a poison queue that refuses leaves the whole batch unrun.
            texts = [(message, await self._decoded(message)) for message in messages]
        except AzureError as error:
            if passes_by(error):
                log.warning("queue %s cannot be read: %s", self._queue.name, error)
            else:
                self._failure = error
            return False
        for message, content in texts:
            if content is not None:
                self._begin(message, content)
        return bool(messages)

    async def _decoded(self, message: Message) -> bytes | None:
        """None: it is no base64, and lies in the poison queue now, as it was."""
        try:
            return decode_content(message.content, self._options.message_encoding)
        except ValueError:
            log.warning("Message decoding has failed! MessageId=%s", message.id)
            await self._to_poison(message, "its content is no base64")
            return None

    def _begin(self, message: Message, content: bytes) -> None:
        task = asyncio.create_task(self._process(message, content))
        self._running.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._finished.set()

    async def _until_room(self) -> None:
        limit = self._options.new_batch_threshold
        while len(self._running) > limit and not self._stopping.is_set() and not self._failure:
            self._finished.clear()
            await self._finished.wait()

    async def _wait(self, seconds: float) -> None:
        """A failure of what is being processed is not waited out."""
        self._finished.clear()
        if self._failure or self._stopping.is_set():
            return
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                while not (self._failure or self._stopping.is_set()):
                    await self._finished.wait()
                    self._finished.clear()

    async def _process(self, message: Message, content: bytes) -> None:
        try:
            await self._process_once(message, content)
        except AzureError as error:
            if not message_is_gone(error):
                self._failure = error

    async def _process_once(self, message: Message, content: bytes) -> None:
        if message.dequeue_count > self._options.max_dequeue_count and self._queue.poison:
            await self._to_poison(message, "taken too often without an end")
            return
        try:
            text = content.decode()
        except UnicodeDecodeError:
            log.warning("message %s: not UTF-8: it never reaches the function", message.id)
            await self._complete(message, succeeded=False)
            return
        message, succeeded = await self._invoke_and_keep(message, text)
        await self._complete(message, succeeded=succeeded)

    async def _invoke_and_keep(self, message: Message, text: str) -> tuple[Message, bool]:
        """Run the function and keep the message invisible; each renewal changes its receipt.

        A message that is gone is renewed no more; another failure ends the host, and the function
        goes on.
        """
        running = asyncio.ensure_future(self._invoke(message, text))
        while not (await asyncio.wait([running], timeout=self._visibility / 2))[0]:
            try:
                message = await self._queue.hide(message, self._visibility)
            except AzureError as error:
                if not message_is_gone(error):
                    self._failure = error
                    self._finished.set()
                break
        return message, await running

    async def _complete(self, message: Message, *, succeeded: bool) -> None:
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
