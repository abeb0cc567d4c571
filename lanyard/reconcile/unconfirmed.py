"""Grants that were intended for a resource before a rule excluded it, and never confirmed.

An excluded resource keeps what it has and gets nothing new, so nothing is planned for them: whether
it has them is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lanyard.planning.desired import Desired
from lanyard.planning.needs import needs_grant
from lanyard.ports.azure import Assignments
from lanyard.record.claims import Claims
from lanyard.record.ledger import ResourceRecord
from lanyard.values.compute import ComputeResource, PrincipalRef
from lanyard.values.grants import Grant


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Of one resource at a time."""

    assignments: Assignments
    claims: Claims

    async def settle(
        self,
        record: ResourceRecord,
        wanted: Desired,
        resource: ComputeResource | None,
        principals: Mapping[PrincipalRef, str],
    ) -> ResourceRecord:
        """The record with what stands as confirmed; the claim on what does not is given up, and
        nothing is revoked. `principals`: of the identities that exist, as far as they are known.
        Raises Temporary, Permanent.
        """
        if resource is None or not wanted.kept.rules:
            return record
        for grant in sorted(record.pending, key=lambda grant: grant.name):
            if _is_only_kept(grant, wanted, resource, principals):
                record = await self._asked(record, grant)
        return record

    async def _asked(self, record: ResourceRecord, grant: Grant) -> ResourceRecord:
        pending = record.pending - {grant}
        found = await self.assignments.giving(grant)
        if found is None:
            await self.claims.give_up(grant, record.id)
            return replace(record, pending=pending)
        # As it stands: somebody may have changed its condition, and it gets nothing new.
        kept = replace(grant, condition=found.condition)
        await self.claims.stands(kept, ours=self.assignments.is_ours(found))
        return replace(record, pending=pending, grants=record.grants | {kept})


def _is_only_kept(
    grant: Grant,
    wanted: Desired,
    resource: ComputeResource,
    principals: Mapping[PrincipalRef, str],
) -> bool:
    """Whether only a rule that excludes the resource is for it."""
    given = Desired(grants=wanted.grants)
    is_given = needs_grant(given, resource, principals, grant)
    return not is_given and needs_grant(wanted, resource, principals, grant)
