"""Long loops that let others have their turn: leases are renewed, and a pause is seen meanwhile."""

import asyncio
from collections.abc import AsyncIterable, AsyncIterator, Iterable

#: So many of what takes less than a millisecond each, one after the other.
_AT_A_TIME = 50


async def in_turns[T](items: Iterable[T]) -> AsyncIterator[T]:
    """The items."""
    for number, item in enumerate(items, 1):
        yield item
        if number % _AT_A_TIME == 0:
            await asyncio.sleep(0)


async def read_in_turns[T](items: AsyncIterable[T]) -> AsyncIterator[T]:
    """The items as they are read: what comes in pages waits only between them."""
    number = 0
    async for item in items:
        yield item
        number += 1
        if number % _AT_A_TIME == 0:
            await asyncio.sleep(0)
