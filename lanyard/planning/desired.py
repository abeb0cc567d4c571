"""What a resource should have, by the rules that are for it. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from lanyard.policy import Grant as GrantSpec
from lanyard.policy import IdentitySpec, ImdsDefault, Mode, Policy, Replace, Restart, Rule
from lanyard.policy.document import contents
from lanyard.policy.identity_tags import filled_tags
from lanyard.policy.matching import rules_for
from lanyard.policy.templates import TemplateProblem, fill_identity_name, fill_name, fill_scope
from lanyard.values.compute import ComputeResource, PrincipalRef, SystemAssigned, UserAssigned
from lanyard.values.errors import Because
from lanyard.values.grants import Content, Grant, content_of
from lanyard.values.resource_id import ResourceId, folded
from lanyard.values.roles import role_id, role_name

#: Of what it is not known whether a rule is for it: what `Unfulfillable.about` begins with.
SUBSCRIPTION = "subscription"


@dataclass(frozen=True, slots=True)
class WantedIdentity:
    """A user-assigned identity to attach; made in `location` when missing, if that is given."""

    id: ResourceId
    location: str | None
    rules: tuple[str, ...]
    dedicated: bool = False
    #: Of a dedicated one: so many seconds it is kept when it is no longer needed.
    delete_after: float = 0.0
    #: It is made with these.
    tags: Mapping[str, str] = field(default_factory=dict, compare=False)


@dataclass(frozen=True, slots=True)
class WantedGrant:
    """A role (GUID) at a scope (id) for an identity of the resource, and the rules that ask."""

    scope: str
    role_id: str
    to: PrincipalRef
    rules: tuple[str, ...]
    condition: str | None = None
    #: Another rule gives the same on another condition: what stands stays, and nothing is given.
    contradicted: bool = False

    @property
    def content(self) -> Content[PrincipalRef]:
        """What distinguishes it from the resource's other grants. See `content_of`."""
        return content_of(self.scope, self.role_id, self.to)

    def granted(self, principal: str) -> Grant:
        """What it is for the principal (object id, lower case) of that identity."""
        return Grant(self.scope, self.role_id, principal, self.condition)


@dataclass(frozen=True, slots=True)
class Unfulfillable:
    """A part of a rule that this resource cannot have, and why; the rest of it is done.

    `about` distinguishes the part from the others of its rule: the name of the identity, or the
    role, with where, for whom and on which condition; or the subscription, where it is not known
    whether the rule is for it at all. `part`, `reason` and `release` are for people.
    """

    rule: str
    about: tuple[str, ...]
    part: str
    reason: str
    because: Because = Because.RULE
    release: str = "fix the rule or the tags"

    def is_about(self, role: str) -> bool:
        """Whether it keeps a role (GUID) from being given."""
        named = self.about[0] not in ("identity", SUBSCRIPTION)
        return named and role in map(role_id, self.about)

    @property
    def key(self) -> str:
        """What distinguishes it from all else that is held of the resource."""
        return "|".join(("rule", self.rule, *self.about))


@dataclass(frozen=True, slots=True)
class Kept:
    """What an excluded resource keeps of the rules that exclude it, as far as it has it; and any
    resource of those that may be for it, as its subscription's name or management groups are not
    known.

    `rules`: their names, and `undecided` those of the latter. `unfilled`: what of them is not known
    for this resource, because a tag is gone that they need, say. It may be anything, so everything
    that it has of Lanyard's is kept.
    """

    identities: Mapping[ResourceId, WantedIdentity] = field(default_factory=dict)
    grants: tuple[WantedGrant, ...] = ()
    rules: tuple[str, ...] = ()
    undecided: tuple[str, ...] = ()
    unfilled: tuple[Unfulfillable, ...] = ()
    #: Of them, those that enable the system-assigned identity.
    system: tuple[str, ...] = ()

    @property
    def excluding(self) -> tuple[str, ...]:
        """The rules that exclude it."""
        return tuple(rule for rule in self.rules if rule not in self.undecided)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """All that the matching rules ask for, added up."""

    identities: Mapping[ResourceId, WantedIdentity] = field(default_factory=dict)
    #: The rules that enable the system-assigned identity.
    system: tuple[str, ...] = ()
    grants: tuple[WantedGrant, ...] = ()
    unfulfillable: tuple[Unfulfillable, ...] = ()
    #: Whether a rule accepts that a machine's only identity is no longer IMDS's default.
    imds_default_accepted: bool = False
    #: Whether every rule accepts a restart, those that exclude the resource, too: one that wants to
    #: avoid it is heard first.
    restart_accepted: bool = True
    #: Whether a rule accepts that the one identity of a type that has one is replaced.
    replace_accepted: bool = False
    #: Whether a rule wants instances of a scale set brought up to date.
    upgrade_instances: bool = False
    #: What rules would give but for their `exclude`: it stays where it is, and nothing is added.
    kept: Kept = field(default_factory=Kept)

    def granted(self, principals: Mapping[PrincipalRef, str]) -> frozenset[Grant]:
        """What is given to the identities whose principals (object ids, lower case) are known."""
        known = [each for each in self.grants if each.to in principals]
        return frozenset(each.granted(principals[each.to]) for each in known)

    def contradicted(self, principals: Mapping[PrincipalRef, str]) -> frozenset[str]:
        """The keys of the grants on whose condition two rules contradict each other."""
        known = [each for each in self.grants if each.contradicted and each.to in principals]
        return frozenset(each.granted(principals[each.to]).key for each in known)


