"""Work of a sweep on many things, some of them side by side: each waits for a table or a queue."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from itertools import chain, islice

from lanyard.values.errors import LanyardError, Permanent

_AT_ONCE = 16


async def at_once[T](
    items: Iterable[T],
    work: Callable[[T], Awaitable[None]],
    refused: list[Permanent] | None = None,
) -> None:
    """Do the work on each of the items. One that fails stops no other: the first failure
    (Temporary, Permanent) is raised when all were worked on; what is refused for good goes into
    `refused` instead, where that is given.
    """
    others = iter(items)
    first = list(islice(others, _AT_ONCE))  # mostly there is nothing to do, or little
    rest = chain(first, others)
    failures: list[LanyardError] = []

    async def take() -> None:
        for item in rest:
            try:
                await work(item)
            except LanyardError as failure:
                if refused is not None and isinstance(failure, Permanent):
                    refused.append(failure)
                    continue
                failures.append(failure)

    await asyncio.gather(*(take() for _ in first))
    if failures:
        raise failures[0]
