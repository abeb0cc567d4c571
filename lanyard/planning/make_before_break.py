"""What waits because something else is held: nothing is taken from a living resource before what it
is due is there, and what serves only an identity comes with that one. Pure.
"""

from collections.abc import Iterator, Mapping

from lanyard.planning.actions import (
    Action,
    AssignRole,
    AttachIdentity,
    CreateIdentity,
    DetachIdentity,
    EnableSystemIdentity,
    ReattachIdentity,
    ReleaseGrant,
    ReplaceIdentity,
    UpgradeInstances,
    changes_identity,
    gives_identity,
    is_removal,
    takes_from_resource,
)
from lanyard.planning.plan import Plan
from lanyard.planning.rule_modes import observing
from lanyard.planning.verdict import Held, Situation
from lanyard.values.compute import PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.errors import Because


def waiting(plan: Plan, situation: Situation, held: Mapping[Action, Held]) -> Iterator[Held]:
    """Make before break: nothing is taken from a living resource while something that the policy
    wants for it is not there. A person who dismisses that ends the waiting.
    """
    if situation.resource is None:
        return
    dismissed = situation.orders.dismissed
    found = _missing(plan, situation, held)
    missing = {key: what for key, what in found if key not in dismissed}
    for action in filter(takes_from_resource, plan.actions):
        own = _attached_by_mistake(action, plan, situation)
        if first := next((what for key, what in missing.items() if key != own), ""):
            yield Held(
                action,
                Because.WAITS,
                first,
                "see to that, dismiss it, or release this one",
                True,
            )


def _attached_by_mistake(action: Action, plan: Plan, situation: Situation) -> str:
    """The key of the attachment that an action takes back, where that may not be; "" for none. What
    is not to be given is not waited for.
    """
    for identity in plan.blocked:
        if identity.id not in plan.theirs:
            continue
        principal = situation.principals.get(UserAssigned(identity.id))
        match action:
            case DetachIdentity(id=id) if id == identity.id:
                return AttachIdentity(identity.id, ()).key
            case ReleaseGrant(grant=grant) if grant.principal_id == principal:
                return AttachIdentity(identity.id, ()).key
    return ""


def _missing(
    plan: Plan, situation: Situation, held: Mapping[Action, Held]
) -> Iterator[tuple[str, str]]:
    """What the policy wants and does not get: how its entry is keyed, and why something waits for
    it.
    """
    policy = situation.policy
    for action, entry in held.items():
        # What only waits for another one that is held is there when that one is.
        if not is_removal(action) and entry.because is not Because.IDENTITY_WAITS:
            rule = observing(action, policy) if entry.because is Because.RULE_MODE else ""
            yield action.key, _observed(rule) if rule else _waits_for(action)
    for identity in plan.blocked:
        action = AttachIdentity(identity.id, identity.rules)
        yield action.key, _waits_for(action)
    for problem in situation.desired.unfulfillable:
        yield problem.key, _waits_for(f"{problem.part} of rule {problem.rule}")


def _waits_for(what: object) -> str:
    return f"waits for: {what}"


def _observed(rule: str) -> str:
    return f"waits for rule {rule}, which observes"


def without_identity(plan: Plan, held: Mapping[Action, Held]) -> Iterator[Held]:
    """What serves only a change of identity that is held waits with it."""
    for action in (*_serving(plan, held), *_upgrades(plan, held)):
        yield Held(
            action,
            Because.IDENTITY_WAITS,
            "the change of identity it serves is held",
            "release that one",
        )


def _serving(plan: Plan, held: Mapping[Action, Held]) -> Iterator[Action]:
    """What serves only an identity that is not attached waits with it: no unused rights."""
    waiting = set(_waiting_identities(held))
    for action in plan.actions:
        match action:
            case AssignRole(to=to) if to in waiting:
                yield action
            case CreateIdentity(id=id) if UserAssigned(id) in waiting:
                yield action


def _upgrades(plan: Plan, held: Mapping[Action, Held]) -> Iterator[Action]:
    """Instances are brought up to what is changed, and nothing is."""
    gives = [action for action in plan.actions if gives_identity(action)]
    writes = gives or [action for action in plan.actions if changes_identity(action)]
    for action in plan.actions:
        match action:
            case UpgradeInstances(lagging=False) if all(write in held for write in writes):
                yield action


def _waiting_identities(held: Mapping[Action, Held]) -> Iterator[PrincipalRef]:
    for action in held:
        if isinstance(action, ReplaceIdentity):
            yield action.new
        elif isinstance(action, AttachIdentity | ReattachIdentity):
            yield UserAssigned(action.id)
        elif isinstance(action, EnableSystemIdentity):
            yield SystemAssigned()
