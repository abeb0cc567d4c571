"""The queue of work, as who puts messages on it sees it."""

from collections.abc import Awaitable, Callable
from typing import Protocol

from lanyard.values.change import Change

#: Puts a change on the queue of work.
type Enqueue = Callable[[Change], Awaitable[None]]


class Queue(Protocol):
    """Takes changes; queue/messages.py says what a message looks like."""

    async def put(self, change: Change, delay: float = 0) -> None:
        """Put a change on it, not to be taken before `delay` seconds. Raises Temporary."""
