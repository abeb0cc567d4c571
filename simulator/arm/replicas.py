"""ARM's replicas that have not heard yet: reads of an id answer 404 for what is there, or show what
is gone, for a while.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from simulator.state import Resource, State


@dataclass(frozen=True)
class _Late:
    """Until when (on the clock), and what the replica has: None for nothing."""

    until: float
    shown: Resource | None


class Replicas:
    """Only a GET of the very id is served by a late replica; writes and lists are not."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._late: dict[str, _Late] = {}  # by lower-case id
        self._reads: Counter[str] = Counter()  # of what is new, by lower-case id

    def miss(self, resource_id: str, seconds: float) -> None:
        """For so long reads of this id answer 404, whether or not it is there."""
        self._late[resource_id.lower()] = _Late(self._state.clock.now() + seconds, None)

    def keep(self, resource_id: str, seconds: float) -> None:
        """For so long reads of this id show it as it is now, once it is gone. Raises KeyError where
        it is gone already.
        """
        shown = self._state.resources[resource_id.lower()]
        self._late[resource_id.lower()] = _Late(self._state.clock.now() + seconds, shown)

    def catch_up(self) -> None:
        """All of them have heard everything."""
        self._late.clear()

    def misses(self, resource_id: str) -> bool:
        """Whether a read of this id answers 404 just now because of a late replica."""
        late = self._of(resource_id)
        return late is not None and late.shown is None

    @contextmanager
    def serving(self, method: str, path: str) -> Iterator[None]:
        """The state as the replica has it that serves this request."""
        late = self._of(path) if method == "GET" else None
        if method == "GET" and late is None and self._is_behind(path):
            late = _Late(self._state.clock.now(), None)
        if late is None:
            yield
            return
        # Past those who observe the state: nothing has changed.
        resources, key = self._state.resources.data, path.lower()
        true = resources.get(key)
        if true is None or late.shown is None:
            _set(resources, key, late.shown)
        try:
            yield
        finally:
            _set(resources, key, true)

    def _is_behind(self, path: str) -> bool:
        """Whether a replica serves this read of something new that has not heard of it: every
        other one is such, where the switch says so.
        """
        resource = self._state.resources.get(path.lower())
        lag = self._state.behaviour.replica_lag_seconds
        if resource is None or self._state.clock.now() >= resource.created_at + lag:
            return False
        self._reads[path.lower()] += 1
        return self._reads[path.lower()] % 2 == 1

    def _of(self, resource_id: str) -> _Late | None:
        late = self._late.get(resource_id.lower())
        return late if late is not None and self._state.clock.now() < late.until else None


def _set(resources: dict[str, Resource], key: str, value: Resource | None) -> None:
    if value is None:
        resources.pop(key, None)
    else:
        resources[key] = value
