"""One resource, brought to what the policy says. Creates, updates, deletes, retries and the sweep
all come through here: an event is a hint, and everything but the resource's id is read fresh.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from functools import partial

from lanyard.planning.actions import (
    Action,
    RemoveOrphans,
    UpgradeInstances,
)
from lanyard.planning.attempts import as_ended
from lanyard.planning.desired import Desired
from lanyard.planning.givers import Givers, givers
from lanyard.planning.grace import Graces, due_since, still_dedicated, waiting
from lanyard.planning.kept_conditions import beside_what_is_kept
from lanyard.planning.life import Life
from lanyard.planning.orders import Orders, Pause, Refusal
from lanyard.planning.outcomes import Effects, Outcome
from lanyard.planning.plan import Owned, Plan
from lanyard.planning.verdict import Verdict
from lanyard.policy import Policy
from lanyard.reconcile.apply import apply, see
from lanyard.reconcile.decide import AT_WORK, Precedents, decide
from lanyard.reconcile.identity import IDENTITY_TYPE, IdentityReconciler
from lanyard.reconcile.moves import MOVE, Moves
from lanyard.reconcile.orphan import OrphanReconciler
from lanyard.reconcile.own_identities import Looks, OwnIdentities
from lanyard.reconcile.presence import Presence
from lanyard.reconcile.principals import Behind, Principals, RecordedOnce
from lanyard.reconcile.progress import Progress
from lanyard.reconcile.recording import Recorder
from lanyard.reconcile.refusals import (
    contradicted,
    digest,
    given_up,
    postponed,
    refused,
    unfinished,
    unfulfilled,
    waited_for,
)
from lanyard.reconcile.removals import Removals
from lanyard.reconcile.reported import Report, report_of
from lanyard.reconcile.services import Services
from lanyard.reconcile.settled import unfinished_repairs
from lanyard.reconcile.taken_grants import times_taken
from lanyard.reconcile.taken_identities import looked_at
from lanyard.reconcile.unconfirmed import Unconfirmed
from lanyard.reconcile.wanted import had_of, wanted_for
from lanyard.record.held import Answer, Entry, not_done, orders
from lanyard.record.ledger import ResourceRecord
from lanyard.record.ownership import as_seen, contradicts, is_another, without_taken
from lanyard.record.repairs import counted
from lanyard.values.change import Change, cause_of
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import AtWork, Refused
from lanyard.values.resource_id import ResourceId, folded


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Brings resources to the policy."""

    policy: Policy
    services: Services

    async def reconcile(self, change: Change) -> Report:
        """Read, decide, guard, apply, record. Raises Temporary or Permanent where it cannot begin.

        What fails later is in the report, beside what was done.
        """
        if change.principal or change.grant:
            return report_of(await OrphanReconciler(self.policy, self.services).reconcile(change))
        if folded(change.resource.type) == IDENTITY_TYPE:
            identities = IdentityReconciler(self.policy, self.services)
            return report_of(*await identities.reconcile(change))
        return await self._compute(change)

    async def concerns(self, change: Change) -> bool:
        """Whether there can be anything to do. Raises Temporary where the record cannot be read.

        Events come for every type; one that the policy does not name only matters where there is a
        record: it may have named it before.
        """
        named = self.policy.types() | {IDENTITY_TYPE}
        if change.source not in ("event", "replay") or folded(change.resource.type) in named:
            return True
        return (await self.services.ledger.resource(change.resource)).row is not None

    def sparing_quota(self, change: Change) -> AbstractContextManager[None]:
        """Around the whole. Raises NotYet while a write would have to wait for Azure's quota."""
        return self.services.compute.writing(change.resource)

    async def _compute(self, change: Change) -> Report:
        services = self.services
        record, resource, pause = await self._look(change.resource)
        observed = await self._observed(change, record, resource)
        if isinstance(observed, Report):
            return observed
        entries = await services.held.of(observed.id) if observed.held else {}
        observed = _as_answered(observed, entries)
        if moved := await self._moved(change, record, observed, resource):
            return moved
        wanted = wanted_for(self.policy, observed, resource)
        behind, in_force = self._principals(), orders(pause, entries.values())
        known = await behind.known(wanted, resource)
        unconfirmed = Unconfirmed(services.assignments, services.claims)
        observed = await unconfirmed.settle(observed, wanted, resource, known.principals)
        before = await self._as_due(observed, wanted, resource, in_force)
        wanted, owned = await self._beside_what_it_has(wanted, before.owned(), known)
        actual = await behind.actual(resource, wanted, known, before.dedicated)
        taken = await times_taken(wanted, known.principals, before, services.claims)
        precedents = self._precedents(in_force, counted(before) | taken, entries)
        todo, verdict = await decide(
            self.policy, wanted, actual, owned, services.assignments, precedents
        )
        progress = Progress(
            ledger=services.ledger,
            resource=resource,
            record=observed if resource is None else record,  # of what is missing it is on file
            principals=known.principals,
            due=wanted.granted(known.principals),
            givers=partial(givers, self.policy, wanted),
            removals=self._removals(change, precedents.orders, owned.given_by),
            change=change,
            seen_before=record.row is not None,
            outcomes=unconfirmed.failures,
        )
        async with Recorder(services, change.resource, cause_of(change)) as recorder:
            await self._note(progress, before, todo)
            looks = await self._carry_out(todo, verdict, progress, recorder)
            await self._put_off(looks, record, progress, recorder)
            await self._postpone(postponed(verdict.held, todo), progress, recorder)
            refusals = unfulfilled((*verdict.held, *looks.held), todo, wanted, owned.given_by)
            refusals += looks.listed_yet(entries)
            await self._hold(refusals, precedents, progress, recorder)
        return report_of(progress.outcomes, progress.gone_identities, gone=resource is None)

    async def _beside_what_it_has(
        self, wanted: Desired, owned: Owned, behind: Behind
    ) -> tuple[Desired, Owned]:
        had = await had_of(wanted, owned, self.services.claims)
        wanted = beside_what_is_kept(wanted, had, behind.principals)
        return wanted, owned.without_intended(wanted.contradicted(behind.principals), had)

    async def _look(
        self, resource: ResourceId
    ) -> tuple[ResourceRecord, ComputeResource | None, Pause | None]:
        """The record first: nothing on it is then newer than this look at the resource."""
        services = self.services
        record = await services.ledger.resource(resource)
        read, pause = await asyncio.gather(
            services.compute.read(resource), services.kill_switch.read()
        )
        if read is not None and contradicts(record, read):
            # One body alone is no proof that somebody took what is Lanyard's, or made it again.
            read = await services.compute.unchanged(read)
        return record, read, pause

    async def _moved(
        self,
        change: Change,
        record: ResourceRecord,
        observed: ResourceRecord,
        resource: ComputeResource | None,
    ) -> Report | None:
        """Where what is on record lives by now, and what is here instead: both are to be looked at
        again. None where it did not move. Raises NotYet, Temporary, Permanent.
        """
        moves = Moves(self.services)
        if resource is None:
            place = await moves.follow(observed)
            if isinstance(place, Refusal):
                return await self._kept(change, observed, place)
            return Report(look_at=(place,), gone=True) if place is not None else None
        if record.empty or not is_another(record, resource):
            return None
        place = await moves.part(record, resource)
        return Report(look_at=(place, resource.id)) if place is not None else None

    async def _kept(self, change: Change, record: ResourceRecord, refusal: Refusal) -> Report:
        """Nothing of the record of a resource that is gone is given up: it may live elsewhere, or
        there after all. What persons answered about the rest stays.
        """
        services = self.services
        entries = await services.held.of(change.resource)
        answered = {key for key, entry in entries.items() if entry.answer is not Answer.NONE}
        async with Recorder(services, change.resource, cause_of(change)) as recorder:
            await recorder.held([refusal], answered)
        held, under = digest([refusal], answered), services.author.policy
        await services.ledger.save(replace(record, held=held, held_under=under))
        return Report(gone=True, held=(refusal.key,))

    async def _as_due(
        self,
        observed: ResourceRecord,
        wanted: Desired,
        resource: ComputeResource | None,
        in_force: Orders,
    ) -> ResourceRecord:
        """The record with what somebody took, and what the policy and a person say of it now."""
        services = self.services
        observed = await looked_at(observed, resource, wanted, services.identities, services.now())
        if resource is not None:
            observed = without_taken(observed, resource, wanted)
        own = await Moves(services).own(observed)
        own = still_dedicated(own, self.policy, wanted)
        # Who dismisses that instances lag says that they have what the set has.
        lag = observed.instances_lag and UpgradeInstances().key not in in_force.dismissed
        return replace(observed, dedicated=own, instances_lag=lag)

    def _precedents(
        self, in_force: Orders, repairs: Mapping[str, int], entries: Mapping[str, Entry]
    ) -> Precedents:
        return Precedents(
            in_force,
            repairs,
            frozenset(entry.refusal.key for entry in entries.values()),
            not_done(entries.values()),
            self.services.own_principal,
        )

    def _principals(self) -> Principals:
        services = self.services

        async def is_dedicated(owner: str, identity: ResourceId) -> bool:
            if not owner.startswith("/"):
                return True  # a hash says of nobody that it is not
            return identity in (await services.ledger.resource(ResourceId.parse(owner))).dedicated

        return Principals(
            services.many.asked,
            RecordedOnce(services.identity_ledger, writes=True),
            services.assignments.installation,
            is_dedicated,
            services.ledger.left,
        )

    async def _carry_out(
        self, todo: Plan, verdict: Verdict, progress: Progress, recorder: Recorder
    ) -> Looks:
        """Do what may be done now; returns what waits, and what is held besides."""
        looks = await OwnIdentities(self.services, progress).look(
            todo.actions, verdict.allowed, self._waiting(verdict, progress)
        )
        progress.outcomes += looks.failed
        await apply(looks.due(), self.services, progress, recorder)
        return looks

    async def _observed(
        self, change: Change, record: ResourceRecord, read: ComputeResource | None
    ) -> ResourceRecord | Report:
        """The record with what is known of the resource's life after this look at it; what was done
        instead where its end is in doubt for long.

        Raises AtWork while ARM is still at work on it; NotYet, Temporary, Permanent where ARM
        answers 404 and it is not certain to be gone.
        """
        now = self.services.now()
        presence = Presence(self.services.index, change.resource, now)
        reported = record.life.reported(change.written, change.deleted, now)
        if read is not None:
            await self._settled(read, record, reported)
            return replace(as_seen(record, read, reported, now), life=reported.shown(now))
        life = reported.missed(now)
        if record.row is None:
            presence.ensure_expected(life, change.since)
            if change.seen:  # by a sweep
                await presence.ensure_unlisted()
            return record
        known = replace(record, life=life)
        if known.life != record.life:
            # On record before it is asked for the rest: the next look counts from this one.
            known = await self.services.ledger.save(known)
        try:
            await presence.ensure_gone(life)
        except Refused as contradiction:
            return await self._kept(change, known, contradicted(contradiction))
        return known

    async def _settled(self, read: ComputeResource, record: ResourceRecord, reported: Life) -> None:
        """Raises AtWork while ARM is still at work on a resource; it is there all the same."""
        delay = AT_WORK.get(read.provisioning_state.lower())
        if delay is None:
            return
        if record.row is not None:
            # Whose its attachments are is only looked at once it is settled: by the same report.
            life = replace(reported.shown(self.services.now()), deleted=reported.deleted)
            await self.services.ledger.save(replace(record, life=life))
        raise AtWork(f"{read.id} is {read.provisioning_state}", delay)

    async def _note(self, progress: Progress, before: ResourceRecord, todo: Plan) -> None:
        """On record before anything is done: a new principal, since when one is gone, since when
        a removal is due.
        """
        if progress.resource is not None:
            present = progress.resource.identity.system_principal_id
            if present is not None:
                await see(present, self.services.identity_ledger, progress)
        gone = {a.principal_id for a in todo.actions if isinstance(a, RemoveOrphans)}
        now, known = self.services.now(), progress.record.gone_at
        ended = before.life.missing if progress.resource is None else 0.0
        noted = replace(
            before,
            row=progress.record.row,
            system_principals=progress.record.system_principals,
            gone_at={principal: known.get(principal, now) for principal in gone},
            due_since=due_since(todo.actions, before.due_since, now, ended),
            in_repair=unfinished_repairs(before.in_repair, todo),
        )
        if progress.record.row is not None or todo.actions:
            await progress.save(noted)

    def _waiting(self, verdict: Verdict, progress: Progress) -> dict[Action, float]:
        """The allowed removals that are not due yet, with the seconds that are left."""
        record, gone = progress.record, progress.resource is None
        minutes = self.policy.limits.removals.grace_minutes
        graces = Graces(
            minutes * 60, {one.key: own.delete_after for one, own in record.dedicated.items()}
        )
        now = self.services.now()
        return waiting(verdict.allowed, record.due_since, graces, now, gone=gone)

    async def _put_off(
        self,
        looks: Looks,
        before: ResourceRecord,
        progress: Progress,
        recorder: Recorder,
    ) -> None:
        """What waits comes back when it is due, or looked at before; that it waits is on record
        once.
        """
        outcomes = looks.put_off()
        fresh = [o for o in outcomes if o.action.key not in before.due_since]
        if fresh:
            await recorder.outcomes(fresh, Effects())
        progress.outcomes += outcomes

    async def _postpone(
        self, outcomes: list[Outcome], progress: Progress, recorder: Recorder
    ) -> None:
        """What Azure does not answer for now, beside what was done."""
        outcomes = as_ended(outcomes, progress.change)
        await recorder.outcomes(outcomes, Effects())
        progress.outcomes += outcomes

    async def _hold(
        self, refusals: list[Refusal], before: Precedents, progress: Progress, recorder: Recorder
    ) -> None:
        """Once, at the end: what is tried again and refused again was held all the time. Only what
        is new is reported, or not on the list any more, not again at each event that finds the
        same.
        """
        tried, given_by = progress.outcomes, progress.removals.given_by
        ended = given_up(tried, before.listed, progress.change, given_by)
        refusals = [*refusals, *refused(tried, given_by), *ended]
        refusals += waited_for(progress.waited_for)
        answers = before.orders.released | before.orders.dismissed.keys()
        answered = unfinished(tried) & answers
        now_held = digest(refusals, answered)
        lost = {refusal.key for refusal in refusals} - before.listed
        if now_held != progress.record.held or lost:
            await recorder.held(refusals, answered)
        under = self.services.author.policy if now_held else ""
        await progress.save(replace(progress.record, held=now_held, held_under=under))
        if progress.resource is None and progress.record.empty:
            await self.services.ledger.forget(progress.record)

    def _removals(self, change: Change, in_force: Orders, given_by: Givers) -> Removals:
        services, cause = self.services, cause_of(change)
        return Removals(
            mode=self.policy.mode,
            decisions=services.decisions,
            budget=services.budget,
            resource=change.resource,
            cause=cause,
            orders=in_force,
            given_by=given_by,
        )

    async def expand(self, change: Change) -> AsyncIterator[Change]:
        """A deleted group may have taken everything below it: each is looked at for itself."""
        async for resource in self.services.ledger.under(change.resource):
            yield Change(resource, "group", deleted=change.deleted)


def _as_answered(record: ResourceRecord, entries: Mapping[str, Entry]) -> ResourceRecord:
    """Whoever dismisses that it moved says that what has its identities is another resource."""
    answers = [entry.answer for key, entry in entries.items() if key.startswith(MOVE)]
    return replace(record, confirmed={}) if Answer.DISMISSED in answers else record
