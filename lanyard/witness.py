"""The last thing before a removal: it is counted against the budget and kept whole on record."""

from collections.abc import Mapping

from lanyard.actions import Action
from lanyard.budget import RemovalBudget
from lanyard.claims import Witness
from lanyard.ledger import Decision, Ledger
from lanyard.model import ResourceId, RoleAssignment


def witness(
    ledger: Ledger,
    budget: RemovalBudget,
    resource: ResourceId,
    action: Action,
    cause: Mapping[str, str],
) -> Witness:
    """What the removals of one action call right before each delete. Raises NotYet to refuse."""

    async def record(assignment: RoleAssignment) -> None:
        await budget.spend()
        await ledger.decide(
            Decision(
                resource.text,
                str(action),
                "intended",
                f"remove {assignment.id}",
                cause=cause,
                assignment=assignment.raw,
            )
        )

    return record
