"""Faults to inject: throttling, server errors, lost connections, slowness. For every service."""

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum

from simulator.errors import AzureError


class Drop(StrEnum):
    """The connection is lost before the request acts, or after it acted but before the answer."""

    BEFORE = "before"
    AFTER = "after"


class ConnectionDropped(BaseException):
    """The client gets no answer; `acted` tells whether the request took effect.

    No Exception, so that no middleware makes a 500 of it: the listener resets the connection, the
    in-process transport raises the SDK's own error.
    """

    def __init__(self, *, acted: bool) -> None:
        super().__init__("connection dropped by an injected fault")
        self.acted = acted


@dataclass
class Fault:
    """What to match, how often, and what happens. Empty matchers match everything.

    `path` is a regular expression searched in the path without regard to case; `service` is "arm",
    "graph", "blob", …; `caller` an object id. `after`: so many requests that fit go through first.
    `times` None means for ever. `status` with `code`
    answers an error, with `retry_after` seconds; where it `acts`, the request takes effect all the
    same. `delay` waits that many seconds of the simulator's
    clock first; `drop` loses the connection.
    """

    method: str | None = None
    path: str | None = None
    service: str | None = None
    caller: str | None = None
    after: int = 0
    times: int | None = 1
    until: float | None = None
    probability: float = 1.0
    status: int | None = None
    code: str = "InjectedFault"
    message: str = "A fault was injected."
    retry_after: int | None = None
    acts: bool = False
    drop: Drop | None = None
    delay: float = 0.0
    hits: int = field(default=0, init=False)
    spared: int = field(default=0, init=False)

    def matches(self, service: str, method: str, path: str, caller: str | None) -> bool:
        """Whether this request is meant, its count not yet used up."""
        return (
            (self.times is None or self.hits < self.times)
            and (self.service is None or self.service == service)
            and (self.method is None or self.method.upper() == method.upper())
            and (self.caller is None or self.caller == caller)
            and (self.path is None or re.search(self.path, path, re.IGNORECASE) is not None)
        )

    def spares(self) -> bool:
        """Whether a request that fits goes through, being one of the first; counted."""
        if self.spared >= self.after:
            return False
        self.spared += 1
        return True

    def error(self) -> AzureError | None:
        """The answer in place of the real one, if this fault is one."""
        if self.status is None:
            return None
        headers = {} if self.retry_after is None else {"retry-after": str(self.retry_after)}
        if self.status in (500, 504):
            headers["x-ms-failure-cause"] = "service"  # recorded
        return AzureError(self.status, self.code, self.message, headers)


class Faults:
    """The faults in force, tried in order; the first that fits is used. Chance is seeded.

    `now`: seconds since the epoch, by the simulator's clock.
    """

    def __init__(self, seed: int, now: Callable[[], float]) -> None:
        self._faults: list[Fault] = []
        self._random = random.Random(seed)
        self._now = now

    def add(self, fault: Fault) -> Fault:
        """Put a fault in force; its `hits` tells how often it struck."""
        self._faults.append(fault)
        return fault

    def all(self) -> list[Fault]:
        """Those in force, used up ones included."""
        return list(self._faults)

    def clear(self) -> None:
        """No more faults."""
        self._faults.clear()

    def strike(
        self, service: str, method: str, path: str, caller: str | None = None
    ) -> Fault | None:
        """The fault that hits this request, counted; None when it goes through."""
        for fault in self._faults:
            over = fault.until is not None and self._now() >= fault.until
            fits = not over and fault.matches(service, method, path, caller)
            if fits and not fault.spares() and self._chance(fault):
                fault.hits += 1
                return fault
        return None

    def _chance(self, fault: Fault) -> bool:
        return fault.probability >= 1.0 or self._random.random() < fault.probability
