"""What somebody else gave and the policy gives just so: what a person may have adopted, and why
other parts of it may not be. Nothing is changed.
"""

from collections.abc import AsyncIterator, Iterable, Iterator
from dataclasses import dataclass, replace

from lanyard.desk.standing_grants import Standing
from lanyard.planning.actions import Action, AssignRole, AttachIdentity
from lanyard.planning.desired import Desired
from lanyard.planning.guard import not_given
from lanyard.planning.plan import Actual, Owned, Plan
from lanyard.planning.verdict import Held
from lanyard.policy import Policy
from lanyard.reconcile.decide import Precedents, consider
from lanyard.reconcile.principals import AskedOnce, Principals, RecordedOnce
from lanyard.reconcile.services import Services
from lanyard.reconcile.wanted import wanted_for
from lanyard.record.ledger import ResourceRecord
from lanyard.record.ownership import is_another
from lanyard.values.compute import ComputeResource, UserAssigned
from lanyard.values.grants import Grant, RoleAssignment, shown_condition
from lanyard.values.resource_id import ResourceId, folded
from lanyard.values.stamps import LONGEST, Stamp, adopted_stamp

_AGAIN = "it was made again since the app looked at it: 'lanyard apply' it first"
# Its tag says so, and what is adopted and left to others again would be the app's by that all the
# same.
_MADE_FOR_IT = "Lanyard made it for this very resource: the next sweep has it on record again"


@dataclass(frozen=True, slots=True)
class Assigned:
    """A role assignment that gives a grant."""

    assignment: RoleAssignment
    grant: Grant

    @property
    def key(self) -> str:
        """What distinguishes it from all else that may be adopted."""
        return folded(self.assignment.id)


@dataclass(frozen=True, slots=True)
class Attached:
    """A user-assigned identity that a resource has, with its principal (object id)."""

    resource: ResourceId
    identity: ResourceId
    principal_id: str

    @property
    def key(self) -> str:
        """What distinguishes it from all else that may be adopted."""
        return f"{self.resource.key}|{self.identity.key}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Candidate:
    """Something that somebody else gave. `resources`: those that the policy gives it to, by these
    `rules`; `refused`: why it is not to be adopted, "" where it may be.
    """

    what: Assigned | Attached
    resources: tuple[ResourceId, ...]
    rules: tuple[str, ...]
    refused: str = ""


class Candidates:
    """Looks at many resources; what they share is asked for once."""

    def __init__(self, policy: Policy, services: Services) -> None:
        self._policy = policy
        self._services = services
        self._standing = Standing(services.assignments)
        self._principals = Principals(
            AskedOnce(services.identities),
            RecordedOnce(None),
            services.assignments.installation,
        )

    async def of(self, resource: ResourceId) -> list[Candidate] | None:
        """Those of one resource; None where there is none. Raises Temporary, Permanent."""
        services = self._services
        current = await services.compute.read(resource)
        if current is None:
            return None
        record = await services.ledger.resource(resource)
        wanted = wanted_for(self._policy, record, current)
        behind = await self._principals.known(wanted, current)
        actual = await self._principals.actual(current, wanted, behind, record.dedicated)
        # Beside a record that has nothing all that is wanted is to be given.
        precedents = Precedents(own_principal=services.own_principal)
        todo, situation = await consider(
            self._policy, wanted, actual, Owned(), services.assignments, precedents
        )
        roles = [action for action in todo.actions if isinstance(action, AssignRole)]
        attached = [*_attached(wanted, current)]
        held = not_given(Plan((*attached, *roles)), situation)
        return [
            *_attachments(attached, record, wanted, actual, held),
            *[one async for one in self._assignments(roles, current, held)],
            *[one async for one in self._contradicted(wanted, actual)],
        ]

    async def _assignments(
        self, roles: Iterable[AssignRole], resource: ComputeResource, held: dict[Action, Held]
    ) -> AsyncIterator[Candidate]:
        for action in roles:
            if action.principal_id is None:
                continue
            grant = Grant(action.scope, action.role_id, action.principal_id, action.condition)
            refused = held[action].reason if action in held else ""
            if found := await self._of(grant, resource.id, action.rules, refused):
                yield found

    async def _contradicted(self, wanted: Desired, actual: Actual) -> AsyncIterator[Candidate]:
        assert actual.resource is not None, "one that is gone wants nothing"
        for each in wanted.grants:
            if each.contradicted and (principal := actual.principals.get(each.to)):
                why = "two rules give it on different conditions"
                grant = each.granted(principal)
                if found := await self._of(grant, actual.resource.id, each.rules, why):
                    yield found

    async def _of(
        self, grant: Grant, resource: ResourceId, rules: tuple[str, ...], refused: str
    ) -> Candidate | None:
        """None where nothing gives it, or what is Lanyard's already."""
        found = await self._standing.giving(grant)
        assignments = self._services.assignments
        if found is None or assignments.is_ours(found):
            return None
        why = refused or why_not(found, grant, assignments.installation)
        what = Assigned(found, grant)
        return Candidate(what=what, resources=(resource,), rules=rules, refused=why)


