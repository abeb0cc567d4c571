"""Which identities somebody took from a resource, apart from those that are gone themselves."""

import logging

from lanyard.planning.desired import Desired
from lanyard.ports.azure import Identities
from lanyard.record.ledger import ResourceRecord
from lanyard.record.repairs import identities_looked_at, missing
from lanyard.values.compute import ComputeResource, PrincipalRef, UserAssigned
from lanyard.values.errors import Permanent, Temporary

log = logging.getLogger("lanyard")


async def looked_at(
    record: ResourceRecord,
    resource: ComputeResource | None,
    wanted: Desired,
    identities: Identities,
    now: float,
) -> ResourceRecord:
    """The record after this look at a resource (None: gone), at `now` (seconds since the epoch).

    ARM is asked for each user-assigned identity that the resource lost: nobody took from it what
    was made again with another principal. Of one that it does not find, or does not answer for,
    nothing is known by that one look, and what cannot be known is nobody's doing.
    """
    if resource is None:
        return record
    lost = missing(record, resource, wanted)
    found = {ref: await _principal(ref, record, identities) for ref in lost}
    taken = {ref for ref, principal in found.items() if principal == record.confirmed[ref.key]}
    made_again = {ref for ref, principal in found.items() if principal} - taken
    return identities_looked_at(record, resource, taken, made_again, now)


async def _principal(
    ref: PrincipalRef, record: ResourceRecord, identities: Identities
) -> str | None:
    """What it has now, as far as ARM says; the system-assigned one has another principal each time
    that it is enabled, and is the same.
    """
    if not isinstance(ref, UserAssigned):
        return record.confirmed[ref.key]
    try:
        return await identities.principal(ref.id)
    except (Permanent, Temporary) as error:
        log.warning("nobody is known to have taken %s from %s: %s", ref, record.id, error)
        return None
