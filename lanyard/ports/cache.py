"""Answers from outside that are kept, so that what many need is asked for once."""

import asyncio
import math
import time
from collections.abc import Callable, Coroutine
from typing import Any


class Cache[K, V]:
    """The answer for each key, from whoever asked first.

    Who comes while a call is under way waits for that one. A failure is raised to all who waited
    and is not kept: who comes later asks again. `seconds`: how long an answer serves, by default
    for as long as the cache lives; `now`: a clock in seconds.
    """

    def __init__(
        self, seconds: float = math.inf, now: Callable[[], float] = time.monotonic
    ) -> None:
        self._seconds = seconds
        self._now = now
        self._answers: dict[K, tuple[V, float]] = {}
        self._calls: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The answer that is kept, or that of `ask`. Raises what asking raises."""
        if key in self._answers:
            answer, until = self._answers[key]
            if self._now() < until:
                return answer
        if key not in self._calls:
            self._calls[key] = call = asyncio.create_task(self._ask(key, ask))
            call.add_done_callback(_look_at)
        # Who gives up waiting leaves the call to the others.
        return await asyncio.shield(self._calls[key])

    def put(self, key: K, answer: V) -> None:
        """Keep an answer that was learnt in another way."""
        self._answers[key] = (answer, self._now() + self._seconds)

    async def _ask(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        try:
            answer = await ask()
        finally:
            del self._calls[key]
        self.put(key, answer)
        return answer


class Together[K, V]:
    """The answer for each key for all who ask at once. Nothing is kept.

    Who comes while a call is under way joins the next one: that one may answer what was before.
    """

    def __init__(self) -> None:
        self._under_way: dict[K, asyncio.Task[V]] = {}
        self._next: dict[K, asyncio.Task[V]] = {}

    async def get(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        """The answer of an `ask` that begins from now on. Raises what asking raises, to all."""
        if key not in self._next:
            self._next[key] = call = asyncio.create_task(self._ask(key, ask))
            call.add_done_callback(_look_at)
        return await asyncio.shield(self._next[key])

    async def _ask(self, key: K, ask: Callable[[], Coroutine[Any, Any, V]]) -> V:
        if key in self._under_way:
            await asyncio.wait([self._under_way[key]])
        call = self._under_way[key] = self._next.pop(key)
        try:
            return await ask()
        finally:
            if self._under_way[key] is call:
                del self._under_way[key]


def _look_at(call: asyncio.Task[Any]) -> None:
    """asyncio complains of a failure that nobody waits for any more."""
    if not call.cancelled():
        call.exception()
