"""The whole estate, looked over: what events did not report is found and put on the same queue.

First everything is read (survey.py); only then is anything put on the queue: a resource whose plan
is not empty, one that the ledger knows and the listing does not hold, an identity that has another
principal, what claims a grant that someone deleted, and what is orphaned. Nothing is decided here:
whoever takes the message reads it fresh.
"""

import math
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Iterator, Set
from dataclasses import dataclass, field, replace

from lanyard.planning.actions import RemoveOrphans
from lanyard.planning.desired import Desired
from lanyard.planning.grace import still_dedicated
from lanyard.planning.guard import guard, guard_alone
from lanyard.planning.kept_conditions import beside_what_is_kept
from lanyard.planning.orders import Orders
from lanyard.planning.orphans import Orphan, OrphanKind, orphans
from lanyard.planning.plan import Plan, plan
from lanyard.planning.verdict import Situation
from lanyard.policy import Policy
from lanyard.ports.queue import Enqueue
from lanyard.reconcile.principals import AskedOnce, Principals, RecordedOnce
from lanyard.reconcile.refusals import postponed, unfulfilled
from lanyard.reconcile.resource import wanted_for
from lanyard.reconcile.services import Services
from lanyard.reconcile.taken_grants import CountedOnce, times_taken
from lanyard.record.checkpoint import Checkpoint
from lanyard.record.identities import IdentityRecord
from lanyard.record.ledger import ResourceRecord
from lanyard.record.ownership import unseen_attachments
from lanyard.record.repairs import counted
from lanyard.sweep.at_once import at_once
from lanyard.sweep.changed_grants import Changed, changed_grants
from lanyard.sweep.doubts import reopened
from lanyard.sweep.intervals import Intervals
from lanyard.sweep.listings import NEAR_LIMIT, Progress, silent
from lanyard.sweep.lost_tables import (
    doubt_records,
    learn_claims,
    learn_grants,
    learn_identities,
)
from lanyard.sweep.reopening import Reopening
from lanyard.sweep.report import SweepReport
from lanyard.sweep.survey import Survey, survey
from lanyard.sweep.wanted_grants import WantedGrants
from lanyard.values.change import Change
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import Grant, State
from lanyard.values.permissions import Unknown
from lanyard.values.resource_id import ResourceId, folded, last_name, subscription_of

_SOURCE = "sweep"
#: Seconds after which a sweep that could not read everything is tried again.
_AGAIN = 3600.0
#: So many are put on the queue before it is on record how far it got.
_AT_A_TIME = 100


