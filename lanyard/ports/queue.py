"""The queue of work, as who puts messages on it sees it, and that of events as a person does."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lanyard.values.change import Change

#: Puts a change on the queue of work.
type Enqueue = Callable[[Change], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class WaitingEvents:
    """What waits in a queue of events: `oldest` is when the message came that is next, None where
    none waits.
    """

    oldest: datetime | None = None


class Queue(Protocol):
    """Takes changes; queue/messages.py says what a message looks like."""

    async def put(self, change: Change, delay: float = 0) -> None:
        """Put a change on it, not to be taken before `delay` seconds. Raises Temporary."""
