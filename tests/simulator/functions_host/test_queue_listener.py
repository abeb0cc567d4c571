"""The listener's rules on a queue in memory: what takes ten minutes on Azure takes none here."""

import asyncio
import base64
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from itertools import count, islice
from random import Random
from typing import Any

import pytest
from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError

from simulator.functions_host.errors import HostFailure
from simulator.functions_host.host_json import QueueOptions
from simulator.functions_host.messages import Message
from simulator.functions_host.queue_listener import QueueListener, polling_pauses
from tests.support.azurite.queues import until


def service_error(status: int) -> AzureError:
    error = HttpResponseError("refused")
    error.status_code = status
    return error


MOMENT = datetime(2026, 11, 20, tzinfo=UTC)


@dataclass
class MemoryQueue:
    """Messages are visible or taken; `hide` by 0 makes one visible again. Receipts change."""

    name: str = "work"
    poison: "MemoryQueue | None" = None
    visible: list[Message] = field(default_factory=list)
    taken: dict[str, Message] = field(default_factory=dict)
    broken_reads: int = 0
    error: AzureError = field(default_factory=lambda: service_error(503))
    takes: int = 0
    changed: asyncio.Event = field(default_factory=asyncio.Event)
    _numbers: "count[int]" = field(default_factory=count)

    def add(self, text: str, dequeue_count: int = 0) -> None:
        content = base64.b64encode(text.encode()).decode()
        number = str(next(self._numbers))
        message = Message(number, content, "", dequeue_count, MOMENT, MOMENT, MOMENT)
        self.visible.append(message)

    async def receive(self, number: int, _visibility: int) -> list[Message]:
        self.changed.set()
        if self.broken_reads:
            self.broken_reads -= 1
            raise self.error
        found = [self._renewed(m, m.dequeue_count + 1) for m in self.visible[:number]]
        del self.visible[:number]
        self.takes += len(found)
        self.taken.update((m.id, m) for m in found)
        return found

    async def hide(self, message: Message, visibility: int) -> Message:
        renewed = self._renewed(self._own(message), message.dequeue_count)
        self.taken[message.id] = renewed
        if visibility == 0:
            self.visible.append(self.taken.pop(message.id))
        self.changed.set()
        return renewed

    async def delete(self, message: Message) -> None:
        del self.taken[self._own(message).id]
        self.changed.set()

    async def send(self, content: str) -> None:
        self.add(base64.b64decode(content).decode())

    def _renewed(self, message: Message, dequeue_count: int) -> Message:
        receipt = f"receipt-{next(self._numbers)}"
        return replace(message, pop_receipt=receipt, dequeue_count=dequeue_count)

    def _own(self, message: Message) -> Message:
        assert self.taken[message.id].pop_receipt == message.pop_receipt, "an old receipt"
        return message

    async def until_empty(self) -> None:
        async with asyncio.timeout(5):
            while self.visible or self.taken:
                self.changed.clear()
                await self.changed.wait()


def options(**values: Any) -> QueueOptions:
    return QueueOptions.model_validate(values)


@dataclass
class Function:
    """Remembers what it was given, waits for the gate and `turns` of the loop, fails if told to."""

    fails: bool = False
    turns: int = 0
    gate: asyncio.Event = field(default_factory=asyncio.Event)
    texts: list[str] = field(default_factory=list)
    running: int = 0
    most: int = 0

    async def __call__(self, _message: Message, text: str) -> bool:
        self.texts.append(text)
        self.running += 1
        self.most = max(self.most, self.running)
        await self.gate.wait()
        for _ in range(self.turns):
            await asyncio.sleep(0)
        self.running -= 1
        return not self.fails


async def run_until(listener: QueueListener[MemoryQueue], done: asyncio.Future[None]) -> None:
    running = asyncio.create_task(listener.run())
    await asyncio.wait([running, done], return_when=asyncio.FIRST_COMPLETED)
    listener.stop()
    await running
    await done


