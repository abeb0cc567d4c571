"""Leases in memory with what Azure's blobs promise: they end by themselves, and times are whole
seconds."""

import asyncio
import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field

from lanyard.ports.leases import MARGIN_SECONDS, End, LeaseLost, held_by_another


@dataclass
class MemoryLeases:
    """`now`: the storage's clock. `calls` counts what was asked of it."""

    now: Callable[[], float]
    seconds: float = 30.0
    delay: float = 5.0
    calls: int = 0
    holders: dict[str, tuple[int, float]] = field(default_factory=dict)
    ended: dict[str, tuple[End, float]] = field(default_factory=dict)
    _ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    async def take(self, name: str) -> "MemoryLease":
        await self.call()
        _, until = self.holders.get(name, (0, -math.inf))
        if until > self.now():
            raise held_by_another(name, self.delay)
        lease = MemoryLease(self, name, next(self._ids), math.floor(self.now()))
        self.holders[name] = (lease.id, self.now() + self.seconds)
        return lease

    async def call(self) -> None:
        """Others go first, as over a network."""
        self.calls += 1
        await asyncio.sleep(0)


@dataclass
class MemoryLease:
    leases: MemoryLeases
    name: str
    id: int
    taken_at: float

    async def begun_since(self, moment: float, *, waits: bool = False) -> bool:
        await self.leases.call()
        end, begun = self.leases.ended.get(self.name, (End.OPEN, -math.inf))
        return (waits or end is End.WELL) and begun >= moment + MARGIN_SECONDS

    async def renew(self) -> None:
        await self._held()
        self.leases.holders[self.name] = (self.id, self.leases.now() + self.leases.seconds)

    async def release(self, *, end: End) -> None:
        await self._held()
        if end is not End.OPEN:
            self.leases.ended[self.name] = end, self.taken_at
        del self.leases.holders[self.name]

    async def _held(self) -> None:
        await self.leases.call()
        holder, until = self.leases.holders.get(self.name, (0, -math.inf))
        if holder != self.id or until <= self.leases.now():
            raise LeaseLost
