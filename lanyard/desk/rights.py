"""What Lanyard's own identity needs to do what the policy says, and nothing beyond. Pure.

    a custom role          exactly the actions used, at each subscription that is watched
    a condition on it      it assigns the policy's roles only, and to service principals only
    a second custom role   where the policy has identities made: in their resource groups
    Managed Identity Operator   on each existing identity that the policy names

In mode `observe` that is reading; in `add-only` nothing can be taken away. *Role Based Access
Control Administrator*, under the same condition, would also let it read everything there is.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from lanyard.desk.at_groups import AtGroups
from lanyard.desk.delegation import ASSIGNMENTS, MAX_CONDITION, delegation
from lanyard.policy import IdentitySpec, Mode, Policy, RemoveOrphans, Rule
from lanyard.policy.document import contents
from lanyard.policy.privileged import hands_out
from lanyard.policy.templates import variables
from lanyard.values.compute_types import ComputeType, compute_type
from lanyard.values.resource_id import ResourceId, folded
from lanyard.values.roles import listed_role, role_id, role_name

_IDENTITIES = "Microsoft.ManagedIdentity/userAssignedIdentities"

_EVERYTHING = "*/read"
# A cloud whose Resource Graph does not have role assignments is asked in each subscription.
_SUBSCRIPTION = "Microsoft.Resources/subscriptions/read"
# Whether another service manages what is in a resource group.
_GROUP = "Microsoft.Resources/subscriptions/resourceGroups/read"
# Whether somebody took an assignment away, or it went with its scope.
_ACTIVITIES = "Microsoft.Insights/eventtypes/values/read"

# What a long-running write of a type is followed by, to its end or to the reason of its failure.
# Container apps name a status beside the result since October 2024, jobs the result alone; function
# apps on Container Apps name a result of their own (azure-facts section 11).
_FOLLOWED = {
    "microsoft.compute/virtualmachines": ("Microsoft.Compute/locations/operations/read",),
    "microsoft.compute/virtualmachinescalesets": ("Microsoft.Compute/locations/operations/read",),
    "microsoft.app/containerapps": (
        "Microsoft.App/locations/containerappOperationResults/read",
        "Microsoft.App/locations/containerappOperationStatuses/read",
    ),
    "microsoft.app/jobs": (
        "Microsoft.App/locations/containerappsjobOperationResults/read",
        "Microsoft.App/locations/containerappsjobOperationStatuses/read",
    ),
    "microsoft.containerservice/managedclusters": (
        "Microsoft.ContainerService/locations/operations/read",
    ),
    "microsoft.web/sites": ("Microsoft.Web/sites/operationresults/read",),
    "microsoft.web/sites/slots": ("Microsoft.Web/sites/slots/operationresults/read",),
}
_SCALE_SETS = "microsoft.compute/virtualmachinescalesets"
# A pool has no location of its own: its account has.
_PARENTS = {"microsoft.batch/batchaccounts/pools": "Microsoft.Batch/batchAccounts/read"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Rights:
    """Role ids are GUIDs in lower case, sorted; actions are sorted."""

    #: Of the custom role at each subscription.
    actions: tuple[str, ...]
    #: The roles that it may assign.
    assignable: tuple[str, ...]
    #: Whose assignments it may delete: the policy's roles, and those asked for beside them.
    removable: tuple[str, ...]
    #: Says both (version 2.0); "" where it needs neither.
    condition: str
    #: Of the second role.
    identity_actions: tuple[str, ...]
    #: Names of the resource groups, in each subscription, where it has that; empty: in all of it.
    identity_groups: tuple[str, ...]
    #: The identities on which Managed Identity Operator is needed.
    operator_on: tuple[ResourceId, ...]
    #: What a person should know.
    notes: tuple[str, ...]
    #: What stands at resource groups alone, and is in none of the roles above (rights_by_group.py).
    at_groups: tuple[AtGroups, ...] = ()


def rights(policy: Policy, also_removable: Iterable[str] = ()) -> Rights:
    """What this policy needs.

    `also_removable` are the roles (GUIDs) beside the policy's whose assignments may be removed when
    they are orphaned: whatever someone else gave an identity that no longer exists.
    """
    changes, removes = policy.mode is not Mode.OBSERVE, policy.mode is Mode.FULL
    assignable = _assignable(policy)
    removable = tuple(sorted({*assignable, *also_removable})) if removes else ()
    condition = delegation(assignable, removable)
    uses = {*_reads(policy), *_writes(policy), *_delegated(assignable, removable)}
    made = [spec for spec in _attached(policy) if spec.id is None] if changes else []
    return Rights(
        actions=tuple(sorted(_not_covered(uses))),
        assignable=assignable,
        removable=removable,
        condition=condition,
        identity_actions=_identity_actions(made, removes=removes),
        identity_groups=_groups(made),
        operator_on=_existing(policy) if changes else (),
        notes=(*notes(policy), *too_long(condition)),
    )


def in_mode(policy: Policy, mode: Mode) -> Policy:
    """The policy as it would be in another mode."""
    return _with(policy, mode=mode)


def alone(policy: Policy, rule: Rule) -> Policy:
    """The policy as if it had this rule alone."""
    return _with(policy, rules=[rule])


def _with(policy: Policy, **changes: Any) -> Policy:
    return Policy.model_construct(**{**dict(policy), **changes})


def _assignable(policy: Policy) -> tuple[str, ...]:
    if policy.mode is Mode.OBSERVE:
        return ()
    granted = sorted({role for _, role in _granted(policy)})
    return tuple(role for role in granted if not _is_held(policy, role))


def given_by(policy: Policy, rule: Rule) -> Iterator[tuple[str, str]]:
    """The roles (GUIDs) that a rule gives, each with the scope (a template) that it is given at."""
    for grant in rule.grant:
        for content in contents(policy, grant):
            if role := role_id(content.role):
                yield role, content.scope


def _granted(policy: Policy) -> Iterator[tuple[str, str]]:
    """Each rule's roles: the rule's name, the role's GUID."""
    for rule in policy.rules:
        yield from ((rule.name, role) for role, _ in given_by(policy, rule))


