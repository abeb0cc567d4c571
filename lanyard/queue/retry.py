"""When work that could not be finished comes back. Pure but for the jitter's dice."""

import random
from dataclasses import replace

from lanyard.values.change import Change

#: How often the host hands a message over (`maxDequeueCount` of host.json) before it moves it to
#: the poison queue: a guard against what brings its process down. What fails is counted in the
#: message.
MAX_DELIVERIES = 12
#: From this one on, a message whose work could not begin is put on the queue anew. Not at the last
#: one: a host that ends before it has done so takes that one with it.
PUT_ANEW = MAX_DELIVERIES // 2
_FIRST_DELAY = 2.0
_LONGEST_DELAY = 900.0
_SOURCE = "retry"


def backoff(attempt: int, asked: float, dice: random.Random) -> float:
    """Seconds to wait: what the service asked for or exponential, the longer; with jitter on top.

    Jitter only ever adds: a Retry-After is a least, and a thousand messages must not come back
    in the same second.
    """
    exponential = min(_FIRST_DELAY * 2.0**attempt, _LONGEST_DELAY)
    longest = max(asked, exponential if attempt else 0.0)
    return longest * (1 + 0.2 * dice.random())


def again(change: Change, *, failing: bool) -> Change:
    """The message of the next attempt; waiting for time to pass is not counted as a failure."""
    attempt = change.attempt + 1 if failing else 0
    return replace(change, source=_SOURCE, attempt=attempt, since=None, waits_since=None)


def waits(change: Change) -> bool:
    """Whether a message only waits for time to pass: all that it hints at is on record."""
    return change.source == _SOURCE and not change.attempt
