"""How long a removal waits after the first look that found it due. Pure.

What is not wanted any more on a resource that lives may be wanted again in a minute: a template
wrote the machine without its tags. So it goes when a second look says the same, and what cannot be
undone waits longest. Of a resource that is gone the claims go at once; their assignments wait in
revocation.py for a successor.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from lanyard.planning.actions import (
    Action,
    DeleteIdentity,
    DetachIdentity,
    ReleaseGrant,
    ReplaceIdentity,
    takes_from_resource,
)
from lanyard.planning.deletion import used
from lanyard.planning.desired import Desired
from lanyard.policy import Policy
from lanyard.values.own_identity import Dedicated
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Graces:
    """In seconds: of what a person can put back, and of each identity that would be deleted (by its
    lower-case id).
    """

    removals: float
    deletions: Mapping[str, float]

    def of(self, action: Action, *, gone: bool) -> float:
        """How long an action waits; `gone`: its resource is no more."""
        match action:
            case DeleteIdentity():
                return self.deletions.get(action.id.key, self.removals)
            case DetachIdentity() | ReplaceIdentity() | ReleaseGrant() if not gone:
                return self.removals
            case _:
                return 0.0


def still_dedicated(
    dedicated: Mapping[ResourceId, Dedicated], policy: Policy, wanted: Desired
) -> dict[ResourceId, Dedicated]:
    """Of the identities made for a resource, those that are still Lanyard's to delete; of those
    that it needs, with how long the policy now says each is kept, and as if nobody had looked
    whether they are in use.

    One that it names as an existing one, anywhere, or that this resource has with others is not.
    """
    if not dedicated:
        return {}  # of most resources, for each of which a sweep asks
    existing = {ResourceId.parse(spec.id) for spec in policy.identities.values() if spec.id}
    asked = [*wanted.kept.identities.values(), *wanted.identities.values()]
    existing |= {one.id for one in asked if not one.dedicated}
    delays = {one.id: one.delete_after for one in asked}
    return {
        one: replace(used(own), delete_after=delays[one], away_since=0.0, unanswered_since=0.0)
        if one in delays
        else own
        for one, own in dedicated.items()
        if one not in existing
    }


def due_since(
    actions: Iterable[Action], before: Mapping[str, float], now: float, ended: float
) -> dict[str, float]:
    """Since when each removal of a plan is due, by its key; one that is due no longer is left out,
    so that it starts anew. Moments are seconds since the epoch.

    `ended`: when the resource was found gone, 0 for a living one: a successor may come from then.
    """
    kinds = (DetachIdentity, ReplaceIdentity, ReleaseGrant, DeleteIdentity)
    return {a.key: max(before.get(a.key, now), ended) for a in actions if isinstance(a, kinds)}


def waiting(
    actions: Iterable[Action], since: Mapping[str, float], graces: Graces, now: float, *, gone: bool
) -> dict[Action, float]:
    """Those that are not due yet, with the seconds that are left."""
    left = {action: seconds_left(action, since, graces, now, gone=gone) for action in actions}
    # What goes with the identity that is replaced goes no earlier than it.
    replaced = max((left[a] for a in left if isinstance(a, ReplaceIdentity)), default=0.0)
    left |= {a: max(left[a], replaced) for a in left if takes_from_resource(a)}
    return {action: seconds for action, seconds in left.items() if seconds > 0}


def seconds_left(
    action: Action, since: Mapping[str, float], graces: Graces, now: float, *, gone: bool
) -> float:
    """How much longer an action waits; 0 for one that may be done now."""
    if action.key not in since:
        return 0.0
    return max(since[action.key] + graces.of(action, gone=gone) - now, 0.0)
