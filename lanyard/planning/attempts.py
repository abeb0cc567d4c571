"""When something that failed is tried no more, for now. Pure."""

from collections.abc import Iterable
from dataclasses import replace

from lanyard.planning.outcomes import Outcome
from lanyard.values.change import Change
from lanyard.values.errors import MAX_ATTEMPTS, GivenUp, MayPass, NotYet, Permanent, Temporary


def is_over(failure: Temporary, change: Change) -> bool:
    """Whether what failed for this message has failed for the last time.

    What only waits never does. What an earlier sweep's message was given up for has been tried
    often enough: once, then.
    """
    if isinstance(failure, NotYet):
        return False
    if isinstance(failure, MayPass):
        return bool(change.refused) or change.attempt >= failure.attempts
    return change.attempt >= MAX_ATTEMPTS


def as_ended(outcomes: Iterable[Outcome], change: Change) -> list[Outcome]:
    """The outcomes, with what failed for the last time as given up."""
    return [
        replace(outcome, failure=GivenUp(outcome.failure))
        if isinstance(outcome.failure, Temporary) and is_over(outcome.failure, change)
        else outcome
        for outcome in outcomes
    ]


def refusals(outcomes: Iterable[Outcome]) -> list[str]:
    """The keys of the actions that are refused for good, sorted."""
    return sorted({o.action.key for o in outcomes if isinstance(o.failure, Permanent)})
