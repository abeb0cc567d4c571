"""The difference between what a resource should have and what it has. Pure, sorted, repeatable.

    user-assigned identity                        grant
    wanted  attached  ours  → action              wanted  claimed  → action
    yes     no        any   AttachIdentity        yes     no       AssignRole
    yes     yes       any   -                     yes     pending  AssignRole
    yes     dead      any   ReattachIdentity      yes     yes      -
    any     in repair no    AttachIdentity
    no      yes       yes   DetachIdentity        no      yes      ReleaseGrant
    kept    yes       yes   -  (excluded)         kept    yes      -  (excluded)
    no      yes       no    - (someone else's)    no      pending  ReleaseGrant
    no      no        any   -                     no      no       -

    `dead`: attached with the principal of an identity that was deleted, recreated or not yet.
    `in repair`: detached by Lanyard to be attached again. What somebody else attached comes back
    whatever the rules say by then.
    A grant that is claimed under another condition is assigned again; one on which two rules
    contradict each other stays as it is, and is put back as it was.

    system-assigned identity                      principal seen on the resource
    wanted and off          EnableSystemIdentity  no longer on it    RemoveOrphans
    anything else           -                     still on it        -

Of a type that holds one identity, what is wanted and not there takes the place of the one that is:
ReplaceIdentity stands for AttachIdentity, EnableSystemIdentity and the DetachIdentity of that one.

Wanted but not existing identities are made first (CreateIdentity). A dedicated identity that is no
longer wanted is deleted, with its resource or before it (DeleteIdentity). A resource that is gone
wants nothing and has nothing: its claims are released and its own principals are looked after.
"""

from collections.abc import Iterator, Mapping, Set
from dataclasses import dataclass, field, replace

from lanyard.planning.actions import (
    ORDER,
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    DeleteIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
    ReleaseGrant,
    RemoveOrphans,
    ReplaceIdentity,
    UpgradeInstances,
    changes_identity,
    gives_identity,
    takes_from_resource,
)
from lanyard.planning.desired import Desired, WantedGrant, WantedIdentity
from lanyard.planning.needs import needs_grant, needs_identity
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.compute_types import compute_type
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Actual:
    """What was read: the resource (None: gone) and the principal ids of identities that exist.

    A wanted identity that is absent from `principals` does not exist yet. `theirs`: wanted, and not
    to be given to it: for this resource alone and not made for it, or made for another alone.
    `unread`: wanted, and ARM does not answer for it: whether it exists, or is the one, is unknown.
    """

    resource: ComputeResource | None
    principals: Mapping[PrincipalRef, str] = field(default_factory=dict)
    theirs: frozenset[ResourceId] = frozenset()
    unread: Mapping[ResourceId, Temporary | Permanent] = field(default_factory=dict)

    def is_blocked(self, wanted: WantedIdentity) -> bool:
        """Whether it is not Lanyard's to make, nor to give."""
        exists = UserAssigned(wanted.id) in self.principals
        if wanted.id in self.theirs or wanted.id in self.unread:
            return True
        return not exists and wanted.location is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Owned:
    """What the ledger says of the resource."""

    #: Identities that Lanyard attached.
    attachments: frozenset[ResourceId] = frozenset()
    #: Claimed for it, and assigned.
    grants: frozenset[Grant] = frozenset()
    #: Intended and not confirmed: they are assigned again or released.
    pending: frozenset[Grant] = frozenset()
    #: Object ids that were seen as its system-assigned identity.
    system_principals: frozenset[str] = frozenset()
    #: The model of a scale set was changed, its instances were not brought up yet.
    instances_lag: bool = False
    #: Identities that Lanyard made for this resource alone.
    dedicated: frozenset[ResourceId] = frozenset()
    #: Identities that were taken off, to be attached again.
    in_repair: frozenset[ResourceId] = frozenset()
    #: The principals that identities (by the keys of their references) had when they were attached.
    attached_as: Mapping[str, str] = field(default_factory=dict, compare=False)
    #: The rules that gave each of these, as givers.py names them.
    given_by: Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    def to_give(self, wanted: WantedGrant, principal: str) -> Grant | None:
        """A wanted grant as the resource is to have it. Where two rules contradict each other on
        its condition, what stands stays, and is put back where somebody took it away: as it is on
        record, and None where it is not.
        """
        grant = wanted.granted(principal)
        if not wanted.contradicted:
            return grant
        return next((each for each in self.claimed if each.key == grant.key), None)

    def without_intended(self, keys: Set[str], had: Set[Grant]) -> "Owned":
        """Without what of the grants of these keys was only intended: it is not among those that it
        `had`. Of what rules contradict each other on, that is nothing that stands.
        """
        never = {each for each in self.claimed if each.key in keys} - had
        return replace(self, pending=self.pending - never)

    @property
    def claimed(self) -> tuple[Grant, ...]:
        """What it claims, confirmed or not, in order of their names. A grant that has two
        conditions, one of them confirmed, is still one assignment.
        """
        by_name = {grant.name: grant for grant in (*self.pending, *self.grants)}
        return tuple(by_name[name] for name in sorted(by_name))


