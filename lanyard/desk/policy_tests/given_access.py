"""What a policy gives a resource, all else being as the policy has it: the same desired, plan and
guard as everywhere. Pure.

Identities that the policy names exist, no role stands yet, and the mode is full: what is tested is
what rules say, and not how far Lanyard may go today.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lanyard.desk.stand_in import stand_in
from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    EnableSystemIdentity,
    ReplaceIdentity,
)
from lanyard.planning.desired import Desired, WantedGrant, desired
from lanyard.planning.guard import guard
from lanyard.planning.plan import Actual, Owned, plan
from lanyard.planning.verdict import Held, RoleKey, Situation
from lanyard.policy import Policy
from lanyard.policy.matching import rules_for
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.errors import Because
from lanyard.values.permissions import Definition
from lanyard.values.roles import role_name

#: As tests write it.
SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Attachment:
    """An identity that rules have the resource have."""

    identity: PrincipalRef
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class NotDone:
    """What a rule asks for and is not done. `what`: the identity or the role, as tests name it."""

    why: Because
    what: str
    reason: str
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenAccess:
    """All that comes of a resource, with the rules that ask for it."""

    attached: tuple[Attachment, ...]
    granted: tuple[WantedGrant, ...]
    held: tuple[NotDone, ...]
    #: The rules that are for it, and those that leave it out.
    matching: tuple[str, ...]
    excluded: tuple[str, ...]


def given_access(
    policy: Policy, resource: ComputeResource, roles: Mapping[RoleKey, Definition]
) -> GivenAccess:
    """What the policy gives the resource. `roles`: definitions of custom roles, by `role_key`."""
    policy = policy.all_full
    wanted = desired(policy, resource)
    principals = _principals(wanted, resource)
    todo = plan(wanted, Actual(resource, principals), Owned())
    verdict = guard(todo, Situation(policy, wanted, resource, roles=roles, principals=principals))
    held = {entry.action for entry in verdict.held}
    rules = rules_for(policy, resource)
    return GivenAccess(
        attached=tuple(_attached(wanted, held)),
        granted=tuple(_granted(wanted, [a for a in todo.actions if a not in held])),
        held=(*_held(verdict.held), *_impossible(wanted)),
        matching=tuple(rule.name for rule in rules.matching),
        excluded=tuple(rule.name for rule in rules.excluded),
    )


def _principals(wanted: Desired, resource: ComputeResource) -> dict[PrincipalRef, str]:
    attached = resource.identity.user_assigned
    found: dict[PrincipalRef, str] = {
        UserAssigned(one): attached.get(one) or stand_in(one.text) for one in wanted.identities
    }
    if resource.identity.system_principal_id is not None:
        found[SystemAssigned()] = resource.identity.system_principal_id
    return found


def _attached(wanted: Desired, held: set[Action]) -> Iterator[Attachment]:
    waits = {identity for action in held if (identity := _given_by(action)) is not None}
    for one in wanted.identities.values():
        if UserAssigned(one.id) not in waits:
            yield Attachment(UserAssigned(one.id), one.rules)
    if wanted.system and SystemAssigned() not in waits:
        yield Attachment(SystemAssigned(), wanted.system)


def _granted(wanted: Desired, allowed: list[Action]) -> Iterator[WantedGrant]:
    given = {(a.scope, a.role_id, a.to) for a in allowed if isinstance(a, AssignRole)}
    return (each for each in wanted.grants if (each.scope, each.role_id, each.to) in given)


def _held(entries: tuple[Held, ...]) -> Iterator[NotDone]:
    for entry in entries:
        # What serves an identity that is held comes with it: one entry says it all.
        if entry.because is not Because.IDENTITY_WAITS:
            rules = tuple(getattr(entry.action, "rules", ()))
            yield NotDone(entry.because, subject(entry.action), entry.reason, rules)


def _impossible(wanted: Desired) -> Iterator[NotDone]:
    for problem in wanted.unfulfillable:
        # `about` begins with its kind; of a contradiction the scope stands before the role.
        what = problem.about[2 if problem.about[0] == "condition" else 1]
        reason = f"{problem.part}: {problem.reason}"
        yield NotDone(problem.because, role_name(what), reason, (problem.rule,))


def subject(action: Action) -> str:
    """What an action is about, as tests name it: an identity, or a role."""
    if isinstance(action, AssignRole):
        return role_name(action.role_id)
    identity = _given_by(action)
    if identity is None:
        return str(action)
    return SYSTEM if isinstance(identity, SystemAssigned) else str(identity)


def _given_by(action: Action) -> PrincipalRef | None:
    match action:
        case AttachIdentity():
            return UserAssigned(action.id)
        case EnableSystemIdentity():
            return SystemAssigned()
        case ReplaceIdentity():
            return action.new
    return None
