"""Resource Graph's own quota: 15 queries in 5 seconds for each user (azure-facts section 6)."""

import math

from simulator.errors import AzureError
from simulator.state import State

_QUERIES = 15
_WINDOW = 5.0


class QueryQuota:
    """Windows of five seconds, counted only where `Behaviour.throttling` is on."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._windows: dict[str, tuple[float, int]] = {}

    def take(self, caller: str, support: str) -> dict[str, str]:
        """The quota headers. Raises AzureError 429 `RateLimiting` with `support` as its text."""
        if not self._state.behaviour.throttling:
            return _headers(_QUERIES - 1, _WINDOW)
        now = self._state.clock.now()
        start, used = self._windows.get(caller, (now, 0))
        if now - start >= _WINDOW:
            start, used = now, 0
        left = start + _WINDOW - now
        if used >= _QUERIES:
            raise _rate_limited(support, left)
        self._windows[caller] = (start, used + 1)
        return _headers(_QUERIES - used - 1, left)


def _headers(remaining: int, seconds: float) -> dict[str, str]:
    return {
        "x-ms-user-quota-remaining": str(remaining),
        "x-ms-user-quota-resets-after": f"00:00:{math.ceil(seconds):02d}",
    }


def _rate_limited(support: str, seconds: float) -> AzureError:
    text = (
        "Client application has been throttled and should not attempt to repeat the request until "
        "an amount of time has elapsed. Please see https://aka.ms/resourcegraph-throttling for "
        "help."
    )
    headers = {**_headers(0, seconds), "retry-after": str(max(1, math.ceil(seconds)))}
    return AzureError(
        429, "RateLimiting", support, headers, [{"code": "RateLimiting", "message": text}]
    )
