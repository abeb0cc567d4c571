"""Reads all that there is to read, whole or not at all: a page, or a batch of rows, at a time."""

import hashlib
import json
from collections.abc import Mapping, Set
from dataclasses import dataclass
from itertools import islice
from typing import Any

from lanyard.ports.azure import Index
from lanyard.reconcile.services import Services
from lanyard.record.identities import IdentityLedger, IdentityRecord
from lanyard.sweep.damaged import Damaged
from lanyard.sweep.in_turns import read_in_turns
from lanyard.sweep.listed_rights import Rights, read_rights
from lanyard.sweep.listings import SAMPLE, Progress, Resources
from lanyard.sweep.recorded_claims import RecordedClaims, read_claims
from lanyard.sweep.records import Records, read_records
from lanyard.sweep.spill import Spill, SpilledMapping
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import Temporary

_UNTRUSTED_DELAY = 300.0


@dataclass(frozen=True, slots=True)
class Listing:
    """What is listed of resources."""

    resources: Resources
    #: Those of them that are compute, by their folded ids, without their bodies.
    compute: SpilledMapping[ComputeResource]
    #: A digest of each of these bodies.
    bodies: Mapping[str, str]
    #: As many as are asked for beside the suspects, with their tenants.
    principals: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the listings and the ledger hold."""

    records: Records
    identities: tuple[IdentityRecord, ...]
    listing: Listing
    rights: Rights
    claims: RecordedClaims
    #: Rows that cannot be read.
    damaged: Damaged


async def read_everything(
    types: frozenset[str], services: Services, spill: Spill, progress: Progress
) -> Reading:
    """Of resources those of these types (lower case), and of those on record. Raises Temporary,
    Permanent.
    """
    damaged = Damaged()
    records = await read_records(services.ledger, spill, damaged.resources)
    identities = await _identities(services.identity_ledger, damaged)
    named = types | records.types
    listing = await _listing(services.index, named, spill, damaged, progress)
    is_ours, alive = services.assignments.is_ours, listing.resources.alive
    rights = await read_rights(services.index, is_ours, alive, spill, progress)
    claims = await read_claims(services.claims, spill, damaged.grants)
    _check(rights, claims)
    return Reading(records, identities, listing, rights, claims, damaged)


async def _identities(ledger: IdentityLedger, damaged: Damaged) -> tuple[IdentityRecord, ...]:
    found = read_in_turns(ledger.identities(damaged.identities))
    return tuple([record async for record in found])


async def _listing(
    index: Index, types: Set[str], spill: Spill, damaged: Damaged, progress: Progress
) -> Listing:
    compute: SpilledMapping[ComputeResource] = spill.mapping()
    bodies: SpilledMapping[str] = spill.mapping()
    principals: SpilledMapping[str] = spill.mapping()
    ids, alive = spill.keys(), spill.keys()
    found = Resources(compute=compute, ids=ids, alive=alive, listed_principals=principals)
    number = 0
    async for listed in read_in_turns(index.resources(types)):
        found.add(listed)
        if listed.compute is not None:
            bodies[listed.compute.id.key] = _digest(listed.compute.raw)
        number += 1
        progress("resources", number)
    found.leave_alone(damaged.left_alone)
    return Listing(found, compute, bodies, dict(islice(principals.by_key(), SAMPLE)))


def _digest(body: Mapping[str, Any]) -> str:
    """Equal for equal bodies."""
    text = json.dumps(body, sort_keys=True, default=str)
    return hashlib.sha256(text.encode()).hexdigest()


def _check(rights: Rights, claims: RecordedClaims) -> None:
    """The app's own rights are assignments, too: an empty list is a broken one."""
    if not rights.count and claims.standing:
        raise Temporary("Resource Graph lists no role assignment at all", _UNTRUSTED_DELAY)
