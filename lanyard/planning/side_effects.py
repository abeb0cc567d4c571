"""What a change of its identity does to a resource beside the change itself. Pure."""

from collections.abc import Iterator

from lanyard.planning.actions import (
    AttachIdentity,
    EnableSystemIdentity,
    UpgradeInstances,
    changes_identity,
)
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Held, Situation
from lanyard.values.errors import Because


def reported_only(plan: Plan, situation: Situation) -> Iterator[Held]:
    """Types whose identity cannot be changed safely: what is missing is reported, and why."""
    kind = situation.kind
    if kind is None or kind.attachable:
        return
    for action in plan.actions:
        if changes_identity(action):
            yield Held(
                action,
                Because.REPORTED_ONLY,
                kind.reason,
                "attach it where the resource is defined",
            )


def unaccepted_restart(plan: Plan, situation: Situation) -> Iterator[Held]:
    """Types that restart with a change of their identity, where a rule wants that avoided."""
    kind = situation.kind
    if kind is None or not kind.restarts or situation.desired.restart_accepted:
        return
    for action in plan.actions:
        if changes_identity(action):
            yield Held(
                action,
                Because.RESTART,
                "changing its identity restarts the app, and a rule says 'restart: avoid'",
                "set 'restart: accept' in the rule",
            )


def imds_default(plan: Plan, situation: Situation) -> Iterator[Held]:
    """A machine with exactly one identity, user-assigned, answers IMDS with it by default.

    With a second one, code that asks IMDS without naming an identity fails; with the
    system-assigned one, it silently becomes somebody else. Microsoft's own policy for attaching
    identities leaves such machines alone.
    """
    resource, kind = situation.resource, situation.kind
    if resource is None or kind is None or not kind.imds:
        return
    identity = resource.identity
    if situation.desired.imds_default_accepted or identity.system_principal_id is not None:
        return
    assigned = [*(each.name for each in identity.user_assigned), *identity.odd]
    if len(assigned) != 1:
        return
    default = assigned[0]
    for action in plan.actions:
        if isinstance(action, AttachIdentity) and action.in_repair:
            continue  # the machine had both
        if isinstance(action, AttachIdentity | EnableSystemIdentity):
            yield Held(
                action,
                Because.IMDS_DEFAULT,
                f"{default} is the machine's only identity and IMDS's default; another one "
                "breaks code that asks for a token without naming an identity",
                f"set 'imdsDefault: accept' in rule {action.rules[0]!r}",
            )


def instances_behind(plan: Plan, situation: Situation) -> Iterator[Held]:
    """Instances of a scale set that no rule has upgraded: whether they have what the set was given
    only people know.
    """
    for action in plan.actions:
        if isinstance(action, UpgradeInstances) and not situation.desired.upgrade_instances:
            yield Held(
                action,
                Because.INSTANCES,
                "its instances may not have its new identity yet, and no rule has them upgraded",
                "set 'upgradeInstances: true' in the rule, or upgrade them and dismiss this",
            )