@dataclass(frozen=True, slots=True)
class Plan:
    """The actions that close the difference, in the order they are done.

    `blocked` are the wanted identities that do not exist and are not Lanyard's to make, that are
    `theirs`, or that cannot be read: they and the grants to them wait, and everything else goes on.
    """

    actions: tuple[Action, ...] = ()
    blocked: tuple[WantedIdentity, ...] = ()
    #: Of the blocked ones, those that exist: somebody else's, or another resource's.
    theirs: frozenset[ResourceId] = frozenset()
    #: Of the blocked ones, those that cannot be read, and why.
    unread: Mapping[ResourceId, Temporary | Permanent] = field(default_factory=dict)


def plan(desired: Desired, actual: Actual, owned: Owned) -> Plan:
    """The actions that turn `actual` into `desired`, touching only what is `owned` or added."""
    blocked = {
        UserAssigned(wanted.id): wanted
        for wanted in desired.identities.values()
        if actual.is_blocked(wanted)
    }
    given = _given(desired, actual)
    actions = [
        *_identities(desired, actual, owned, blocked.keys()),
        *_taken(given, actual, owned),
        *_grants(desired, actual, owned, blocked.keys()),
        *_released(given, actual, owned),
        *_departed(actual, owned),
        *(DeleteIdentity(own) for own in owned.dedicated if not needs_identity(desired, own)),
    ]
    if _needs_upgrade(desired, actual, owned, actions):
        actions.append(UpgradeInstances(lagging=owned.instances_lag))
    ordered = tuple(sorted(actions, key=_order))
    return Plan(ordered, tuple(blocked.values()), actual.theirs, actual.unread)


def _given(desired: Desired, actual: Actual) -> Desired:
    """Without what is wanted for this resource alone and was not made for it: no rule gives that,
    and where Lanyard attached it all the same, it goes.
    """
    theirs = {one for one in actual.theirs if desired.identities[one].dedicated}
    if not theirs:
        return desired
    return replace(
        desired,
        identities={one: each for one, each in desired.identities.items() if one not in theirs},
        grants=tuple(
            grant
            for grant in desired.grants
            if not (isinstance(grant.to, UserAssigned) and grant.to.id in theirs)
        ),
    )


def _identities(
    desired: Desired, actual: Actual, owned: Owned, blocked: Set[PrincipalRef]
) -> Iterator[Action]:
    if actual.resource is None:
        return
    attached = actual.resource.identity.user_assigned
    works_with = _one_identity(actual.resource)
    for wanted in desired.identities.values():
        if UserAssigned(wanted.id) in blocked:
            continue
        if UserAssigned(wanted.id) not in actual.principals and wanted.location is not None:
            yield CreateIdentity(
                wanted.id,
                wanted.location,
                wanted.rules,
                wanted.dedicated,
                wanted.delete_after,
                wanted.tags,
            )
        current = actual.principals.get(UserAssigned(wanted.id))
        if wanted.id not in attached:
            yield _attach(wanted, owned, works_with)
        elif current is None or attached[wanted.id] not in (None, current):
            yield ReattachIdentity(wanted.id, wanted.rules)
    yield from _unfinished(desired, attached, owned)
    if desired.system and actual.resource.identity.system_principal_id is None:
        yield _enable(desired.system, works_with)