NOTHING = Desired()


def desired(policy: Policy, resource: ComputeResource | None) -> Desired:
    """What the policy wants `resource` to have; nothing for one that is gone (None)."""
    if resource is None:
        return NOTHING
    rules, excluded, undecided = rules_for(policy, resource)
    total = _added_up(policy, rules, resource)
    beside = (*excluded, *undecided)
    # What an observing rule accepts lets no other rule do more.
    giving = [rule for rule in rules if rule.mode is not Mode.OBSERVE]
    return Desired(
        identities=total.identities,
        system=tuple(rule.name for rule in rules if rule.system),
        grants=total.grants,
        unfulfillable=(
            *total.unfilled,
            *total.conflicts,
            *(_undecided(rule, resource) for rule in undecided),
        ),
        imds_default_accepted=any(rule.imds_default is ImdsDefault.ACCEPT for rule in giving),
        restart_accepted=all(rule.restart is Restart.ACCEPT for rule in (*rules, *beside)),
        replace_accepted=any(rule.replace is Replace.ACCEPT for rule in giving),
        upgrade_instances=any(rule.upgrade_instances for rule in giving),
        kept=_kept(policy, beside, undecided, resource),
    )


def _undecided(rule: Rule, resource: ComputeResource) -> Unfulfillable:
    where = resource.id.subscription
    return Unfulfillable(
        rule.name,
        (SUBSCRIPTION, where),
        "all of it",
        f"whether subscription {where} is one that it names is not known: nothing is given by it, "
        "and nothing taken",
        Because.SUBSCRIPTION,
        "it goes on by itself once a sweep has the subscription's name and management groups on "
        "record; or name it by its id",
    )


@dataclass(slots=True)
class _Sum:
    """What several rules ask for."""

    identities: dict[ResourceId, WantedIdentity] = field(default_factory=dict)
    by_content: dict[tuple[str, str, PrincipalRef], WantedGrant] = field(default_factory=dict)
    #: What this resource lacks something for.
    unfilled: list[Unfulfillable] = field(default_factory=list)
    #: What another rule gives on another condition.
    conflicts: list[Unfulfillable] = field(default_factory=list)

    @property
    def grants(self) -> tuple[WantedGrant, ...]:
        return tuple(self.by_content.values())


def _added_up(policy: Policy, rules: Iterable[Rule], resource: ComputeResource) -> _Sum:
    wanted = _Sum()
    for rule in rules:
        for identity in _identities(policy, rule, resource, wanted.unfilled):
            _add_identity(wanted.identities, identity)
        for grant in _grants(policy, rule, resource, wanted.unfilled):
            _add_grant(wanted.by_content, grant, wanted.conflicts)
    return wanted


def _kept(
    policy: Policy, rules: Sequence[Rule], undecided: Iterable[Rule], resource: ComputeResource
) -> Kept:
    wanted = _added_up(policy, rules, resource)
    return Kept(
        wanted.identities,
        wanted.grants,
        rules=tuple(rule.name for rule in rules),
        undecided=tuple(rule.name for rule in undecided),
        unfilled=tuple(wanted.unfilled),
        system=tuple(rule.name for rule in rules if rule.system),
    )


