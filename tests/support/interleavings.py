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
        if self.done or self.coroutine is None:
            return (self.done, self.crashed, self.result)
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

    def key(self) -> Hashable:
        """What tells this state from others: the shared state and that of every worker."""
        raise NotImplementedError

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


def explore(make: Callable[[], World], *, crashes: int = 0) -> Explored:
    """Every order of steps, with up to `crashes` crashes at any step; `end` checks each."""
    explored, visited = Explored(), set[Hashable]()
    stack: list[list[Choice]] = [[]]
    while stack:
        path = stack.pop()
        world = make()
        for choice in path:
            _choose(world, choice)
        # Goes on with this world as far as it leads to new states; the other ways are for later.
        while (key := world.key()) not in visited:
            visited.add(key)
            explored.states += 1
            choices = _choices(world, crashes - sum(dies for _, dies in path))
            if not choices:
                explored.runs += 1
                world.end()
                break
            stack += [[*path, other] for other in choices[1:]]
            path = [*path, choices[0]]
            _choose(world, choices[0])
    return explored


#: The worker who goes on (its number), and whether it dies instead.
type Choice = tuple[int, bool]


def _choices(world: World, crashes: int) -> list[Choice]:
    alive = [number for number, worker in enumerate(world.workers) if not worker.done]
    begun = [number for number in alive if world.workers[number].coroutine is not None]
    return [(number, False) for number in alive] + [(n, True) for n in begun if crashes > 0]


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
