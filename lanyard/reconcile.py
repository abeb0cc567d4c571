"""One resource, brought to what the policy says. Creates, updates, deletes, retries and the sweep
all come through here: an event is a hint, and everything but the resource's id is read fresh.
"""

import hashlib
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, replace

from lanyard.actions import RemoveOrphans
from lanyard.apply import Application
from lanyard.decide import AT_WORK, decide
from lanyard.desired import Desired, desired
from lanyard.errors import NotYet, Temporary
from lanyard.guard import Held
from lanyard.ledger import Decision, ResourceRecord
from lanyard.model import Change, ComputeResource, ResourceId
from lanyard.outcomes import Outcome, status_of
from lanyard.plan import Actual, Plan
from lanyard.policy import Policy
from lanyard.principals import known_principals
from lanyard.reconcile_identity import IDENTITY_TYPE, IdentityReconciler
from lanyard.services import Services


@dataclass(frozen=True, slots=True)
class Report:
    """What one reconcile did.

    `look_at`: resources that it found to need one. `retry_in` is the seconds after which it wants
    to run again; `failing` tells whether that is because something failed, or only because time
    must pass.
    """

    outcomes: tuple[Outcome, ...] = ()
    look_at: tuple[ResourceId, ...] = ()
    retry_in: float | None = None
    failing: bool = False


@dataclass(frozen=True, slots=True)
class Reconciler:
    """Brings resources to the policy. `now`: seconds since the epoch."""

    policy: Policy
    services: Services
    now: Callable[[], float]

    async def reconcile(self, change: Change) -> Report:
        """Read, decide, guard, apply, record. Raises Temporary or Permanent where it cannot begin.

        What fails later is in the report, beside what was done.
        """
        if change.resource.type.lower() == IDENTITY_TYPE:
            return await self._identity(change)
        ledger = self.services.ledger
        resource = _settled(await self.services.compute.read(change.resource))
        record = await ledger.resource(change.resource)
        wanted = desired(self.policy, resource)
        principals = await known_principals(wanted, resource, self.services.identities, ledger)
        actual, assignments = Actual(resource, principals), self.services.assignments
        todo, verdict = await decide(self.policy, wanted, actual, record.owned(), assignments)
        refusals = _refusals(verdict.held, todo, wanted)
        cause = _cause(change)

        application = Application(self.services, resource, record, principals, cause)
        if resource is not None and resource.identity.system_principal_id is not None:
            await application.see(resource.identity.system_principal_id)
        await application.save(self._noted(application.record, todo, refusals))
        await self._record_refusals(change, record, refusals, cause)
        try:
            await application.run(verdict.allowed)
        finally:
            await self._record_outcomes(change, application.outcomes, cause)
        if resource is None and application.record.empty:
            await ledger.forget(application.record)
        return _report(application.outcomes, application.gone_identities)

    async def _identity(self, change: Change) -> Report:
        identities = IdentityReconciler(self.policy, self.services, self.now)
        outcomes, look_at = await identities.reconcile(change, _cause(change))
        return _report(outcomes, look_at)

    async def expand(self, group: ResourceId) -> AsyncIterator[Change]:
        """A deleted group may have taken everything below it: each is looked at for itself."""
        async for resource in self.services.ledger.under(group):
            yield Change(resource, "group")

    def _noted(
        self, record: ResourceRecord, todo: Plan, refusals: Mapping[str, str]
    ) -> ResourceRecord:
        """Since when a principal is gone, and which refusals were told."""
        gone = {a.principal_id for a in todo.actions if isinstance(a, RemoveOrphans)}
        since = {principal: record.gone_at.get(principal, self.now()) for principal in gone}
        return replace(record, gone_at=since, held=_digest(refusals))

    async def _record_refusals(
        self,
        change: Change,
        before: ResourceRecord,
        refusals: Mapping[str, str],
        cause: Mapping[str, str],
    ) -> None:
        """Once, not again at each event that finds the same."""
        if _digest(refusals) == before.held:
            return
        for action, reason in refusals.items():
            decision = Decision(change.resource.text, action, "held", reason, cause=cause)
            await self.services.ledger.decide(decision)

    async def _record_outcomes(
        self, change: Change, outcomes: list[Outcome], cause: Mapping[str, str]
    ) -> None:
        for outcome in outcomes:
            status = status_of(outcome)
            reason = outcome.detail if outcome.failure is None else str(outcome.failure)
            rules: tuple[str, ...] = getattr(outcome.action, "rules", ())
            decision = Decision(
                change.resource.text, str(outcome.action), status, reason, rules, cause
            )
            await self.services.ledger.decide(decision)


def _settled(resource: ComputeResource | None) -> ComputeResource | None:
    """The resource, unless ARM is still at work on it."""
    delay = AT_WORK.get(resource.provisioning_state.lower()) if resource is not None else None
    if resource is not None and delay is not None:
        raise Temporary(f"{resource.id} is {resource.provisioning_state}", delay)
    return resource


def _refusals(held: tuple[Held, ...], todo: Plan, wanted: Desired) -> dict[str, str]:
    """What is not done although a rule asks for it, by action, with the reason and the way out."""
    refusals = {str(entry.action): f"{entry.reason}; {entry.release}" for entry in held}
    for identity in todo.blocked:
        refusals[f"attach identity {identity.id.name}"] = f"{identity.id} does not exist; create it"
    for problem in wanted.unfulfillable:
        refusals[f"rule {problem.rule}"] = problem.reason
    return refusals


def _digest(refusals: Mapping[str, str]) -> str:
    if not refusals:
        return ""
    return hashlib.sha256(repr(sorted(refusals.items())).encode()).hexdigest()[:16]


def _cause(change: Change) -> dict[str, str]:
    return {
        "source": change.source,
        "eventId": change.event_id,
        "eventType": change.event_type,
        "correlationId": change.correlation_id,
    }


def _report(outcomes: list[Outcome], look_at: Iterable[ResourceId] = ()) -> Report:
    waits = [o for o in outcomes if isinstance(o.failure, Temporary)]
    failing = [
        o
        for o in waits
        if not isinstance(o.failure, NotYet) and not isinstance(o.action, RemoveOrphans)
    ]
    delays = [o.failure.delay for o in failing or waits if isinstance(o.failure, Temporary)]
    return Report(tuple(outcomes), tuple(look_at), max(delays, default=None), bool(failing))
