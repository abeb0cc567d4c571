"""Where the claims on grants and the records of resources differ. Pure.

The two are written together, so one that has no other was lost, damaged and deleted, or comes from
an older moment. Then the grant is in doubt for that resource: its own plan assigns it again, or
gives it up.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from lanyard.record.ledger import ResourceRecord
from lanyard.values.grants import Grant, Standing
from lanyard.values.resource_id import ResourceId


def grants_in_doubt(
    records: Mapping[ResourceId, ResourceRecord], standing: Iterable[Standing]
) -> dict[ResourceId, frozenset[Grant]]:
    """The grants that a resource has on record without a claim, or claims without having them on
    record, or has on another condition.
    """
    doubts: dict[ResourceId, set[Grant]] = defaultdict(set)
    claimed: dict[ResourceId, set[str]] = defaultdict(set)
    for each in standing:
        for claimant in each.claimants:
            claimed[claimant].add(each.grant.name)
            record = records.get(claimant)
            if each.grant.name not in _names(record) or _has_otherwise(record, each.grant):
                doubts[claimant].add(each.grant)
    for resource, record in records.items():
        lost = {grant for grant in record.grants if grant.name not in claimed[resource]}
        if lost:
            doubts[resource] |= lost
    return {resource: frozenset(grants) for resource, grants in doubts.items()}


def claims_lost(
    records: Mapping[ResourceId, ResourceRecord], standing: Iterable[Standing]
) -> Iterator[tuple[ResourceId, Grant]]:
    """Each grant that a resource has on record, or on its way, and does not claim."""
    claims = {(who, each.grant.name) for each in standing for who in each.claimants}
    for resource, record in records.items():
        for grant in sorted(record.owned().claimed, key=lambda grant: grant.name):
            if (resource, grant.name) not in claims:
                yield resource, grant


def _has_otherwise(record: ResourceRecord | None, grant: Grant) -> bool:
    """Whether a grant is on record as given on another condition than its own row says."""
    known = record.grants if record is not None else ()
    return any(one.name == grant.name and one.condition != grant.condition for one in known)


def _names(record: ResourceRecord | None) -> set[str]:
    return {grant.name for grant in record.owned().claimed} if record is not None else set()


def reopened(record: ResourceRecord, doubts: frozenset[Grant]) -> ResourceRecord:
    """The record with these as intended and not confirmed."""
    names = {grant.name for grant in doubts}
    sure = frozenset(grant for grant in record.grants if grant.name not in names)
    known = _names(record)
    new = {grant for grant in doubts if grant.name not in known}
    return replace(record, grants=sure, pending=record.pending | (record.grants - sure) | new)
