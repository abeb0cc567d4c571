"""One resource, brought to what the policy says. Creates, updates, deletes, retries and the sweep
all come through here: an event is a hint, and everything but the resource's id is read fresh.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, replace

from lanyard.planning.actions import RemoveOrphans
from lanyard.planning.desired import desired
from lanyard.planning.orders import Orders, Pause, Refusal
from lanyard.planning.outcomes import Outcome
from lanyard.planning.plan import Actual, Plan
from lanyard.policy import Policy
from lanyard.reconcile.apply import apply, see
from lanyard.reconcile.decide import AT_WORK, Precedents, decide
from lanyard.reconcile.identity import IDENTITY_TYPE, IdentityReconciler
from lanyard.reconcile.orphan import OrphanReconciler
from lanyard.reconcile.principals import known_principals
from lanyard.reconcile.progress import Progress
from lanyard.reconcile.recording import Recorder
from lanyard.reconcile.refusals import digest, refused, unfulfilled
from lanyard.reconcile.removals import Removals
from lanyard.reconcile.services import Services
from lanyard.record.held import orders
from lanyard.record.ledger import ResourceRecord
from lanyard.record.repairs import counted, of_incarnation
from lanyard.values.change import Change, cause_of
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import NotYet, Temporary
from lanyard.values.resource_id import ResourceId, folded


@dataclass(frozen=True, slots=True)
class Report:
    """What one reconcile did.

    `look_at`: resources that it found to need one. `retry_in` is the seconds after which it wants
    to run again; `failing` says whether that is because something failed, or only because time
    must pass.
    """

    outcomes: tuple[Outcome, ...] = ()
    look_at: tuple[ResourceId, ...] = ()
    retry_in: float | None = None
    failing: bool = False


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
            return _report(await OrphanReconciler(self.policy, self.services).reconcile(change))
        if folded(change.resource.type) == IDENTITY_TYPE:
            identities = IdentityReconciler(self.policy, self.services)
            return _report(*await identities.reconcile(change))
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

    def spare_quota(self, change: Change) -> None:
        """Raise NotYet while a write to the resource would have to wait for Azure's quota."""
        self.services.compute.hold(change.resource)

    async def _compute(self, change: Change) -> Report:
        services = self.services
        # The record first: nothing on it is then newer than this look at the resource.
        record = await services.ledger.resource(change.resource)
        read, pause = await asyncio.gather(
            services.compute.read(change.resource), services.kill_switch.read()
        )
        resource, before = _settled(read), of_incarnation(record, read)
        precedents = Precedents(await self._orders(before, pause), counted(before))
        wanted = desired(self.policy, resource)
        principals = await known_principals(
            wanted, resource, services.identities, services.identity_ledger
        )
        todo, verdict = await decide(
            self.policy,
            wanted,
            Actual(resource, principals),
            before.owned(),
            services.assignments,
            precedents,
        )
        progress = Progress(
            ledger=services.ledger,
            resource=resource,
            record=before,
            principals=principals,
            removals=self._removals(change, precedents.orders),
        )
        async with Recorder(services, change.resource, cause_of(change)) as recorder:
            await self._note(progress, todo)
            await apply(verdict.allowed, services, progress, recorder)
            await self._hold(unfulfilled(verdict.held, todo, wanted), progress, recorder)
            if resource is None and progress.record.empty:
                await services.ledger.forget(progress.record)
        return _report(progress.outcomes, progress.gone_identities)

    async def _note(self, progress: Progress, todo: Plan) -> None:
        """On record before anything is done: a new principal, and since when one is gone."""
        if progress.resource is not None:
            present = progress.resource.identity.system_principal_id
            if present is not None:
                await see(present, self.services.identity_ledger, progress)
        gone = {a.principal_id for a in todo.actions if isinstance(a, RemoveOrphans)}
        now, known = self.services.now(), progress.record.gone_at
        since = {principal: known.get(principal, now) for principal in gone}
        await progress.save(replace(progress.record, gone_at=since))

    async def _hold(self, refusals: list[Refusal], progress: Progress, recorder: Recorder) -> None:
        """Once, at the end: what is tried again and refused again was held all the time. Only what
        is new is reported, not again at each event that finds the same.
        """
        refusals = refusals + refused(progress.outcomes)
        if digest(refusals) != progress.record.held:
            await recorder.held(refusals)
        await progress.save(replace(progress.record, held=digest(refusals)))

    async def _orders(self, record: ResourceRecord, pause: Pause | None) -> Orders:
        entries = await self.services.held.of(record.id) if record.held else {}
        return orders(pause, entries.values())

    def _removals(self, change: Change, in_force: Orders) -> Removals:
        services, cause = self.services, cause_of(change)
        return Removals(services.decisions, services.budget, change.resource, cause, in_force)

    async def expand(self, group: ResourceId) -> AsyncIterator[Change]:
        """A deleted group may have taken everything below it: each is looked at for itself."""
        async for resource in self.services.ledger.under(group):
            yield Change(resource, "group")


def _settled(resource: ComputeResource | None) -> ComputeResource | None:
    """The resource, unless ARM is still at work on it."""
    delay = AT_WORK.get(resource.provisioning_state.lower()) if resource is not None else None
    if resource is not None and delay is not None:
        raise Temporary(f"{resource.id} is {resource.provisioning_state}", delay)
    return resource


def _report(outcomes: list[Outcome], look_at: Iterable[ResourceId] = ()) -> Report:
    waits = [o for o in outcomes if isinstance(o.failure, Temporary)]
    failing = [
        o
        for o in waits
        if not isinstance(o.failure, NotYet) and not isinstance(o.action, RemoveOrphans)
    ]
    delays = [o.failure.delay for o in failing or waits if isinstance(o.failure, Temporary)]
    return Report(tuple(outcomes), tuple(look_at), max(delays, default=None), bool(failing))
