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
    Obstacles,
)
from lanyard.ports.marks import Marks, Unmarked
from lanyard.ports.notifier import Notifier, Unheard
from lanyard.ports.tables import Journal, Table, Tables
from lanyard.reconcile.agreement import Agreement
from lanyard.reconcile.cleanup import Orphans
from lanyard.reconcile.estate import Estate
from lanyard.reconcile.presence import IdentityPresence
from lanyard.reconcile.principals import AskedTogether
from lanyard.record.addition_budget import AdditionBudget
from lanyard.record.budget import RemovalBudget
from lanyard.record.claims import Claims
from lanyard.record.decisions import Author, Decisions
from lanyard.record.grant_rows import GrantRows
from lanyard.record.held import HeldActions
from lanyard.record.identities import IdentityLedger
from lanyard.record.kill_switch import KillSwitch
from lanyard.record.ledger import Ledger
from lanyard.record.making import MadeOnce, Makers
from lanyard.record.relearning import Relearning
from lanyard.record.revocation import Revocation
from lanyard.record.rule_budgets import RuleBudgets
from lanyard.record.unread import UnreadSubscriptions


@dataclass(frozen=True, slots=True)
class Many:
    """For what many resources need at the same moment: made once in this process, by one of the
    `makers` for all instances; and ARM's answers for identities, each for all who asked before.
    """

    once: MadeOnce
    makers: Makers
    asked: AskedTogether

    @classmethod
    def over(cls, azure: Azure, identities: Table, now: Callable[[], float]) -> "Many":
        """`identities`: the table of them; `now`: seconds since the epoch."""
        asked = AskedTogether(azure.identities)
        return cls(MadeOnce(azure.sleep), Makers(identities, now), asked)


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
    obstacles: Obstacles
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
    #: Stands before what is given.
    additions: AdditionBudget
    #: The object id of the app's own identity; "" where it is not known.
    own_principal: str
    #: Rows of the app itself.
    control: Table
    #: On whose account decisions are taken.
    author: Author
    #: What many need at the same moment.
    many: Many
    #: Publishes them.
    notifier: Notifier
    #: Seconds since the epoch.
    now: Callable[[], float]

    @property
    def identity_presence(self) -> IdentityPresence:
        """Whether an identity that ARM does not show is gone."""
        return IdentityPresence(self.identity_ledger, self.index, self.now)


def assemble[T: Journal](
    azure: Azure,
    tables: Tables[T],
    policy: Policy,
    author: str,
    now: Callable[[], float],
    notifier: Notifier | None = None,
    marks: Marks | None = None,
) -> Services:
    """The services over Azure and the tables. `author` is who decides: the app, or the person at
    the command line. `now`: seconds since the epoch. Without a `notifier` no decision is published;
    `marks` is for who sweeps.
    """
    decider, ledger = Author(author, policy.digest), Ledger(tables.resources)
    many = Many.over(azure, tables.identities, now)
    claims, revocation = _of_grants(azure, tables.grants, policy, ledger, many.once, now)
    relearning, kill_switch = _of_taking(tables, policy, marks or Unmarked(), now)
    budget, additions = _budgets(tables.control, policy, kill_switch, now)
    return Services(
        compute=azure.compute,
        identities=azure.identities,
        assignments=azure.assignments,
        index=azure.index,
        directory=azure.directory,
        activity_log=azure.activity_log,
        obstacles=azure.obstacles,
        ledger=ledger,
        identity_ledger=IdentityLedger(tables.identities, now),
        claims=claims,
        revocation=revocation,
        decisions=Decisions(tables.decisions, decider, now),
        held=HeldActions(tables.held, now),
        unread=UnreadSubscriptions(tables.control, now),
        relearning=relearning,
        kill_switch=kill_switch,
        orphans=_orphans(azure, claims, policy, now),
        budget=budget,
        additions=additions,
        own_principal=azure.own_principal,
        control=tables.control,
        author=decider,
        many=many,
        notifier=notifier or Unheard(),
        now=now,
    )


def _of_taking[T: Journal](
    tables: Tables[T], policy: Policy, marks: Marks, now: Callable[[], float]
) -> tuple[Relearning, KillSwitch]:
    """Whether the tables may be believed, and whether anything is stopped."""
    relearning = Relearning.over(tables, marks, now)
    return relearning, KillSwitch(tables.control, now, policy.digest, relearning)


def _orphans(azure: Azure, claims: Claims, policy: Policy, now: Callable[[], float]) -> Orphans:
    grace = policy.orphans.grace_minutes * 60
    return Orphans(azure.assignments, azure.index, azure.directory, claims, grace, now)


def _budgets(
    control: Table, policy: Policy, kill_switch: KillSwitch, now: Callable[[], float]
) -> tuple[RemovalBudget, AdditionBudget]:
    limits = policy.limits
    taking, giving = RuleBudgets(policy.removals_per_hour), RuleBudgets(policy.additions_per_hour)
    return (
        RemovalBudget(control, limits.removals, kill_switch, now, taking),
        AdditionBudget(control, limits.additions.per_hour, now, giving),
    )


def _of_grants(
    azure: Azure,
    table: Table,
    policy: Policy,
    ledger: Ledger,
    once: MadeOnce,
    now: Callable[[], float],
) -> tuple[Claims, Revocation]:
    """Claims that come, and claims that go."""
    rows = GrantRows(table, now)
    agreement = Agreement(policy, azure.index, azure.compute)
    estate = Estate(policy, azure.index, azure.compute, ledger, now)
    grace = policy.limits.removals.grace_minutes * 60
    return (
        Claims(rows, azure.assignments, agreement, once),
        Revocation(rows, azure.assignments, now, grace, estate.needing),
    )
