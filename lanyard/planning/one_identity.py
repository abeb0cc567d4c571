"""Types that have one identity: another one takes its place. Pure."""

from collections.abc import Iterator, Mapping

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
    ReleaseGrant,
    ReplaceIdentity,
)
from lanyard.planning.needs import who_needs
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Held, Situation
from lanyard.values.compute import PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.errors import Because


def unaccepted_replacement(plan: Plan, situation: Situation) -> Iterator[Held]:
    """A type with one identity: adding ours would take away the one it works with."""
    kind, resource = situation.kind, situation.resource
    if kind is None or resource is None or not kind.replaces:
        return
    identity = resource.identity
    replaces = bool(identity.user_assigned or identity.system_principal_id)
    for action in plan.actions:
        if kind.required and isinstance(action, DetachIdentity | ReattachIdentity):
            yield Held(
                action,
                Because.REPLACEMENT,
                kind.reason,
                "attach another identity, which takes its place",
            )
        if situation.desired.replace_accepted or not replaces:
            continue
        if isinstance(action, AttachIdentity | EnableSystemIdentity | ReplaceIdentity):
            yield Held(
                action,
                Because.REPLACEMENT,
                f"{kind.name} has one identity: this would replace the one it works with",
                "set 'replace: accept' in the rule",
            )


def more_than_one(plan: Plan, situation: Situation) -> Iterator[Held]:
    """A type with one identity, and more than one is wanted or kept: each would take the other's
    place for ever.
    """
    kind, desired = situation.kind, situation.desired
    if kind is None or not kind.replaces:
        return
    wanted: list[PrincipalRef] = [UserAssigned(one) for one in desired.identities]
    wanted += [SystemAssigned()] if desired.system else []
    for action in plan.actions:
        if not isinstance(action, AttachIdentity | EnableSystemIdentity | ReplaceIdentity):
            continue
        kept = [action.old] if isinstance(action, ReplaceIdentity) else []
        others = [one for one in (*wanted, *kept) if one != _given_by(action)]
        for rules in filter(None, (who_needs(desired, one) for one in others)):
            yield Held(
                action,
                Because.CONFLICT,
                f"{kind.name} has one identity, and rule {rules[0]!r} is for another one than "
                f"rule {action.rules[0]!r}",
                "let one rule have it: change what they match, or what they attach",
            )


def _given_by(action: AttachIdentity | EnableSystemIdentity | ReplaceIdentity) -> PrincipalRef:
    match action:
        case AttachIdentity(id=identity):
            return UserAssigned(identity)
        case EnableSystemIdentity():
            return SystemAssigned()
        case ReplaceIdentity(new=new):
            return new


def before_its_roles(plan: Plan, _situation: Situation) -> Iterator[Held]:
    """A system-assigned identity has its roles only once it is there; the one whose place it takes
    is gone by then.
    """
    roles = [a for a in plan.actions if isinstance(a, AssignRole) and a.to == SystemAssigned()]
    for action in plan.actions:
        if roles and isinstance(action, ReplaceIdentity) and action.new == SystemAssigned():
            yield Held(
                action,
                Because.WAITS,
                f"waits for: {roles[0]}, which can be done only once it is there",
                "release it to have the resource work without that for a moment",
                True,
            )


def still_used(plan: Plan, situation: Situation, held: Mapping[Action, Held]) -> Iterator[Held]:
    """The roles of the one identity of a resource stay with it until it is replaced, also where a
    person dismissed that.
    """
    resource = situation.resource
    stays = [action for action in held if isinstance(action, ReplaceIdentity)]
    if resource is None or not stays:
        return
    identity = resource.identity
    principals = {identity.system_principal_id, *identity.user_assigned.values()}
    for action in plan.actions:
        if isinstance(action, ReleaseGrant) and action.grant.principal_id in principals:
            yield Held(
                action,
                Because.WAITS,
                f"waits for: {stays[0]}",
                "see to that, or release this one",
                True,
            )