def identity_id(spec: IdentitySpec, resource: ComputeResource) -> ResourceId:
    """The id of the identity that `spec` means for this resource."""
    if spec.id is not None:
        return ResourceId.parse(spec.id)
    group = fill_name(spec.resource_group or "{resourceGroup}", resource)
    name = fill_identity_name(spec.name or "", resource)
    return ResourceId.parse(
        f"/subscriptions/{resource.id.subscription}/resourceGroups/{group}"
        f"/providers/Microsoft.ManagedIdentity/userAssignedIdentities/{name}"
    )


def _identities(
    policy: Policy, rule: Rule, resource: ComputeResource, problems: list[Unfulfillable]
) -> Iterator[WantedIdentity]:
    for name in rule.attach:
        spec = policy.identities[name]
        try:
            identity = _identity(policy, name, resource)
        except ValueError as error:
            part = f"identity {name!r}"
            problems.append(Unfulfillable(rule.name, ("identity", name), part, str(error)))
            continue
        location = None if spec.id else resource.location
        delete_after = spec.delete_after_hours * 3600 if spec.dedicated else 0.0
        tags = filled_tags(spec, resource)
        yield WantedIdentity(identity, location, (rule.name,), spec.dedicated, delete_after, tags)


def _grants(
    policy: Policy, rule: Rule, resource: ComputeResource, problems: list[Unfulfillable]
) -> Iterator[WantedGrant]:
    for spec in rule.grant:
        for content in contents(policy, spec):
            try:
                scope = fill_scope(content.scope, resource, policy.vars)
                to = _principal(policy, spec, resource)
            except ValueError as error:
                about = ("role", content.role, content.scope, spec.to, content.condition or "")
                part = f"role {content.role!r} at {content.scope} to {spec.to!r}"
                problems.append(Unfulfillable(rule.name, about, part, str(error)))
                continue
            role = role_id(content.role) or content.role
            yield WantedGrant(scope, role, to, (rule.name,), content.condition)


def _principal(policy: Policy, spec: GrantSpec, resource: ComputeResource) -> PrincipalRef:
    if spec.to == "system":
        return SystemAssigned()
    return UserAssigned(_identity(policy, spec.to, resource))


def _identity(policy: Policy, name: str, resource: ComputeResource) -> ResourceId:
    """The identity of this name in the policy. Raises ValueError for one that is for this resource
    alone, and another has its id here: what is given to the one would be given to all that have
    the other.
    """
    spec = policy.identities[name]
    identity = identity_id(spec, resource)
    for other in policy.shared.may_fit([[folded(identity.name)]]) if spec.dedicated else ():
        if _is(identity, policy.identities[other], resource):
            reason = f"{identity} is the identity {other!r} as well, and not for this one alone"
            raise TemplateProblem(reason)
    return identity


def _is(identity: ResourceId, spec: IdentitySpec, resource: ComputeResource) -> bool:
    try:
        return identity_id(spec, resource) == identity
    except ValueError:
        return False


def _add_identity(known: dict[ResourceId, WantedIdentity], new: WantedIdentity) -> None:
    if old := known.get(new.id):
        new = replace(old, rules=_both(old.rules, new.rules))
    known[new.id] = new


def _add_grant(
    known: dict[Content[PrincipalRef], WantedGrant],
    new: WantedGrant,
    problems: list[Unfulfillable],
) -> None:
    key = new.content
    old = known.get(key)
    if old is None:
        known[key] = new
    elif old.condition == new.condition:
        known[key] = replace(old, rules=_both(old.rules, new.rules))
    else:
        if not old.contradicted:
            problems.append(contradiction(old, f"rule {new.rules[0]!r} gives"))
        problems.append(contradiction(new, f"rule {old.rules[0]!r} gives"))
        known[key] = replace(old, contradicted=True)


def contradiction(grant: WantedGrant, otherwise: str) -> Unfulfillable:
    """A wanted grant is not to be had on its condition. `otherwise`: who has it on another one, for
    people.
    """
    scope, role, to = grant.content
    about = ("condition", scope, role, to.key, grant.condition or "")
    part = f"role {role_name(grant.role_id)!r} at {grant.scope} to {grant.to}"
    reason = f"{otherwise} the same on another condition"
    return Unfulfillable(grant.rules[0], about, part, reason)


def _both(first: tuple[str, ...], second: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(dict.fromkeys((*first, *second)))
