"""What somebody else gave becomes Lanyard's, because a person wants it, and somebody else's again.

Of a role assignment the description alone is written, with the rights of whoever asks, as an undo
is; an attachment is Lanyard's by its record, and nothing of the resource is written.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass

from lanyard.desk.adoption.candidates import Assigned, Attached, Candidate
from lanyard.desk.adoption.known import says_adopted, to_be_read
from lanyard.reconcile.services import Services
from lanyard.record.decisions import Decision
from lanyard.record.ledger import ResourceRecord
from lanyard.record.ownership import adopting, is_another, left_to_others
from lanyard.record.rows import DamagedRow
from lanyard.values.change import Change
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import Grant, RoleAssignment, Standing
from lanyard.values.listed import ListedAssignment
from lanyard.values.resource_id import ResourceId, folded, is_within

_CHANGED = "it is not what was shown any more: look again"
_SOURCE = "command"


@dataclass(frozen=True, slots=True)
class Adoption:
    """Adopts and releases, one at a time. `enqueue` puts a change on the app's queue of work; `by`:
    the person. All raise Temporary, Permanent.
    """

    services: Services
    enqueue: Callable[[Change], Awaitable[None]]
    by: str

    async def adopt(self, candidate: Candidate) -> None:
        """From now on it is Lanyard's. The app looks at the resources that it is for: those claim
        it.
        """
        match candidate.what:
            case Assigned() as assigned:
                await self._adopt_assignment(assigned)
            case Attached() as attached:
                await self._adopt_attachment(attached)
        await self._record(candidate, "adopt")
        for resource in candidate.resources:
            await self.enqueue(Change(resource, _SOURCE))

    async def release(self, candidate: Candidate) -> None:
        """It is others' again, as it was: Lanyard neither takes it away nor changes it."""
        match candidate.what:
            case Assigned(assignment, grant):
                await self.services.assignments.disown(await self._as_shown(assignment))
                await self.services.claims.disown(grant)
            case Attached(resource, identity):
                await self.services.ledger.update(
                    resource, lambda record: left_to_others(record, identity)
                )
        await self._record(candidate, "leave to others")

    async def _adopt_assignment(self, assigned: Assigned) -> None:
        await self.services.assignments.adopt(await self._as_shown(assigned.assignment))
        await self.services.claims.own(assigned.grant, assigned.assignment.id)

    async def _as_shown(self, shown: RoleAssignment) -> RoleAssignment:
        """As it is now. Raises Permanent where it is not what the person saw."""
        now = await self.services.assignments.read(shown.id)
        if now is None or _meaning(now) != _meaning(shown):
            raise Permanent(_CHANGED)
        return now

    async def _adopt_attachment(self, attached: Attached) -> None:
        services = self.services
        current = await services.compute.read(attached.resource)
        shown = None if current is None else current.identity.user_assigned.get(attached.identity)
        if current is None or shown != attached.principal_id:
            raise Permanent(_CHANGED)

        def adopted(record: ResourceRecord) -> ResourceRecord:
            if is_another(record, current):
                raise Permanent(_CHANGED)
            return adopting(record, current, attached.identity, services.now())

        await services.ledger.update(attached.resource, adopted)

    async def _record(self, candidate: Candidate, verb: str) -> None:
        decision = Decision(
            _about(candidate),
            f"{verb}: {in_words(candidate.what)}",
            "done",
            f"by {self.by}",
            grant=candidate.what.grant.name if isinstance(candidate.what, Assigned) else "",
            rules=candidate.rules,
        )
        await self.services.decisions.add(decision)


def in_words(what: Assigned | Attached) -> str:
    """For people."""
    match what:
        case Assigned(grant=grant):
            return f"{grant} for {grant.principal_id}"
        case Attached(resource, identity):
            return f"identity {identity.name} on {resource.name}"


def _about(candidate: Candidate) -> str:
    """The resource that a decision is about; the scope of what is for several, or for none."""
    if isinstance(candidate.what, Assigned) and len(candidate.resources) != 1:
        return candidate.what.grant.scope
    return candidate.resources[0].text


def _grant_of(assignment: RoleAssignment) -> Grant:
    """What it gives, its scope as ARM writes it."""
    _, role_id, principal_id = assignment.content
    return Grant(assignment.scope, role_id, principal_id, assignment.condition)


def _meaning(assignment: RoleAssignment) -> tuple[object, ...]:
    return assignment.content, assignment.condition, assignment.described


@dataclass(frozen=True, slots=True)
class Adopted:
    """What was adopted, of the resources in a scope (id), or assigned in it."""

    services: Services
    scope: ResourceId
    #: Ids of assignments that cannot be read, and why.
    unread: dict[str, str]
    #: Rows that cannot be read; what they are about is left alone.
    damaged: list[DamagedRow]

    async def all(self) -> list[Candidate]:
        """Each as it is now. Raises Temporary, Permanent where not all can be listed."""
        return [
            *[each async for each in self._attachments()],
            *[each async for each in self._assignments()],
        ]

    async def _attachments(self) -> AsyncIterator[Candidate]:
        async for record in self.services.ledger.records(self.damaged):
            if not self._is_within(record.id.text):
                continue
            for identity in sorted(record.adopted):
                what = Attached(record.id, identity, record.confirmed.get(identity.key, ""))
                yield Candidate(what=what, resources=(record.id,), rules=())

    async def _assignments(self) -> AsyncIterator[Candidate]:
        """What is on record under another name, and what is listed with the stamp: a listing is
        late, and tables may have been lost.
        """
        services = self.services
        found = [each async for each in services.claims.standing(self.damaged)]
        standing = {each.grant.name: each for each in found}
        stamped = [
            listed
            async for listed in services.index.assignments()
            if isinstance(listed, ListedAssignment) and services.assignments.is_ours(listed)
        ]
        concerned = [each for each in found if self._concerns(each.grant, each)]
        ids = {
            *(each.adopted for each in found if each.adopted),
            *(each.assignment_id for each in to_be_read(concerned, stamped)),
            *(each.id for each in stamped if says_adopted(each)),
        }
        for _, assignment_id in sorted({folded(each): each for each in ids}.items()):
            assignment = await self._read(assignment_id)
            if assignment is not None and self._is_adopted(assignment):
                what = Assigned(assignment, _grant_of(assignment))
                known = standing.get(what.grant.name)
                if self._concerns(what.grant, known):
                    resources = () if known is None else known.claimants
                    yield Candidate(what=what, resources=tuple(sorted(resources)), rules=())

    async def _read(self, assignment_id: str) -> RoleAssignment | None:
        """One that cannot be read stops no other."""
        try:
            return await self.services.assignments.read(assignment_id)
        except (Temporary, Permanent) as failure:
            self.unread[assignment_id] = str(failure)
            return None

    def _is_adopted(self, assignment: RoleAssignment) -> bool:
        return says_adopted(assignment) and self.services.assignments.is_ours(assignment)

    def _concerns(self, grant: Grant, standing: Standing | None) -> bool:
        claimants = () if standing is None else standing.claimants
        return any(map(self._is_within, (grant.scope, *(each.text for each in claimants))))

    def _is_within(self, id_: str) -> bool:
        return is_within(id_, self.scope.text)
