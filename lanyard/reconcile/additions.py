"""What stands before what a resource is given: one place in the budget of additions."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    EnableSystemIdentity,
    ReplaceIdentity,
)
from lanyard.planning.outcomes import failed
from lanyard.reconcile.progress import Progress
from lanyard.record.addition_budget import AdditionBudget
from lanyard.values.errors import Permanent, Temporary


@asynccontextmanager
async def giving(
    additions: Sequence[Action], budget: AdditionBudget, progress: Progress
) -> AsyncIterator[list[Action]]:
    """What is given goes in here. Gives those of the additions that may be done; why not the others
    is among the outcomes. Who releases one of them has them all done: they are one change of the
    resource. Where Azure did none of them the place is given back.
    """
    given = [action for action in additions if _gives(action)]
    place, refusal = None, None
    try:
        if given:
            released = progress.removals.orders.released
            place = await budget.reserve(
                rules=_rules(given), released=any(a.key in released for a in given)
            )
    except (Temporary, Permanent) as failure:
        refusal = failure
        progress.outcomes += failed(given, failure)
    yield [a for a in additions if refusal is None or a not in given]
    if place is not None and not _was_given(given, progress):
        # What cannot be given back stays counted: too few are given something then.
        with suppress(Temporary, Permanent):
            await budget.give_back(place)


def _gives(action: Action) -> bool:
    """Whether the resource has something after it that it had not: a repair gives nothing."""
    if isinstance(action, AttachIdentity):
        return not action.in_repair
    return isinstance(action, CreateIdentity | EnableSystemIdentity | ReplaceIdentity | AssignRole)


def _rules(given: Sequence[Action]) -> tuple[str, ...]:
    """Those that ask for any of it, each once."""
    return tuple(dict.fromkeys(rule for a in given for rule in getattr(a, "rules", ())))


def _was_given(given: Sequence[Action], progress: Progress) -> bool:
    """Whether any of it was done, or nobody knows."""
    return any(
        o.failure is None or o.failure.uncertain for o in progress.outcomes if o.action in given
    )
