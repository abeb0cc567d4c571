"""The estate of the tests with Azure's latencies, and the app in several instances of the host."""

import asyncio
import inspect
import random
from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

from bench.latencies import ARM, MACHINE_OPERATION, MACHINE_OPERATION_SPREAD, TABLE
from bench.queue import TimedQueue
from lanyard.app import intake
from lanyard.app.worker import Worker
from lanyard.queue.messages import EVENTS, decode, packed, unpacked
from lanyard.values.errors import LanyardError
from simulator.arm.calls import Call
from simulator.azure import Azure
from simulator.behaviour import Behaviour
from simulator.clock import Clock
from simulator.compute.models import TYPE as MACHINE
from simulator.functions_host.host_json import QueueOptions, read_host_json
from simulator.functions_host.messages import Message
from simulator.functions_host.queue_listener import QueueListener
from tests.support.estate import POLICY, Estate
from tests.support.memory_table import MemoryTable

_PROJECT = Path(__file__).parents[1]
_PAGE = 1000


def timed_azure(clock: Clock, *, seed: int = 7) -> Azure:
    """An Azure whose calls take their time; its token buckets are off."""
    behaviour = Behaviour(
        operation_seconds=MACHINE_OPERATION,
        operation_spread_seconds=MACHINE_OPERATION_SPREAD,
        call_seconds=dict(ARM),
    )
    return Azure(seed=seed, clock=clock, behaviour=behaviour)


class TimedTable(MemoryTable):
    """Every call, and every page of rows, takes TABLE seconds."""

    def __getattribute__(self, name: str) -> Any:
        found = super().__getattribute__(name)
        if name.startswith("_"):
            return found
        if inspect.isasyncgenfunction(found):
            return _late_rows(found)
        return _late(found) if inspect.iscoroutinefunction(found) else found


class TimedEstate(Estate):
    """`finished`: by resource id in lower case, when its last reconcile that ended well did so."""

    def __init__(self, clock: Clock, policy: str = POLICY) -> None:
        super().__init__(policy, timed_azure(clock), TimedTable)
        self.work_queue = TimedQueue(clock)
        self.queue = self.work_queue  # type: ignore[assignment]
        self.finished: dict[str, float] = {}

    async def create_machines(self, count: int, first: int = 0) -> None:
        """So many machines, made at once; their events are waiting."""
        names = (f"vm-{number:05d}" for number in range(first, first + count))
        await asyncio.gather(*(self.create_vm(name) for name in names))

    async def take_in(self, events: Iterable[dict[str, Any]]) -> None:
        """The events, through the app's event function, onto the queue."""
        with self._event_function():
            await asyncio.gather(*(self._take_in(event) for event in events))

    @asynccontextmanager
    async def hearing(self) -> AsyncIterator[TimedQueue]:
        """The queue of events: an instance of the app takes from it while the context is open."""
        queue = TimedQueue(self.azure.clock, EVENTS)
        # Its own chance, so that one run is like the next.
        listener = QueueListener(queue, queue_options(), self._heard, dice=random.Random(2))  # noqa: S311
        with self._event_function():
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(listener.run())
                yield queue
                listener.stop()

    @asynccontextmanager
    async def working(self, instances: int) -> AsyncIterator[None]:
        """So many instances of the app take from the queue while the context is open."""
        listeners = [self.listener(self.instance().worker) for _ in range(instances)]
        async with asyncio.TaskGroup() as tasks:
            for listener in listeners:
                tasks.create_task(listener.run())
            yield
            for listener in listeners:
                listener.stop()

    async def work_off(self, events: Iterable[dict[str, Any]], instances: int = 1) -> None:
        """Take the events in, and let so many instances work until nothing is left."""
        await self.take_in(events)
        async with self.working(instances):
            await self.work_queue.emptied()

    async def prepare(self) -> None:
        """Groups, and one machine that has everything: the identity and its role are there."""
        await self.create_groups()
        await self.create_machines(1)
        await self.work_off(machine_events(self))
        self.new_events()
        self.azure.calls.clear()

    def check_attached(self, count: int) -> None:
        """Raise AssertionError unless so many machines have their identity: the figure is of work
        that was done.
        """
        poison = self.work_queue.poison
        poisoned = poison.length if poison else 0
        machines = [m for m in self.azure.state.resources.values() if m.type == MACHINE]
        ready = [m for m in machines if m.identity and m.provisioning_state == "Succeeded"]
        if (len(ready), poisoned) != (count, 0):
            raise AssertionError(f"{len(ready)} of {count} machines, {poisoned} poisoned")

    def take_calls(self) -> list[Call]:
        """The app's ARM calls since they were last taken."""
        calls = self.azure.calls_of(self.app.object_id)
        self.azure.calls.clear()
        return calls

    async def _take_in(self, event: dict[str, Any]) -> None:
        if message := await self.deliver(event):
            await self.work_queue.send(packed(message))

    async def _heard(self, _message: Message, text: str) -> bool:
        for work in await self.deliver_by_queue(text):
            await self.work_queue.send(packed(work))
        return True

    def listener(self, worker: Worker) -> QueueListener[TimedQueue]:
        """What takes from the queue in one instance."""

        async def invoke(_message: Message, text: str) -> bool:
            change = decode(unpacked(text.encode()))
            try:
                await worker.process(change)
            except LanyardError:
                return False
            self.finished[change.resource.key] = self.azure.clock.now()
            return True

        # Its own chance, so that one run is like the next.
        return QueueListener(self.work_queue, queue_options(), invoke, dice=random.Random(1))  # noqa: S311

    @contextmanager
    def _event_function(self) -> Iterator[None]:
        with mock.patch.object(intake, "settings", return_value=self.settings):
            yield


def queue_options() -> QueueOptions:
    """What the app's own host.json says."""
    return read_host_json(_PROJECT, {}).extensions.queues


def machine_events(estate: Estate) -> list[dict[str, Any]]:
    """The waiting events of machines; the rest is forgotten."""
    wanted = "/providers/microsoft.compute/virtualmachines/"
    return [event for event in estate.new_events() if wanted in event["subject"].lower()]


def is_poll(call: Call) -> bool:
    """Whether the call follows a long-running operation."""
    return "/operations/" in call.path.lower()


def _late(call: Callable[..., Any]) -> Callable[..., Any]:
    async def late(*arguments: Any, **options: Any) -> Any:
        await asyncio.sleep(TABLE)
        return await call(*arguments, **options)

    return late


def _late_rows(call: Callable[..., AsyncIterator[Any]]) -> Callable[..., AsyncIterator[Any]]:
    async def late(*arguments: Any, **options: Any) -> AsyncIterator[Any]:
        await asyncio.sleep(TABLE)
        count = 0
        async for row in call(*arguments, **options):
            count += 1
            if count % _PAGE == 0:
                await asyncio.sleep(TABLE)
            yield row

    return late
