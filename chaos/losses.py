"""Tables that are lost in the storm, or put back as they were some time before.

Nothing else fails at that moment, as where the policy changes (editions.py). Decisions are never
lost: the verdict goes by them.
"""

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field

import httpx
from azure.core.exceptions import ResourceNotFoundError
from azure.data.tables.aio import TableServiceClient

from chaos.editions import lull, report
from chaos.monitor import Monitor
from chaos.script import LoseTable, Loss, PutBack, Remember, Script
from chaos.stack import Stack
from chaos.weather import SLOW_SECONDS
from demo.timers import run_now

type _Row = dict[str, object]

_DECISIONS = "lanyarddecisions"
#: Seconds from a request until what it asks for is done, at most.
_LONGEST_CALL = SLOW_SECONDS + 1.0
#: So often, a second apart, the app is asked to look at its tables.
_LOOKS = 120


@dataclass
class Losses:
    """Has the tables lost as the script says. `host`, `begun` as Editions has them."""

    stack: Stack
    monitor: Monitor
    host: asyncio.Lock
    begun: Callable[[int], Awaitable[None]]
    done: int = 0
    _copy: dict[str, list[_Row]] = field(default_factory=dict)

    async def run(self, script: Script) -> None:
        """Each at its moment."""
        for moment, loss in script.losses:
            await self.begun(moment)
            async with self.host, lull(self.stack):
                await self._befall(loss)
            self.done += 1

    async def _befall(self, loss: Loss) -> None:
        if isinstance(loss, Remember):
            self._copy = await self._copied()
            await self._outdated()
            return
        await self.stack.host.kill()
        await self._all_answered()
        self.monitor.lose()
        if isinstance(loss, LoseTable):
            await self._lose(loss.table)
        else:
            assert isinstance(loss, PutBack)
            await self._put_back()
        await self.stack.restart_under(self.monitor.edition)
        await report(self.stack)
        self.monitor.relearnt()

    async def _outdated(self) -> None:
        """Tables of this moment are older than what is on file from now on."""
        for _ in range(_LOOKS):
            # Storage that failed may have ended the host a moment ago: it is started again.
            with suppress(httpx.HTTPError):
                if await run_now(self.stack.host, "policy_changes", self.stack.azure.clock):
                    return
            await self.stack.azure.clock.elapse(1.0)

    async def _all_answered(self) -> None:
        """What the dead host asked for may still be done: nobody will have it on record."""
        azure, now = self.stack.azure, self.stack.azure.clock.now()
        open_ = [c.at for c in azure.calls_of(self.stack.app) if c.status is None]
        await azure.clock.sleep_until(max([now, *(at + _LONGEST_CALL for at in open_)]))

    async def _copied(self) -> dict[str, list[_Row]]:
        async with self._service() as service:
            names = [table.name async for table in service.list_tables()]
        copy: dict[str, list[_Row]] = {}
        for name in names:
            if name != _DECISIONS:
                async with self.stack.table(name) as table:
                    copy[name] = [dict(row) async for row in table.list_entities()]
        return copy

    async def _lose(self, name: str) -> None:
        async with self._service() as service:
            with suppress(ResourceNotFoundError):
                await service.delete_table(name)

    async def _put_back(self) -> None:
        for name, rows in self._copy.items():
            await self._lose(name)
            async with self.stack.table(name) as table:
                await table.create_table()
                for row in rows:
                    await table.create_entity(row)

    def _service(self) -> TableServiceClient:
        operator = self.stack.operator
        return TableServiceClient(
            self.stack.front.azurite.table_url, credential=operator.credential, **operator.options
        )
