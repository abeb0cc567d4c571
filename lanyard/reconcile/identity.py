"""A user-assigned identity was written or deleted: what its old principal left is looked after, and
every resource that has it is looked at again.
"""

from dataclasses import dataclass, replace

from lanyard.planning.actions import RemoveOrphans
from lanyard.planning.desired import NOTHING
from lanyard.planning.guard import Situation, guard
from lanyard.planning.outcomes import Effects, Outcome, attempt
from lanyard.planning.plan import Plan
from lanyard.policy import Policy
from lanyard.reconcile.recording import Recorder, refused
from lanyard.reconcile.removals import Witnesses
from lanyard.reconcile.services import Services
from lanyard.record.held import orders
from lanyard.record.ledger import IdentityRecord
from lanyard.values.change import Change, cause_of
from lanyard.values.resource_id import ResourceId

IDENTITY_TYPE = "microsoft.managedidentity/userassignedidentities"


@dataclass(frozen=True, slots=True)
class IdentityReconciler:
    """Follows the principals of user-assigned identities."""

    policy: Policy
    services: Services

    async def reconcile(self, change: Change) -> tuple[list[Outcome], list[ResourceId]]:
        """Returns what was done, and the resources to look at again.

        An identity that Lanyard never saw, or that still has its principal, needs nothing. Raises
        Temporary, Permanent.
        """
        ledger = self.services.ledger
        before = await ledger.identity(change.resource)
        record = await self._follow(change.resource, before)
        if not record.former:
            return [], []
        using: list[ResourceId] = []
        # A clean-up that waits comes back again and again; thousands may have the identity.
        if change.source != "retry" or record.former != before.former:
            using = [found async for found in ledger.having(change.resource)]
        return await self._clean_up(record, change), using

    async def _follow(self, identity: ResourceId, before: IdentityRecord) -> IdentityRecord:
        """The record, with the principal that ARM shows now."""
        ledger = self.services.ledger
        if before.principal is None:
            return before
        current = await self.services.identities.principal(identity)
        if current == before.principal:
            return before
        if current is None:
            return await ledger.lose_principal(identity)
        await ledger.learn_principal(identity, current)
        return await ledger.identity(identity)

    async def _clean_up(self, record: IdentityRecord, change: Change) -> list[Outcome]:
        """Of every principal that the identity had: what the guard allows."""
        held = await self.services.held.of(record.id)
        in_force = orders(await self.services.brake.read(), held.values())
        todo = Plan(tuple(RemoveOrphans(former) for former in sorted(record.former)))
        verdict = guard(todo, Situation(self.policy, NOTHING, None, orders=in_force))
        cause = cause_of(change)
        witnesses = Witnesses(
            self.services.decisions, self.services.budget, record.id, cause, in_force
        )
        allowed = [a for a in verdict.allowed if isinstance(a, RemoveOrphans)]
        outcomes = [await attempt(a, self._remove(record, a, witnesses)) for a in allowed]
        async with Recorder(self.services, record.id, cause) as recorder:
            await recorder.outcomes(outcomes, Effects(removed=witnesses.told))
            await recorder.held([*(entry.refusal() for entry in verdict.held), *refused(outcomes)])
        done = {str(outcome.action) for outcome in outcomes if outcome.failure is None}
        await self._forget({a.principal_id for a in allowed if str(a) in done}, record)
        return outcomes

    async def _remove(
        self, record: IdentityRecord, action: RemoveOrphans, witnesses: Witnesses
    ) -> str:
        removed = await self.services.orphans.remove(
            action.principal_id,
            record.former[action.principal_id],
            record.id.subscription,
            witnesses.of(action),
        )
        return f"{len(removed)} removed"

    async def _forget(self, cleaned: set[str], record: IdentityRecord) -> None:
        if cleaned:
            former = {p: at for p, at in record.former.items() if p not in cleaned}
            await self.services.ledger.save_identity(replace(record, former=former))
