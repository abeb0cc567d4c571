"""What a living resource needs, and so keeps. Pure.

A rule asks for it, or would but for its `exclude`, and the resource has it. What the resource's own
settings name is needed, too: that is held with the member that names it (in_use.py). What is
*given* is another question (desired.py): an excluded resource gets nothing new. Where a rule that
excludes it cannot be filled for it, it keeps everything: what that rule would give is not known.
"""

from collections.abc import Mapping

from lanyard.planning.desired import Desired
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId


def needs_identity(desired: Desired, identity: ResourceId) -> bool:
    """Whether the policy has a resource keep a user-assigned identity that it has."""
    kept = desired.kept
    return identity in desired.identities or identity in kept.identities or bool(kept.unfilled)


def who_needs(desired: Desired, identity: PrincipalRef) -> tuple[str, ...]:
    """The rules that have a resource keep an identity of either kind that it has; what excludes it
    and cannot be filled in may be for any.
    """
    unfilled = tuple(problem.rule for problem in desired.kept.unfilled)
    if isinstance(identity, SystemAssigned):
        return (*desired.system, *desired.kept.system, *unfilled)
    known = (desired.identities, desired.kept.identities)
    rules = [rule for each in known if identity.id in each for rule in each[identity.id].rules]
    return (*rules, *unfilled)


def needs_grant(
    desired: Desired,
    resource: ComputeResource | None,
    principals: Mapping[PrincipalRef, str],
    grant: Grant,
) -> bool:
    """Whether the policy has a resource keep a grant that it claims.

    `principals`: those of identities that exist, beside the ones that the resource shows. A
    resource that is gone (None) needs nothing.
    """
    if resource is None:
        return False
    if desired.kept.unfilled:
        return True
    for wanted in (*desired.grants, *desired.kept.grants):
        principal = _principal_of(wanted.to, resource, principals)
        if principal and wanted.granted(principal).key == grant.key:
            return True
    return False


def asking_for(
    desired: Desired, resource: ComputeResource, grant: Grant, *, claims: bool = False
) -> str:
    """The rule by which a living resource has, or keeps, a grant just as it is, its condition
    included; "" for none. Where a rule cannot be filled in, or contradicts another, nobody can say
    that it is not so.

    Only principals that the resource shows are known. Of one that `claims` the grant it is known
    that it is about one of its identities, shown yet or not.
    """
    for problem in (*desired.kept.unfilled, *desired.unfulfillable):
        if problem.is_about(grant.role_id):
            return problem.rule
    for wanted in (*desired.grants, *desired.kept.grants):
        principal = grant.principal_id if claims else _principal_of(wanted.to, resource, {})
        if principal is None:
            continue
        asked = wanted.granted(principal)
        if (asked.key, asked.condition) == (grant.key, grant.condition):
            return wanted.rules[0]
    return ""


def names_principal(resource: ComputeResource, principal: str) -> bool:
    """Whether the resource's own settings name an identity that it has with this principal."""
    identity = resource.identity
    if resource.names_system and identity.system_principal_id == principal:
        return True
    return any(identity.user_assigned.get(named) == principal for named in resource.names)


def _principal_of(
    to: PrincipalRef, resource: ComputeResource, principals: Mapping[PrincipalRef, str]
) -> str | None:
    if to in principals:
        return principals[to]
    if isinstance(to, SystemAssigned):
        return resource.identity.system_principal_id
    return resource.identity.user_assigned.get(to.id)
