"""A storage queue on the simulator's clock: the app puts to it, the listener takes from it."""

import asyncio
import itertools
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from bench.latencies import QUEUE
from lanyard.queue.messages import encode, packed
from lanyard.values.change import Change
from simulator.clock import Clock
from simulator.functions_host.messages import Message

_POISON = "-poison"


@dataclass
class _Stored:
    content: str
    inserted_at: float
    visible_at: float
    dequeued: int = 0


class TimedQueue:
    """Messages become visible and invisible by the clock; every call takes QUEUE seconds."""

    def __init__(self, clock: Clock, name: str = "lanyard-reconcile") -> None:
        self.name = name
        self._clock = clock
        self._messages: dict[str, _Stored] = {}
        self._ids = itertools.count(1)
        self._poison: Self | None = None
        self._emptied = asyncio.Event()
        self._emptied.set()
        #: The calls so far that put, took, hid or deleted messages; a poll that found none is none.
        self.calls = 0

    @property
    def poison(self) -> Self | None:
        """Where messages go that failed too often. A poison queue has none of its own."""
        if self._poison is None and not self.name.endswith(_POISON):
            self._poison = type(self)(self._clock, self.name + _POISON)
        return self._poison

    @property
    def length(self) -> int:
        """Messages that are waiting, hidden or being worked on."""
        return len(self._messages)

    async def emptied(self) -> None:
        """Return once there is none."""
        await self._emptied.wait()

    async def put(self, change: Change, delay: float = 0) -> None:
        """As the app's own queue does it."""
        await self._add(packed(encode(change)), delay)

    async def send(self, content: str) -> None:
        """As the host's output binding does it; `content` is encoded already."""
        await self._add(content, 0)

    def lay(self, content: str, delay: float = 0) -> None:
        """Content is there, however it came."""
        now = self._clock.now()
        self._messages[str(next(self._ids))] = _Stored(content, now, now + delay)
        self._emptied.clear()

    async def receive(self, count: int, visibility: int) -> list[Message]:
        """Take the first messages that are visible."""
        await self._clock.elapse(QUEUE)
        now = self._clock.now()
        due = [(key, each) for key, each in self._messages.items() if each.visible_at <= now]
        self.calls += bool(due)
        return [self._taken(key, stored, now + visibility) for key, stored in due[:count]]

    async def hide(self, message: Message, visibility: int) -> Message:
        """Keep a message invisible."""
        self.calls += 1
        await self._clock.elapse(QUEUE)
        self._messages[message.id].visible_at = self._clock.now() + visibility
        return message

    async def delete(self, message: Message) -> None:
        """Done with it."""
        self.calls += 1
        await self._clock.elapse(QUEUE)
        self._messages.pop(message.id, None)
        if not self._messages:
            self._emptied.set()

    async def _add(self, content: str, delay: float) -> None:
        self.calls += 1
        await self._clock.elapse(QUEUE)
        self.lay(content, delay)

    def _taken(self, key: str, stored: _Stored, visible_at: float) -> Message:
        stored.visible_at, stored.dequeued = visible_at, stored.dequeued + 1
        inserted, visible = (
            datetime.fromtimestamp(at, UTC) for at in (stored.inserted_at, visible_at)
        )
        never = datetime.max.replace(tzinfo=UTC)
        return Message(key, stored.content, "", stored.dequeued, inserted, never, visible)
