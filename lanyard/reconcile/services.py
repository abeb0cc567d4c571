"""What a reconcile works with, put together: Azure, the ledger and what guards removals."""

from collections.abc import Callable
from dataclasses import dataclass

from lanyard.policy import Policy
from lanyard.ports.azure import Assignments, Azure, Compute, Directory, Identities, Index
from lanyard.ports.notifier import Notifier, Unheard
from lanyard.ports.tables import Journal, Table, Tables
from lanyard.reconcile.cleanup import Orphans
from lanyard.record.budget import RemovalBudget
from lanyard.record.claims import Claims
from lanyard.record.decisions import Author, Decisions
from lanyard.record.held import HeldActions
from lanyard.record.identities import IdentityLedger
from lanyard.record.kill_switch import KillSwitch
from lanyard.record.ledger import Ledger


@dataclass(frozen=True, slots=True)
class Services:
    """One set an app, or a command. `author`: on whose account decisions are taken; `notifier`
    tells others of them. `now`: seconds since the epoch.
    """

    compute: Compute
    identities: Identities
    assignments: Assignments
    index: Index
    directory: Directory
    ledger: Ledger
    identity_ledger: IdentityLedger
    claims: Claims
    decisions: Decisions
    held: HeldActions
    kill_switch: KillSwitch
    orphans: Orphans
    budget: RemovalBudget
    control: Table
    author: Author
    notifier: Notifier
    now: Callable[[], float]


def assemble[T: Journal](
    azure: Azure,
    tables: Tables[T],
    policy: Policy,
    author: str,
    now: Callable[[], float],
    notifier: Notifier | None = None,
) -> Services:
    """The services over Azure and the tables.

    `author` is who decides: the app, or the person at the command line. `now`: seconds since the
    epoch. Without a `notifier` nobody else is told of decisions.
    """
    decider = Author(author, policy.digest)
    claims = Claims(tables.grants, azure.assignments, now)
    kill_switch = KillSwitch(tables.control, now, policy.digest)
    grace = policy.orphans.grace_minutes * 60
    return Services(
        azure.compute,
        azure.identities,
        azure.assignments,
        azure.index,
        azure.directory,
        Ledger(tables.resources),
        IdentityLedger(tables.identities, now),
        claims,
        Decisions(tables.decisions, decider, now),
        HeldActions(tables.held, now),
        kill_switch,
        Orphans(azure.assignments, azure.index, azure.directory, claims, grace, now),
        RemovalBudget(tables.control, policy.limits.removals, kill_switch, now),
        tables.control,
        decider,
        notifier or Unheard(),
        now,
    )
