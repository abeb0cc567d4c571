"""A user-assigned identity was written or deleted: what its old principal left is looked after, and
every resource that has it is looked at again.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from lanyard.actions import RemoveOrphans
from lanyard.desired import NOTHING
from lanyard.guard import Situation, guard
from lanyard.ledger import Decision
from lanyard.model import Change, ResourceId
from lanyard.outcomes import Outcome, attempt, status_of
from lanyard.plan import Plan
from lanyard.policy import Policy
from lanyard.services import Services
from lanyard.witness import witness

IDENTITY_TYPE = "microsoft.managedidentity/userassignedidentities"


@dataclass(frozen=True, slots=True)
class IdentityReconciler:
    """Follows the principals of user-assigned identities. `now`: seconds since the epoch."""

    policy: Policy
    services: Services
    now: Callable[[], float]

    async def reconcile(
        self, change: Change, cause: Mapping[str, str]
    ) -> tuple[list[Outcome], list[ResourceId]]:
        """Returns what was done, and the resources to look at again.

        An identity that Lanyard never saw, or that still has its principal, needs nothing. Raises
        Temporary, Permanent.
        """
        ledger = self.services.ledger
        known = await ledger.principal(change.resource)
        current = await self.services.identities.principal(change.resource)
        if known is None or known == current:
            return [], []
        outcome = await self._clean_up(change.resource, known, cause)
        if outcome.failure is None:
            await ledger.forget_principal(change.resource)
            if current is not None:
                await ledger.learn_principal(change.resource, current)
        using = [found async for found in ledger.having(change.resource)]
        return [outcome], using

    async def _clean_up(
        self, identity: ResourceId, principal: str, cause: Mapping[str, str]
    ) -> Outcome:
        action = RemoveOrphans(principal)
        verdict = guard(Plan((action,)), Situation(self.policy, NOTHING, None))
        if verdict.held:
            (held,) = verdict.held
            reason = f"{held.reason}; {held.release}"
            await self._decide(identity, action, "held", reason, cause)
            return Outcome(action, reason)
        outcome = await attempt(action, self._remove(identity, action, cause))
        detail = str(outcome.failure or outcome.detail)
        await self._decide(identity, action, status_of(outcome), detail, cause)
        return outcome

    async def _remove(
        self, identity: ResourceId, action: RemoveOrphans, cause: Mapping[str, str]
    ) -> str:
        gone_at = await self.services.ledger.principal_gone_at(identity, self.now())
        record = witness(self.services.ledger, self.services.budget, identity, action, cause)
        removed = await self.services.orphans.remove(
            action.principal_id, gone_at, identity.subscription, record
        )
        return f"{len(removed)} removed"

    async def _decide(
        self,
        identity: ResourceId,
        action: RemoveOrphans,
        outcome: str,
        reason: str,
        cause: Mapping[str, str],
    ) -> None:
        await self.services.ledger.decide(
            Decision(identity.text, str(action), outcome, reason, cause=cause)
        )
