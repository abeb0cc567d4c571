"""A model checker for coroutines: runs the real code under every order of its steps.

A *step* is one operation on shared state (a table row, a role assignment); between two of them a
worker touches nothing shared. A run is a list of choices of who steps next; runs are made again
from the start along each new list (the code under test is deterministic). A state that was seen
before - of the shared rows and of every worker's frames - is not entered twice.
"""

from collections.abc import Awaitable, Callable, Coroutine, Generator, Hashable
from dataclasses import dataclass, is_dataclass
from enum import Enum
from typing import Any


class Step:
    """Awaited before each operation on shared state: the scheduler decides who goes on."""

    def __await__(self) -> Generator[Any]:
        yield


#: The state of a worker that died: it is the same wherever it died.
CRASHED = "crashed"


@dataclass
class Worker:
    """One coroutine. `state` is all that its next steps depend on: the variables of its frames."""

    start: Callable[[], Coroutine[Any, Any, object]]
    coroutine: Coroutine[Any, Any, object] | None = None
    result: object = None
    done: bool = False
    crashed: bool = False

    def advance(self) -> None:
        """Run up to the next step, or to the end."""
        if self.coroutine is None:
            self.coroutine = self.start()
        try:
            self.coroutine.send(None)
        except StopIteration as end:
            self.done, self.result = True, end.value

    def state(self, describe: Callable[[object], Hashable]) -> Hashable:
        """Where it stands and what it knows, down the chain of awaits."""
        if self.crashed:
            return CRASHED
        if self.done or self.coroutine is None:
            return (self.done, self.result)
        frames: list[Hashable] = []
        inner: Any = self.coroutine
        while inner is not None and getattr(inner, "cr_frame", None) is not None:
            frame = inner.cr_frame
            values = tuple((k, describe(v)) for k, v in frame.f_locals.items() if _is_value(v))
            frames.append((frame.f_code.co_qualname, frame.f_lasti, values))
            inner = inner.cr_await
        return tuple(frames)

    def crash(self) -> None:
        """Die between two steps."""
        if self.coroutine is not None:
            self.coroutine.close()
        self.done = self.crashed = True


class World:
    """What a test provides: shared state, workers over it, and what must hold in the end."""

    workers: list[Worker]

    def shared(self) -> Hashable:
        """What tells this shared state from others."""
        raise NotImplementedError

    def part(self, number: int, state: Hashable) -> str:
        """What tells a worker in such a state from others; the same of two that can be swapped."""
        raise NotImplementedError

    def parts(self) -> list[str]:
        """That of every worker, as it is now."""
        states = (worker.state(self.describe) for worker in self.workers)
        return [self.part(number, state) for number, state in enumerate(states)]

    def describe(self, value: object) -> Hashable:
        """What matters of a value that a worker holds."""
        return repr(value)

    def end(self) -> None:
        """All workers are done: let time pass, bring back what crashed or waits, and check."""
        raise NotImplementedError

    async def step[T](self, work: Callable[[], T]) -> T:
        """One operation on shared state."""
        await Step()
        return work()


@dataclass
class Explored:
    """How much was looked at."""

    runs: int = 0
    states: int = 0


#: The worker who goes on (its number), and whether it dies instead.
type Choice = tuple[int, bool]


def explore(make: Callable[[], World], *, crashes: int = 0) -> Explored:
    """Every order of steps, with up to `crashes` crashes at any step; `end` checks each."""
    explored, visited = Explored(), set[Hashable]()
    planned = set[Hashable]()  # the states after a crash that are on the stack, or were
    stack: list[list[Choice]] = [[]]
    while stack:
        path = stack.pop()
        world = make()
        for choice in path:
            _choose(world, choice)
        # Goes on with this world as far as it leads to new states; the other ways are for later.
        while (place := Place(world)).key not in visited:
            visited.add(place.key)
            explored.states += 1
            steps = place.steps()
            if not steps:
                explored.runs += 1
                world.end()
                break
            if sum(dies for _, dies in path) < crashes:
                dying = {place.after_crash(n): n for n in steps if place.begun(n)}
                stack += [[*path, (n, True)] for key, n in dying.items() if key not in planned]
                planned |= dying.keys()
            stack += [[*path, (other, False)] for other in steps[1:]]
            path = [*path, (steps[0], False)]
            _choose(world, path[-1])
    return explored


class Place:
    """A world as it is now. `key` tells it from others, whose workers are swapped or not."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._shared, self._parts = world.shared(), world.parts()
        self.key = self._keyed(self._parts)

    def steps(self) -> list[int]:
        """The workers who can go on: of those who can be swapped, one."""
        alive = [number for number, worker in enumerate(self._world.workers) if not worker.done]
        return list({self._parts[number]: number for number in reversed(alive)}.values())

    def begun(self, number: int) -> bool:
        """Whether this worker has something to crash in."""
        return self._world.workers[number].coroutine is not None

    def after_crash(self, number: int) -> Hashable:
        """The key once this worker has died: a crash changes nothing else."""
        died = self._world.part(number, CRASHED)
        return self._keyed([*self._parts[:number], died, *self._parts[number + 1 :]])

    def _keyed(self, parts: list[str]) -> Hashable:
        return (self._shared, tuple(sorted(parts)))


def _choose(world: World, choice: Choice) -> None:
    number, dies = choice
    if dies:
        world.workers[number].crash()
    else:
        world.workers[number].advance()


def _is_value(value: object) -> bool:
    """Values tell states apart; functions and the objects that workers share do not."""
    return (
        value is None
        or isinstance(value, str | int | float | bool | tuple | Enum)
        or (is_dataclass(value) and not isinstance(value, type))
    )


def finish(coroutine: Coroutine[Any, Any, object] | Awaitable[object]) -> object:
    """Run a coroutine alone to its end."""
    worker = Worker(lambda: coroutine)  # type: ignore[return-value,arg-type]
    while not worker.done:
        worker.advance()
    return worker.result
