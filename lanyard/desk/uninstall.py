"""Takes back what Lanyard gave, because a person wants it gone: grants, whichever resource claims
them, and attached identities; what it adopted stays, because others gave that. Each assignment is
read from ARM right before it goes (its name, its content and its stamp are Lanyard's) and is kept
whole on record, so that it can be put back.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from functools import partial

from lanyard.desk.adoption.known import says_adopted, to_be_read
from lanyard.planning.actions import Action, DetachIdentity, ReleaseGrant, RevokeUnclaimed
from lanyard.planning.orders import Orders
from lanyard.planning.outcomes import Effects, Outcome, attempt, failed
from lanyard.policy import Mode
from lanyard.reconcile.apply import apply
from lanyard.reconcile.progress import Progress
from lanyard.reconcile.recording import Recorder
from lanyard.reconcile.removals import Removals
from lanyard.reconcile.services import Services
from lanyard.record.assignment_deletion import Removing
from lanyard.record.budget import Place
from lanyard.record.ledger import ResourceRecord
from lanyard.record.rows import DamagedRow
from lanyard.values.change import Change, cause_of
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import Grant, Standing
from lanyard.values.listed import ListedAssignment
from lanyard.values.resource_id import ResourceId, folded, subscription_of

_SOURCE = "uninstall"
_ABOVE = "its scope is above the subscriptions: a person has to remove it"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A user-assigned identity that Lanyard attached to a resource."""

    resource: ResourceId
    identity: ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """What Lanyard gave and is still there, by its own record.

    `kept`: what a person had put back; that is theirs. `adopted`: what others made, assignments and
    attachments; that stays. `unrecorded`: assignments with Lanyard's stamp that its record does not
    know. `made`: identities made for one resource each. `damaged`: rows that cannot be read; what
    they are about stays.
    """

    grants: tuple[Standing, ...]
    kept: tuple[Standing, ...]
    attachments: tuple[Attachment, ...]
    unrecorded: tuple[ListedAssignment, ...]
    made: tuple[ResourceId, ...]
    adopted: tuple[Standing | Attachment, ...] = ()
    damaged: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Failures:
    """Why something was not taken back: a grant by its name, or an attachment."""

    grants: dict[str, str] = field(default_factory=dict)
    attachments: dict[Attachment, str] = field(default_factory=dict)

    def add(self, resource: ResourceId, outcomes: Iterable[Outcome]) -> None:
        """Of the actions on one resource."""
        for outcome in outcomes:
            match outcome.action:
                case _ if outcome.failure is None:
                    pass
                case ReleaseGrant(grant=grant) | RevokeUnclaimed(grant=grant):
                    self.grants[grant.name] = str(outcome.failure)
                case DetachIdentity(id=identity):
                    self.attachments[Attachment(resource, identity)] = str(outcome.failure)


class _AskedFor(Removals):
    """A person asked for it by name: neither the budget nor the pause they made stops it."""

    async def reserve(self, _action: Action) -> Place | None:
        """Nothing is counted."""
        return None


