"""The whole estate, looked over: what events did not report is found and put on the same queue.

First everything is read (survey.py); only then is anything put on the queue: a resource whose plan
is not empty, one that the ledger knows and the listing does not hold, an identity that has another
principal, what claims a grant that someone deleted, and what is orphaned. Nothing is decided here:
whoever takes the message reads it fresh.
"""

import math
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace

from lanyard.planning.actions import RemoveOrphans
from lanyard.planning.guard import guard_alone
from lanyard.planning.orders import Orders
from lanyard.planning.orphans import Orphan, orphan
from lanyard.policy import Policy
from lanyard.policy.unmet_names import unmet
from lanyard.ports.queue import Enqueue
from lanyard.reconcile.services import Services
from lanyard.record.checkpoint import Checkpoint
from lanyard.record.identities import IdentityRecord
from lanyard.record.ledger import ResourceRecord
from lanyard.sweep.at_once import at_once
from lanyard.sweep.changed_grants import Changed, changed_grants
from lanyard.sweep.departures import SOURCE, departures
from lanyard.sweep.doubts import reopened
from lanyard.sweep.drift import Drift
from lanyard.sweep.in_turns import in_turns
from lanyard.sweep.intervals import Intervals
from lanyard.sweep.listings import NEAR_LIMIT, Progress, silent
from lanyard.sweep.lost_tables import (
    doubt_records,
    forget_claims,
    learn_claims,
    learn_grants,
    learn_identities,
)
from lanyard.sweep.reopening import Reopening
from lanyard.sweep.report import SweepReport
from lanyard.sweep.spill import Spill
from lanyard.sweep.survey import Survey, survey
from lanyard.sweep.wanted_grants import WantedGrants
from lanyard.values.change import Change
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import Grant, Standing
from lanyard.values.permissions import Unknown
from lanyard.values.resource_id import ResourceId

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
    #: How many messages were put on the queue.
    put: int = field(init=False, default=0)
    #: What was refused on the way, each for itself.
    _refused: list[Permanent] = field(init=False, default_factory=list)
    _unread: list[str] = field(init=False, default_factory=list)
    _drift: Drift = field(init=False)

    def __post_init__(self) -> None:
        self._drift = Drift(self.policy, self.services)

    async def run(self) -> SweepReport:
        """Look over everything. Raises Temporary, Permanent where a listing fails: then nothing is
        put on the queue; or where a table or the queue fails: `put` says how many are on it.
        """
        with closing(Spill()) as spill:
            found = await survey(self.policy.types(), self.services, spill, self.progress)
            return await self._look_over(found)

    async def _look_over(self, found: Survey) -> SweepReport:
        if self._is_late():
            raise Temporary("to read everything took all the time that a sweep has", _AGAIN)
        report = SweepReport(
            listed=len(found.read.listing.compute),
            missing=len(found.facts.missing),
            seen=found.seen,
            unseen=tuple(sorted(found.unseen)),
            no_directory=found.no_directory,
            assignments=found.rights.count,
            orphans=tuple([each async for each in self._orphans(found)]),
            near_limit={s: n for s, n in found.rights.by_subscription.items() if n >= NEAR_LIMIT},
            unused_identities=tuple(found.unused_identities),
            unlisted_identities=tuple(found.unlisted_identities),
            roles_gone=tuple(await self._roles_gone(found)),
            damaged=tuple(map(str, found.damaged.all)),
            subscription_notes=tuple(unmet(self.policy)),
        )
        changed = [identity async for identity in self._changed_identities(found)]
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
            planned=dict(self._drift.planned),
            excluded=self._drift.excluded,
            partly_seen=partly_seen,
            unread=tuple(self._all_unread(grants)),
            managed=self._drift.managed,
            cut_short=self.cut_short,
        )

    async def _orphans(self, found: Survey) -> AsyncIterator[Orphan]:
        """In the order of the listing."""
        async for assignment in in_turns(found.rights.assignments.values()):
            if one := orphan(assignment, found.facts, self.policy):
                yield one

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
        yield from sorted({*map(str, self._refused), *self._unread, *self._drift.failures})

    async def _relearn(self, found: Survey) -> None:
        """Put on record again what lost tables do not hold."""
        services = self.services
        if (until := await services.relearning.answers_put_back()) is not None:
            await services.held.forget_answers(until)
        await learn_grants(found, services)
        await learn_claims(found, services)
        await forget_claims(found, services)
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
        intervals = await Intervals.read(self.policy, found, self.services)
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
        gone = [*departures(found, report.orphans, set(changed))]
        await at_once(intervals.due(map(self._dated, gone)), enqueue)
        self.progress("put on the queue", drifted + len(gone))
        edited = (each.grant for each in grants.edited)
        await at_once(edited, self.services.claims.disown, self._refused)
        await at_once(grants.adopted, self._own, self._refused)
        await at_once(grants.made, self._stands, self._refused)
        await self._reopen(grants, found, enqueue, intervals)
        if not before.after:  # one that goes on did not look at all
            await intervals.forget_others()
        await checkpoint.done()
        return drifted

    async def _own(self, adopted: tuple[Standing, str]) -> None:
        standing, assignment_id = adopted
        await self.services.claims.own(standing.grant, assignment_id)

    async def _stands(self, made: Standing) -> None:
        await self.services.claims.stands(made.grant, made.assignment_id, ours=True)

    async def _doubt(self, in_doubt: tuple[ResourceId, frozenset[Grant]]) -> None:
        """On record as in doubt, where that still is so: claims and records were read one after the
        other, and a while ago.
        """
        (resource, doubts), services = in_doubt, self.services
        record = await services.ledger.resource(resource)
        still = {grant for grant in doubts if await self._is_in_doubt(grant, record)}
        if still:
            await services.ledger.update(resource, lambda now: reopened(now, frozenset(still)))

    async def _is_in_doubt(self, grant: Grant, record: ResourceRecord) -> bool:
        claims = self.services.claims
        known = {one.name for one in record.owned().claimed}
        if (grant.name in known) != await claims.claimed_by(grant, record.id):
            return True
        is_given = grant.name in {one.name for one in record.grants}
        return is_given and not await claims.recorded_as_given(grant)

    async def _drifted(self, found: Survey, after: str) -> AsyncIterator[ResourceId]:
        """The resources that are not as desired, in the order of their ids, from `after` on."""
        async for key, resource in in_turns(found.read.listing.compute.by_key()):
            # What is in doubt is looked at, wherever the sweep before this one got to.
            if key > after or resource.id in found.doubts:
                record = found.records.of(resource.id)
                if await self._drift.shows(resource, record, found):
                    yield resource.id

    async def _changed_identities(self, found: Survey) -> AsyncIterator[ResourceId]:
        """Identities that are gone or were recreated, and those whose clean-up may go on."""
        async for record in in_turns(found.read.identities):
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
        given = filter(reopening.was_given, opened)
        lost = {resource for each in given for resource in each.claimants}
        await at_once(map(self._change, sorted(lost)), enqueue)
        waiting = (resource for resource in claimants if resource not in lost)
        await at_once(intervals.due(map(self._change, waiting)), enqueue)

    def _change(self, resource: ResourceId) -> Change:
        return self._dated(Change(resource, SOURCE))

    def _dated(self, change: Change) -> Change:
        return replace(change, policy=self.services.author.policy)

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
