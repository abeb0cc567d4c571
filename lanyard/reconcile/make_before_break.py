"""Make before break while a plan is carried out: what waits for an addition that failed.

What waits for one that is held is held itself: lanyard/planning/make_before_break.py.
"""

from collections.abc import Iterator, Sequence

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    is_removal,
    takes_from_resource,
)
from lanyard.planning.outcomes import Outcome, failed, only
from lanyard.ports.azure import Identities
from lanyard.reconcile.progress import Progress
from lanyard.values.compute import UserAssigned
from lanyard.values.errors import Because, NotYet, Permanent, Refused, Temporary
from lanyard.values.resource_id import ResourceId

# What waits for an addition that failed is looked at again with it, or this much later (seconds).
_WAITS_DELAY = 3600.0
# So long it takes until an identity that is missed is known to be gone, and is made again.
_LOST_DELAY = 90.0


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


async def not_lost(
    actions: Sequence[Action], progress: Progress, identities: Identities
) -> list[Action]:
    """Those that may be done: a resource goes on showing an identity that somebody deleted or made
    again, so ARM is asked for each that it is due, and nothing goes while one is not what the
    resource shows. The outcomes of the others go into `progress`, as does what is lost.
    """
    taking = list(filter(takes_from_resource, actions))
    if not taking or progress.resource is None:
        return list(actions)
    try:
        lost = [each for each in _due(progress) if not await _is_there(each, progress, identities)]
    except (Temporary, Permanent) as unknown:
        progress.outcomes += failed(taking, unknown)
        return [action for action in actions if action not in taking]
    if not lost:
        return list(actions)
    progress.gone_identities += lost
    failure = NotYet(f"{lost[0]} is not what the resource shows: it is looked at", _LOST_DELAY)
    progress.outcomes += failed(taking, failure)
    return [action for action in actions if action not in taking]


def _due(progress: Progress) -> Iterator[ResourceId]:
    """The identities that it has, and is to have."""
    if progress.resource is not None:
        for identity in progress.resource.identity.user_assigned:
            if UserAssigned(identity) in progress.principals:
                yield identity


async def _is_there(identity: ResourceId, progress: Progress, identities: Identities) -> bool:
    now = await identities.details(identity)
    return now is not None and now.principal_id == progress.principals[UserAssigned(identity)]


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
