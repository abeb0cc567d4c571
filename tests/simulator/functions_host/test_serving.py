"""What a stop does, in the order in which it does it; seconds of it take none."""

import asyncio
import socket
from dataclasses import dataclass, field

import pytest

from simulator.clock import Clock
from simulator.functions_host.errors import HostFailure
from simulator.functions_host.serving import serve
from simulator.virtual_time import run


@dataclass
class Parts:
    """Server, worker and one listener at once: they write down what happens to them."""

    clock: Clock
    request_seconds: float = 0
    work_seconds: float = 0
    failure: Exception | None = None
    happened: list[tuple[float, str]] = field(default_factory=list)
    killed: asyncio.Event = field(default_factory=asyncio.Event)
    stopping: asyncio.Event = field(default_factory=asyncio.Event)

    def __post_init__(self) -> None:
        self.started = self.clock.now()
        self.exit = asyncio.Event()

    def note(self, what: str) -> None:
        self.happened.append((round(self.clock.now() - self.started), what))

    @property
    def should_exit(self) -> bool:
        return self.exit.is_set()

    @should_exit.setter
    def should_exit(self, _value: bool) -> None:
        self.note("port closed")
        self.exit.set()

    async def serve(self, _sockets: list[socket.socket]) -> None:
        await self.exit.wait()
        await asyncio.sleep(self.request_seconds)
        self.note("requests ended")

    async def drained(self) -> None:
        await asyncio.sleep(self.work_seconds)

    def kill(self) -> None:
        self.note("worker killed")
        self.killed.set()


class Watched:
    def __init__(self, parts: Parts) -> None:
        self.drained, self.kill, self._parts = parts.drained, parts.kill, parts

    async def run(self) -> None:
        await self._parts.killed.wait()


class Listening:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def run(self) -> None:
        if self._parts.failure is not None:
            raise self._parts.failure
        await self._parts.stopping.wait()
        self._parts.note("listener stopped")

    def stop(self) -> None:
        self._parts.stopping.set()


def stopped(request_seconds: float, work_seconds: float) -> list[tuple[float, str]]:
    """What happens after SIGTERM, and at which second."""

    async def play(clock: Clock) -> list[tuple[float, str]]:
        parts, stop = Parts(clock, request_seconds, work_seconds), asyncio.Event()
        stop.set()
        await _served(parts, stop)
        return parts.happened

    return run(play)


async def _served(parts: Parts, stop: asyncio.Event) -> None:
    listening = socket.socket()
    with listening:
        await serve(parts, listening, [Listening(parts)], Watched(parts), stop)  # type: ignore[arg-type]


def test_requests_end_then_what_the_worker_has_and_listeners_go_on_until_it_is_killed() -> None:
    assert stopped(25, 4) == [
        (0, "port closed"),
        (25, "requests ended"),
        (29, "worker killed"),
        (29, "listener stopped"),
    ]


def test_what_takes_longer_than_ten_seconds_is_killed() -> None:
    assert (10, "worker killed") in stopped(0, 60)


@pytest.mark.parametrize("failure", [HostFailure("its queue refuses"), RuntimeError("a mistake")])
def test_a_listener_that_fails_stops_the_host_in_the_same_way(failure: Exception) -> None:
    async def play(clock: Clock) -> list[tuple[float, str]]:
        parts = Parts(clock, failure=failure)
        with pytest.raises(type(failure), match=str(failure)):
            await _served(parts, asyncio.Event())
        return parts.happened

    assert [what for _, what in run(play)] == [
        "port closed",
        "requests ended",
        "worker killed",
    ]
