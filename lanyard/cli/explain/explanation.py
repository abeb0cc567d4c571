"""What there is to say of a resource, an identity, a principal or a role assignment. Everything is
read, nothing changed.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from lanyard.cli.explain.explainer import Explainer
from lanyard.cli.explain.why import Why
from lanyard.cli.frame.short_ids import NothingCalled, whole_id
from lanyard.cli.frame.targets import BadTargets
from lanyard.desk.access.who import Known
from lanyard.planning.desired import Unfulfillable, desired
from lanyard.policy import Policy
from lanyard.policy.misses import NotFor, excluded_because, nearest
from lanyard.record.held import Entry
from lanyard.record.ledger import ResourceRecord
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import IDENTITY_TYPE, compute_type
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
    """What was found of the target. `id`: its own, however it was named."""

    id: str
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
    #: Of a principal that no resource shows: who that is to the directory.
    known: Known | None = None
    #: What is held that is about it.
    held: tuple[Entry, ...] = ()


async def explained(target: str, explainer: Explainer) -> Explanation:
    """All of it. Raises BadTargets for what names nothing of these, or several; LanyardError for
    what does not exist.
    """
    if _ASSIGNMENT in folded(target):
        return await _of_assignments(target, [target], explainer)
    if is_guid(target):
        return await _of_guid(folded(target), explainer)
    resource = await _named(target, explainer)
    if not resource.type:
        asked = f"lanyard access {resource}"
        raise BadTargets(f"{target} is a scope; who has access to it shows '{asked}'")
    if folded(resource.type) == IDENTITY_TYPE:
        return await _of_identity(resource, explainer)
    if compute_type(resource.type) is None:
        raise BadTargets(
            f"{resource} is of a type that Lanyard gives nothing; who has access to it shows "
            f"'lanyard access {resource}'"
        )
    return await _of_resource(resource, explainer)


async def _named(target: str, explainer: Explainer) -> ResourceId:
    """What is meant. Raises BadTargets, with the past of what is gone."""
    try:
        return await whole_id(target, explainer.app.reading.inventory)
    except NothingCalled as error:
        past = await explainer.past_called(target)
        hints = [f"\nthe past of {one} shows 'lanyard history --resource {one}'" for one in past]
        raise BadTargets(f"{error}{''.join(hints)}") from None


async def _of_guid(guid: str, explainer: Explainer) -> Explanation:
    """Of the role assignment of this name, or of the principal with this object id. Raises
    LanyardError where it is neither.
    """
    if ids := await explainer.assignments_named(guid):
        return await _of_assignments(guid, ids, explainer)
    shown = await explainer.app.azure.index.showing(guid)
    if identity := next((one.id for one in shown if one.own_principal == guid), None):
        return await _of_identity(ResourceId.parse(identity), explainer)
    assignments = await explainer.of_principal_anywhere(guid)
    held = await explainer.held_about(guid)
    if holder := next((one.id for one in shown if one.system_principal == guid), None):
        return Explanation(
            id=guid,
            identities=(Attached("system", guid, False, ()),),
            assignments=tuple(assignments),
            had_by=(holder,),
            held=held,
        )
    known, failure = await _in_directory(guid, explainer)
    if known is None and not assignments and not held:
        raise LanyardError(await _unknown(guid, failure, explainer))
    return Explanation(id=guid, assignments=tuple(assignments), known=known, held=held)


async def _of_assignments(target: str, ids: Iterable[str], explainer: Explainer) -> Explanation:
    """Raises LanyardError where none of them is there."""
    found = [why for one in ids if (why := await explainer.of_assignment(one)) is not None]
    if not found:
        raise LanyardError(f"{target} does not exist")
    own = found[0].assignment.id if len(found) == 1 else target
    return Explanation(id=own, assignments=tuple(found))


async def _in_directory(guid: str, explainer: Explainer) -> tuple[Known | None, str]:
    """Who that is, or why the directory does not say it."""
    try:
        return (await explainer.app.reading.people.named([guid])).get(guid), ""
    except LanyardError as error:
        return None, str(error)


async def _unknown(guid: str, failure: str, explainer: Explainer) -> str:
    """What was asked of a GUID that nobody knows."""
    if guid in await explainer.app.azure.index.subscriptions():
        asked = f"lanyard access /subscriptions/{guid}"
        return f"{guid} is a subscription; who has access to it shows '{asked}'"
    directory = f"the directory could not be asked ({failure})" if failure else "nor the directory"
    return (
        f"nothing is known of {guid}: it is the name of no role assignment that you can read, no "
        f"resource shows it as its principal, no role is assigned to it; {directory}. Give the "
        "object id of an identity, not its client id, or the identity's name"
    )


async def _of_identity(identity: ResourceId, explainer: Explainer) -> Explanation:
    azure = explainer.app.azure
    principal = await azure.identities.principal(identity)
    if principal is None:
        raise LanyardError(f"{identity} does not exist")
    return Explanation(
        id=identity.text,
        identities=(Attached(identity.text, principal, False, ()),),
        assignments=tuple(await explainer.of_principal_anywhere(principal)),
        had_by=tuple(sorted(await azure.index.resources_with(identity))),
        held=await explainer.held_about(principal, identity),
    )


async def _of_resource(resource: ResourceId, explainer: Explainer) -> Explanation:
    found = await explainer.resource(resource)
    if found is None:
        past = f"lanyard history --resource {resource}"
        raise LanyardError(f"{resource} does not exist; its past shows '{past}'")
    record, policy = await explainer.record(resource), explainer.policy
    identities = _attached(found, record, policy)
    principals = [one.principal for one in identities if one.principal is not None]
    why = await explainer.of_principals(principals, resource)
    kept = desired(policy, found).kept
    excluding = [rule for rule in policy.rules if rule.name in kept.excluding]
    names = policy.subscriptions
    return Explanation(
        id=resource.text,
        identities=tuple(identities),
        assignments=tuple(why),
        excluded_by={rule.name: excluded_because(rule, found, names) for rule in excluding},
        managed_by=found.managed_by,
        keeps_all=kept.unfilled,
        undecided=kept.undecided,
        not_for=tuple(nearest(policy, found)),
        held=await explainer.held_of(resource),
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
