"""What the roll-out of a new policy holds back, and until when: what `difference` compares is the
end. Pure.
"""

import math
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from lanyard.desk.difference.carried_out import CarriedOut
from lanyard.desk.scan.report import Estate
from lanyard.policy import Mode, Policy
from lanyard.policy.document import DELETE_AFTER_HOURS
from lanyard.record.budget import ALWAYS
from lanyard.values.grants import Content
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Rollout:
    """How a change goes: what is given, in the order of the sweeps' queue, and the removals once a
    sweep has put the difference on record.
    """

    mode: Mode
    #: Resources that are given something.
    additions: int
    #: So many are in an hour of the clock, and so many hours all of them take at least; None: no
    #: such limit, and for the hours never.
    additions_per_hour: int | None
    addition_hours: int | None
    #: Places in the removal budget: detaches, revoked assignments and deleted identities.
    removals: int
    #: So long each waits after the first look that found it due.
    grace_minutes: float
    #: So many go in an hour of the clock, and so many hours all of them take at least; None: never.
    per_hour: int
    hours: int | None
    #: After so many in an hour Lanyard stops all removals until a person resumes; None: never.
    stops_after: int | None
    #: Identities of one resource that are deleted, and how long each is kept at most, in hours.
    deletions: int
    delete_after_hours: float


def rollout(
    before: CarriedOut,
    after: CarriedOut,
    new: Policy,
    estate: Estate,
    within: Callable[[ResourceId], bool] = lambda _: True,
) -> Rollout:
    """Of the new policy on the resources that `within` holds; the stop goes by the whole estate."""
    limit = new.limits.removals
    asked = [one for one in after.world.resources if within(one)]
    deletions = len(_deleted(before, after, asked))
    removals = _detached(before, after, asked) + _revoked(before, after, asked) + deletions
    kept = [spec.delete_after_hours for spec in new.identities.values() if spec.dedicated]
    additions, most = _given(before, after, asked), new.limits.additions.per_hour
    return Rollout(
        mode=new.mode,
        additions=additions,
        additions_per_hour=most,
        addition_hours=math.ceil(additions / most) if most else None,
        removals=removals,
        grace_minutes=limit.grace_minutes,
        per_hour=limit.per_hour,
        hours=math.ceil(removals / limit.per_hour) if limit.per_hour else None,
        stops_after=_stops_after(min(removals, limit.per_hour), limit.percent, estate),
        deletions=deletions,
        delete_after_hours=max(kept, default=DELETE_AFTER_HOURS),
    )


def _given(before: CarriedOut, after: CarriedOut, asked: Iterable[ResourceId]) -> int:
    """The resources that get an identity, or a role for one."""
    return sum(bool(_has(after, one) - _has(before, one)) for one in asked)


def _has(under: CarriedOut, id_: ResourceId) -> set[object]:
    identity, owned = under.world.resources[id_].identity, under.world.owned[id_]
    system = {identity.system_principal_id} - {None}
    return {*identity.user_assigned, *system, *(grant.content for grant in owned.claimed)}


def _stops_after(in_an_hour: int, percent: float, estate: Estate) -> int | None:
    attachments = sum(len(listed.attached) for listed in estate.resources)
    known = len(estate.authorization.assignments) + attachments
    most = max(ALWAYS, math.ceil(known * percent / 100))
    return most if percent < 100 and in_an_hour > most else None


def _deleted(before: CarriedOut, after: CarriedOut, asked: Iterable[ResourceId]) -> set[str]:
    """Identities that were made for one of the resources alone."""
    made = {one.key for id_ in asked for one in before.world.owned[id_].dedicated}
    return made & (before.world.identities.keys() - after.world.identities.keys())


def _detached(before: CarriedOut, after: CarriedOut, asked: Iterable[ResourceId]) -> int:
    had, has = before.world.resources, after.world.resources
    return sum(
        len(had[id_].identity.user_assigned.keys() - has[id_].identity.user_assigned.keys())
        for id_ in asked
    )


def _revoked(before: CarriedOut, after: CarriedOut, asked: Iterable[ResourceId]) -> int:
    """What the resources claimed, and no resource at all claims any more."""
    kept = before.world.others.keys() | before.world.unclaimed.keys()
    return len(_claimed(before, asked) - _claimed(after, after.world.owned) - kept)


def _claimed(under: CarriedOut, asked: Iterable[ResourceId]) -> set[Content[str]]:
    return {grant.content for id_ in asked for grant in under.world.owned[id_].grants}
