"""A recorded story of a queue, gone through by our listener: minutes of it take none."""

import asyncio
import json
import random
import re
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from azure.core.exceptions import AzureError, HttpResponseError, ServiceRequestError

from simulator.clock import Clock
from simulator.functions_host.errors import HostFailure
from simulator.functions_host.host_json import QueueOptions
from simulator.functions_host.messages import Message, trigger_metadata
from simulator.functions_host.queue_listener import QueueListener
from simulator.virtual_time import run
from tests.support.host_recordings.rows import Row

_NEVER = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)
#: host.json of the app, under which all of them were recorded.
_OPTIONS = QueueOptions.model_validate(
    {
        "batchSize": 32,
        "newBatchThreshold": 480,
        "visibilityTimeout": "00:00:30",
        "maxDequeueCount": 5,
        "maxPollingInterval": "00:00:01",
    }
)
_FAULT = re.compile(r"answers (\w+) (\S+) with (\d+) (\w*) ?, (\d+) times")
_OPERATIONS = {
    "GET /messages": "receive",
    "PUT /messages/": "hide",
    "DELETE /messages/": "delete",
    "POST -poison/messages": "send",
}
#: What the SDK's own tries carry over is no failure of a call.
_TRIES = 6
#: Differ from run to run.
_OF_A_RUN = {"ExpirationTime", "Id", "InsertionTime", "NextVisibleTime", "PopReceipt"}


def _error(row: Row) -> tuple[str, AzureError | None]:
    """Which call fails, and how; none where the SDK's tries suffice."""
    found = next((match for step in row["steps"] if (match := _FAULT.search(step))), None)
    if found is None or int(found[5]) < _TRIES:
        return "", None
    method, path, status, code, _ = found.groups()
    if status == "0":
        return _OPERATIONS[f"{method} {path}"], ServiceRequestError("cut")
    error = HttpResponseError("injected")
    error.status_code, error.error_code = int(status), code  # type: ignore[attr-defined]
    return _OPERATIONS[f"{method} {path}"], error


@dataclass
class TimedQueue:
    """Messages become visible by the clock; `failing` calls raise `error`."""

    clock: Clock
    failing: str = ""
    error: AzureError | None = None
    name: str = "work"
    poison: "TimedQueue | None" = None
    contents: list[str] = field(default_factory=list)
    hidden: list[tuple[float, int]] = field(default_factory=list)
    _messages: dict[str, tuple[Message, float]] = field(default_factory=dict)

    def put(self, content: str) -> None:
        number = str(len(self.contents))
        self.contents.append(content)
        now = datetime.fromtimestamp(self.clock.now(), UTC)
        self._messages[number] = Message(number, content, "", 0, now, _NEVER, now), 0.0

    @property
    def left(self) -> int:
        return len(self._messages)

    async def receive(self, number: int, visibility: int) -> list[Message]:
        self._fail("receive")
        now = self.clock.now()
        ready = [m for m, visible in self._messages.values() if visible <= now][:number]
        taken = [replace(each, dequeue_count=each.dequeue_count + 1) for each in ready]
        self._messages |= {each.id: (each, now + visibility) for each in taken}
        return taken

    async def hide(self, message: Message, visibility: int) -> Message:
        self._fail("hide")
        self.hidden.append((self.clock.now(), visibility))
        self._messages[message.id] = message, self.clock.now() + visibility
        return message

    async def delete(self, message: Message) -> None:
        self._fail("delete")
        del self._messages[message.id]

    async def send(self, content: str) -> None:
        self._fail("send")
        self.put(content)

    def _fail(self, call: str) -> None:
        if call == self.failing and self.error is not None:
            raise self.error


@dataclass
class Played:
    """What came of it: the calls, what lies in the poison queue, whether the host ended."""

    calls: list[dict[str, Any]]
    poison: list[str]
    ended: bool
    left: int
    most_at_once: int
    renewed_at: list[float]


class _Function:
    """What the recorded one is: it does what its message says."""

    def __init__(self, clock: Clock) -> None:
        self._clock, self._started = clock, clock.now()
        self.calls: list[dict[str, Any]] = []
        self.running: Counter[str] = Counter()
        self.most = 0

    async def __call__(self, message: Message, text: str) -> bool:
        metadata = trigger_metadata(message, text)
        shown = {k: f"{v.kind}:{v.value}" for k, v in metadata.items() if k not in _OF_A_RUN}
        at = self._clock.now() - self._started
        call = {"at": at, "arg": text, "dequeueCount": message.dequeue_count, "metadata": shown}
        self.calls.append(call)
        self.running["now"] += 1
        self.most = max(self.most, self.running["now"])
        wanted = _wanted(text)
        await asyncio.sleep(wanted.get("ms", 0) / 1000)
        self.running["now"] -= 1
        return "throw" not in str(wanted.get("do"))


def _wanted(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def played(row: Row, contents: list[str], seconds: float) -> Played:
    """Put these, and let the listener work for so long."""
    return run(lambda clock: _play(clock, _error(row), contents, seconds))


async def _play(
    clock: Clock, fault: tuple[str, AzureError | None], contents: list[str], seconds: float
) -> Played:
    poison = TimedQueue(clock, *fault, name="work-poison")
    queue = TimedQueue(clock, *fault, poison=poison)
    started = clock.now()
    for content in contents:
        queue.put(content)
    function = _Function(clock)
    listener = QueueListener(queue, _OPTIONS, function, dice=random.Random(1))
    listening = asyncio.create_task(listener.run())
    await asyncio.wait([listening], timeout=seconds)
    ended = listening.done() and isinstance(listening.exception(), HostFailure)
    listener.stop()
    await asyncio.wait([listening])
    renewed = [at - started for at, visibility in queue.hidden if visibility == 600]
    return Played(
        function.calls, poison.contents, ended, queue.left, function.most, sorted(renewed)
    )


def contents_of(row: Row) -> list[str]:
    """What was put: as stored, or by what its calls were given."""
    observed = row["observed"]
    if "stored" in observed:
        return [observed["stored"]]
    if row["name"].endswith("the poison queue refuses: 403"):
        return ["no base64!"]
    texts = dict.fromkeys(call["arg"] for call in observed["calls"]) or {'{"do":"ok"}': None}
    return [as_stored(text) for text in texts]


def as_stored(text: str) -> str:
    """In base64, as the SDKs of the app put it."""
    return b64encode(text.encode()).decode()


def recorded_calls(row: Row) -> list[dict[str, Any]]:
    """In the shape of `Played.calls`."""
    return [
        {
            "at": call["at"],
            "arg": call["arg"],
            "dequeueCount": call["dequeueCount"],
            "metadata": {k: v for k, v in call["trigger_metadata"].items() if k not in _OF_A_RUN},
        }
        for call in row["observed"]["calls"]
    ]


def seconds_of(row: Row) -> float:
    """How long it went on."""
    last = re.search(r"(\d+) s$", str(row["steps"][-1]))
    return float(last[1]) if last else timedelta(minutes=3).total_seconds()