def _is_held(policy: Policy, role: str) -> bool:
    """A role that hands out rights is never given unless the policy allows it by name."""
    allowed = {role_id(entry.role) for entry in policy.privileged.allow}
    return _hands_out(role) and role not in allowed


def _hands_out(role: str) -> bool:
    """Whether it is a listed role that hands out rights, wherever it is given."""
    listed = listed_role(role)
    return listed is not None and bool(hands_out(listed, "/"))


def _types(policy: Policy) -> list[ComputeType]:
    kinds = (compute_type(name) for name in sorted(policy.types()))
    return [kind for kind in kinds if kind is not None and kind.api_version]


def _attached(policy: Policy) -> list[IdentitySpec]:
    """The identities that rules attach to a type that takes them."""
    names = {name for rule in policy.rules if _attaches(rule) for name in rule.attach}
    return [policy.identities[name] for name in sorted(names)]


def _attaches(rule: Rule) -> bool:
    kinds = (compute_type(name) for name in rule.match.types)
    return any(kind is not None and kind.attachable for kind in kinds)


def _reads(policy: Policy) -> Iterator[str]:
    if _must_see_everything(policy):
        yield _EVERYTHING
        return
    yield from (_SUBSCRIPTION, _GROUP)
    yield f"{_IDENTITIES}/read"
    yield f"{ASSIGNMENTS}/read"
    yield "Microsoft.Authorization/roleDefinitions/read"
    for kind in _types(policy):
        yield f"{kind.name}/read"
        if parent := _PARENTS.get(folded(kind.name)):
            yield parent


