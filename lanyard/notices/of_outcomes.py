"""Which decisions others are notified of, and in what events. Pure.

These are what changed somebody's access or waits for somebody: an identity that was attached, a
role assignment that was made, access that was taken away, a removal that is held, a conflict of
owners.
What was so already, or is only put off, is not.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lanyard.notices.model import (
    AccessRemoved,
    Assignment,
    Cause,
    ConflictFound,
    Data,
    Identity,
    IdentityAttached,
    Notice,
    RemovalHeld,
    RoleAssigned,
)
from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    DeleteIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
)
from lanyard.planning.orders import Kind, Refusal
from lanyard.planning.outcomes import Effects, Outcome, Removed
from lanyard.values.compute import SystemAssigned, UserAssigned
from lanyard.values.errors import Refused
from lanyard.values.grants import Grant, RoleAssignment
from lanyard.values.resource_id import ResourceId, folded
from lanyard.values.roles import role_name

_HELD: Mapping[Kind, type[RemovalHeld] | type[ConflictFound]] = {
    Kind.REMOVAL: RemovalHeld,
    Kind.CONFLICT: ConflictFound,
}


@dataclass(frozen=True, slots=True)
class About:
    """What all notices of one reconcile have in common. `time` has a zone."""

    resource: ResourceId
    cause: Mapping[str, str]
    policy: str
    time: datetime

    def notice(self, data: Data) -> Notice:
        """The event that carries it."""
        return Notice(self.resource.text, self.time, data)

    def decided(
        self, decision_id: str, action: Action | str, reason: str, rules: tuple[str, ...] = ()
    ) -> dict[str, Any]:
        """The fields that all kinds have."""
        return {
            "decision_id": decision_id,
            "action": str(action),
            "rules": rules or getattr(action, "rules", ()),
            "reason": reason,
            "policy": self.policy,
            "cause": Cause.model_validate(dict(self.cause)),
        }


def of_outcome(
    outcome: Outcome, effects: Effects, decision_id: str, about: About
) -> Iterator[Notice]:
    """The notices of an outcome that is on record as `decision_id`."""
    for removed in _gone(outcome, effects):
        yield about.notice(_assignment_removed(removed, outcome.detail, about))
    if outcome.failure is None:
        decided = about.decided(decision_id, outcome.action, outcome.detail)
        data = _done(outcome.action, effects, decided)
        if data is not None:
            yield about.notice(data)


def of_refusal(refusal: Refusal, held_id: str, decision_id: str, about: About) -> Iterator[Notice]:
    """The notices of an action that is held as `held_id`: additions wait in silence."""
    kind = _HELD.get(refusal.kind)
    if kind is not None:
        data = kind(
            held_id=held_id,
            release=refusal.release,
            releasable=refusal.releasable,
            **about.decided(decision_id, refusal.action, refusal.reason),
        )
        yield about.notice(data)


def _done(action: Action, effects: Effects, decided: dict[str, Any]) -> Data | None:
    match action:
        case AttachIdentity(id=id) | ReattachIdentity(id=id):
            principal = effects.principals.get(UserAssigned(id), "")
            identity = Identity(id=id.text, principal_id=principal)
            return IdentityAttached(identity=identity, **decided)
        case EnableSystemIdentity():
            principal = effects.principals.get(SystemAssigned(), "")
            return IdentityAttached(identity=Identity(id="", principal_id=principal), **decided)
        case AssignRole() if action in effects.made:
            return _assigned(effects.granted[action], decided)
        case DetachIdentity(id=id):
            return _identity_gone(id, effects, decided)
        case DeleteIdentity(id=id) if id in effects.deleted:
            return _identity_gone(id, effects, decided)
        case _:
            return None


def _assigned(grant: Grant, decided: dict[str, Any]) -> RoleAssigned:
    return RoleAssigned(assignment=_assignment(grant.assignment_id, grant), **decided)


def _identity_gone(id: ResourceId, effects: Effects, decided: dict[str, Any]) -> AccessRemoved:
    principal = effects.principals.get(UserAssigned(id), "")
    identity = Identity(id=id.text, principal_id=principal)
    return AccessRemoved(assignment=None, identity=identity, evidence=(), **decided)


def _assignment(id: str, of: Grant | RoleAssignment) -> Assignment:
    return Assignment(
        id=id,
        scope=of.scope,
        role_id=of.role_id,
        role=role_name(of.role_id),
        principal_id=of.principal_id,
    )


def _gone(outcome: Outcome, effects: Effects) -> list[Removed]:
    """The assignments that are certainly gone.

    Each was put on record right before its deletion. Where the action failed, it may have failed at
    the last one; where the budget or a pause refused one more, the last one was deleted before.
    """
    of_action = [each for each in effects.removed if each.action == outcome.action]
    if outcome.failure is not None and not isinstance(outcome.failure, Refused):
        of_action = of_action[:-1]
    return list({folded(each.assignment.id): each for each in of_action}.values())


def _assignment_removed(removed: Removed, reason: str, about: About) -> AccessRemoved:
    return AccessRemoved(
        assignment=_assignment(removed.assignment.id, removed.assignment),
        identity=None,
        evidence=removed.evidence,
        **about.decided(removed.decision_id, removed.action, reason),
    )
