"""What of a record is still true of the resource that was read. Pure.

An attachment is Lanyard's on the very resource that it was made to, and for as long as it was never
seen gone: what is attached after that is somebody else's doing. Claims and identities made for a
resource belong to its id, so one that is made again under it has them again.
"""

from dataclasses import replace
from enum import StrEnum

from lanyard.planning.desired import Desired
from lanyard.planning.life import SECOND_LOOK, WRITE_LAG, Life
from lanyard.planning.needs import needs_identity
from lanyard.record.ledger import ResourceRecord
from lanyard.values.compute import ComputeResource, SystemAssigned
from lanyard.values.resource_id import ResourceId

#: The clock of Azure, which reports deletions, and those of the instances, which note attachments,
#: may differ by so much (seconds): in doubt it is not Lanyard's.
CLOCK_DOUBT = 1.0


def contradicts(record: ResourceRecord, seen: ComputeResource) -> bool:
    """Whether a resource shows itself otherwise than it was left: another one under its id, or
    without what Lanyard attached.
    """
    taken = record.attachments.keys() - seen.identity.user_assigned.keys()
    return not record.empty and (bool(taken) or is_another(record, seen))


def as_seen(
    record: ResourceRecord, resource: ComputeResource, life: Life, now: float
) -> ResourceRecord:
    """The record without what is no longer true of the resource, which was read at `now` (seconds
    since the epoch).

    `life` holds what was reported of it, and whether it was missing. What was attached before its
    end was to an earlier life of it, and whatever that had nobody took from this one; where the
    service itself distinguishes them, that goes instead.
    """
    if is_another(record, resource):
        return _anew(record, resource)
    over = max(_over(resource, life), _made_since(record, resource))
    repairs = record.repairs.items()
    attachments = {
        identity: at
        for identity, at in record.attachments.items()
        if at > over
        and (
            identity in resource.identity.user_assigned
            or identity in record.in_repair
            # A replica may not show yet what was written a moment ago; to adopt wrote nothing.
            or (identity not in record.adopted and now - at < WRITE_LAG)
        )
    }
    return replace(
        record,
        attachments=attachments,
        confirmed=_in_this_life(record, resource) if over else record.confirmed,
        repairs={what: tuple(at for at in moments if at > over) for what, moments in repairs},
        incarnation=resource.incarnation,
        # With another upgrade policy Azure brings them up to date itself.
        instances_lag=record.instances_lag and resource.manual_upgrade,
    )


def without_taken(
    record: ResourceRecord, resource: ComputeResource, wanted: Desired
) -> ResourceRecord:
    """The record without what the resource neither shows nor is to have any more: somebody took it.

    A replica of ARM that is behind shows none of what was attached a moment ago, but then it shows
    nothing else that was written since either, and the policy has it attached as before.
    """
    shown = resource.identity.user_assigned
    attachments = {
        identity: at
        for identity, at in record.attachments.items()
        if identity in shown or identity in record.in_repair or needs_identity(wanted, identity)
    }
    return replace(record, attachments=attachments)


class Likeness(StrEnum):
    """Whether a resource under another id is the one of a record."""

    SAME = "same"
    #: It has the identities of it, which anybody may attach.
    DOUBTFUL = "doubtful"
    ANOTHER = "another"


def may_be_same(record: ResourceRecord, row: ComputeResource) -> bool:
    """Whether a row of a listing, which does not show all that ARM does, may be of the resource of
    a record, under another id.
    """
    if row.id == record.id:
        return False
    if record.incarnation and row.incarnation:
        return record.incarnation == row.incarnation
    return _has_identities(record, row)


def likeness(record: ResourceRecord, other: ComputeResource) -> Likeness:
    """Of a resource under another id, as ARM shows it, to the one of a record that is gone: by what
    outlives a move (`vmId` and the like), else by a principal of its own. By all its identities
    only where it was there before the other was gone, and no two can have its names at once.
    """
    if record.incarnation or other.incarnation:
        same = record.incarnation == other.incarnation
    else:
        same = _has_identities(record, other)
    if not same:
        return Likeness.ANOTHER
    if record.incarnation or record.system_principals:
        return Likeness.SAME
    once = other.named_once and _was_there(other, record.life, _end(record.life))
    return Likeness.SAME if once else Likeness.DOUBTFUL


def _has_identities(record: ResourceRecord, other: ComputeResource) -> bool:
    identity = other.identity
    if record.system_principals:
        return identity.system_principal_id in record.system_principals
    given = record.confirmed.keys() - {SystemAssigned().key}
    return bool(given) and given <= identity.keys


def _was_there(resource: ComputeResource, life: Life, end: float) -> bool:
    """Whether it shows that it was there when one under its names was seen, or well before an
    `end` that was reported: what ends may be made again before that is.
    """
    if not resource.dated:
        return False
    return resource.dated <= life.alive <= end or resource.dated + SECOND_LOOK < end


def _end(life: Life) -> float:
    """The last moment at which it was reported or seen to be gone, 0 for none."""
    return max(life.deleted, life.missing)


def _over(resource: ComputeResource, life: Life) -> float:
    """Until when what was attached may have been to an earlier life of it; 0 for none. A replica
    may have missed it, and a move there and back is reported as an end: then it was there before.
    """
    end = _end(life)
    if not end or resource.incarnation or _was_there(resource, life, end):
        return 0.0
    return end + CLOCK_DOUBT


def _made_since(record: ResourceRecord, resource: ComputeResource) -> float:
    """Until when what is on record as attached was to an earlier one, where the resource itself
    shows that it was made later, though nobody saw the end of that one; 0 where it does not.
    """
    before = resource.created - CLOCK_DOUBT
    return before if any(at <= before for at in record.attachments.values()) else 0.0


def is_another(record: ResourceRecord, resource: ComputeResource) -> bool:
    """Whether a resource was made under the id of the one that is on record."""
    return record.row is not None and resource.incarnation != record.incarnation


def adopting(
    record: ResourceRecord, resource: ComputeResource, identity: ResourceId, now: float
) -> ResourceRecord:
    """The record of the resource that was just read, once an identity that somebody else attached
    is Lanyard's: as of `now` (seconds since the epoch), to this very resource.
    """
    incarnation = resource.incarnation if record.row is None else record.incarnation
    return replace(
        record,
        attachments={**record.attachments, identity: now},
        adopted=record.adopted | {identity},
        incarnation=incarnation,
    )


def left_to_others(record: ResourceRecord, identity: ResourceId) -> ResourceRecord:
    """The record once nothing about an identity of the resource is Lanyard's any more."""
    return replace(
        record,
        attachments={one: at for one, at in record.attachments.items() if one != identity},
        adopted=record.adopted - {identity},
        dedicated={one: own for one, own in record.dedicated.items() if one != identity},
        confirmed={key: p for key, p in record.confirmed.items() if key != identity.key},
    )


def unseen_attachments(record: ResourceRecord, resource: ComputeResource) -> bool:
    """Whether the record has attachments that a listing does not show."""
    return not record.attachments.keys() <= resource.identity.user_assigned.keys()


def _in_this_life(record: ResourceRecord, resource: ComputeResource) -> dict[str, str]:
    there = resource.identity.keys
    return {key: principal for key, principal in record.confirmed.items() if key in there}


def _anew(record: ResourceRecord, resource: ComputeResource) -> ResourceRecord:
    return replace(
        record,
        incarnation=resource.incarnation,
        attachments={},
        adopted=frozenset(),
        in_repair=frozenset(),
        confirmed={},
        repairs={},
        due_since={},
        instances_lag=False,
    )