def why_not(found: RoleAssignment, grant: Grant, installation: str) -> str:
    """Why somebody else's assignment cannot be adopted for a grant, for people; "" where it can."""
    by_stamp = Stamp.of(found.description)
    if by_stamp is not None and by_stamp.put_back:
        return "a person had it put back: 'lanyard undo --withdraw' the decision instead"
    if not found.serves(grant):
        return (
            f"it stands on another condition: {shown_condition(found.condition)}, and the rule has "
            f"{shown_condition(grant.condition)}"
        )
    if not adopted_stamp(installation, found, found.described).fits:
        return (
            f"its description is too long to be kept within Lanyard's, which has {LONGEST} "
            "characters at the most: shorten it"
        )
    return ""


def merged(found: Iterable[Candidate]) -> list[Candidate]:
    """Each once, with all resources that it is for: an assignment may be for many. What may be
    adopted for one of them may be.
    """
    by_key: dict[str, Candidate] = {}
    for each in found:
        known = by_key.get(each.what.key)
        by_key[each.what.key] = each if known is None else _both(known, each)
    return list(by_key.values())


def _both(one: Candidate, other: Candidate) -> Candidate:
    if bool(one.refused) != bool(other.refused):
        return other if one.refused else one
    return replace(
        one,
        resources=tuple(sorted({*one.resources, *other.resources})),
        rules=tuple(dict.fromkeys((*one.rules, *other.rules))),
    )


def _attached(wanted: Desired, resource: ComputeResource) -> Iterator[AttachIdentity]:
    for each in wanted.identities.values():
        if each.id in resource.identity.user_assigned:
            yield AttachIdentity(each.id, each.rules)


def _attachments(
    attached: Iterable[AttachIdentity],
    record: ResourceRecord,
    wanted: Desired,
    actual: Actual,
    held: dict[Action, Held],
) -> Iterator[Candidate]:
    resource = actual.resource
    assert resource is not None, "one that is gone has nothing attached"
    own = {each.id for each in wanted.identities.values() if each.dedicated}
    for action in attached:
        if action.id in record.attachments:
            continue
        refused = held[action].reason if action in held else ""
        if action.id in own - record.dedicated.keys() - actual.theirs:
            refused = refused or _MADE_FOR_IT
        yield Candidate(
            what=Attached(resource.id, action.id, resource.identity.user_assigned[action.id] or ""),
            resources=(resource.id,),
            rules=action.rules,
            refused=refused or _why_not_attached(action.id, resource, record, actual),
        )


def _why_not_attached(
    identity: ResourceId, resource: ComputeResource, record: ResourceRecord, actual: Actual
) -> str:
    shown = resource.identity.user_assigned[identity]
    if is_another(record, resource):
        return _AGAIN
    if identity in actual.unread:
        return f"the identity cannot be read: {actual.unread[identity]}"
    if identity in actual.theirs:
        return "the identity is another resource's own, or was not made for this one alone"
    if not shown or shown != actual.principals.get(UserAssigned(identity)):
        return "the identity was deleted or made again since it was attached"
    return ""
