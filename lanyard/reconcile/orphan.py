"""What no resource tells of: a principal that the directory does not know and that was never seen
alive, and a grant of Lanyard's that nothing claims any more. The sweep finds both.
"""

from dataclasses import dataclass

from lanyard.planning.actions import RemoveUnknown, RevokeUnclaimed
from lanyard.planning.desired import NOTHING
from lanyard.planning.guard import Situation, guard
from lanyard.planning.orders import Orders
from lanyard.planning.outcomes import Effects, Outcome, attempt
from lanyard.planning.plan import Plan
from lanyard.policy import Policy
from lanyard.reconcile.recording import Recorder, refused
from lanyard.reconcile.removals import Witnesses
from lanyard.reconcile.services import Services
from lanyard.record.held import GRANT, orders
from lanyard.values.change import Change, cause_of


@dataclass(frozen=True, slots=True)
class OrphanReconciler:
    """Looks after one orphan: `change.principal` or `change.grant` names it."""

    policy: Policy
    services: Services

    async def reconcile(self, change: Change) -> list[Outcome]:
        """Returns what was done. Raises Temporary, Permanent where it cannot begin."""
        action = await self._action(change)
        recorder = Recorder(self.services, change.resource, cause_of(change), _about(change))
        if action is None:
            await recorder.held([])
            return []
        held = await self.services.held.of(change.resource, _about(change))
        in_force = orders(await self.services.brake.read(), held.values())
        verdict = guard(Plan((action,)), Situation(self.policy, NOTHING, None, orders=in_force))
        witnesses = self._witnesses(change, in_force)
        outcomes = []
        async with recorder:
            if verdict.allowed:
                outcomes = [await attempt(action, self._remove(action, change, witnesses))]
            await recorder.outcomes(outcomes, Effects(removed=witnesses.told))
            await recorder.held([*(entry.refusal() for entry in verdict.held), *refused(outcomes)])
        return outcomes

    def _witnesses(self, change: Change, in_force: Orders) -> Witnesses:
        services, cause = self.services, cause_of(change)
        return Witnesses(services.decisions, services.budget, change.resource, cause, in_force)

    async def _action(self, change: Change) -> RemoveUnknown | RevokeUnclaimed | None:
        """What would be done, if the orphan still is one."""
        if change.principal:
            if not await self.services.directory.existing([change.principal]):
                return RemoveUnknown(change.principal)
            await self.services.ledger.forget_unknown(change.principal)
            return None
        grant = await self.services.claims.unclaimed(change.grant)
        return None if grant is None else RevokeUnclaimed(grant)

    async def _remove(
        self, action: RemoveUnknown | RevokeUnclaimed, change: Change, witnesses: Witnesses
    ) -> str:
        services = self.services
        witness = witnesses.of(action)
        if isinstance(action, RevokeUnclaimed):
            return str(await services.claims.retire(action.grant, witness))
        since = await services.ledger.unknown_since(action.principal_id)
        removed = await services.orphans.remove_unknown(
            action.principal_id, since, change.resource.subscription, witness
        )
        await services.ledger.forget_unknown(action.principal_id)
        return f"{len(removed)} removed"


def _about(change: Change) -> str:
    return change.principal or GRANT + change.grant
