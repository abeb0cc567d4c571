"""What a policy needs of the app's rights in one subscription, beside what its role assignments
there really allow. Pure.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from lanyard.desk.delegation import ASSIGN, ASSIGNEE, ASSIGNMENTS, REMOVE
from lanyard.desk.places import Place, given, made, matched
from lanyard.desk.rights import Rights, alone, given_by, rights
from lanyard.policy import Policy, Rule
from lanyard.policy.condition_outcome import Facts, condition_outcome
from lanyard.policy.conditions import Attribute
from lanyard.policy.patterns import ANY
from lanyard.values.permissions import Permission
from lanyard.values.resource_id import folded, is_guid, is_within

_ATTACH = "Microsoft.ManagedIdentity/userAssignedIdentities/assign/action"
_MANAGEMENT_GROUP = "/providers/microsoft.management/managementgroups/"
#: Where a condition finds what is assigned: in what is asked for, or in what is there.
_SOURCES = {ASSIGN: "request", REMOVE: "resource"}


@dataclass(frozen=True, slots=True, order=True)
class Need:
    """An action at a scope (id); of a role (GUID) that a rule gives, where it is to be assigned or
    removed.
    """

    scope: str
    rule: str
    role: str
    action: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """What a role assignment of a principal allows, by one entry of its role's definition. It is
    one that Azure lists at a subscription: at it, above it or below it.
    """

    scope: str
    permission: Permission
    #: Under which it does (ABAC), "" for none.
    condition: str = ""
    #: The role (GUID), and the assignment's id.
    role: str = ""
    id: str = ""

    def allows(self, action: str, scope: str) -> bool:
        """Whether it allows an action everywhere in `scope`, whatever its condition says."""
        above = self.is_above or is_within(scope, self.scope)
        return above and self.permission.allows(action)

    @property
    def is_above(self) -> bool:
        """Whether it stands at a management group, which is above the whole subscription."""
        return folded(self.scope).startswith(_MANAGEMENT_GROUP)


class Lack(Enum):
    """How a need is not met."""

    #: No assignment has the action there.
    RIGHT = auto()
    #: One has it, and its condition lets this role not through.
    CONDITION = auto()
    #: One has it, and what its condition says is not known.
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Gap:
    """A need that is not met, or of which that is not known. `by`: the assignments (ids) whose
    conditions stand in the way.
    """

    need: Need
    lack: Lack
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Needs:
    """All that a policy needs: the actions that read, at each subscription, and each rule with what
    it would need if there were no other.
    """

    policy: Policy
    reads: tuple[str, ...]
    rules: tuple[tuple[Rule, Rights], ...]

    @classmethod
    def of(cls, policy: Policy) -> "Needs":
        """Those of a policy."""
        reads = tuple(each for each in rights(policy).actions if _reads(each))
        return cls(policy, reads, tuple((r, rights(alone(policy, r))) for r in policy.rules))

    def within(self, subscription: str, groups: Container[str]) -> frozenset[Need]:
        """In a subscription (id) that the app watches. `groups` are the names (folded) of the
        resource groups there: what is not there needs nothing.
        """
        here = _Here(subscription, groups)
        found = {Need(f"/subscriptions/{subscription}", "", "", each) for each in self.reads}
        for rule, needed in self.rules:
            found |= {*_changes(rule, needed, here)}
            found |= {*_identities(self.policy, rule, needed, here)}
            found |= {*_roles(self.policy, rule, needed, here)}
        return frozenset(found)

    def elsewhere(self, subscription: str) -> frozenset[Need]:
        """In one that the policy names and the app does not watch."""
        here = _Here(subscription, named_alone=True)
        return frozenset(
            need for rule, needed in self.rules for need in _roles(self.policy, rule, needed, here)
        )

    def named(self) -> frozenset[str]:
        """The subscriptions (ids) that the policy names where it gives roles, and those of the
        identities that it attaches.
        """
        found = set[str]()
        for rule, needed in self.rules:
            found |= {identity.subscription for identity in needed.operator_on}
            for _, place in _given(self.policy, rule, needed):
                found.add(place.subscription)
        return frozenset(each for each in found if is_guid(each))


@dataclass(frozen=True, slots=True)
class _Here:
    """A subscription, and the groups that are there; None: nobody asked. `named_alone`: only places
    count that name it.
    """

    subscription: str
    groups: Container[str] | None = None
    named_alone: bool = False

    def scope(self, place: Place, *, must_be_there: bool = False) -> str | None:
        """The id of a place, None where nothing is needed. What must be there is needed although it
        is not.
        """
        if self.named_alone and place.subscription == ANY:
            return None
        missing = place.group and self.groups is not None and place.group not in self.groups
        return place.in_subscription(self.subscription) if must_be_there or not missing else None


def _reads(action: str) -> bool:
    return action.endswith("/read")


def _changes(rule: Rule, needed: Rights, here: _Here) -> Iterator[Need]:
    writes = [each for each in needed.actions if not _reads(each) and each not in _SOURCES]
    for place in matched(rule):
        if scope := here.scope(place):
            yield from (Need(scope, "", "", each) for each in writes)


def _identities(policy: Policy, rule: Rule, needed: Rights, here: _Here) -> Iterator[Need]:
    for name in rule.attach if needed.identity_actions else ():
        spec = policy.identities[name]
        named = spec.resource_group is not None
        for place in made(rule, spec) if spec.id is None else ():
            if scope := here.scope(place, must_be_there=named):
                yield from (Need(scope, "", "", each) for each in needed.identity_actions)


def _roles(policy: Policy, rule: Rule, needed: Rights, here: _Here) -> Iterator[Need]:
    """Roles and existing identities, which may be in a subscription that is not watched."""
    for role, place in _given(policy, rule, needed):
        if scope := here.scope(place):
            yield Need(scope, rule.name, role, ASSIGN)
            if role in needed.removable:
                yield Need(scope, rule.name, role, REMOVE)
    for identity in needed.operator_on:
        if identity.subscription == here.subscription:
            yield Need(identity.text, "", "", _ATTACH)


def _given(policy: Policy, rule: Rule, needed: Rights) -> Iterator[tuple[str, Place]]:
    """The roles (GUIDs) that a rule gives and the app is to assign, each with where."""
    for role, scope in given_by(policy, rule):
        if role in needed.assignable:
            yield from ((role, place) for place in given(rule, scope))


def gaps(needed: Iterable[Need], allowed: Sequence[Allowed]) -> list[Gap]:
    """Those that are not met for sure, in order."""
    found = (_gap(need, allowed) for need in sorted(needed))
    return [gap for gap in found if gap is not None]


def _gap(need: Need, allowed: Sequence[Allowed]) -> Gap | None:
    facts, unknown, refusing = _facts(need), list[str](), list[str]()
    for each in allowed:
        if not each.allows(need.action, need.scope):
            continue
        passes = condition_outcome(each.condition, facts) if each.condition else True
        if passes:
            return None
        (unknown if passes is None else refusing).append(each.id)
    if unknown:
        return Gap(need, Lack.UNKNOWN, tuple(unknown))
    return Gap(need, Lack.CONDITION if refusing else Lack.RIGHT, tuple(refusing))


def _facts(need: Need) -> Facts:
    """What Azure knows of the action, as far as it decides here: to whom is not known."""
    if not need.role:
        return Facts(need.action, {})
    source = _SOURCES[need.action]
    names = {"roledefinitionid": need.role, "principaltype": ASSIGNEE}
    attributes = {
        Attribute(source, f"{folded(ASSIGNMENTS)}:{name}"): value for name, value in names.items()
    }
    return Facts(need.action, attributes)