@dataclass(slots=True)
class Sweep:
    """One sweep. Make one a run. Without `enqueue` it only looks."""

    policy: Policy
    services: Services
    enqueue: Enqueue | None = None
    progress: Progress = silent
    #: When its time is over (seconds since the epoch): it ends there, and the next goes on.
    until: float = math.inf
    #: Whether it was.
    cut_short: bool = field(init=False, default=False)
    _recorded: RecordedOnce = field(init=False)
    _read: AskedOnce = field(init=False)
    _taken: CountedOnce = field(init=False)
    #: How many messages were put on the queue.
    put: int = field(init=False, default=0)
    #: What was refused on the way, each for itself.
    _refused: list[Permanent] = field(init=False, default_factory=list)
    _unread: list[str] = field(init=False, default_factory=list)
    _planned: Counter[str] = field(init=False, default_factory=Counter)
    _excluded: int = field(init=False, default=0)
    _managed: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        """Many resources share an identity and its grants: the ledger and ARM are asked once a
        sweep for each.
        """
        self._recorded = RecordedOnce(self.services.identity_ledger)
        self._read = AskedOnce(self.services.identities)
        self._taken = CountedOnce(self.services.claims)

    async def run(self) -> SweepReport:
        """Look over everything. Raises Temporary, Permanent where a listing fails: then nothing is
        put on the queue; or where a table or the queue fails: `put` says how many are on it.
        """
        found = await survey(self.policy.types(), self.services, self.progress)
        if self._is_late():
            raise Temporary("to read everything took all the time that a sweep has", _AGAIN)
        report = SweepReport(
            listed=len(found.resources.compute),
            missing=len(found.facts.missing),
            seen=found.seen,
            unseen=tuple(sorted(found.unseen)),
            no_directory=found.no_directory,
            assignments=len(found.facts.assignments),
            orphans=tuple(orphans(found.facts, self.policy)),
            near_limit={
                s: n for s, n in found.assignments_by_subscription().items() if n >= NEAR_LIMIT
            },
            unused_identities=tuple(found.unused_identities),
            unlisted_identities=tuple(found.unlisted_identities),
            roles_gone=tuple(await self._roles_gone(found)),
            damaged=tuple(map(str, found.damaged.all)),
        )
        changed = list(self._changed_identities(found))
        grants = await changed_grants(found, self.services.assignments)
        partly_seen = grants.partly_seen()
        if self.enqueue is None:
            drifted = len([each async for each in self._drifted(found, "")])
        else:
            await self.services.budget.know(report.assignments, found.resources.attachments)
            await self._relearn(found)
            drifted = await self._put(self._enqueue, found, report, changed, grants)
            await self.services.unread.found(found.unseen | partly_seen)
        return replace(
            report,
            drifted=drifted,
            identities=len(changed),
            deleted_grants=len(grants.deleted) + len(grants.conditions),
            planned=dict(self._planned),
            excluded=self._excluded,
            partly_seen=partly_seen,
            unread=tuple(self._all_unread(grants)),
            managed=self._managed,
            cut_short=self.cut_short,
        )

    def _is_late(self) -> bool:
        return self.services.now() >= self.until

    async def _enqueue(self, change: Change) -> None:
        assert self.enqueue is not None, "this sweep only looks"
        await self.enqueue(change)
        self.put += 1

    def _all_unread(self, grants: Changed) -> Iterator[str]:
        """Each once, in a stable order."""
        for where, failures in sorted(grants.unread.items()):
            yield f"grants in subscription {where}: {failures[0]}" if where else str(failures[0])
        failures = [*self._read.unread.values(), *self._refused]
        yield from sorted({*map(str, failures), *self._unread})

    async def _relearn(self, found: Survey) -> None:
        """Put on record again what lost tables do not hold."""
        services = self.services
        if await services.relearning.answers_put_back():
            await services.held.forget_answers()
        await learn_grants(found, services)
        await learn_claims(found, services)
        relearning = await services.relearning.under_way()
        await learn_identities(found, services, self.policy, relearning=relearning)
        if (until := await services.relearning.put_back()) is not None:
            await doubt_records(found, services, until)

    async def _put(
        self,
        enqueue: Enqueue,
        found: Survey,
        report: SweepReport,
        changed: list[ResourceId],
        grants: Changed,
    ) -> int:
        """Put the work on the queue. After a crash the next sweep goes on where this one was."""
        checkpoint = Checkpoint(self.services.control, self.services.now)
        before = await checkpoint.start()
        intervals = await Intervals.read(found, self.services)
        self._unread += map(str, intervals.unread)
        await at_once(found.doubts.items(), self._doubt, self._refused)
        drifted = before.put
        async for resources in _some(self._drifted(found, before.after)):
            await at_once(intervals.due(map(self._change, resources)), enqueue)
            drifted += len(resources)
            self.cut_short = self._is_late()
            after = max(resources[-1].key, before.after)
            await checkpoint.reached(after, drifted, left=self.cut_short)
            if self.cut_short:
                return drifted
            self.progress("put on the queue", drifted)
        departures = [*self._departures(found, report, changed)]
        await at_once(intervals.due(map(self._dated, departures)), enqueue)
        self.progress("put on the queue", drifted + len(departures))
        edited = (each.grant for each in grants.edited)
        await at_once(edited, self.services.claims.disown, self._refused)
        await self._reopen(grants, found, enqueue, intervals)
        if not before.after:  # one that goes on did not look at all
            await intervals.forget_others()
        await checkpoint.done()
        return drifted

    async def _doubt(self, in_doubt: tuple[ResourceId, frozenset[Grant]]) -> None:
        """On record as in doubt, where that still is so: claims and records were read one after the
        other, and a while ago.
        """
        (resource, doubts), services = in_doubt, self.services
        record = await services.ledger.resource(resource)
        known = {grant.name for grant in record.owned().claimed}
        still = {
            grant
            for grant in doubts
            if (grant.name in known) != await services.claims.claimed_by(grant, resource)
        }
        if still:
            await services.ledger.update(resource, lambda now: reopened(now, frozenset(still)))

    async def _drifted(self, found: Survey, after: str) -> AsyncIterator[ResourceId]:
        """The resources that are not as desired, in the order of their ids, from `after` on."""
        for resource in sorted(found.resources.compute, key=lambda one: one.id):
            # What is in doubt is looked at, wherever the sweep before this one got to.
            if resource.id.key > after or resource.id in found.doubts:
                record = found.records.get(resource.id, ResourceRecord(id=resource.id))
                if await self._look_at(resource, record, found):
                    yield resource.id

    async def _look_at(
        self, resource: ComputeResource, record: ResourceRecord, found: Survey
    ) -> bool:
        """One that cannot be looked at is left to who looks at it alone, and puts it on record."""
        try:
            return await self._needs_a_look(resource, record, found)
        except Permanent as failure:
            self._unread.append(f"{resource.id}: {failure}")
            return True

    def _departures(
        self, found: Survey, report: SweepReport, changed: list[ResourceId]
    ) -> Iterator[Change]:
        """What is gone, and what it left, each once."""
        owners = {o.owner for o in report.orphans if o.kind is OrphanKind.DEPARTED and o.owner}
        for resource in sorted(found.facts.missing | set(changed) | owners):
            yield Change(resource, _SOURCE)
        yield from _orphan_changes(o for o in report.orphans if not _waits(o, found))
        yield from _left_on_the_way(found)
        yield from found.released

    def _changed_identities(self, found: Survey) -> Iterator[ResourceId]:
        """Identities that are gone or were recreated, and those whose clean-up may go on."""
        for record in found.identities:
            if record.id.subscription in found.unseen:
                continue
            now = found.resources.identities.get(record.id.key)
            if (record.principal is not None and now != record.principal) or self._open(record):
                yield record.id

    def _open(self, record: IdentityRecord) -> bool:
        todo = [RemoveOrphans(former) for former in sorted(record.former)]
        return bool(guard_alone(todo, self.policy, Orders()).allowed)

    async def _reopen(
        self, grants: Changed, found: Survey, enqueue: Enqueue, intervals: Intervals
    ) -> None:
        """Open again what others took away or changed, and look at who claims it; at the intervals
        where it was not given before.
        """
        reopening = Reopening(self.services, self._refused)
        await at_once(grants.deleted, reopening.look_at_deleted)
        wanted = WantedGrants(self.policy, found.resources)
        changed = [
            standing
            for standing, condition in grants.conditions
            if await reopening.is_changed(standing, condition, wanted)
        ]
        opened = [*grants.deleted, *changed]
        claimants = await reopening.reopen(opened)
        given = (each for each in opened if each.state is State.ACTIVE)
        lost = {resource for each in given for resource in each.claimants}
        await at_once(map(self._change, sorted(lost)), enqueue)
        waiting = (resource for resource in claimants if resource not in lost)
        await at_once(intervals.due(map(self._change, waiting)), enqueue)

    def _change(self, resource: ResourceId) -> Change:
        return self._dated(Change(resource, _SOURCE))

    def _dated(self, change: Change) -> Change:
        return replace(change, policy=self.services.author.policy)

    async def _needs_a_look(
        self, resource: ComputeResource, record: ResourceRecord, found: Survey
    ) -> bool:
        """Whether anything would be done, as far as the listing and the ledger show."""
        present = resource.identity.system_principal_id
        known = present is None or present in record.system_principals
        if not known or unseen_attachments(record, resource):
            return True
        owned = record.owned()
        wanted = wanted_for(self.policy, record, resource)

        async def is_dedicated(owner: str, identity: ResourceId) -> bool:
            if not owner.startswith("/"):
                return True  # as for a reconcile
            record = found.records.get(ResourceId.parse(owner))
            return record is not None and identity in record.dedicated

        installation = self.services.assignments.installation
        behind = await Principals(self._read, self._recorded, installation).known(wanted, resource)
        wanted = beside_what_is_kept(wanted, owned.claimed, behind.principals)
        listed = Principals(found.resources, self._recorded, installation, is_dedicated, found.left)
        actual = await listed.actual(resource, wanted, behind, record.dedicated)
        todo = plan(wanted, actual, owned)
        taken = await times_taken(wanted, behind.principals, record, self._taken)
        situation = Situation(
            self.policy,
            wanted,
            resource,
            roles=found.roles,
            granted=owned.grants,
            repairs=counted(record) | taken,
            not_done=found.not_done.get(resource.id, frozenset()),
            principals=behind.principals,
            own_principal=self.services.own_principal,
        )
        verdict = guard(todo, situation)
        self._planned.update(type(action).__name__ for action in verdict.allowed)
        self._count_kept(wanted, resource, record)
        held = {refusal.key for refusal in unfulfilled(verdict.held, todo, wanted)}
        return (
            bool(verdict.allowed or postponed(verdict.held, todo))
            or self._is_listed_wrongly(record, held, found.listed.get(resource.id, set()))
            or still_dedicated(record.dedicated, self.policy, wanted) != record.dedicated
            or _is_due_no_more(record, todo)
        )

    def _count_kept(
        self, wanted: Desired, resource: ComputeResource, record: ResourceRecord
    ) -> None:
        self._managed += bool(resource.managed_by and wanted.kept.rules)
        self._excluded += bool(wanted.kept.rules) and not record.empty

    def _is_listed_wrongly(self, record: ResourceRecord, held: Set[str], listed: Set[str]) -> bool:
        """Whether something is held that nobody can see, or listed that is held no more."""
        if bool(held) != bool(record.held) or held - listed:
            return True
        return bool(held) and record.held_under != self.services.author.policy

    async def _roles_gone(self, found: Survey) -> list[str]:
        """Asked of ARM one by one: few roles are neither built in nor listed."""
        asked = found.roles_not_listed.items()
        return sorted([role for role, at in asked if await self._is_gone(role, at)])

    async def _is_gone(self, role: str, at: str) -> bool:
        try:
            found = await self.services.assignments.definition(role, at)
        except Temporary as failure:
            self._unread.append(str(failure))
            return False
        if found is Unknown.UNREADABLE:
            self._unread.append(f"the definition of role {role}, which is assigned at {at}")
        return found is Unknown.MISSING


