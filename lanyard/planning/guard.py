"""Which actions of a plan may be done now, and why not the others. Pure.

Each check yields what it holds; the first reason given to an action is the one that is shown.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import KW_ONLY, dataclass, field

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
    RemoveUnknown,
    ReplaceIdentity,
    UpgradeInstances,
    changes_identity,
    gives_identity,
    is_removal,
    takes_away,
    takes_from_resource,
)
from lanyard.planning.desired import NOTHING, Desired
from lanyard.planning.needs import who_needs
from lanyard.planning.orders import Kind, Orders, Paused, Refusal
from lanyard.planning.plan import Plan
from lanyard.policy import Mode, Policy, RemoveOrphans
from lanyard.policy.privileged import is_allowed, is_privileged
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.compute_types import ComputeType, compute_type
from lanyard.values.errors import Because
from lanyard.values.grants import Grant
from lanyard.values.roles import role_name

#: An identity or grant that others took away this often is theirs to decide about.
MOST_REPAIRS = 3


@dataclass(frozen=True, slots=True)
class Held:
    """An action that is not done: the reason, and what changes that.

    `releasable`: a person may release it; otherwise only what `release` names does.
    """

    action: Action
    because: Because
    reason: str
    release: str
    releasable: bool = False

    def refusal(self) -> Refusal:
        """As it is recorded and listed."""
        return Refusal(
            key=self.action.key,
            because=self.because,
            action=str(self.action),
            reason=self.reason,
            release=self.release,
            releasable=self.releasable,
            kind=self._kind(),
        )

    def _kind(self) -> Kind:
        if self.because is Because.CONFLICT:
            return Kind.CONFLICT
        return Kind.REMOVAL if is_removal(self.action) else Kind.ADDITION


@dataclass(frozen=True, slots=True)
class Verdict:
    """The plan, split: every action is in exactly one of the two, in the plan's order."""

    allowed: tuple[Action, ...]
    held: tuple[Held, ...]


@dataclass(frozen=True, slots=True)
class Situation:
    """What the guard looks at beside the plan."""

    policy: Policy
    desired: Desired
    resource: ComputeResource | None
    _: KW_ONLY
    #: Custom roles (GUIDs) whose definition lets them assign roles, or could not be read.
    can_write_assignments: frozenset[str] = frozenset()
    #: What persons decided.
    orders: Orders = field(default_factory=Orders)
    #: How often something was put back on this resource, by `repair_key`.
    repairs: Mapping[str, int] = field(default_factory=dict)
    #: Of identities that exist, as far as they are known.
    principals: Mapping[PrincipalRef, str] = field(default_factory=dict)

    @property
    def kind(self) -> ComputeType | None:
        """The row of the resource's type."""
        return None if self.resource is None else compute_type(self.resource.id.type)


def guard(plan: Plan, situation: Situation) -> Verdict:
    """Hold what the mode forbids, and what would break something unless a rule accepts it.

    A person's release outweighs only what says that it may; a dismissed removal stays held.
    """
    held: dict[Action, Held] = {}
    for check in _CHECKS:
        for entry in check(plan, situation):
            if not (entry.releasable and entry.action.key in situation.orders.released):
                held.setdefault(entry.action, entry)
    for action in (*_serving(plan, held), *_upgrades(plan, held)):
        held.setdefault(action, _because_of_identity(action))
    for entry in _instances(plan, situation):
        held.setdefault(entry.action, entry)
    for entry in (*_waiting(plan, situation, held), *_still_used(plan, situation, held)):
        if entry.action.key not in situation.orders.released:
            held.setdefault(entry.action, entry)
    for action in (*_serving(plan, held), *_upgrades(plan, held)):  # of what waits
        held.setdefault(action, _because_of_identity(action))
    allowed = tuple(action for action in plan.actions if action not in held)
    return Verdict(allowed, tuple(held[action] for action in plan.actions if action in held))


