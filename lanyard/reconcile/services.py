"""What a reconcile works with, put together: Azure, the ledger and what guards removals."""

from collections.abc import Callable
from dataclasses import dataclass

from lanyard.policy import Policy
from lanyard.ports.azure import (
    ActivityLog,
    Assignments,
    Azure,
    Compute,
    Directory,
    Identities,
    Index,
)
from lanyard.ports.marks import Marks, Unmarked
from lanyard.ports.notifier import Notifier, Unheard
from lanyard.ports.tables import Journal, Table, Tables
from lanyard.reconcile.agreement import Agreement
from lanyard.reconcile.cleanup import Orphans
from lanyard.reconcile.estate import Estate
from lanyard.record.budget import RemovalBudget
from lanyard.record.claims import Claims
from lanyard.record.decisions import Author, Decisions
from lanyard.record.grant_rows import GrantRows
from lanyard.record.held import HeldActions
from lanyard.record.identities import IdentityLedger
from lanyard.record.kill_switch import KillSwitch
from lanyard.record.ledger import Ledger
from lanyard.record.relearning import Relearning
from lanyard.record.revocation import Revocation
from lanyard.record.unread import UnreadSubscriptions


@dataclass(frozen=True, slots=True, kw_only=True)
class Services:
    """One set an app, or a command."""

    # Azure, as it is.
    compute: Compute
    identities: Identities
    assignments: Assignments
    index: Index
    directory: Directory
    activity_log: ActivityLog
    # What is on record.
    ledger: Ledger
    identity_ledger: IdentityLedger
    claims: Claims
    decisions: Decisions
    held: HeldActions
    unread: UnreadSubscriptions
    #: Has claims go, and with the last one the assignment.
    revocation: Revocation
    # What stands before a removal.
    relearning: Relearning
    kill_switch: KillSwitch
    orphans: Orphans
    budget: RemovalBudget
    #: The object id of the app's own identity; "" where it is not known.
    own_principal: str
    #: Rows of the app itself.
    control: Table
    #: On whose account decisions are taken.
    author: Author
    #: Publishes them.
    notifier: Notifier
    #: Seconds since the epoch.
    now: Callable[[], float]


def assemble[T: Journal](
    azure: Azure,
    tables: Tables[T],
    policy: Policy,
    author: str,
    now: Callable[[], float],
    notifier: Notifier | None = None,
    marks: Marks | None = None,
) -> Services:
    """The services over Azure and the tables.

    `author` is who decides: the app, or the person at the command line. `now`: seconds since the
    epoch. Without a `notifier` no decision is published; `marks` is for who sweeps.
    """
    decider = Author(author, policy.digest)
    ledger = Ledger(tables.resources)
    grants = GrantRows(tables.grants, now)
    claims = Claims(grants, azure.assignments, Agreement(policy, azure.index, azure.compute))
    estate = Estate(policy, azure.index, azure.compute, ledger)
    relearning = Relearning.over(tables, marks or Unmarked(), now)
    kill_switch = KillSwitch(tables.control, now, policy.digest, relearning)
    return Services(
        compute=azure.compute,
        identities=azure.identities,
        assignments=azure.assignments,
        index=azure.index,
        directory=azure.directory,
        activity_log=azure.activity_log,
        ledger=ledger,
        identity_ledger=IdentityLedger(tables.identities, now),
        claims=claims,
        revocation=_revocation(azure, grants, policy, estate, now),
        decisions=Decisions(tables.decisions, decider, now),
        held=HeldActions(tables.held, now),
        unread=UnreadSubscriptions(tables.control, now),
        relearning=relearning,
        kill_switch=kill_switch,
        orphans=_orphans(azure, claims, policy, now),
        budget=RemovalBudget(tables.control, policy.limits.removals, kill_switch, now),
        own_principal=azure.own_principal,
        control=tables.control,
        author=decider,
        notifier=notifier or Unheard(),
        now=now,
    )


def _orphans(azure: Azure, claims: Claims, policy: Policy, now: Callable[[], float]) -> Orphans:
    grace = policy.orphans.grace_minutes * 60
    return Orphans(azure.assignments, azure.index, azure.directory, claims, grace, now)


def _revocation(
    azure: Azure, grants: GrantRows, policy: Policy, estate: Estate, now: Callable[[], float]
) -> Revocation:
    grace = policy.limits.removals.grace_minutes * 60
    return Revocation(grants, azure.assignments, now, grace, estate.needing)
