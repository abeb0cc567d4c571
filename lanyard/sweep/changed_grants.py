"""Which grants on record do not stand any more as the record has them: nothing gives them, another
owner's assignment gives something else now, somebody changed the stamp or the condition of ours, or
had adopted what was another owner's.
(Scope, role and principal of an assignment cannot be changed: RoleAssignmentUpdateNotPermitted.)

Resource Graph lags behind: what its listing does not show as it should be is read from ARM before
it counts. Where much of that is there, the listing is a part only.
"""

from collections import defaultdict
from dataclasses import dataclass, field

from lanyard.ports.azure import Assignments
from lanyard.sweep.in_turns import in_turns
from lanyard.sweep.listed_rights import Rights
from lanyard.sweep.survey import Survey
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import Content, Standing, State
from lanyard.values.listed import ListedAssignment
from lanyard.values.resource_id import folded, subscription_of

# More assignments than these that exist and are not listed are no lag.
_MOST_OVERLOOKED = 5
_MOST_OVERLOOKED_SHARE = 0.05
_UNTRUSTED_DELAY = 300.0
# After so many that cannot be read in a subscription no more are asked for there.
_MOST_UNREAD = 5


@dataclass(frozen=True, slots=True)
class Changed:
    """Grants on record that are not what they were."""

    #: To be made again, for who claims them.
    deleted: list[Standing] = field(default_factory=list)
    #: Theirs whose stamp it has now: they serve while they stand.
    edited: list[Standing] = field(default_factory=list)
    #: Ours, under this id, and the record has another owner's or another id: somebody adopted it,
    #: and that did not come to be on record.
    adopted: list[tuple[Standing, str]] = field(default_factory=list)
    #: Ours and there, and the record has it as being made: who made it did not come to write that.
    made: list[Standing] = field(default_factory=list)
    #: Ours, with the condition that somebody gave it or None for none: to be put back.
    conditions: list[tuple[Standing, str | None]] = field(default_factory=list)
    #: Those that cannot be read, by their subscription (lower case), with Azure's reasons: nothing
    #: is concluded of them.
    unread: dict[str, list[Temporary | Permanent]] = field(
        default_factory=lambda: defaultdict(list)
    )

    def partly_seen(self) -> frozenset[str]:
        """The subscriptions (lower case) in which one is refused; what only fails may pass."""
        refused = (
            where
            for where, failures in self.unread.items()
            if any(isinstance(failure, Permanent) for failure in failures)
        )
        return frozenset(refused) - {""}


async def changed_grants(found: Survey, assignments: Assignments) -> Changed:
    """Compare the record with the listing, and with ARM where they differ. Raises Temporary where
    the listing is a part only.
    """
    shown = await _shown(found)
    changed, overlooked = Changed(), 0
    async for standing in in_turns(found.facts.standing.values()):
        if not _is_due(standing, found):
            continue
        unread = changed.unread.get(_subscription(standing), ())
        is_settled = shown.as_recorded(standing) and standing.state is State.ACTIVE
        if is_settled or len(unread) == _MOST_UNREAD:
            continue
        try:
            overlooked += await _looked_at(standing, shown, assignments, changed)
        except (Temporary, Permanent) as failure:
            changed.unread[_subscription(standing)].append(failure)
        if overlooked > _MOST_OVERLOOKED and overlooked > shown.due * _MOST_OVERLOOKED_SHARE:
            message = f"Resource Graph does not list {overlooked} assignments that exist"
            raise Temporary(f"{message}: its listing is not used", _UNTRUSTED_DELAY)
    return changed


async def _looked_at(
    standing: Standing, shown: "_Shown", assignments: Assignments, changed: Changed
) -> bool:
    """Add the grant to what changed, by ARM; whether the listing misses what is there."""
    now = await assignments.giving(standing.grant)
    if now is None:
        changed.deleted.append(standing)
        return False
    if assignments.is_ours(now):
        if not standing.ours or folded(now.id) != folded(standing.assignment_id):
            changed.adopted.append((standing, now.id))
            return False
        is_being_made, serves = standing.state is State.GRANTING, now.serves(standing.grant)
        if is_being_made and serves and shown.as_recorded(standing):
            changed.made.append(standing)
        # One that is being granted is under another condition than it is to be.
        if not is_being_made and not serves:
            changed.conditions.append((standing, now.condition))
        return not shown.lists(standing)
    if now.serves(standing.grant):
        if standing.ours:
            changed.edited.append(standing)
        return not standing.ours and not shown.lists(standing)
    # One that is being granted is held already: making it again changes nothing.
    if standing.state is State.ACTIVE:
        changed.deleted.append(standing)
    return False


def _subscription(standing: Standing) -> str:
    """ "" above subscriptions."""
    where = subscription_of(standing.grant.scope)
    return "" if where is None else where.subscription


def _is_due(standing: Standing, found: Survey) -> bool:
    if _subscription(standing) in found.unseen:
        return False
    return standing.state in (State.ACTIVE, State.GRANTING) and bool(standing.claimants)


@dataclass(slots=True)
class _Shown:
    """What the listing shows of the grants that are due."""

    rights: Rights
    #: How many are due.
    due: int = 0
    #: The listed assignments of the principals that have grants by other owners' assignments.
    others: dict[Content[str], ListedAssignment] = field(default_factory=dict)

    def lists(self, standing: Standing) -> bool:
        """Whether there is an assignment of it at all."""
        if standing.ours:
            return folded(standing.assignment_id) in self.rights.assignments
        return standing.grant.content in self.others

    def as_recorded(self, standing: Standing) -> bool:
        """Whether it stands as the record has it: with its condition, and ours with our stamp."""
        if standing.ours:
            own = folded(standing.assignment_id)
            is_shown = own in self.rights.stamped
            return is_shown and self.rights.assignments[own].condition == standing.grant.condition
        listed = self.others.get(standing.grant.content)
        if listed is None or folded(listed.id) in self.rights.stamped:
            return False
        return listed.condition == standing.grant.condition


async def _shown(found: Survey) -> _Shown:
    shown, principals = _Shown(found.rights), set[str]()
    async for standing in in_turns(found.facts.standing.values()):
        if _is_due(standing, found):
            shown.due += 1
            if not standing.ours:
                principals.add(standing.grant.principal_id)
    async for assignment in in_turns(found.rights.assignments.values() if principals else ()):
        if assignment.principal_id in principals:
            shown.others[assignment.content] = assignment
    return shown