def guard_alone(actions: Iterable[Action], policy: Policy, orders: Orders) -> Verdict:
    """The verdict on actions that no resource's plan holds: only what the mode, a pause and a
    person say of them counts.
    """
    return guard(Plan(tuple(actions)), Situation(policy, NOTHING, None, orders=orders))


def _mode(plan: Plan, situation: Situation) -> Iterator[Held]:
    for action in plan.actions:
        if situation.policy.mode is Mode.OBSERVE:
            yield Held(
                action, Because.MODE, "mode is observe", "set 'mode: add-only' or 'mode: full'"
            )
        elif situation.policy.mode is Mode.ADD_ONLY and takes_away(action):
            yield Held(
                action, Because.MODE, "mode is add-only", "set 'mode: full', or release it", True
            )


def _paused(plan: Plan, situation: Situation) -> Iterator[Held]:
    pause = situation.orders.pause
    if pause is None:
        return
    for action in plan.actions:
        if pause.what is Paused.EVERYTHING or takes_away(action):
            yield Held(action, Because.PAUSED, str(pause), "'lanyard resume' goes on")


def _dismissed(plan: Plan, situation: Situation) -> Iterator[Held]:
    for action in plan.actions:
        by = situation.orders.dismissed.get(action.key)
        if by is not None and takes_away(action):
            yield Held(action, Because.DISMISSED, f"dismissed by {by}", "release it", True)


def _unknown_principal(plan: Plan, situation: Situation) -> Iterator[Held]:
    """A principal that the directory does not know, and that was never seen alive: the evidence is
    one source short of what lets other assignments go.
    """
    if situation.policy.orphans.remove is RemoveOrphans.ALL:
        return
    for action in plan.actions:
        if isinstance(action, RemoveUnknown):
            yield Held(
                action,
                Because.UNKNOWN_PRINCIPAL,
                "the directory does not know this principal, and Lanyard never saw it alive",
                "release it, or set 'orphans: {remove: all}'",
                True,
            )


def _contested(plan: Plan, situation: Situation) -> Iterator[Held]:
    """What another owner (Terraform, AKS) takes away again and again is left to people."""
    for action in plan.actions:
        times = situation.repairs.get(repair_key(action), 0)
        if times >= MOST_REPAIRS:
            yield Held(
                action,
                Because.CONFLICT,
                f"conflict of owners: it was put back {times} times, and taken away again",
                "let one owner have it: change the rule, or the other owner; release it to try "
                "once more",
                True,
            )


def repair_key(action: Action) -> str:
    """Distinguishes what an action would put back from all else on the resource; "" for what is not
    put back. Another principal is another thing.
    """
    match action:
        case AssignRole(principal_id=str() as principal):
            return f"grant {Grant(action.scope, action.role_id, principal).name}"
        case AttachIdentity(in_repair=False):
            return f"identity {action.id.key}"
        case ReplaceIdentity():
            return f"identity {action.new.key}"
        case _:
            return ""


def _reported_only(plan: Plan, situation: Situation) -> Iterator[Held]:
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


def _privileged(plan: Plan, situation: Situation) -> Iterator[Held]:
    """A role that can give itself more is refused unless the policy names it, and where."""
    for action in plan.actions:
        if not isinstance(action, AssignRole):
            continue
        if not is_privileged(action.role_id, action.scope, situation.can_write_assignments):
            continue
        if not is_allowed(action.role_id, action.scope, situation.policy.privileged):
            name = role_name(action.role_id)
            yield Held(
                action,
                Because.PRIVILEGED,
                f"{name} at {action.scope} is privileged: who holds it can give itself more",
                f"name {name!r} with this scope in 'privileged.allow'",
            )


def _replacement(plan: Plan, situation: Situation) -> Iterator[Held]:
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


def _one_each(plan: Plan, situation: Situation) -> Iterator[Held]:
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


def _before_its_roles(plan: Plan, _situation: Situation) -> Iterator[Held]:
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


def _restart(plan: Plan, situation: Situation) -> Iterator[Held]:
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


