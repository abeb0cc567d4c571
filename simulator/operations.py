"""Long-running work: it ends when the clock says so, and tells who waits."""

import asyncio
import heapq
import itertools
import random
from collections.abc import Callable
from contextvars import Context, copy_context
from dataclasses import dataclass, field, replace

from simulator.state import State


@dataclass
class LongRunning:
    """One accepted write or delete. `status` as Azure-AsyncOperation shows it.

    `subject`: the id of the resource it is about, "" where no result is asked for. Whoever asked
    for it is who acts when it ends, whatever made the local Azure look at what is due.
    """

    id: str
    started_at: float
    ends_at: float
    finish: Callable[[], None]
    status: str = "InProgress"
    subject: str = ""
    _on_end: list[Callable[[], None]] = field(default_factory=list)
    _context: Context = field(default_factory=copy_context)

    def on_end(self, listener: Callable[[], None]) -> None:
        """Call `listener` once it has ended."""
        self._on_end.append(listener)

    def end(self, *, failed: bool = False) -> None:
        """Do the work's last step. `failed`: it took, and says that it did not."""
        self._context.run(self._end, failed)

    def _end(self, failed: bool) -> None:
        self.finish()
        self.status = "Failed" if failed else "Succeeded"
        for listener in self._on_end:
            listener()


class Operations:
    """All long-running work of one local Azure.

    What is due ends at the next `settle`: the pipeline settles around each request, the clock when
    it is advanced, and a running clock by a timer.
    """

    def __init__(self, state: State) -> None:
        self._state = state
        self._by_id: dict[str, LongRunning] = {}
        self._waiting: list[tuple[float, int, LongRunning]] = []
        self._order = itertools.count()
        self._random = random.Random(0)
        state.clock.on_advance(self.settle)

    def start(
        self, seconds: float, finish: Callable[[], None], subject: str = "", name: str | None = None
    ) -> LongRunning:
        """Accept work that ends in `seconds`; `finish` makes its result visible.

        `name`: its id, a new one by default.
        """
        now, seconds = self._state.clock.now(), self._spread(seconds)
        name = name or self._state.ids.uuid()
        work = LongRunning(name, now, now + seconds, finish, subject=subject)
        self._by_id[work.id.lower()] = work
        heapq.heappush(self._waiting, (work.ends_at, next(self._order), work))
        self._wake_at(work.ends_at)
        return work

    def get(self, operation_id: str) -> LongRunning | None:
        """An operation of this run, ended or not."""
        return self._by_id.get(operation_id.lower())

    def all(self) -> list[LongRunning]:
        """Those of this run, in the order in which they were accepted."""
        return list(self._by_id.values())

    def settle(self) -> None:
        """End everything that is due."""
        while self._waiting and self._waiting[0][0] <= self._state.clock.now():
            work = heapq.heappop(self._waiting)[2]
            work.end(failed=self._fails(work))

    def _fails(self, work: LongRunning) -> bool:
        """Whether it ends as Failed, by the type of its subject; the resource then shows that."""
        resource = self._state.resources.get(work.subject.lower())
        failing = self._state.behaviour.failing_operations
        if resource is None or resource.type.lower() not in failing:
            return False
        # At the end of all that the last step does: here it is still at work.
        work.on_end(lambda: self._mark_failed(work.subject))
        return True

    def _mark_failed(self, subject: str) -> None:
        resource = self._state.resources.get(subject.lower())
        if resource is not None and resource.provisioning_state == "Succeeded":
            self._state.resources[subject.lower()] = replace(resource, provisioning_state="Failed")

    def _spread(self, seconds: float) -> float:
        spread = self._state.behaviour.operation_spread_seconds
        if not seconds or not spread:
            return seconds
        return max(0.0, seconds + self._random.uniform(-spread, spread))

    def _wake_at(self, moment: float) -> None:
        clock = self._state.clock
        if clock.running and moment > clock.now():
            # A little late rather than early: `settle` compares the clock again.
            asyncio.get_running_loop().call_later(moment - clock.now() + 0.001, self.settle)
