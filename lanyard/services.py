"""What a reconcile works with, put together: Azure, the ledger and what guards removals."""

from collections.abc import Callable
from dataclasses import dataclass

from lanyard.budget import RemovalBudget
from lanyard.claims import Claims
from lanyard.decisions import Author, Decisions
from lanyard.held import HeldActions
from lanyard.ledger import Ledger
from lanyard.orphans import Orphans
from lanyard.pause import Brake
from lanyard.policy import Policy
from lanyard.ports import Assignments, Azure, Compute, Directory, Identities, Index
from lanyard.tables import Journal, Table, Tables


@dataclass(frozen=True, slots=True)
class Services:
    """One set an app, or a command. `now`: seconds since the epoch."""

    compute: Compute
    identities: Identities
    assignments: Assignments
    index: Index
    directory: Directory
    ledger: Ledger
    claims: Claims
    decisions: Decisions
    held: HeldActions
    brake: Brake
    orphans: Orphans
    budget: RemovalBudget
    control: Table
    now: Callable[[], float]


def assemble[T: Journal](
    azure: Azure, tables: Tables[T], policy: Policy, author: str, now: Callable[[], float]
) -> Services:
    """The services over Azure and the tables.

    `author` is who decides: the app, or the person at the command line. `now`: seconds since the
    epoch.
    """
    claims = Claims(tables.grants, azure.assignments, now)
    brake = Brake(tables.control, now)
    grace = policy.orphans.grace_minutes * 60
    return Services(
        azure.compute,
        azure.identities,
        azure.assignments,
        azure.index,
        azure.directory,
        Ledger(tables.resources, tables.identities, now),
        claims,
        Decisions(tables.decisions, Author(author, policy.digest), now),
        HeldActions(tables.held, now),
        brake,
        Orphans(azure.assignments, azure.index, azure.directory, claims, grace, now),
        RemovalBudget(tables.control, policy.limits.removals, brake, now),
        tables.control,
        now,
    )
