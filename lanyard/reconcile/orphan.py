"""What no resource shows: a principal that the directory does not know and that was never seen
alive, and a grant of Lanyard's that nothing claims any more. The sweep finds both.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lanyard.planning.actions import RemoveUnknown, RevokeUnclaimed
from lanyard.planning.outcomes import Outcome
from lanyard.policy import Policy
from lanyard.reconcile.lone_removals import LoneRemovals
from lanyard.reconcile.services import Services
from lanyard.record.assignment_deletion import Removing
from lanyard.record.held import GRANT
from lanyard.values.change import Change


@dataclass(frozen=True, slots=True)
class OrphanReconciler:
    """Looks after one orphan: `change.principal` or `change.grant` names it."""

    policy: Policy
    services: Services

    async def reconcile(self, change: Change) -> list[Outcome]:
        """Returns what was done. Raises Temporary, Permanent where it cannot begin."""
        about = change.principal or f"{GRANT}{change.grant}"
        removals = LoneRemovals(self.policy, self.services, change, about)
        if change.principal:
            return await removals.run(await self._unknown(change), self._remove_unknown(change))
        grant = await self.services.claims.unclaimed(change.grant)
        return await removals.run([] if grant is None else [RevokeUnclaimed(grant)], self._revoke)

    async def _unknown(self, change: Change) -> list[RemoveUnknown]:
        """What would be done, if the directory still does not know the principal."""
        if not await self.services.directory.existing([change.principal]):
            return [RemoveUnknown(change.principal)]
        await self.services.identity_ledger.forget_unknown(change.principal)
        return []

    def _remove_unknown(
        self, change: Change
    ) -> Callable[[RemoveUnknown, Removing], Awaitable[str]]:
        async def remove(action: RemoveUnknown, removing: Removing) -> str:
            services, principal = self.services, action.principal_id
            since = await services.identity_ledger.unknown_since(principal)
            removed = await services.orphans.remove_unknown(
                principal, since, change.resource.subscription, removing
            )
            await services.identity_ledger.forget_unknown(principal)
            return f"{len(removed)} removed"

        return remove

    async def _revoke(self, action: RevokeUnclaimed, removing: Removing) -> str:
        return str(await self.services.revocation.retire(action.grant, removing))
