"""What is gone, and what it left: what has to be looked at, each once. Pure."""

from collections.abc import Iterable, Iterator, Sequence, Set

from lanyard.planning.orphans import Orphan, OrphanKind
from lanyard.sweep.survey import Survey
from lanyard.values.change import Change
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId, folded, subscription_of

#: Of what a sweep puts on the queue.
SOURCE = "sweep"


def departures(found: Survey, left: Sequence[Orphan], changed: Set[ResourceId]) -> Iterator[Change]:
    """`left`: all orphans; `changed`: the identities that are gone, were made again, or whose
    clean-up may go on.
    """
    owners = {o.owner for o in left if o.kind is OrphanKind.DEPARTED and o.owner}
    for resource in sorted(found.facts.missing | changed | owners):
        yield Change(resource, SOURCE)
    yield from _orphan_changes(o for o in left if not _waits(o, found))
    yield from _left_on_the_way(found)
    yield from found.released


def _waits(orphan: Orphan, found: Survey) -> bool:
    """Whether a message would change nothing, or could not say where to look."""
    if orphan.kind is OrphanKind.UNKNOWN:
        listed = orphan.assignment.principal_id in found.held_principals
        return (bool(orphan.held) and listed) or subscription_of(orphan.assignment.scope) is None
    return orphan.kind is OrphanKind.DEPARTED or orphan.owner is not None


def _left_on_the_way(found: Survey) -> Iterator[Change]:
    """Grants that are on record as on their way, in or out, that nothing claims and nothing gives:
    whoever was at it died.
    """
    for standing in found.read.claims.on_the_way:
        grant = standing.grant
        where, key = subscription_of(grant.scope), folded(standing.assignment_id)
        claimed = standing.kept or standing.claimants or grant.name in found.facts.recorded
        if not claimed and key not in found.rights.assignments and where:
            yield Change(where, SOURCE, grant=grant.name)


def _orphan_changes(found: Iterable[Orphan]) -> Iterable[Change]:
    """One for each grant, and one for each unknown principal: what that has in several
    subscriptions goes at once, so it is held and released as one.
    """
    changes = sorted(map(_orphan_change, found), key=lambda change: change.resource, reverse=True)
    return {change.principal or change.grant: change for change in changes}.values()


def _orphan_change(orphan: Orphan) -> Change:
    where = subscription_of(orphan.assignment.scope)
    assert where is not None, "orphans above subscriptions are left to people"
    if orphan.kind is OrphanKind.UNKNOWN:
        return Change(where, SOURCE, principal=orphan.assignment.principal_id)
    return Change(where, SOURCE, grant=Grant(*orphan.assignment.content).name)
