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
from lanyard.planning.life import LOST_IDENTITY
from lanyard.planning.outcomes import Outcome, failed, only
from lanyard.reconcile.progress import Progress
from lanyard.reconcile.services import Services
from lanyard.values.compute import UserAssigned
from lanyard.values.errors import Because, NotYet, Permanent, Refused, Temporary
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId

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


async def not_lost(
    actions: Sequence[Action], progress: Progress, services: Services
) -> list[Action]:
    """Those that may be done: of a living resource nothing goes while something that it is due was
    taken and no event showed it, unless a person released it. It goes on showing an identity that
    somebody deleted, and its record a role. The outcomes of the others go into `progress`, as do
    identities that are lost.
    """
    released = progress.removals.orders.released
    taking = list(filter(takes_from_resource, actions))
    if not taking or progress.resource is None:
        return list(actions)
    try:
        await _ensure_not_lost(progress, services)
    except (Temporary, Permanent) as lost:
        waiting = [action for action in taking if action.key not in released]
        progress.outcomes += failed(waiting, lost)
        return [action for action in actions if action not in waiting]
    return list(actions)


async def _ensure_not_lost(progress: Progress, services: Services) -> None:
    for identity in _identities_to_ask(progress):
        now = await services.identities.details(identity)
        if now is None or now.principal_id != progress.principals[UserAssigned(identity)]:
            progress.gone_identities.append(identity)
            raise NotYet(f"{identity} is not what the resource shows", LOST_IDENTITY)
    for grant in progress.due & progress.record.grants - set(progress.granted.values()):
        if await services.assignments.giving(grant) is None:
            raise _lost(grant)


def _identities_to_ask(progress: Progress) -> Iterator[ResourceId]:
    """Those that it has and is to have, but for what was attached a moment ago."""
    fresh = only(AttachIdentity, (o.action for o in progress.outcomes if o.failure is None))
    attached = {action.id for action in fresh}
    for identity in progress.resource.identity.user_assigned if progress.resource else ():
        if UserAssigned(identity) in progress.principals and identity not in attached:
            yield identity


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


def _lost(grant: Grant) -> Refused:
    """A role that is gone is found by the sweep, which gives it again; a replica may miss it, too.
    Until then nothing is looked at: that may be hours.
    """
    return _waits(
        f"{grant}, which is not there", "the next sweep gives it again, and then it goes by itself"
    )


def _waits_for(missing: Outcome) -> Refused:
    return _waits(str(missing.action), "it goes on when that is done or dismissed")


def _waits(what: str, until: str) -> Refused:
    release = f"{until}; release it to have it done at once"
    return Refused(Because.WAITS, f"waits for: {what}", _WAITS_DELAY, release, releasable=True)