def _taken(given: Desired, actual: Actual, owned: Owned) -> Iterator[Action]:
    if actual.resource is None:
        return
    works_with = _one_identity(actual.resource)
    replaced = works_with is not None and (given.identities or given.system)
    for identity, shown in actual.resource.identity.user_assigned.items() if not replaced else ():
        mine = identity in owned.attachments
        if identity in actual.theirs:
            # Under this name a person may have attached another one since.
            mine = mine and owned.attached_as.get(UserAssigned(identity).key, shown) == shown
        if mine and not needs_identity(given, identity):
            yield DetachIdentity(identity)


def _one_identity(resource: ComputeResource) -> PrincipalRef | None:
    """The identity that a resource works with, where its type holds one and it has one."""
    kind, identity = compute_type(resource.id.type), resource.identity
    if kind is None or not kind.replaces:
        return None
    if identity.user_assigned:
        return UserAssigned(next(iter(identity.user_assigned)))
    return SystemAssigned() if identity.system_principal_id is not None else None


def _attach(wanted: WantedIdentity, owned: Owned, works_with: PrincipalRef | None) -> Action:
    if works_with is not None:
        return ReplaceIdentity(UserAssigned(wanted.id), works_with, wanted.rules)
    return AttachIdentity(wanted.id, wanted.rules, wanted.id in owned.in_repair)


def _enable(rules: tuple[str, ...], works_with: PrincipalRef | None) -> Action:
    if works_with is not None:
        return ReplaceIdentity(SystemAssigned(), works_with, rules)
    return EnableSystemIdentity(rules)


def _unfinished(
    desired: Desired, attached: Mapping[ResourceId, str | None], owned: Owned
) -> Iterator[Action]:
    """The second halves of repairs of what no rule asks for any more."""
    for identity in owned.in_repair - attached.keys() - desired.identities.keys():
        if needs_identity(desired, identity) or identity not in owned.attachments:
            yield AttachIdentity(identity, (), in_repair=True)


def _grants(
    desired: Desired, actual: Actual, owned: Owned, blocked: Set[PrincipalRef]
) -> Iterator[Action]:
    # What is pending on another condition may have been given on it since.
    unsure = {grant.name for grant in owned.pending}
    confirmed = {(g.key, g.condition) for g in owned.grants if g.name not in unsure}
    for wanted in desired.grants:
        principal = actual.principals.get(wanted.to)
        grant = None if principal is None else owned.to_give(wanted, principal)
        has_it = grant is not None and (grant.key, grant.condition) in confirmed
        is_given = grant is not None or not wanted.contradicted
        if is_given and not has_it and wanted.to not in blocked:
            yield AssignRole(
                wanted.scope,
                wanted.role_id,
                wanted.to,
                principal,
                wanted.rules,
                wanted.condition if grant is None else grant.condition,
            )


def _released(given: Desired, actual: Actual, owned: Owned) -> Iterator[Action]:
    for grant in owned.claimed:
        if not needs_grant(given, actual.resource, actual.principals, grant):
            yield ReleaseGrant(grant)


def _needs_upgrade(desired: Desired, actual: Actual, owned: Owned, actions: list[Action]) -> bool:
    """Whether instances of a scale set may not have what the set has unless they are upgraded, and
    a rule has that done, or something would be taken meanwhile. (Documentation says that identities
    need an upgrade, users saw them work without one.)
    """
    if actual.resource is None or not actual.resource.manual_upgrade:
        return False
    if desired.upgrade_instances:
        return owned.instances_lag or any(map(changes_identity, actions))
    wants = bool(desired.identities or desired.system)
    lag = (owned.instances_lag and wants) or any(map(gives_identity, actions))
    return lag and any(map(takes_from_resource, actions))


def _departed(actual: Actual, owned: Owned) -> Iterator[Action]:
    present = actual.principals.get(SystemAssigned())
    yield from (RemoveOrphans(gone) for gone in owned.system_principals - {present})


def _order(action: Action) -> tuple[int, str]:
    return (ORDER.index(type(action)), action.key)
