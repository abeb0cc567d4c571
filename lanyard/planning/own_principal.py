"""The app's own identity: whoever has it is Lanyard, so no rule gives it away, nor gives it more;
and nothing is taken of it. Pure.
"""

from collections.abc import Iterator

from lanyard.planning.actions import (
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
)
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Held, Situation
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.errors import Because
from lanyard.values.resource_id import folded

#: What the app is in Azure: a function app, and its slots.
_APP_TYPES = ("microsoft.web/sites", "microsoft.web/sites/slots")


def is_own_app(resource: ComputeResource, own_principal: str) -> bool:
    """Whether it is the app itself, by the type that it is and the identity that it has."""
    has_it = bool(own_principal) and own_principal in resource.identity.principals
    return has_it and folded(resource.id.type) in _APP_TYPES


def own_identity(plan: Plan, situation: Situation) -> Iterator[Held]:
    """What would give the app's identity to a resource, or a role to it, however the policy names
    it; whatever a resource would get that has it already, the app itself above all: code there
    may act as every identity of the resource, and is Lanyard; and what would take it, or of it.
    """
    if situation.own_principal:
        yield from _would_give(plan, situation)
        yield from _would_take(plan, situation)


def _would_give(plan: Plan, situation: Situation) -> Iterator[Held]:
    own, resource = situation.own_principal, situation.resource
    if resource is None:
        return
    shown = resource.identity.principals
    for action in plan.actions:
        given = _given(action)
        if given is None:
            continue
        if _principal(action, given, situation) == own:
            yield Held(
                action,
                Because.OWN_IDENTITY,
                f"{given} is Lanyard's own identity: whoever has it is Lanyard",
                "name another identity in the policy",
            )
        elif own in shown and not _puts_back(action):
            yield Held(
                action,
                Because.OWN_IDENTITY,
                "it has Lanyard's own identity: what it is given, Lanyard would have",
                "exclude it from the rule; or take that identity off it, if it is not the app",
            )


def _would_take(plan: Plan, situation: Situation) -> Iterator[Held]:
    for action in plan.actions:
        if situation.own_principal in _taken(action, situation):
            yield Held(
                action,
                Because.OWN_IDENTITY,
                "it is of Lanyard's own identity, which Lanyard takes nothing of",
                "do it yourself, if it is to be done",
            )


def _taken(action: Action, situation: Situation) -> set[str | None]:
    """Of which principals an action takes something, or themselves, as far as they are known."""
    match action:
        case DetachIdentity() | DeleteIdentity():
            taken: PrincipalRef = UserAssigned(action.id)
        case ReplaceIdentity():
            taken = action.old
        case ReleaseGrant():
            return {action.grant.principal_id}
        case RemoveOrphans():
            return {action.principal_id}
        case _:
            return set()
    return {situation.principals.get(taken), _shown(taken, situation)}


def _shown(ref: PrincipalRef, situation: Situation) -> str | None:
    if situation.resource is None:
        return None
    identity = situation.resource.identity
    if isinstance(ref, SystemAssigned):
        return identity.system_principal_id
    return identity.user_assigned.get(ref.id)


def _given(action: Action) -> PrincipalRef | None:
    """Whom an action gives something, or what it gives; None where it gives nothing."""
    match action:
        case AttachIdentity() | ReattachIdentity() | CreateIdentity():
            return UserAssigned(action.id)
        case ReplaceIdentity():
            return action.new
        case AssignRole():
            return action.to
        case EnableSystemIdentity():
            return SystemAssigned()
        case _:
            return None


def _principal(action: Action, given: PrincipalRef, situation: Situation) -> str | None:
    if isinstance(action, AssignRole) and action.principal_id is not None:
        return action.principal_id
    return situation.principals.get(given)


def _puts_back(action: Action) -> bool:
    """The second half of a repair: it had that before."""
    return isinstance(action, AttachIdentity) and action.in_repair
