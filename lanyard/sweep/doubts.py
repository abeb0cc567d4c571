"""Where the claims on grants and the records of resources differ. Pure.

The two are written together, so one that has no other was lost, damaged and deleted, or comes from
an older moment. Then the grant is in doubt for that resource: its own plan assigns it again, or
gives it up.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace

from lanyard.record.ledger import ResourceRecord
from lanyard.values.grants import Grant, Standing, State
from lanyard.values.resource_id import ResourceId


def claims_in_doubt(
    standing: Standing, records: Mapping[str, ResourceRecord]
) -> Iterator[ResourceId]:
    """Who claims the grant without having it on record, or has it on record as given where its row
    has it on another condition, or as not given: then another claimant found that it is not there.
    The records by their folded ids.
    """
    for claimant in standing.claimants:
        record = records.get(claimant.key)
        if standing.grant.name not in _names(record) or _is_given_otherwise(record, standing):
            yield claimant


def lost_claims(
    resource: ResourceId, grants: Iterable[Grant], standing: Mapping[str, Standing]
) -> frozenset[Grant]:
    """Those of a resource's grants that it does not claim. What stands, by the grants' names."""

    def is_claimed(grant: Grant) -> bool:
        found = standing.get(grant.name)
        return found is not None and resource in found.claimants

    return frozenset(grant for grant in grants if not is_claimed(grant))


def _is_given_otherwise(record: ResourceRecord | None, standing: Standing) -> bool:
    """Whether the grant is on record as given, and its own row does not say it."""
    grant, is_given = standing.grant, standing.state is State.ACTIVE
    known = [one for one in record.grants if one.name == grant.name] if record is not None else []
    return any(one.condition != grant.condition or not is_given for one in known)


def _names(record: ResourceRecord | None) -> set[str]:
    return {grant.name for grant in record.owned().claimed} if record is not None else set()


def reopened(record: ResourceRecord, doubts: frozenset[Grant]) -> ResourceRecord:
    """The record with these as intended and not confirmed."""
    names = {grant.name for grant in doubts}
    sure = frozenset(grant for grant in record.grants if grant.name not in names)
    known = _names(record)
    new = {grant for grant in doubts if grant.name not in known}
    return replace(record, grants=sure, pending=record.pending | (record.grants - sure) | new)
