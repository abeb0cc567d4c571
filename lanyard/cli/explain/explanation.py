"""What there is to say of a resource, an identity, a principal or a role assignment. Everything is
read, nothing changed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lanyard.cli.explain.why import Explainer, Why
from lanyard.cli.frame.short_ids import whole_id
from lanyard.cli.frame.targets import BadTargets
from lanyard.planning.desired import Unfulfillable, desired
from lanyard.policy import Policy
from lanyard.policy.misses import NotFor, excluded_because, nearest
from lanyard.record.ledger import ResourceRecord
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import IDENTITY_TYPE
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import ResourceId, folded, is_guid

_ASSIGNMENT = "/providers/microsoft.authorization/roleassignments/"


@dataclass(frozen=True, slots=True)
class Attached:
    """An identity that a resource has; `id` is "system" for the system-assigned one."""

    id: str
    principal: str | None
    by_lanyard: bool
    rules: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """What was found of the target."""

    #: Those that the resource has.
    identities: tuple[Attached, ...] = ()
    #: Those of it, or of what it has.
    assignments: tuple[Why, ...]
    #: Rules that exclude the resource, and by what: what it has of them stays, nothing is added.
    excluded_by: Mapping[str, str] = field(default_factory=dict)
    #: The other service that manages it, "" for none: rules leave it alone for that, too.
    managed_by: str = ""
    #: What of them is not known for it: all that Lanyard gave it stays.
    keeps_all: tuple[Unfulfillable, ...] = ()
    #: Rows that cannot be read: what they are about is shown as nobody's.
    damaged: tuple[str, ...] = ()
    #: Rules of which it is not known whether they are for it: what it has of them stays.
    undecided: tuple[str, ...] = ()
    #: Of a resource: rules for its type that are not for it.
    not_for: tuple[NotFor, ...] = ()
    #: Of an identity: the ids of the resources that have it. None: it is about something else.
    had_by: tuple[str, ...] | None = None


async def explained(target: str, explainer: Explainer) -> Explanation:
    """All of it. Raises BadTargets for what names nothing of these, or several; LanyardError for
    what does not exist.
    """
    if _ASSIGNMENT in folded(target):
        why = await explainer.of_assignment(target)
        if why is None:
            raise LanyardError(f"{target} does not exist")
        return Explanation(assignments=(why,))
    if is_guid(target):
        return Explanation(assignments=tuple(await explainer.of_principal_anywhere(folded(target))))
    resource = await whole_id(target, explainer.app.reading.inventory)
    if not resource.type:
        asked = f"lanyard access {resource}"
        raise BadTargets(f"{target} is a scope; who has access to it shows '{asked}'")
    if folded(resource.type) == IDENTITY_TYPE:
        return await _of_identity(resource, explainer)
    return await _of_resource(resource, explainer)


async def _of_identity(identity: ResourceId, explainer: Explainer) -> Explanation:
    azure = explainer.app.azure
    principal = await azure.identities.principal(identity)
    if principal is None:
        raise LanyardError(f"{identity} does not exist")
    return Explanation(
        identities=(Attached(identity.text, principal, False, ()),),
        assignments=tuple(await explainer.of_principal_anywhere(principal)),
        had_by=tuple(sorted(await azure.index.resources_with(identity))),
    )


async def _of_resource(resource: ResourceId, explainer: Explainer) -> Explanation:
    found = await explainer.resource(resource)
    if found is None:
        raise LanyardError(f"{resource} does not exist; 'lanyard history --resource' has its past")
    record, policy = await explainer.record(resource), explainer.policy
    identities = _attached(found, record, policy)
    principals = [one.principal for one in identities if one.principal is not None]
    why = await explainer.of_principals(principals, resource)
    kept = desired(policy, found).kept
    excluding = [rule for rule in policy.rules if rule.name in kept.excluding]
    names = policy.subscriptions
    return Explanation(
        identities=tuple(identities),
        assignments=tuple(why),
        excluded_by={rule.name: excluded_because(rule, found, names) for rule in excluding},
        managed_by=found.managed_by,
        keeps_all=kept.unfilled,
        undecided=kept.undecided,
        not_for=tuple(nearest(policy, found)),
    )


def _attached(resource: ComputeResource, record: ResourceRecord, policy: Policy) -> list[Attached]:
    wanted = desired(policy, resource)
    attached = [
        Attached(
            identity.text,
            principal,
            identity in record.attachments,
            wanted.identities[identity].rules if identity in wanted.identities else (),
        )
        for identity, principal in sorted(resource.identity.user_assigned.items())
    ]
    if (own := resource.identity.system_principal_id) is not None:
        attached.append(Attached("system", own, False, wanted.system))
    return attached
