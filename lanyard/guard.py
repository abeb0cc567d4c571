"""Which actions of a plan may be done now, and why not the others. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass

from lanyard.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    EnableSystemIdentity,
    is_removal,
)
from lanyard.desired import Desired
from lanyard.model import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned
from lanyard.plan import Plan
from lanyard.policy import Mode


@dataclass(frozen=True, slots=True)
class Held:
    """An action that is not done: the reason, and how a person releases it."""

    action: Action
    reason: str
    release: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """The plan, split: every action is in exactly one of the two, in the plan's order."""

    allowed: tuple[Action, ...]
    held: tuple[Held, ...]


def guard(plan: Plan, mode: Mode, desired: Desired, resource: ComputeResource | None) -> Verdict:
    """Hold what the mode forbids, and what would break a workload unless a rule accepts it."""
    held: dict[Action, Held] = {}
    for check in (_mode(plan, mode), _imds_default(plan, desired, resource)):
        for entry in check:
            held.setdefault(entry.action, entry)
    for action in _dependents(plan, held):
        held.setdefault(action, _because_of_identity(action))
    allowed = tuple(action for action in plan.actions if action not in held)
    return Verdict(allowed, tuple(held[action] for action in plan.actions if action in held))


def _mode(plan: Plan, mode: Mode) -> Iterator[Held]:
    for action in plan.actions:
        if mode is Mode.OBSERVE:
            yield Held(action, "mode is observe", "set 'mode: add-only' or 'mode: full'")
        elif mode is Mode.ADD_ONLY and is_removal(action):
            yield Held(action, "mode is add-only", "set 'mode: full'")


def _imds_default(plan: Plan, desired: Desired, resource: ComputeResource | None) -> Iterator[Held]:
    """A machine with exactly one identity, user-assigned, answers IMDS with it by default.

    With a second one, code that asks IMDS without naming an identity fails; with the
    system-assigned one, it silently becomes somebody else. Microsoft's own policy for attaching
    identities leaves such machines alone.
    """
    if resource is None or desired.imds_default_accepted:
        return
    identity = resource.identity
    if identity.system_principal_id is not None or len(identity.user_assigned) != 1:
        return
    default = next(iter(identity.user_assigned))
    for action in plan.actions:
        if isinstance(action, AttachIdentity | EnableSystemIdentity):
            yield Held(
                action,
                f"{default.name} is the machine's only identity and IMDS's default; another one "
                "breaks code that asks for a token without naming an identity",
                f"set 'imdsDefault: accept' in rule {action.rules[0]!r}",
            )


def _dependents(plan: Plan, held: dict[Action, Held]) -> Iterator[Action]:
    """What serves only an identity that is not attached waits with it: no unused rights."""
    waiting: set[PrincipalRef] = set()
    for action in held:
        if isinstance(action, AttachIdentity):
            waiting.add(UserAssigned(action.id))
        elif isinstance(action, EnableSystemIdentity):
            waiting.add(SystemAssigned())
    for action in plan.actions:
        match action:
            case AssignRole(to=to) if to in waiting:
                yield action
            case CreateIdentity(id=id) if UserAssigned(id) in waiting:
                yield action


def _because_of_identity(action: Action) -> Held:
    return Held(action, "its identity's attachment is held", "release the attachment")
