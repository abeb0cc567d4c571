"""What goes wrong in the storm, and how often. The seed decides for each request by itself.

A request is known by its method, its path and how many like it came before, so that the order in
which requests of different resources come does not change what becomes of them.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from simulator.azure import Azure
from simulator.event_grid.behaviour import EventGridBehaviour
from simulator.faults import Drop, Fault

#: From this scale on a few calls are slower than the app's time limit, and act after it gave up.
_SLOW_SCALE = 500
SLOW_SECONDS = 27.0


class Dice:
    """Chance by a seed and a key. Keys that come again are counted, so each time is its own."""

    def __init__(self, seed: int, name: str) -> None:
        self._prefix = f"{seed}/{name}/"
        self._seen: Counter[str] = Counter()

    def throw(self, key: str) -> float:
        """0 up to 1."""
        self._seen[key] += 1
        text = f"{self._prefix}{key}/{self._seen[key]}"
        digest = hashlib.blake2b(text.encode(), digest_size=6).digest()
        return int.from_bytes(digest) / 2**48


@dataclass
class SeededFault(Fault):
    """Strikes at `rate`, decided for each request by itself."""

    rate: float = 0.0
    dice: Dice = field(default_factory=lambda: Dice(0, ""))

    def matches(self, service: str, method: str, path: str, caller: str | None) -> bool:
        """Whether this very request is meant, and hit."""
        return super().matches(service, method, path, caller) and (
            self.dice.throw(f"{method} {path.lower()}") < self.rate
        )


@dataclass
class LaggingReplica(SeededFault):
    """A replica of ARM that does not know a resource yet, and answers 404 for it for a while.

    `rate`: how often one begins, of the requests that find none. `now`: seconds since the epoch.
    """

    now: Callable[[], float] = field(default=lambda: 0.0)
    _until: dict[str, float] = field(default_factory=dict, init=False)

    def matches(self, service: str, method: str, path: str, caller: str | None) -> bool:
        """Whether this request comes to one."""
        key, now = path.lower(), self.now()
        if not Fault.matches(self, service, method, path, caller):
            return False
        if now >= self._until.get(key, 0.0) and self.dice.throw(key) < self.rate:
            self._until[key] = now + _LONGEST_LAG * self.dice.throw(f"{key} seconds")
        return now < self._until.get(key, 0.0)


#: Of each hundred looks at what is there, by its path: so many come to a replica that lags.
_LAGS = {
    "404 of a resource": (0.03, r"/providers/microsoft\.(compute|web|app)/\w+/[^/]+$"),
    "404 of an identity": (0.01, r"/userassignedidentities/[^/]+$"),
}
_LONGEST_LAG = 45.0

#: Together a tenth of all calls.
_EFFECTS: dict[str, tuple[float, dict[str, object]]] = {
    "429 of a provider": (0.02, {"status": 429, "code": "TooManyRequests", "retry_after": 1}),
    "429 of the subscription": (
        0.005,
        {"status": 429, "code": "SubscriptionRequestsThrottled", "retry_after": 1},
    ),
    "500": (0.02, {"status": 500, "code": "InternalServerError"}),
    "502": (0.015, {"status": 502, "code": "BadGateway"}),
    "409": (0.015, {"status": 409, "code": "AnotherOperationInProgress"}),
    "reset before it acted": (0.012, {"drop": Drop.BEFORE}),
    "reset after it acted": (0.013, {"drop": Drop.AFTER}),
}
_SLOW: dict[str, tuple[float, dict[str, object]]] = {
    "acted after the time limit": (0.002, {"delay": SLOW_SECONDS})
}


def storm(azure: Azure, caller: str, seed: int, scale: int) -> dict[str, Fault]:
    """Put the faults of ARM and Graph in force, for one caller; returns them by name."""
    faults: dict[str, Fault] = {}
    for service in ("arm", "graph"):
        for name, (rate, effect) in (_EFFECTS | (_SLOW if scale >= _SLOW_SCALE else {})).items():
            fault = SeededFault(service=service, caller=caller, times=None, **effect)  # type: ignore[arg-type]
            fault.rate, fault.dice = rate, Dice(seed, f"{service}/{name}")
            faults[f"{service}: {name}"] = azure.faults.add(fault)
    for name, (rate, path) in _LAGS.items():
        lag = LaggingReplica(
            method="GET",
            path=path,
            service="arm",
            caller=caller,
            times=None,
            status=404,
            code="ResourceNotFound",
            rate=rate,
            dice=Dice(seed, name),
            now=azure.clock.now,
        )
        faults[f"arm: {name}"] = azure.faults.add(lag)
    behaviour = azure.services.event_grid.behaviour
    behaviour.loss_probability = 0.05
    behaviour.duplicate_probability = 0.2
    behaviour.reorder_probability, behaviour.reorder_seconds = 0.2, 4.0
    behaviour.delay_seconds = 0.1
    return faults


@contextmanager
def lull(azure: Azure) -> Iterator[None]:
    """No call to ARM and Graph fails for a moment."""
    faults = azure.faults.all()
    azure.faults.clear()
    try:
        yield
    finally:
        for fault in faults:
            azure.faults.add(fault)


def calm(azure: Azure) -> None:
    """Nothing fails from now on."""
    azure.faults.clear()
    calm_behaviour = EventGridBehaviour()
    behaviour = azure.services.event_grid.behaviour
    for name in ("loss", "duplicate", "reorder"):
        member = f"{name}_probability"
        setattr(behaviour, member, getattr(calm_behaviour, member))
