"""What a reconcile works with, put together: Azure, the ledger and what guards removals."""

from collections.abc import Callable
from dataclasses import dataclass

from lanyard.budget import RemovalBudget
from lanyard.claims import Claims
from lanyard.ledger import Ledger
from lanyard.orphans import Orphans
from lanyard.policy import Policy
from lanyard.ports import Assignments, Azure, Compute, Identities, Index
from lanyard.tables import Table


@dataclass(frozen=True, slots=True)
class Services:
    """One set an app."""

    compute: Compute
    identities: Identities
    assignments: Assignments
    index: Index
    ledger: Ledger
    claims: Claims
    orphans: Orphans
    budget: RemovalBudget


def assemble(
    azure: Azure, ledger: Ledger, grants: Table, policy: Policy, now: Callable[[], float]
) -> Services:
    """The services over Azure and the tables. `now`: seconds since the epoch."""
    grace = policy.orphans.grace_minutes * 60
    return Services(
        azure.compute,
        azure.identities,
        azure.assignments,
        azure.index,
        ledger,
        Claims(grants, azure.assignments, now),
        Orphans(azure.assignments, azure.index, azure.directory, grace, now),
        RemovalBudget(grants, policy.limits.removals.per_hour, now),
    )
