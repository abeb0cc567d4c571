"""What the ledger has on record of resources, as a sweep keeps it."""

from collections.abc import MutableMapping, MutableSet
from dataclasses import dataclass, field

from lanyard.record.ledger import Ledger, ResourceRecord
from lanyard.record.rows import DamagedRow
from lanyard.sweep.in_turns import read_in_turns
from lanyard.sweep.spill import Spill
from lanyard.values.resource_id import ResourceId, folded


@dataclass(slots=True, kw_only=True)
class Records:
    """What grows with the records may be kept elsewhere than in memory."""

    #: By the resources' folded ids.
    all: MutableMapping[str, ResourceRecord] = field(default_factory=dict)
    #: The names of the grants that any of them claims.
    claimed: MutableSet[str] = field(default_factory=set)
    #: The types (folded) and the subscriptions (lower case) of the resources.
    types: set[str] = field(default_factory=set)
    subscriptions: set[str] = field(default_factory=set)
    #: Identities that resources have from a place from which they moved, with that place: folded.
    left: set[tuple[str, str]] = field(default_factory=set)

    def of(self, resource: ResourceId) -> ResourceRecord:
        """The record of a resource; an empty one for one never seen."""
        return self.all.get(resource.key) or ResourceRecord(id=resource)

    def put(self, record: ResourceRecord) -> None:
        """This is what is on record of a resource."""
        self.all[record.id.key] = record
        for grant in record.owned().claimed:
            self.claimed.add(grant.name)
        self.types.add(folded(record.id.type))
        self.subscriptions.add(record.id.subscription)
        self.left |= {(one.key, own.owner) for one, own in record.dedicated.items() if own.owner}


async def read_records(ledger: Ledger, spill: Spill, damaged: list[DamagedRow]) -> Records:
    """All that can be read; the other rows are `damaged`. Raises Temporary, Permanent."""
    records = Records(all=spill.mapping(), claimed=spill.keys())
    async for record in read_in_turns(ledger.records(damaged)):
        records.put(record)
    return records
