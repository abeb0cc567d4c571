"""What Resource Graph, and what is built on it, has not heard of yet."""

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass

from simulator.state import Observed, State


@dataclass(frozen=True)
class _Change[Value]:
    at: float
    key: str
    before: Value | None


class Past[Value]:
    """A dictionary as it was, kept as far back as Resource Graph's lag reaches."""

    def __init__(self, state: State, live: Observed[Value]) -> None:
        self._state = state
        self._live = live
        self._changes: deque[_Change[Value]] = deque()
        self._version = 0
        live.observe(self._note)

    def version(self) -> int:
        """Another number whenever `values` may be others."""
        self._forget()
        return self._version

    def values(self) -> Iterable[Value]:
        """As of `Behaviour.resource_graph_lag_seconds` ago."""
        self._forget()
        if not self._changes:
            return self._live.data.values()
        past = dict(self._live.data)
        for change in reversed(self._changes):
            if change.before is None:
                past.pop(change.key, None)
            else:
                past[change.key] = change.before
        return past.values()

    def _note(self, key: str, before: Value | None, _after: Value | None) -> None:
        self._version += 1
        if self._state.behaviour.resource_graph_lag_seconds > 0:
            self._changes.append(_Change(self._state.clock.now(), key, before))

    def _forget(self) -> None:
        lag = self._state.behaviour.resource_graph_lag_seconds
        seen = self._state.clock.now() - lag
        while self._changes and self._changes[0].at <= seen:
            self._changes.popleft()
            self._version += 1
