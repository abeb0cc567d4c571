"""A policy, carried out on a world until nothing more is to be done: the same desired, plan and
guard as everywhere, and each action's effect on the values alone. Pure.

What waits for time alone (a grace period, the budget, a sweep) is done here: rollout.py says when.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

from lanyard.desk.difference.world import World
from lanyard.desk.stand_in import stand_in
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
    UpgradeInstances,
    changes_identity,
    takes_from_resource,
)
from lanyard.planning.desired import Desired, desired
from lanyard.planning.givers import givers
from lanyard.planning.guard import guard
from lanyard.planning.kept_conditions import beside_what_is_kept
from lanyard.planning.orders import Refusal
from lanyard.planning.plan import Actual, Owned, plan
from lanyard.planning.verdict import Held, Situation
from lanyard.policy import Policy
from lanyard.reconcile.refusals import unfulfilled
from lanyard.values.compute import (
    ComputeResource,
    Identity,
    SystemAssigned,
    UserAssigned,
)
from lanyard.values.compute_types import compute_type
from lanyard.values.errors import Because
from lanyard.values.grants import Content, Grant, content_of
from lanyard.values.resource_id import ResourceId
from lanyard.values.roles import role_name

#: Additions come before what waits for them: no plan takes more rounds.
_MOST_ROUNDS = 8

type Rules = tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CarriedOut:
    """The world afterwards, what is not done and why, and which rules ask for what is there."""

    world: World
    held: Mapping[ResourceId, tuple[Refusal, ...]]
    #: By resource and the key of the identity.
    attached_by: Mapping[tuple[ResourceId, str], Rules]
    granted_by: Mapping[Content[str], Rules]
    #: Resources whose app restarts on the way, and those whose one identity is replaced.
    restarted: frozenset[ResourceId]
    replaced: frozenset[ResourceId]


def carried_out(policy: Policy, world: World) -> CarriedOut:
    """The policy, carried out on all resources of the world."""
    run = _Run(
        policy=policy,
        world=world,
        resources=dict(world.resources),
        owned=dict(world.owned),
        identities=dict(world.identities),
        made_for=dict(world.made_for),
        conditions=dict(world.conditions),
        users=Counter(
            one for each in world.resources.values() for one in each.identity.user_assigned
        ),
    )
    for id_ in sorted(world.resources):
        run.settle(id_)
    return CarriedOut(
        world=run.now(),
        held=run.held,
        attached_by=run.attached_by,
        granted_by=run.granted_by,
        restarted=frozenset(run.restarted),
        replaced=frozenset(run.replaced),
    )


@dataclass(slots=True, kw_only=True)
class _Run:
    """The world while the policy is carried out on it."""

    policy: Policy
    world: World  # as it was before
    resources: dict[ResourceId, ComputeResource]  # as they are by now, like the next six
    owned: dict[ResourceId, Owned]
    identities: dict[str, str]
    made_for: dict[str, str]
    conditions: dict[Content[str], str | None]
    users: Counter[ResourceId]  # how many resources have an identity
    held: dict[ResourceId, tuple[Refusal, ...]] = field(default_factory=dict)
    attached_by: dict[tuple[ResourceId, str], Rules] = field(default_factory=dict)
    granted_by: defaultdict[Content[str], Rules] = field(default_factory=lambda: defaultdict(tuple))
    restarted: set[ResourceId] = field(default_factory=set)
    replaced: set[ResourceId] = field(default_factory=set)

    def settle(self, id_: ResourceId) -> None:
        """One resource, until nothing more is allowed."""
        for _ in range(_MOST_ROUNDS):
            if not self._round(id_):
                return
        raise AssertionError(f"{id_} never settles under the policy")

    def now(self) -> World:
        """The world as it is by now."""
        return replace(
            self.world,
            resources=self.resources,
            owned=self.owned,
            identities=self.identities,
            made_for=self.made_for,
            conditions=self.conditions,
        )

    def _round(self, id_: ResourceId) -> bool:
        resource, owned, world = self.resources[id_], self.owned[id_], self.now()
        wanted = desired(self.policy, resource)
        principals = world.principals(wanted, resource)
        wanted = beside_what_is_kept(wanted, owned.claimed, principals)
        todo = plan(wanted, Actual(resource, principals, world.theirs(wanted, resource)), owned)
        situation = Situation(
            self.policy,
            wanted,
            resource,
            roles=world.roles,
            granted=owned.grants,
            given_by=owned.given_by,
            principals=principals,
            own_principal=world.own_principal,
        )
        verdict = guard(todo, situation)
        conflicts = list(self._conflicts(verdict.allowed))
        refused = {held.action for held in conflicts}
        allowed = (action for action in verdict.allowed if action not in refused)
        done = [action for action in allowed if self._apply(action, id_)]
        self.held[id_] = tuple(unfulfilled((*verdict.held, *conflicts), todo, wanted))
        self._remember(id_, wanted)
        return bool(done)

    def _conflicts(self, allowed: Iterable[Action]) -> Iterator[Held]:
        """Azure keeps one assignment of a role at a scope for a principal: where somebody else's
        stands on another condition, Lanyard leaves it so, and takes nothing meanwhile.
        """
        actions, others = list(allowed), self.world.others
        refused = [
            action
            for action in actions
            if isinstance(action, AssignRole)
            and others.get(_content(action), action.condition) != action.condition
        ]
        for action in refused:
            what = f"somebody else gives {role_name(action.role_id)} there on another condition"
            yield Held(action, Because.ANOTHER_OWNER, what, "let one owner have it")
        for taken in filter(takes_from_resource, actions if refused else ()):
            why = f"waits for: {refused[0]}"
            yield Held(taken, Because.WAITS, why, "see to that, or release this one", True)

    def _remember(self, id_: ResourceId, wanted: Desired) -> None:
        resource, owned = self.resources[id_], self.owned[id_]
        principals = self.now().principals(wanted, resource)
        given_by = givers(self.policy, wanted, principals, owned)
        self.owned[id_] = replace(owned, given_by=given_by)
        for one in (*wanted.kept.identities.values(), *wanted.identities.values()):
            self.attached_by[id_, UserAssigned(one.id).key] = one.rules
        if rules := (*wanted.kept.system, *wanted.system):
            self.attached_by[id_, SystemAssigned().key] = rules
        for grant in (*wanted.kept.grants, *wanted.grants):
            if (principal := principals.get(grant.to)) is not None:
                content = grant.granted(principal).content
                known = self.granted_by[content]
                self.granted_by[content] = tuple(dict.fromkeys((*known, *grant.rules)))

    def _apply(self, action: Action, id_: ResourceId) -> bool:
        """Whether it could be done."""
        resource = self.resources[id_]
        if isinstance(action, DeleteIdentity) and self.users[action.id]:
            return False
        if isinstance(action, AssignRole) and self._principal_of(action, resource) is None:
            return False  # its identity comes only with what is held
        if changes_identity(action):
            kind = compute_type(id_.type)
            if kind is not None and kind.restarts:
                self.restarted.add(id_)
            identity = self._identity(action, resource)
            self.users.subtract(resource.identity.user_assigned.keys())
            self.users.update(identity.user_assigned.keys())
            self.resources[id_] = replace(resource, identity=identity)
        if isinstance(action, ReplaceIdentity):
            self.replaced.add(id_)
        self.owned[id_] = self._owned(action, id_)
        return True

    def _principal_of(self, action: AssignRole, resource: ComputeResource) -> str | None:
        if isinstance(action.to, SystemAssigned):
            return resource.identity.system_principal_id
        return self.identities.get(action.to.id.key)

    def _identity(self, action: Action, resource: ComputeResource) -> Identity:
        has, system = dict(resource.identity.user_assigned), resource.identity.system_principal_id
        match action:
            case AttachIdentity(id=one) | ReattachIdentity(id=one):
                has[one] = self._principal(one)
            case DetachIdentity(id=one):
                has.pop(one, None)
            case EnableSystemIdentity():
                system = stand_in(resource.id.text)
            case ReplaceIdentity(new=UserAssigned(id=one)):
                has, system = {one: self._principal(one)}, None
            case ReplaceIdentity():
                has, system = {}, stand_in(resource.id.text)
        return replace(resource.identity, user_assigned=has, system_principal_id=system)

    def _principal(self, identity: ResourceId) -> str:
        return self.identities.setdefault(identity.key, stand_in(identity.text))

    def _owned(self, action: Action, id_: ResourceId) -> Owned:
        owned = self.owned[id_]
        match action:
            case CreateIdentity(id=one, dedicated=dedicated):
                self._principal(one)
                if dedicated:
                    self.made_for[one.key] = id_.key
                    return replace(owned, dedicated=owned.dedicated | {one})
            case AttachIdentity(id=one) | ReplaceIdentity(new=UserAssigned(id=one)):
                kept = owned.attachments if isinstance(action, AttachIdentity) else frozenset()
                in_repair = owned.in_repair - {one}
                return replace(owned, attachments=kept | {one}, in_repair=in_repair)
            case DetachIdentity(id=one):
                return replace(owned, attachments=owned.attachments - {one})
            case AssignRole():
                principal = self._principal_of(action, self.resources[id_])
                assert principal is not None, "looked at before"
                grant = Grant(action.scope, action.role_id, principal, action.condition)
                self.conditions[grant.content] = grant.condition
                others = {each for each in owned.grants if each.name != grant.name}
                pending = {each for each in owned.pending if each.name != grant.name}
                return replace(
                    owned, grants=frozenset(others | {grant}), pending=frozenset(pending)
                )
            case ReleaseGrant(grant=grant):
                return replace(
                    owned, grants=owned.grants - {grant}, pending=owned.pending - {grant}
                )
            case DeleteIdentity(id=one):
                self.identities.pop(one.key, None)
                self.made_for.pop(one.key, None)
                return replace(owned, dedicated=owned.dedicated - {one})
            case RemoveOrphans(principal_id=gone):
                return replace(owned, system_principals=owned.system_principals - {gone})
            case UpgradeInstances():
                return replace(owned, instances_lag=False)
        return owned


def _content(action: AssignRole) -> Content[str]:
    return content_of(action.scope, action.role_id, action.principal_id or "")
