"""What runs in a soak: the whole stack, and machines that come and go, twelve at a time."""

import asyncio
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path

from azure.data.tables.aio import TableClient
from azure.storage.queue.aio import QueueClient

from bench import pulse
from demo.hosts import MICROSOFT, PROJECT
from demo.stack import LOCATION, POLLED_OFTEN, QUEUE, SHOP, Stack, running
from demo.timers import run_now
from lanyard.record.rows import MARK
from simulator.compute.models import TYPE as MACHINE
from simulator.functions_host.microsoft import MicrosoftHost
from simulator.functions_host.process import HostProcess
from simulator.state import Resource

#: So many machines live at any moment.
AT_ONCE = 12
_OPERATION_SECONDS = 0.2
#: A machine stays so long after it was served.
_LIFE_SECONDS = 2.0
_SOURCE = """\
import importlib.util
from pathlib import Path

from bench import pulse

pulse.begin(Path({pulse!r}))
spec = importlib.util.spec_from_file_location("deployed_app", {app!r})
deployed_app = importlib.util.module_from_spec(spec)
spec.loader.exec_module(deployed_app)
app = deployed_app.app
"""
#: Those whose rows live as long as what they are about; the record is counted by itself.
_TABLES = ("resources", "identities", "grants", "held", "control")


@dataclass(frozen=True)
class Reading:
    """Of one moment. `queue`: messages, the oldest of which waits for `age` seconds."""

    lives: int
    megabytes: float
    held: float
    queue: int
    age: float
    rows: int
    decisions: int


@dataclass
class Soak:
    """One that is running."""

    stack: Stack
    pulse: Path
    lives: int = 0
    _decisions: int = 0
    _newest: tuple[str, str] = ("", "")
    _served: dict[str, asyncio.Event] = field(default_factory=dict)

    def watch(self) -> None:
        """Learn which machine was served, from now on."""
        loop = asyncio.get_running_loop()

        def look(key: str, _before: Resource | None, after: Resource | None) -> None:
            event = self._served.get(key)
            if event and after and after.identity and after.provisioning_state == "Succeeded":
                loop.call_soon_threadsafe(event.set)

        self.stack.azure.state.resources.observe(look)

    async def live(self, over: Callable[[], bool]) -> None:
        """Machines come, are served, and go, until it is over."""
        numbers = count()
        async with asyncio.TaskGroup() as tasks:
            for _ in range(AT_ONCE):
                tasks.create_task(self._one_after_the_other(over, numbers))

    async def _one_after_the_other(self, over: Callable[[], bool], numbers: "count[int]") -> None:
        operator = self.stack.operator
        while not over():
            name = f"vm-{next(numbers)}"
            key = f"{operator.group(SHOP)}/providers/{MACHINE}/{name}".lower()
            served = self._served[key] = asyncio.Event()
            await operator.create_vm(SHOP, name, LOCATION)
            await served.wait()
            # One that goes while it is looked at stays on record for minutes: it may be there yet.
            await asyncio.sleep(_LIFE_SECONDS)
            await operator.delete_vm(SHOP, name)
            del self._served[key]
            self.lives += 1

    async def read(self) -> Reading:
        """As it is now; the longest hold counts anew."""
        found = pulse.read(self.pulse)
        assert found is not None, "the app writes it once a second"
        pulse.reset(self.pulse)
        waiting, age = await self._queue()
        rows = sum([await self._rows(name) for name in _TABLES])
        await self._count_decisions()
        megabytes, held = found.megabytes, found.held
        return Reading(self.lives, megabytes, held, waiting, age, rows, self._decisions)

    async def _queue(self) -> tuple[int, float]:
        async with QueueClient(
            self.stack.azurite.queue_url, QUEUE, credential=self.stack.operator.credential,
            **self.stack.operator.options,
        ) as queue:  # fmt: skip
            number = (await queue.get_queue_properties()).approximate_message_count or 0
            seen = await queue.peek_messages(32)
        now = datetime.now(UTC)
        put = [each.inserted_on for each in seen if each.inserted_on is not None]
        return number, max(((now - each).total_seconds() for each in put), default=0.0)

    async def _rows(self, name: str) -> int:
        return len(await self._keys(name))

    async def _keys(self, name: str) -> list[str]:
        """The keys of the rows of a table, but for the mark that each sweep leaves in it."""
        async with self._table(name) as table:
            rows = [row async for row in table.list_entities(select=["PartitionKey", "RowKey"])]
        return [row["RowKey"] for row in rows if row["PartitionKey"] != MARK]

    async def _count_decisions(self) -> None:
        """Those that were added; they lie in the order of time."""
        day, key = self._newest
        newer = f"PartitionKey gt '{day}' or (PartitionKey eq '{day}' and RowKey gt '{key}')"
        async with self._table("decisions") as table:
            async for row in table.query_entities(newer, select=["PartitionKey", "RowKey"]):
                self._decisions += 1
                self._newest = max(self._newest, (row["PartitionKey"], row["RowKey"]))

    def _table(self, name: str) -> TableClient:
        return TableClient(
            self.stack.azurite.table_url, f"lanyard{name}",
            credential=self.stack.operator.credential, **self.stack.operator.options,
        )  # fmt: skip

    async def end(self) -> list[str]:
        """Let all be done, and sweep; returns what is left over, in words."""
        await self.stack.quiet()
        assert await run_now(self.stack.host, "sweep", self.stack.azure.clock)
        await self.stack.quiet()
        return [*await self._left_on_record(), *self._left_in_azure()]

    async def _left_on_record(self) -> list[str]:
        kept = {name: await self._rows(name) for name in ("resources", "held")}
        kept |= {"claims": sum(key != "grant" for key in await self._keys("grants"))}
        return [f"{number} rows of {name}" for name, number in kept.items() if number]

    def _left_in_azure(self) -> list[str]:
        state, scope = self.stack.azure.state, self.stack.operator.group(SHOP).lower()
        machines = [key for key in state.resources if f"/{MACHINE.lower()}/" in key]
        roles = [one for one in state.role_assignments.values() if one.scope.lower() == scope]
        left = {"machines": len(machines), f"role assignments at {SHOP}": len(roles)}
        return [f"{number} {what}" for what, number in left.items() if number]


@asynccontextmanager
async def soaking(folder: Path, host: str) -> AsyncIterator[Soak]:
    """The stack in a host of this name, with its timers. Raises NoMicrosoftHost."""
    app, beat = folder / "app", folder / "pulse.json"
    app.mkdir()
    shutil.copy(PROJECT / "host.json", app)
    source = _SOURCE.format(pulse=str(beat), app=str(PROJECT / "function_app.py"))
    (app / "function_app.py").write_text(source)
    kind: type[HostProcess] = MicrosoftHost if host == MICROSOFT else HostProcess
    async with running(
        folder,
        lambda _title: nullcontext(),
        operation_seconds=_OPERATION_SECONDS,
        make_host=lambda settings, where: kind(app, settings, where),
        timers=True,
        more={**POLLED_OFTEN, "PYTHONPATH": str(PROJECT)},
    ) as stack:
        soak = Soak(stack, beat)
        soak.watch()
        yield soak
