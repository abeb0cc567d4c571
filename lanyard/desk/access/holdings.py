"""Who holds a role at, above and below a place, and whether Lanyard gave it. Pure, over what was
read at one moment.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from lanyard.desk.access.giver import Giver, giver_of
from lanyard.desk.access.who import Known, Members, Names
from lanyard.desk.scan.holders import DirectoryAnswer, Holder, HolderKind, Holders
from lanyard.desk.scan.report import scope_level
from lanyard.planning.desired import desired
from lanyard.policy import Policy
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.grants import Content
from lanyard.values.listed import Listed, ListedAssignment, ListedRole
from lanyard.values.resource_id import ResourceId, folded, is_within
from lanyard.values.roles import role_name


class Where(StrEnum):
    """Where an assignment stands, seen from the place that was asked for."""

    AT = "at"
    ABOVE = "above"
    BELOW = "below"


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What was read."""

    place: ResourceId  # whose access it is
    assignments: tuple[ListedAssignment, ...]  # at, above and below it
    roles: Mapping[str, ListedRole] = field(default_factory=dict)  # of the place, by GUID
    resources: tuple[Listed, ...] = ()  # with the identities that they have
    names: Names = field(default_factory=Names)
    installation: str = ""  # of the app (GUID, lower case); "" where it is not known
    own_principal: str = ""  # the object id of the app's own identity; "" where it is not known
    is_listed: bool = True  # whether the place is known to be there


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One role assignment, and who has access by it."""

    assignment: ListedAssignment
    where: Where
    role: str  # its name, or its GUID where that is not known
    holder: Holder
    known: Known | None  # the holder, as the directory shows it
    users: tuple[str, ...]  # ids of the resources that have the identity which holds it
    members: Members | None  # of a group
    giver: Giver
    is_the_apps: bool  # whether the app's own identity holds it
    rules: tuple[str, ...]  # of the policy, that ask for just this now


def holdings(seen: Seen, policy: Policy | None = None) -> tuple[Holding, ...]:
    """Who has access: at the place first, then above it, the nearest first, then below."""
    holders = Holders(seen.resources, _answer(seen))
    users = users_of(seen.resources)
    rules = rules_asking(seen.assignments, seen.resources, policy)
    found = []
    for assignment in seen.assignments:
        where = where_of(assignment.scope, seen.place)
        if where is not None:
            holder = holders.of(assignment)
            found.append(
                Holding(
                    assignment=assignment,
                    where=where,
                    role=_role(assignment.role_id, seen.roles),
                    holder=holder,
                    known=seen.names.known.get(assignment.principal_id),
                    users=users.get(folded(holder.resource), ()),
                    members=_members(holder, assignment, seen.names),
                    giver=giver_of(assignment, seen.installation),
                    is_the_apps=assignment.principal_id == seen.own_principal,
                    rules=rules.get(assignment.content, ()),
                )
            )
    return tuple(sorted(found, key=_order))


def where_of(scope: str, place: ResourceId) -> Where | None:
    """Where a scope is, seen from the place; None where it is beside it. What is above
    subscriptions is above the place: ARM lists no other management group's.
    """
    if folded(scope).rstrip("/") == place.key:
        return Where.AT
    if is_within(scope, place.text):
        return Where.BELOW
    above = is_within(place.text, scope) or not folded(scope).startswith("/subscriptions/")
    return Where.ABOVE if above else None


def _answer(seen: Seen) -> DirectoryAnswer:
    """Whom the directory does not know, of those it was asked for."""
    if not seen.names.is_whole:
        return DirectoryAnswer(failure=seen.names.failure or "it may be a part")
    principals = {each.principal_id for each in seen.assignments}
    return DirectoryAnswer(frozenset(principals - seen.names.known.keys()))


def users_of(resources: Iterable[Listed]) -> Mapping[str, tuple[str, ...]]:
    """The resources that have each user-assigned identity (id, folded), in the order of their ids;
    of a system-assigned one the resource itself.
    """
    found: defaultdict[str, list[str]] = defaultdict(list)
    for listed in resources:
        for identity in listed.attached:
            found[identity].append(listed.id)
    return {identity: tuple(sorted(having, key=folded)) for identity, having in found.items()}


def _members(holder: Holder, assignment: ListedAssignment, names: Names) -> Members | None:
    if holder.kind is not HolderKind.GROUP:
        return None
    unread = Members(unread=names.failure or "the directory does not show them")
    return names.members.get(assignment.principal_id, unread)


def _role(role: str, roles: Mapping[str, ListedRole]) -> str:
    listed = roles.get(role)
    return listed.name if listed is not None and listed.name else role_name(role)


def rules_asking(
    assignments: Collection[ListedAssignment], resources: Iterable[Listed], policy: Policy | None
) -> Mapping[Content[str], tuple[str, ...]]:
    """The rules that ask for each of the assignments, for any resource that has its principal."""
    if policy is None:
        return {}
    wanted = {each.content for each in assignments}
    holders = {each.principal_id for each in assignments}
    found: defaultdict[Content[str], set[str]] = defaultdict(set)
    for listed in resources:
        resource = listed.compute
        if resource is not None and resource.identity.principals & holders:
            for content, rules in _asked(policy, resource):
                if content in wanted:
                    found[content] |= {*rules}
    return {content: tuple(sorted(rules)) for content, rules in found.items()}


def _asked(
    policy: Policy, resource: ComputeResource
) -> Iterator[tuple[Content[str], tuple[str, ...]]]:
    principal_of = partial(_principal, resource)
    for grant in desired(policy, resource).grants:
        if principal := principal_of(grant.to):
            yield grant.granted(principal).content, grant.rules


def _principal(resource: ComputeResource, to: PrincipalRef) -> str | None:
    match to:
        case SystemAssigned():
            return resource.identity.system_principal_id
        case UserAssigned(id=identity):
            return resource.identity.user_assigned.get(identity)


_PLACES = tuple(Where)


def _order(holding: Holding) -> tuple[object, ...]:
    """Above, the nearest scope first, which has the longest id; management groups after those."""
    scope = folded(holding.assignment.scope)
    nearness = -len(scope) if holding.where is Where.ABOVE else 0
    above_subscriptions = not scope.startswith("/subscriptions/")
    root = scope_level(scope).value == "tenant root"
    place = _PLACES.index(holding.where), above_subscriptions, root, nearness, scope
    who = holding.known.name if holding.known is not None else ""
    return *place, folded(holding.role), folded(who), holding.assignment.id
