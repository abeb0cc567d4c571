"""The last thing before a removal: it is counted against the budget and kept whole on record."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lanyard.planning.actions import Action
from lanyard.planning.orders import Orders
from lanyard.planning.outcomes import Removed
from lanyard.record.budget import RemovalBudget
from lanyard.record.claims import BeforeDelete
from lanyard.record.decisions import Decision, Decisions
from lanyard.values.grants import RoleAssignment
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Removals:
    """The removals of one reconcile. `recorded`: what went on record, in the order it was done."""

    decisions: Decisions
    budget: RemovalBudget
    resource: ResourceId
    cause: Mapping[str, str]
    orders: Orders
    recorded: list[Removed] = field(default_factory=list)

    def of(self, action: Action) -> BeforeDelete:
        """What the removals of an action call right before each delete.

        Raises Refused where a pause or the budget forbids it.
        """

        async def record(assignment: RoleAssignment, evidence: tuple[str, ...]) -> None:
            await self.spend(action)
            decision = Decision(
                self.resource.text,
                str(action),
                "intended",
                f"remove {assignment.id}",
                key=action.key,
                cause=self.cause,
                evidence=evidence,
                assignment=assignment.raw,
            )
            decision_id = await self.decisions.add(decision)
            self.recorded.append(Removed(action, assignment, evidence, decision_id))

        return record

    async def spend(self, action: Action) -> None:
        """Count a removal; one that a person released is not held to the budget."""
        await self.budget.spend(released=action.key in self.orders.released)
