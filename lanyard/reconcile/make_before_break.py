"""Make before break while a plan is carried out: what waits for an addition that failed.

What waits for one that is held is held itself: lanyard/planning/make_before_break.py.
"""

from collections.abc import Sequence

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    is_removal,
    takes_from_resource,
)
from lanyard.planning.outcomes import Outcome, failed, only
from lanyard.reconcile.progress import Progress
from lanyard.values.compute import UserAssigned
from lanyard.values.errors import Because, Refused

# What waits for an addition that failed is looked at again with it, or this much later (seconds).
_WAITS_DELAY = 3600.0


def not_waiting(actions: Sequence[Action], progress: Progress) -> list[Action]:
    """Those that may be done: of a living resource nothing goes while something that it is due is
    not there, unless a person released it. The outcomes of the others go into `progress`.
    """
    orders = progress.removals.orders
    missing = [each for each in _missing(progress) if each.action.key not in orders.dismissed]
    if progress.resource is None or not missing:
        return list(actions)
    waiting = [
        action
        for action in actions
        if takes_from_resource(action) and action.key not in orders.released
    ]
    progress.outcomes += failed(waiting, _waits_for(missing[0]))
    if waiting:
        progress.waited_for = missing
    return [action for action in actions if action not in waiting]


def _missing(progress: Progress) -> list[Outcome]:
    """The additions that are not there, whatever the reason. A role of an identity that is not
    there, or not attached, is missing with that one, and no more.
    """
    failures = [o for o in progress.outcomes if o.failure and not is_removal(o.action)]
    attaches = only(AttachIdentity, (o.action for o in failures))
    there = progress.principals.keys() - {UserAssigned(action.id) for action in attaches}
    return [
        failure
        for failure in failures
        if not isinstance(failure.action, AssignRole) or failure.action.to in there
    ]


def _waits_for(missing: Outcome) -> Refused:
    return Refused(
        Because.WAITS,
        f"waits for: {missing.action}",
        _WAITS_DELAY,
        "it goes on when that is done or dismissed; release it to have it done at once",
        releasable=True,
    )
