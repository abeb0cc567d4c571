"""The person who answers what Lanyard holds because nobody but a person can know.

Of what may have moved they say whether it did, by `lanyard release` and `dismiss`. An identity that
is on no record because its making got no answer before the tables were lost, and that nothing uses,
they delete, as the entry says. What a write attached that acted on a machine made since, they
detach: it is not Lanyard's, as far as Lanyard can know. For what was given up in the storm they see
to the app's rights, as the entry says: the next sweep tries it again.
"""

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chaos.monitor import Monitor
from chaos.record import Row, read_rows
from chaos.stack import Stack
from demo.desk import environment
from demo.hosts import PROJECT
from demo.stack import LOCATION, READER

_MOVE, _ATTACH, _DELETE = "move ", "attach ", "delete identity|"
_NOT_MADE = " exists, and was not made for this resource"
_GIVEN_UP = "given up, because "


class AnswerFailed(Exception):
    """The command refused: a fault of the product, or of the storm's own."""


@dataclass(frozen=True)
class Answers:
    """Who moved what, and what Lanyard made, the monitor saw. `delete` an identity, `detach` one
    from a resource.
    """

    stack: Stack
    monitor: Monitor
    delete: Callable[[str], Awaitable[None]]
    detach: Callable[[str, str], Awaitable[None]]
    _seen_to: set[str] = field(default_factory=set)

    async def give(self) -> int:
        """Answer all that is open; returns how many that were."""
        given = 0
        for row in await read_rows(self.stack, "lanyardheld"):
            if not row["answer"]:
                given += await self._answer(row)
        return given

    async def _answer(self, row: Row) -> bool:
        key, resource = row.get("key", ""), row["resource"].lower()
        if key.startswith(_MOVE):
            moved = self.monitor.moved.get(resource) == key.removeprefix(_MOVE)
            entry = row["RowKey"].rpartition("|")[2]
            await self._lanyard("release" if moved else "dismiss", entry)
            return True
        reason = row.get("reason", "")
        if reason.startswith(_GIVEN_UP):
            await self._see_to(row["RowKey"])
            return True
        identity = reason.removesuffix(_NOT_MADE).lower()
        if key.startswith(_ATTACH) and identity in self.monitor.unowned:
            await self.delete(identity)
            return True
        late = (resource, key.removeprefix(_DELETE))
        if key.startswith(_DELETE) and late in self.monitor.late_attached:
            await self.detach(*late)
            return True
        return False

    async def _see_to(self, entry: str) -> None:
        """Once for each: a role more for the app, where it does no harm. Until Resource Graph lists
        it, sweeps find nothing changed.
        """
        if entry in self._seen_to:
            return
        operator = self.stack.operator
        group = f"rg-seen-to-{len(self._seen_to)}"
        await operator.create_group(group, LOCATION)
        await operator.assign(READER, self.stack.app, operator.group(group))
        self._seen_to.add(entry)

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
