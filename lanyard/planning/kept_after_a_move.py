"""What an excluded resource keeps when it moves: the identity of its own of the first place. Pure.

A rule that excludes it has an identity of its own for it, by the new place another one, which it
does not get: `exclude` gives nothing new. Without it the old one stays: it takes nothing either.
"""

from collections.abc import Collection, Iterable
from dataclasses import replace

from lanyard.planning.desired import Desired, WantedGrant
from lanyard.values.compute import ComputeResource, UserAssigned
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId


def keeping_what_it_left_with(
    wanted: Desired,
    resource: ComputeResource | None,
    left: Iterable[ResourceId],
    claimed: Collection[Grant],
) -> Desired:
    """`wanted` with the identities that were made for the resource where it was (`left`) as kept,
    with what it claims for them, as long as it has none of the new place.
    """
    if resource is None or not wanted.kept.rules:
        return wanted
    attached = resource.identity.user_assigned
    own = [one for one in wanted.kept.identities.values() if one.dedicated]
    stay = [one for one in left if one in attached and one not in wanted.identities]
    if not stay or not own or any(one.id in attached for one in own):
        return wanted
    grants = tuple(
        WantedGrant(grant.scope, grant.role_id, UserAssigned(one), own[0].rules, grant.condition)
        for one in stay
        for grant in claimed
        if grant.principal_id == attached[one]
    )
    identities = {one: replace(own[0], id=one) for one in stay}
    kept = replace(
        wanted.kept,
        identities={**wanted.kept.identities, **identities},
        grants=(*wanted.kept.grants, *grants),
    )
    return replace(wanted, kept=kept)