def _must_see_everything(policy: Policy) -> bool:
    """Where something goes because nothing uses it, a user of any type must be seen: before an
    identity is deleted, and before what an unknown principal holds is removed.
    """
    dedicated = any(spec.dedicated for spec in _attached(policy))
    unknown = policy.orphans.remove is RemoveOrphans.ALL
    return policy.mode is Mode.FULL and (dedicated or unknown)


def _writes(policy: Policy) -> Iterator[str]:
    if policy.mode is Mode.OBSERVE:
        return
    upgraded = any(rule.upgrade_instances for rule in policy.rules)
    for kind in _types(policy):
        if kind.attachable:
            yield f"{kind.name}/write"
        yield from _FOLLOWED.get(folded(kind.name), ())
        if folded(kind.name) == _SCALE_SETS and upgraded:
            yield f"{kind.name}/manualupgrade/action"


def _not_covered(uses: set[str]) -> Iterator[str]:
    for action in uses:
        if action == _EVERYTHING or _EVERYTHING not in uses or not action.endswith("/read"):
            yield action


def _delegated(assignable: tuple[str, ...], removable: tuple[str, ...]) -> Iterator[str]:
    if assignable:
        yield f"{ASSIGNMENTS}/write"
        yield _ACTIVITIES
    if removable:
        yield f"{ASSIGNMENTS}/delete"


def _identity_actions(made: list[IdentitySpec], *, removes: bool) -> tuple[str, ...]:
    if not made:
        return ()
    dedicated = any(spec.dedicated for spec in made)
    # Deleted is only what nothing uses, in subscriptions that the app cannot read, too.
    delete = [f"{_IDENTITIES}/delete", f"{_IDENTITIES}/listAssociatedResources/action"]
    deleting = delete if removes and dedicated else []
    return (f"{_IDENTITIES}/assign/action", *deleting, f"{_IDENTITIES}/write")


def _groups(made: list[IdentitySpec]) -> tuple[str, ...]:
    """The groups that identities are made in; none where a template can lead to any group."""
    groups = {spec.resource_group or "{resourceGroup}" for spec in made}
    return () if any([*variables(group)] for group in groups) else tuple(sorted(groups))


def _existing(policy: Policy) -> tuple[ResourceId, ...]:
    return tuple(sorted({ResourceId.parse(spec.id) for spec in _attached(policy) if spec.id}))


def notes(policy: Policy) -> Iterator[str]:
    """What a person should know of what a policy needs."""
    if policy.mode is Mode.OBSERVE:
        yield "mode 'observe': these rights only read; --mode full shows what that mode needs"
    for rule, role in sorted({found for found in _granted(policy) if _is_held(policy, found[1])}):
        yield (
            f"rule {rule!r} grants {role_name(role)}, which can hand out rights: left out, as "
            "'privileged.allow' does not name it"
        )
    for role in _assignable(policy):
        if _hands_out(role):
            yield f"{role_name(role)} can assign any role: whoever gets it is not bound by this"
        elif listed_role(role) is None:
            yield f"{role} is no known built-in role: see for yourself what it gives"
    replaced = [kind.name for kind in _types(policy) if kind.attachable and not kind.merges]
    if replaced and _attached(policy) and policy.mode is not Mode.OBSERVE:
        yield (
            "a write names every identity of the resource for "
            f"{', '.join(replaced)}: where others attached theirs, Managed Identity Operator is "
            "needed on those, too, or Azure refuses the write (LinkedAuthorizationFailed)"
        )
    if policy.mode is Mode.FULL and not _must_see_everything(policy):
        yield (
            "it reads the policy's types only: the sweep reports identities without use although "
            "another type may use them"
        )


def too_long(condition: str) -> Iterator[str]:
    """What a person should know of a condition that Azure would refuse."""
    if len(condition) > MAX_CONDITION:
        yield (
            f"the condition has {len(condition)} characters and Azure takes {MAX_CONDITION}: use "
            "fewer roles"
        )
