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
    EnableSystemIdentity,
    ReattachIdentity,
    ReplaceIdentity,
)
from lanyard.planning.orders import Kind, Refusal
from lanyard.planning.outcomes import Effects, Outcome, Removal
from lanyard.values.compute import SystemAssigned, UserAssigned
from lanyard.values.grants import Grant
from lanyard.values.removed import (
    Became,
    RemovedAssignment,
    RemovedAttachment,
    RemovedIdentity,
    Taken,
)
from lanyard.values.resource_id import ResourceId
from lanyard.values.roles import role_name

_DETACH = Taken.DETACH
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
            # The version of the policy that asked for it is for the record alone.
            "cause": Cause.model_validate({k: v for k, v in self.cause.items() if k != "policy"}),
        }


def of_outcome(
    outcome: Outcome, effects: Effects, decision_id: str, about: About
) -> Iterator[Notice]:
    """The notices of an outcome that is on record as `decision_id`."""
    for removal in _gone(outcome, effects):
        yield about.notice(_access_removed(removal, outcome.detail, about))
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
        case ReattachIdentity() if all(each.action != action for each in effects.removed):
            return None  # there was nothing to repair
        case AttachIdentity(id=id) | ReattachIdentity(id=id):
            principal = effects.principals.get(UserAssigned(id), "")
            identity = Identity(id=id.text, principal_id=principal)
            return IdentityAttached(identity=identity, **decided)
        case ReplaceIdentity(new=UserAssigned(id=id) as new):
            identity = Identity(id=id.text, principal_id=effects.principals.get(new, ""))
            return IdentityAttached(identity=identity, **decided)
        case EnableSystemIdentity() | ReplaceIdentity():
            principal = effects.principals.get(SystemAssigned(), "")
            return IdentityAttached(identity=Identity(id="", principal_id=principal), **decided)
        case AssignRole() if action in effects.made:
            return _assigned(effects.granted[action], decided)
        case _:
            return None


def _assigned(grant: Grant, decided: dict[str, Any]) -> RoleAssigned:
    return RoleAssigned(assignment=_assignment(grant.assignment_id, grant), **decided)


def _assignment(id: str, of: Grant) -> Assignment:
    return Assignment(
        id=id,
        scope=of.scope,
        role_id=of.role_id,
        role=role_name(of.role_id),
        principal_id=of.principal_id,
    )


def _gone(outcome: Outcome, effects: Effects) -> list[Removal]:
    """What the action certainly took away. The first half of a repair takes no access away."""
    return [
        each
        for each in effects.removed
        if each.action.key == outcome.action.key
        and each.became is Became.DONE
        and not (isinstance(each.removed, RemovedAttachment) and each.removed.taken is not _DETACH)
    ]


def _access_removed(removal: Removal, reason: str, about: About) -> AccessRemoved:
    assignment, identity = None, None
    match removal.removed:
        case RemovedAssignment() as gone:
            assignment = _assignment(gone.id, gone.grant)
        case RemovedAttachment(identity=id, principal_id=principal):
            identity = Identity(id=id, principal_id=principal)
        case RemovedIdentity(id=id, principal_id=principal):
            identity = Identity(id=id, principal_id=principal)
    return AccessRemoved(
        assignment=assignment,
        identity=identity,
        evidence=removal.evidence,
        **about.decided(removal.decision_id, removal.action, reason),
    )
