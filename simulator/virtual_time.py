"""An event loop in whose time nobody waits: when every task does, it jumps to the next timer.

For what takes minutes in Azure and has to be measured in the order in which it would happen there:
`asyncio.sleep`, deadlines and timers all follow it. It is for work inside this process alone; what
a thread, a child process or another host does takes no time at all in it.
"""

import asyncio
import selectors
from collections.abc import Callable, Coroutine
from typing import Any

from simulator.clock import DEFAULT_START, Clock


class Stuck(RuntimeError):
    """Every task waits for something, and no timer is set that could end it."""


class _JumpingSelector(selectors.DefaultSelector):
    """Where the loop would sleep until its next timer, the time of that timer has come."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        ready = super().select(0)
        if ready:
            return ready
        if timeout is None:
            raise Stuck("every task waits, and no timer is set")
        self.now += max(timeout, 0.0)
        return ready


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """Starts at 0 seconds."""

    def __init__(self) -> None:
        self._jumping = _JumpingSelector()
        super().__init__(self._jumping)

    def time(self) -> float:
        """Seconds since the loop was made, by its own reckoning."""
        return self._jumping.now

    def clock(self, start: float = DEFAULT_START) -> Clock:
        """A clock for the simulator that runs with this loop from `start`."""
        return Clock(start, running=True, monotonic=self.time)


def run[T](main: Callable[[Clock], Coroutine[Any, Any, T]]) -> T:
    """Run `main` to its end in a loop of its own; it is given the clock. Raises Stuck."""
    loop = VirtualTimeLoop()
    with asyncio.Runner(loop_factory=lambda: loop) as runner:
        return runner.run(main(loop.clock()))
