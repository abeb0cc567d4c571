"""When something that failed is tried no more, for now. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from lanyard.planning.outcomes import Outcome
from lanyard.values.change import Change
from lanyard.values.errors import (
    MAX_ATTEMPTS,
    AtWork,
    GivenUp,
    MayPass,
    NotYet,
    Permanent,
    Refused,
    Temporary,
)

# So long (seconds) a message waits for ARM to finish somebody's work on the resource. Whatever ends
# later has an event of its own, and the sweep.
_LONGEST_WORK = 3600.0
# What Azure asks to wait longer for (seconds) is given up at once: each sweep would put one more
# message beside the one that waits.
_LONGEST_WAIT = 3600.0
# Of the time that it has waited, the part after which it looks again.
_LOOKS = 6


def is_over(failure: Temporary, change: Change) -> bool:
    """Whether what failed for this message has failed for the last time.

    What only waits never does. What an earlier sweep's message was given up for has been tried
    often enough: once, then. So has what Azure asks to wait for longer than a sweep takes to come.
    """
    if isinstance(failure, NotYet):
        return False
    attempts = failure.attempts if isinstance(failure, MayPass) else MAX_ATTEMPTS
    long = failure.delay > _LONGEST_WAIT
    return bool(change.refused) or long or change.attempt >= attempts


def next_look(failure: AtWork, change: Change, now: float) -> float | None:
    """The seconds until a message looks again whether ARM has finished somebody's work, less and
    less often; None where it has waited long enough.
    """
    waited = 0.0 if change.waits_since is None else max(now - change.waits_since, 0.0)
    if change.refused or waited >= _LONGEST_WORK:
        return None
    return max(failure.delay, waited / _LOOKS)


def as_ended(outcomes: Iterable[Outcome], change: Change) -> list[Outcome]:
    """The outcomes, with what failed for the last time as given up."""
    return [
        replace(outcome, failure=GivenUp(outcome.failure))
        if isinstance(outcome.failure, Temporary) and is_over(outcome.failure, change)
        else outcome
        for outcome in outcomes
    ]


def refusals(outcomes: Iterable[Outcome]) -> list[str]:
    """The keys of the actions that are refused for good, or until somebody does something about it,
    sorted.
    """
    return sorted({o.action.key for o in outcomes if is_refused(o)})


def is_refused(outcome: Outcome) -> bool:
    """Whether no message comes back for it: the sweep tries it again, at lengthening intervals."""
    failure = outcome.failure
    return isinstance(failure, Permanent) or (isinstance(failure, Refused) and failure.lasts)