@dataclass(frozen=True, slots=True)
class Uninstall:
    """Everything is to be paused while it works: a reconcile would give it anew."""

    services: Services

    async def given(self) -> Given:
        """What there is. Raises LanyardError where it cannot be listed whole."""
        services, damaged = self.services, list[DamagedRow]()
        standing = [each async for each in services.claims.standing(damaged)]
        records = [record async for record in services.ledger.records(damaged)]
        known = {folded(each.assignment_id) for each in standing}
        stamped = await self._stamped()
        adopted = await self._adopted(standing, stamped)
        ours = [each for each in standing if each.ours and not each.kept]
        return Given(
            grants=tuple(each for each in ours if each.grant.name not in adopted),
            kept=tuple(each for each in standing if each.kept),
            attachments=tuple(_attachments(records, adopted=False)),
            unrecorded=tuple(each for each in stamped if folded(each.id) not in known),
            made=tuple(each for record in records for each in sorted(record.dedicated)),
            adopted=(
                *(each for each in ours if each.grant.name in adopted),
                *_attachments(records, adopted=True),
            ),
            damaged=tuple(map(str, damaged)),
        )

    async def _stamped(self) -> list[ListedAssignment]:
        services = self.services
        return [
            each
            async for each in services.index.assignments()
            if isinstance(each, ListedAssignment) and services.assignments.is_ours(each)
        ]

    async def _adopted(
        self, standing: Sequence[Standing], stamped: Sequence[ListedAssignment]
    ) -> set[str]:
        """The names of the grants that adopted assignments give: by the record, and by their
        stamps. Raises Temporary, Permanent where one cannot be read.
        """
        names = {each.grant.name for each in standing if each.adopted}
        names |= {Grant(*each.content).name for each in stamped if says_adopted(each)}
        for each in to_be_read(standing, stamped):
            now = await self.services.assignments.read(each.assignment_id)
            if now is not None and says_adopted(now):
                names.add(each.grant.name)
        return names

    async def take_back(
        self, *, grants: bool, attachments: bool, progress: Callable[[int, int], None]
    ) -> Failures:
        """Take it back, one resource after the other. One that fails stops no other, nor does a
        row that cannot be read: `given` names it.

        `progress` is called with how many are done, and of how many.
        """
        records = [record async for record in self.services.ledger.records([])]
        standing = [each async for each in self.services.claims.standing([])]
        adopted = await self._adopted(standing, await self._stamped())
        failures = Failures()
        for done, record in enumerate(records):
            progress(done, len(records))
            actions = _actions(record, adopted, grants=grants, attachments=attachments)
            failures.add(record.id, await self._from(record, actions) if actions else ())
        if grants:
            await self._leftovers(adopted, failures)
        return failures

    async def _from(self, record: ResourceRecord, actions: list[Action]) -> list[Outcome]:
        try:
            return await self._apply(record, actions)
        except (Temporary, Permanent) as failure:
            return failed(actions, failure)

    async def _apply(self, record: ResourceRecord, actions: list[Action]) -> list[Outcome]:
        """As a reconcile does it, with its write-ahead."""
        services = self.services
        resource = await services.compute.read(record.id)
        record, todo = _without_detached(record, actions, resource)
        progress = Progress(
            ledger=services.ledger,
            resource=resource,
            record=record,
            principals={},
            removals=self._removals(record.id),
            change=Change(record.id, "command"),
        )
        async with Recorder(services, record.id, _cause(record.id)) as recorder:
            await apply(todo, services, progress, recorder)
        return progress.outcomes

    async def _leftovers(self, adopted: Set[str], failures: Failures) -> None:
        """Grants that no resource's record has, claimed or not."""
        for each in [each async for each in self.services.claims.standing([])]:
            if each.ours and not each.kept and each.grant.name not in adopted:
                await self._leftover(each, failures)

    async def _leftover(self, standing: Standing, failures: Failures) -> None:
        resource = next(iter(standing.claimants), None) or subscription_of(standing.grant.scope)
        if resource is None:
            failures.grants[standing.grant.name] = _ABOVE
            return
        action, removals = RevokeUnclaimed(standing.grant), self._removals(resource)
        outcome = await attempt(action, self._revoke(standing, partial(removals.removing, action)))
        async with Recorder(self.services, resource, _cause(resource)) as recorder:
            await recorder.outcomes([outcome], Effects(removed=removals.recorded))
        failures.add(resource, [outcome])

    async def _revoke(self, standing: Standing, removing: Removing) -> str:
        revocation, grant = self.services.revocation, standing.grant
        for claimant in standing.claimants:
            await revocation.drop(grant, claimant, removing, self.services.now())
        return str(await revocation.retire(grant, removing))

    def _removals(self, resource: ResourceId) -> Removals:
        services = self.services
        return _AskedFor(
            mode=Mode.FULL,
            decisions=services.decisions,
            budget=services.budget,
            resource=resource,
            cause=_cause(resource),
            orders=Orders(),
        )


def _cause(resource: ResourceId) -> Mapping[str, str]:
    return cause_of(Change(resource, _SOURCE))


def _attachments(records: Iterable[ResourceRecord], *, adopted: bool) -> Iterator[Attachment]:
    for record in records:
        for identity in sorted(record.attachments):
            if (identity in record.adopted) is adopted:
                yield Attachment(record.id, identity)


def _actions(
    record: ResourceRecord, adopted: Set[str], *, grants: bool, attachments: bool
) -> list[Action]:
    """Without what is adopted: the grants by their names."""
    released = [each for each in record.owned().claimed if each.name not in adopted]
    detached = sorted(record.attachments.keys() - record.adopted)
    return [
        *(DetachIdentity(identity) for identity in (detached if attachments else ())),
        *(ReleaseGrant(grant) for grant in (released if grants else ())),
    ]


def _without_detached(
    record: ResourceRecord, actions: list[Action], resource: ComputeResource | None
) -> tuple[ResourceRecord, list[Action]]:
    """What is not attached any more need not be detached, only forgotten."""
    if resource is None:
        return record, actions
    attached = resource.identity.user_assigned
    gone = {a.id for a in actions if isinstance(a, DetachIdentity) and a.id not in attached}
    todo = [a for a in actions if not (isinstance(a, DetachIdentity) and a.id in gone)]
    kept = {one: at for one, at in record.attachments.items() if one not in gone}
    return replace(record, attachments=kept), todo
