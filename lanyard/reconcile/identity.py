"""A user-assigned identity was written or deleted: what its old principal left is looked after, and
every resource that has it is looked at again.
"""

from dataclasses import dataclass, replace

from lanyard.planning.actions import RemoveOrphans
from lanyard.planning.life import Life
from lanyard.planning.outcomes import Outcome
from lanyard.policy import Policy
from lanyard.reconcile.lone_removals import LoneRemovals
from lanyard.reconcile.presence import Presence
from lanyard.reconcile.services import Services
from lanyard.record.assignment_deletion import Removing
from lanyard.record.identities import IdentityRecord
from lanyard.values.change import Change
from lanyard.values.own_identity import made_for
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
        identity_ledger = self.services.identity_ledger
        before = await identity_ledger.identity(change.resource)
        record = await self._follow(change, before)
        if not record.former:
            return [], []
        using: list[ResourceId] = []
        # A clean-up that waits comes back again and again, as does who found it missing; thousands
        # may have the identity.
        if change.source not in ("retry", "identity") or record.former != before.former:
            # A damaged row is its own resource's; each sweep names it.
            using = [found async for found in self.services.ledger.having(change.resource, [])]
        return await self._clean_up(record, change), using

    async def _follow(self, change: Change, before: IdentityRecord) -> IdentityRecord:
        """The record, with the principal that ARM shows now and when it did. Raises NotYet where
        ARM shows none and it is not certain that the identity is gone.
        """
        ledger, identity = self.services.identity_ledger, change.resource
        if before.principal is None:
            return before
        now = self.services.now()
        life = before.life.reported(change.written, change.deleted, now)
        current = await self.services.identities.details(identity)
        if current is None:
            return await self._lose(replace(before, life=life.missed(now)), before)
        if current.principal_id == before.principal:
            return await ledger.save_identity(replace(before, life=life.shown(now)))
        owner = made_for(current.tags, self.services.assignments.installation)
        await ledger.learn_principal(identity, current.principal_id, owner)
        return await ledger.identity(identity)

    async def _lose(self, missed: IdentityRecord, before: IdentityRecord) -> IdentityRecord:
        ledger = self.services.identity_ledger
        if missed.life != before.life:
            await ledger.save_identity(missed)
        presence = Presence(self.services.index, missed.id, self.services.now())
        await presence.ensure_gone(missed.life)
        return await ledger.lose_principal(missed.id)

    async def _clean_up(self, record: IdentityRecord, change: Change) -> list[Outcome]:
        """Of every principal that the identity had: what the guard allows."""

        async def remove(action: RemoveOrphans, removing: Removing) -> str:
            principal = action.principal_id
            removed = await self.services.orphans.remove(
                principal, record.former[principal], record.id.subscription, removing
            )
            return f"{len(removed)} removed"

        todo = [RemoveOrphans(former) for former in sorted(record.former)]
        outcomes = await LoneRemovals(self.policy, self.services, change).run(todo, remove)
        done = {outcome.action for outcome in outcomes if outcome.failure is None}
        await self._forget({action.principal_id for action in todo if action in done}, record)
        return outcomes

    async def _forget(self, cleaned: set[str], record: IdentityRecord) -> None:
        if cleaned:
            former = {p: at for p, at in record.former.items() if p not in cleaned}
            # Of one that is gone, and left nothing more, nothing is remembered.
            life = record.life if former or record.principal else Life()
            await self.services.identity_ledger.save_identity(
                replace(record, former=former, life=life)
            )
