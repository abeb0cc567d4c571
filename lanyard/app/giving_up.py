"""A message that fails for the last time leaves a decision: given up, and why.

The host moves it to the poison queue then, which keeps the message and not why it failed.
"""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from lanyard.queue.locks import Arrival
from lanyard.queue.messages import decode
from lanyard.record.decisions import Decision, Decisions
from lanyard.values.change import Change, cause_of
from lanyard.values.errors import Permanent


async def give_up(decisions: Decisions, change: Change | None, error: Exception) -> None:
    """Put on record that a message is given up, and raise why. `change` is None for one that cannot
    be read. Where the record cannot be written either, that is the cause of what is raised.
    """
    try:
        await decisions.add(_given_up(change, str(error)))
    except Exception as unrecorded:
        raise error from unrecorded
    raise error


def _given_up(change: Change | None, reason: str) -> Decision:
    resource = "" if change is None else change.resource.text
    cause = {} if change is None else cause_of(change)
    return Decision(resource, "reconcile", "failed", f"given up, because {reason}", cause=cause)


@asynccontextmanager
async def recorded(
    body: bytes, arrival: Arrival, decisions: Callable[[], Decisions]
) -> AsyncIterator[None]:
    """Around what comes before the work on a message: reading it, and the policy that it is worked
    on by. Raises what is raised inside.
    """
    try:
        yield
    except Exception as error:
        if arrival.is_last:
            await give_up(decisions(), _change(body), error)
        raise


def _change(body: bytes) -> Change | None:
    try:
        return decode(body)
    except Permanent:
        return None