def _imds_default(plan: Plan, situation: Situation) -> Iterator[Held]:
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
    if len(identity.user_assigned) != 1:
        return
    default = next(iter(identity.user_assigned))
    for action in plan.actions:
        if isinstance(action, AttachIdentity) and action.in_repair:
            continue  # the machine had both
        if isinstance(action, AttachIdentity | EnableSystemIdentity):
            yield Held(
                action,
                Because.IMDS_DEFAULT,
                f"{default.name} is the machine's only identity and IMDS's default; another one "
                "breaks code that asks for a token without naming an identity",
                f"set 'imdsDefault: accept' in rule {action.rules[0]!r}",
            )


def _named(plan: Plan, situation: Situation) -> Iterator[Held]:
    """An identity that the resource's own settings name is in use; its roles stay with it."""
    resource = situation.resource
    if resource is None:
        return
    roles_of = _named_principals(resource, situation.principals)
    for action in plan.actions:
        match action:
            case DetachIdentity(id=identity) | DeleteIdentity(id=identity):
                name, members = identity.name, resource.names.get(identity, ())
            case ReplaceIdentity(old=UserAssigned(id=identity)):
                name, members = identity.name, resource.names.get(identity, ())
            case ReplaceIdentity(old=SystemAssigned()):
                name, members = f"the {SystemAssigned()}", resource.names_system
            case ReleaseGrant(grant=grant) if grant.principal_id in roles_of:
                name, members = roles_of[grant.principal_id]
            case _:
                continue
        for member in members[:1]:
            yield Held(
                action,
                Because.IN_USE,
                f"{member} names {name}",
                "change that setting of the resource, or release it",
                True,
            )


def _named_principals(
    resource: ComputeResource, known: Mapping[PrincipalRef, str]
) -> dict[str, tuple[str, tuple[str, ...]]]:
    """By principal: what the settings name, as people call it, and the members that do."""
    found = {}
    attached, system = resource.identity.user_assigned, resource.identity.system_principal_id
    for identity, members in resource.names.items():
        if principal := attached.get(identity) or known.get(UserAssigned(identity)):
            found[principal] = identity.name, members
    if system is not None and resource.names_system:
        found[system] = f"the {SystemAssigned()}", resource.names_system
    return found


def _instances(plan: Plan, situation: Situation) -> Iterator[Held]:
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


def _waiting(plan: Plan, situation: Situation, held: Mapping[Action, Held]) -> Iterator[Held]:
    """Make before break: nothing is taken from a living resource while something that the policy
    wants for it is not there. A person who dismisses that ends the waiting.
    """
    if situation.resource is None:
        return
    dismissed = situation.orders.dismissed
    missing = [what for key, what in _missing(plan, situation, held) if key not in dismissed]
    for action in plan.actions:
        if missing and takes_from_resource(action):
            yield Held(
                action,
                Because.WAITS,
                f"waits for: {missing[0]}",
                "see to that, dismiss it, or release this one",
                True,
            )


def _still_used(plan: Plan, situation: Situation, held: Mapping[Action, Held]) -> Iterator[Held]:
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


def _missing(
    plan: Plan, situation: Situation, held: Mapping[Action, Held]
) -> Iterator[tuple[str, str]]:
    """What the policy wants and does not get, as its entry is keyed and as people read it."""
    for action, entry in held.items():
        # What only waits for another one that is held is there when that one is.
        if not is_removal(action) and entry.because is not Because.IDENTITY_WAITS:
            yield action.key, str(action)
    for identity in plan.blocked:
        action = AttachIdentity(identity.id, identity.rules)
        yield action.key, str(action)
    for problem in situation.desired.unfulfillable:
        yield problem.key, f"{problem.part} of rule {problem.rule}"


_CHECKS = (
    _mode,
    _paused,
    _dismissed,
    _unknown_principal,
    _reported_only,
    _privileged,
    _one_each,
    _replacement,
    _before_its_roles,
    _restart,
    _imds_default,
    _contested,
    _named,
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


def _because_of_identity(action: Action) -> Held:
    return Held(
        action,
        Because.IDENTITY_WAITS,
        "the change of identity it serves is held",
        "release that one",
    )
