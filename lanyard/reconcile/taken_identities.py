"""Which identities somebody took from a resource, apart from those that are gone themselves."""

from lanyard.planning.desired import Desired
from lanyard.reconcile.principals import Source
from lanyard.record.ledger import ResourceRecord
from lanyard.record.repairs import identities_looked_at, missing
from lanyard.values.compute import ComputeResource, PrincipalRef, UserAssigned


async def looked_at(
    record: ResourceRecord,
    resource: ComputeResource | None,
    wanted: Desired,
    identities: Source,
    now: float,
) -> ResourceRecord:
    """The record after this look at a resource (None: gone), at `now` (seconds since the epoch).

    ARM is asked for each user-assigned identity that the resource lost: nobody took from it what
    was deleted, or was made again with another principal. Raises Temporary, Permanent.
    """
    if resource is None:
        return record
    lost = missing(record, resource, wanted)
    taken = {ref for ref in lost if await _is_the_same(ref, record, identities)}
    return identities_looked_at(record, resource, lost, taken, now)


async def _is_the_same(ref: PrincipalRef, record: ResourceRecord, identities: Source) -> bool:
    """The system-assigned one has another principal each time that it is enabled."""
    if not isinstance(ref, UserAssigned):
        return True
    return await identities.principal(ref.id) == record.confirmed[ref.key]
