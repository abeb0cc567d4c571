"""The person who says of what may have moved whether it did, by `lanyard release` and `dismiss`."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass

from chaos.monitor import Monitor
from chaos.record import read_rows
from chaos.stack import Stack
from demo.desk import environment
from demo.stack import PROJECT

_MOVE = "move "


class AnswerFailed(Exception):
    """The command refused: a fault of the product, or of the storm's own."""


@dataclass(frozen=True)
class Answers:
    """Who moved what, the monitor saw."""

    stack: Stack
    monitor: Monitor

    async def give(self) -> int:
        """Answer all that is open; returns how many that were."""
        given = 0
        async for entry, source, target in self._open():
            moved = self.monitor.moved.get(source) == target
            await self._lanyard("release" if moved else "dismiss", entry)
            given += 1
        return given

    async def _open(self) -> AsyncIterator[tuple[str, str, str]]:
        for row in await read_rows(self.stack, "lanyardheld"):
            key = row.get("key", "")
            if key.startswith(_MOVE) and not row["answer"]:
                entry = row["RowKey"].rpartition("|")[2]
                yield entry, row["resource"].lower(), key.removeprefix(_MOVE)

    async def _lanyard(self, command: str, entry: str) -> None:
        stack = self.stack
        reached = environment(stack.addresses, stack.front.azurite, stack.policy)
        ran = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "lanyard.cli", command, entry),
            cwd=PROJECT,
            env={**os.environ, **reached},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        printed, _ = await ran.communicate()
        if ran.returncode:
            raise AnswerFailed(f"lanyard {command} {entry}: {printed.decode()[-500:]}")
