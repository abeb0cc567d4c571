"""The policy changes while the storm goes on: the host ends, and another starts under the next one.

Nothing else fails at that moment: a sweep that must read everything does not succeed in a storm,
and under a policy whose difference no sweep has reported nothing is removed.

A mistyped edition is corrected before what it no longer wants could be taken away, so the monitor
never hears of it: whatever goes because of it was needed.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

import httpx

from chaos import weather
from chaos.monitor import Monitor
from chaos.policy import GRACE
from chaos.script import PolicyChange, Script
from chaos.stack import Stack

#: Seconds from the start of a host under a mistyped policy until it is killed, at most.
_TYPO_SECONDS = GRACE / 2
#: So often a sweep is begun under a new policy: what failed before may still end.
_SWEEPS = 5


@dataclass
class Editions:
    """Brings the editions of a script into force. `host`: held while the host is not to be killed
    by somebody else; `begun`: returns once so many lives have begun.
    """

    stack: Stack
    monitor: Monitor
    host: asyncio.Lock
    begun: Callable[[int], Awaitable[None]]
    changes: int = 0
    typos: int = 0

    async def run(self, script: Script) -> None:
        """Each at its moment."""
        for moment, change in script.policies:
            await self.begun(moment)
            async with self.host, lull(self.stack):
                if change.typo:
                    await self._mistyped(change)
                else:
                    await self._adopt(change)

    async def _adopt(self, change: PolicyChange) -> None:
        await self.stack.host.kill()
        self.monitor.adopt(change.edition)
        await self.stack.restart_under(change.edition)
        await report(self.stack)
        self.changes += 1

    async def _mistyped(self, change: PolicyChange) -> None:
        await self.stack.host.kill()
        # Its grace is shorter than a start may take where storage fails.
        with suppress(TimeoutError):
            async with asyncio.timeout(_TYPO_SECONDS):
                await self.stack.restart_under(change.edition)
                await report(self.stack)
                await asyncio.Event().wait()
        with suppress(RuntimeError):  # It did not start yet.
            await self.stack.host.kill()
        await self.stack.restart_under(self.monitor.edition)
        await report(self.stack)
        self.typos += 1


@asynccontextmanager
async def lull(stack: Stack) -> AsyncIterator[None]:
    """Nothing fails for a moment."""
    stack.front.raging = False
    with weather.lull(stack.azure):
        yield
    stack.front.raging = True


async def report(stack: Stack) -> None:
    """A sweep: nothing is removed before it, under a policy or on tables that are new."""
    for _ in range(_SWEEPS):
        with suppress(httpx.HTTPError):
            if await stack.sweep():
                return
