"""Grants that were intended for a resource before a rule excluded it, and never confirmed.

An excluded resource keeps what it has and gets nothing new, so nothing is planned for them: whether
it has them is asked.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from lanyard.planning.actions import AssignRole
from lanyard.planning.desired import Desired
from lanyard.planning.needs import needs_grant
from lanyard.planning.outcomes import Outcome
from lanyard.ports.azure import Assignments
from lanyard.record.claims import Claims
from lanyard.record.ledger import ResourceRecord
from lanyard.values.compute import (
    ComputeResource,
    PrincipalRef,
    SystemAssigned,
    UserAssigned,
)
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import Grant


@dataclass(frozen=True, slots=True)
class Unconfirmed:
    """Of one resource at a time."""

    assignments: Assignments
    claims: Claims
    #: Of the grants of which nobody can say whether they stand: they stay intended.
    failures: list[Outcome] = field(default_factory=list)

    async def settle(
        self,
        record: ResourceRecord,
        wanted: Desired,
        resource: ComputeResource | None,
        principals: Mapping[PrincipalRef, str],
    ) -> ResourceRecord:
        """The record with what stands as confirmed; the claim on what does not is given up, and
        nothing is revoked. `principals`: of the identities that exist, as far as they are known.
        What is refused about one is among the `failures`, and no other's.
        """
        if resource is None:
            return record
        for grant in unconfirmed(record, wanted, resource, principals):
            try:
                record = await self._asked(record, grant)
            except (Temporary, Permanent) as failure:
                action = _as_intended(grant, wanted, resource, principals)
                self.failures.append(Outcome(action, failure=failure))
        return record

    async def _asked(self, record: ResourceRecord, grant: Grant) -> ResourceRecord:
        pending = record.pending - {grant}
        found = await self.assignments.giving(grant)
        if found is None:
            await self.claims.give_up(grant, record.id)
            return replace(record, pending=pending)
        # As it stands: somebody may have changed its condition, and it gets nothing new.
        kept = replace(grant, condition=found.condition)
        await self.claims.stands(kept, found.id, ours=self.assignments.is_ours(found))
        return replace(record, pending=pending, grants=record.grants | {kept})


def unconfirmed(
    record: ResourceRecord,
    wanted: Desired,
    resource: ComputeResource,
    principals: Mapping[PrincipalRef, str],
) -> list[Grant]:
    """What was intended for it, and only a rule that excludes it is for, in order of the names."""
    if not wanted.kept.rules:
        return []
    kept = (each for each in record.pending if _is_only_kept(each, wanted, resource, principals))
    return sorted(kept, key=lambda grant: grant.name)


def _as_intended(
    grant: Grant,
    wanted: Desired,
    resource: ComputeResource,
    principals: Mapping[PrincipalRef, str],
) -> AssignRole:
    """What was begun for the resource, and is not known to be done."""
    of: dict[str | None, PrincipalRef] = {known: ref for ref, known in principals.items()}
    of |= {shown: UserAssigned(one) for one, shown in resource.identity.user_assigned.items()}
    to = of.get(grant.principal_id, SystemAssigned())
    rules = wanted.kept.rules
    return AssignRole(grant.scope, grant.role_id, to, grant.principal_id, rules, grant.condition)


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
