"""Which role assignments are orphaned, of which kind, and on which evidence. Pure.

unclaimed   Lanyard's own, and every resource that claimed it is gone
departed    whoever made it, of a principal that was seen alive and that ARM and the directory
            no longer know
unknown     of a principal that the directory does not know and that was never seen alive
"""

from collections.abc import Callable, Container, Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from lanyard.planning.actions import (
    ReleaseGrant,
    Removal,
    RemoveOrphans,
    RemoveUnknown,
    RevokeUnclaimed,
)
from lanyard.planning.givers import NOBODY, Givers
from lanyard.planning.guard import guard_alone
from lanyard.planning.orders import Orders, Pause
from lanyard.policy import Policy
from lanyard.values.grants import Grant, Standing
from lanyard.values.listed import ListedAssignment
from lanyard.values.resource_id import ResourceId, folded, subscription_of

_ABOVE = "it lies above subscriptions, where Lanyard takes nothing away: left to people"
_SERVICE_PRINCIPAL = "serviceprincipal"


class OrphanKind(StrEnum):
    """How an assignment became an orphan."""

    UNCLAIMED = "unclaimed"
    DEPARTED = "departed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Orphan:
    """One orphaned assignment. `owner` is the resource or identity that its principal belonged to,
    or that claimed it; `held` says why it is not removed, and "" means that it will be.
    """

    kind: OrphanKind
    assignment: ListedAssignment
    evidence: tuple[str, ...]
    owner: ResourceId | None = None
    held: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the listings and the ledger show. Each of these may be large, and is only asked."""

    #: Suspects (see `suspects`) that the directory does not know.
    unknown: frozenset[str]
    #: Where a principal was last seen alive.
    owners: Mapping[str, ResourceId]
    #: Grants by their names.
    standing: Mapping[str, Standing]
    #: The folded ids of the assignments that are ours by name and stamp.
    stamped: Container[str]
    #: Resources on record that are no longer listed.
    missing: frozenset[ResourceId]
    #: The names of the grants that any record claims: they go by that resource's plan, if at all.
    recorded: Container[str]
    #: Which rules gave what a resource has, by its record.
    given_by: Callable[[ResourceId], Givers] = lambda _: NOBODY
    pause: Pause | None = None
    #: Who dismissed a removal, by the action's key.
    dismissed: Mapping[str, str] = field(default_factory=dict)


def suspects(assignments: Iterable[ListedAssignment], alive: Container[str]) -> frozenset[str]:
    """The principals to ask the directory for: users and groups are none of Lanyard's business.
    `alive`: those that any resource shows.
    """
    return frozenset(
        each.principal_id
        for each in assignments
        if each.principal_type.lower() == _SERVICE_PRINCIPAL and each.principal_id not in alive
    )


def orphan(assignment: ListedAssignment, facts: Facts, policy: Policy) -> Orphan | None:
    """The assignment as an orphan; None where it is none."""
    if folded(assignment.id) in facts.stamped:
        standing = _standing(assignment, facts)
        if standing is not None and standing.ours and not _claimed(standing, facts):
            return _unclaimed(assignment, standing, facts, policy)
    if assignment.principal_id in facts.unknown and not _is_kept(assignment, facts):
        return _without_principal(assignment, facts, policy)
    return None


def _is_kept(assignment: ListedAssignment, facts: Facts) -> bool:
    """Whether a person claims what it gives, whatever its own name."""
    standing = _standing(assignment, facts)
    return standing is not None and standing.kept


def _standing(assignment: ListedAssignment, facts: Facts) -> Standing | None:
    """The grant that it gives, as it is on record."""
    return facts.standing.get(Grant(*assignment.content).name)


def _claimed(standing: Standing, facts: Facts) -> bool:
    """Without a claimant it may be on its way out, or held: the record of a resource says so."""
    if standing.kept or not standing.claimants:
        return standing.kept or standing.grant.name in facts.recorded
    return any(one not in facts.missing for one in standing.claimants)


def _unclaimed(
    assignment: ListedAssignment, standing: Standing, facts: Facts, policy: Policy
) -> Orphan:
    action: Removal
    if standing.claimants:
        action = ReleaseGrant(standing.grant)
        why = f"ARM lists none of its {len(standing.claimants)} claimants any more"
    else:
        action = RevokeUnclaimed(standing.grant)
        why = "no resource claims it"
    evidence = (why, "it is on record as Lanyard's own, and has its stamp")
    owner = min(standing.claimants, default=None)
    given_by = NOBODY if owner is None else facts.given_by(owner)
    held = _held(action, facts, policy, given_by)
    return Orphan(OrphanKind.UNCLAIMED, assignment, evidence, owner, held)


def _without_principal(assignment: ListedAssignment, facts: Facts, policy: Policy) -> Orphan:
    principal = assignment.principal_id
    owner = facts.owners.get(principal)
    orders = Orders(facts.pause, dismissed=facts.dismissed)
    held = held_once_gone(assignment.scope, principal, policy, orders, seen=owner is not None)
    silent = (
        f"the directory does not know {principal}, in an answer that holds the control principal"
    )
    unseen = "no resource that ARM lists shows it"
    if owner is not None:
        evidence = (f"its principal was seen alive as the identity of {owner}", unseen, silent)
        return Orphan(OrphanKind.DEPARTED, assignment, evidence, owner, held)
    evidence = (silent, unseen, "Lanyard never saw it alive")
    return Orphan(OrphanKind.UNKNOWN, assignment, evidence, None, held)


def held_once_gone(
    scope: str, principal: str, policy: Policy, orders: Orders, *, seen: bool
) -> str:
    """Why an assignment at a scope stays once its principal (object id) is gone; "" where it goes.
    `seen`: whether the principal was seen alive.
    """
    if subscription_of(scope) is None:
        return _ABOVE
    return why_held(RemoveOrphans(principal) if seen else RemoveUnknown(principal), policy, orders)


def why_held(action: Removal, policy: Policy, orders: Orders, given_by: Givers = NOBODY) -> str:
    """Why a removal that no resource's plan holds is not done, and what has it done; "" where it
    is done.
    """
    verdict = guard_alone([action], policy, orders, given_by)
    return "".join(str(entry.refusal()) for entry in verdict.held)


def _held(action: Removal, facts: Facts, policy: Policy, given_by: Givers) -> str:
    return why_held(action, policy, Orders(facts.pause, dismissed=facts.dismissed), given_by)