async def test_a_long_invocation_keeps_its_message_and_deletes_it_with_the_newest_receipt() -> None:
    queue, function = MemoryQueue(), Function()
    queue.add("slow")

    async def renewed_then_deleted() -> None:
        async with asyncio.timeout(5):
            while "0" not in queue.taken or queue.taken["0"].pop_receipt != "receipt-2":
                queue.changed.clear()
                await queue.changed.wait()
        function.gate.set()
        await queue.until_empty()

    listener = QueueListener(queue, options(), function, visibility=1)
    await run_until(listener, asyncio.ensure_future(renewed_then_deleted()))
    assert function.texts == ["slow"]


async def test_works_on_no_more_than_batch_and_threshold_at_once() -> None:
    queue, function = MemoryQueue(), Function(turns=20)
    function.gate.set()
    for number in range(40):
        queue.add(str(number))
    listener = QueueListener(queue, options(batchSize=4, newBatchThreshold=2), function)
    await run_until(listener, asyncio.ensure_future(queue.until_empty()))
    assert sorted(map(int, function.texts)) == list(range(40))
    assert 4 <= function.most <= 6


async def test_moves_a_message_that_was_taken_too_often_without_running_it() -> None:
    poison, function = MemoryQueue("work-poison"), Function()
    queue = MemoryQueue(poison=poison)
    queue.add("crashes the host", dequeue_count=5)
    listener = QueueListener(queue, options(maxDequeueCount=5), function)
    await run_until(listener, asyncio.ensure_future(queue.until_empty()))
    assert function.texts == []
    assert len(poison.visible) == 1


async def test_moves_a_message_after_its_last_try() -> None:
    poison, function = MemoryQueue("work-poison"), Function(fails=True)
    function.gate.set()
    queue = MemoryQueue(poison=poison)
    queue.add("fails")
    listener = QueueListener(queue, options(maxDequeueCount=3), function)
    await run_until(listener, asyncio.ensure_future(queue.until_empty()))
    assert function.texts == ["fails"] * 3
    assert queue.takes == 3
    assert len(poison.visible) == 1


async def test_leaves_a_failed_message_of_a_poison_queue_invisible() -> None:
    queue, function = MemoryQueue("work-poison"), Function(fails=True)
    function.gate.set()
    queue.add("fails")
    listener = QueueListener(queue, options(maxDequeueCount=1), function)
    running = asyncio.create_task(listener.run())
    await until(lambda: bool(function.texts))
    listener.stop()
    await running
    assert list(queue.taken) == ["0"]
    assert queue.visible == []


async def test_goes_on_after_the_service_failed_by_itself() -> None:
    queue, function = MemoryQueue(broken_reads=2), Function()
    function.gate.set()
    queue.add("later")
    listener = QueueListener(queue, options(), function)
    await run_until(listener, asyncio.ensure_future(queue.until_empty()))
    assert function.texts == ["later"]


async def test_a_failure_ends_the_host_and_leaves_what_is_running() -> None:
    queue, function = MemoryQueue(), Function()
    queue.add("in hand")
    listener = QueueListener(queue, options(), function)
    running = asyncio.create_task(listener.run())
    await until(lambda: bool(function.texts))
    queue.error, queue.broken_reads = ServiceRequestError("cut off"), 1
    with pytest.raises(HostFailure, match="cut off"):
        await running
    function.gate.set()
    await queue.until_empty()
    assert function.running == 0


async def test_a_stop_waits_for_what_is_running() -> None:
    queue, function = MemoryQueue(), Function()
    queue.add("slow")
    listener = QueueListener(queue, options(), function)
    running = asyncio.create_task(listener.run())
    await until(lambda: bool(function.texts))
    listener.stop()
    queue.add("too late")
    assert not running.done()
    function.gate.set()
    await running
    assert [message.id for message in queue.visible] == ["2"]
    assert queue.taken == {}


@pytest.mark.parametrize(
    ("end", "pauses"),
    [(0, [0.1, 0.18, 0.26, 0.42, 0.74, 0.9]), (1, [0.1, 0.22, 0.34, 0.58, 1, 1])],
    ids=["the shortest", "the longest"],
)
def test_the_idle_poll_backs_off_to_the_longest_interval(end: int, pauses: list[float]) -> None:
    class Extreme(Random):
        def uniform(self, a: float, b: float) -> float:
            return (a, b)[end]

    assert list(islice(polling_pauses(1, Extreme()), 6)) == pytest.approx(pauses)