async def _some(resources: AsyncIterator[ResourceId]) -> AsyncIterator[list[ResourceId]]:
    """Some at a time, in their order."""
    some: list[ResourceId] = []
    async for resource in resources:
        some.append(resource)
        if len(some) == _AT_A_TIME:
            yield some
            some = []
    if some:
        yield some


def _is_due_no_more(record: ResourceRecord, todo: Plan) -> bool:
    """Whether a removal is on record as due that is not planned any more, and nobody looked since:
    were it planned again, it would seem to have been due all the time.
    """
    return bool(record.due_since.keys() - {action.key for action in todo.actions})


def _waits(orphan: Orphan, found: Survey) -> bool:
    """Whether a message would change nothing, or could not say where to look."""
    if orphan.kind is OrphanKind.UNKNOWN:
        listed = orphan.assignment.principal_id in found.held_principals
        return (bool(orphan.held) and listed) or subscription_of(orphan.assignment.scope) is None
    return orphan.kind is OrphanKind.DEPARTED or orphan.owner is not None


def _left_on_the_way(found: Survey) -> Iterator[Change]:
    """Grants that are on record as on their way, in or out, that nothing claims and nothing gives:
    whoever was at it died.
    """
    listed = {folded(assignment.id) for assignment in found.facts.assignments}
    for key, standing in found.facts.standing.items():
        where = subscription_of(standing.grant.scope)
        claimed = standing.kept or standing.claimants or standing.grant.name in found.facts.recorded
        if standing.state is not State.ACTIVE and not claimed and key not in listed and where:
            yield Change(where, _SOURCE, grant=standing.grant.name)


def _orphan_changes(found: Iterable[Orphan]) -> Iterable[Change]:
    """One for each grant, and one for each unknown principal: what that has in several
    subscriptions goes at once, so it is held and released as one.
    """
    changes = sorted(map(_orphan_change, found), key=lambda change: change.resource, reverse=True)
    return {change.principal or change.grant: change for change in changes}.values()


def _orphan_change(orphan: Orphan) -> Change:
    where = subscription_of(orphan.assignment.scope)
    assert where is not None, "orphans above subscriptions are left to people"
    if orphan.kind is OrphanKind.UNKNOWN:
        return Change(where, _SOURCE, principal=orphan.assignment.principal_id)
    return Change(where, _SOURCE, grant=last_name(orphan.assignment.id))
