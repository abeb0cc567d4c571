"""Grants whose assignment is not what it was are opened again: who claims them makes them anew.

What somebody took away of ours, or changed, and what Azure only reported as made is counted; what
another owner does with theirs is not.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field, replace

from lanyard.reconcile.services import Services
from lanyard.record.decisions import Decision
from lanyard.record.granted import Missing
from lanyard.record.ledger import ResourceRecord
from lanyard.record.rows import DamagedRow
from lanyard.sweep.at_once import at_once
from lanyard.sweep.doubts import reopened
from lanyard.sweep.taken_away import why_missing
from lanyard.sweep.wanted_grants import WantedGrants
from lanyard.values.errors import Permanent
from lanyard.values.grants import Grant, Standing, State, shown_condition
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Reopening:
    """That of one sweep: first it is asked what became of each grant, then they are opened."""

    services: Services
    #: What is refused for good of one resource or grant alone.
    refused: list[Permanent]
    #: What is known to have become of them, by their names.
    _missing: dict[str, Missing] = field(init=False, default_factory=dict)
    #: The names of those that a worker made again after they were found to be gone.
    _made_since: set[str] = field(init=False, default_factory=set)

    async def look_at_deleted(self, standing: Standing) -> None:
        """Its assignment is gone, or another owner's gives something else now."""
        services = self.services
        if not standing.ours or standing.state is not State.ACTIVE:
            return
        missing = await why_missing(standing, services.activity_log, services.now())
        self._missing[standing.grant.name] = missing

    async def is_changed(
        self, standing: Standing, condition: str | None, wanted: WantedGrants
    ) -> bool:
        """Whether the condition of ours is another one now by somebody's doing: not where a worker
        is about to change it, or did so since it was looked at. It is no loss where the policy by
        now gives it so to who has it; what it would give to others, who have it not, is no matter.
        """
        grant, services = standing.grant, self.services
        records = [
            record for one in standing.claimants if (record := await self._record(one)) is not None
        ]
        changed = [record for record in records if _is_settled(record, grant)]
        if not changed or _is_wanted(changed, grant, condition, wanted):
            return bool(changed)
        self._missing[grant.name] = Missing.TAKEN
        reason = f"somebody changed its condition from {shown_condition(grant.condition)} to "
        for record in changed:
            # Who is excluded gets nothing new: it stays as they left it.
            what = "put back" if wanted.gives(record.id, grant) else "keep"
            decision = Decision(
                record.id.text,
                f"{what} {grant}",
                "intended",
                reason + shown_condition(condition),
                grant=grant.name,
            )
            await services.decisions.add(decision)
        return True

    async def reopen(self, grants: Collection[Standing]) -> list[ResourceId]:
        """Open these grants; returns who claims them, to be looked at."""
        claimed: dict[ResourceId, list[Grant]] = defaultdict(list)
        for standing in grants:
            for resource in standing.claimants:
                claimed[resource].append(standing.grant)
        await at_once(claimed.items(), self._note, self.refused)
        await at_once(grants, self._reopen, self.refused)
        return list(claimed)

    def was_given(self, standing: Standing) -> bool:
        """Whether one that was to be opened was given before, or has been made meanwhile: then who
        claims it is looked at at once.
        """
        return standing.state is State.ACTIVE or standing.grant.name in self._made_since

    async def _record(self, resource: ResourceId) -> ResourceRecord | None:
        """None where it is damaged: that one is left alone."""
        try:
            return await self.services.ledger.resource(resource)
        except DamagedRow as damage:
            self.refused.append(damage)
            return None

    async def _reopen(self, standing: Standing) -> None:
        """One taking away, however many claim it."""
        name, services = standing.grant.name, self.services
        missing = self._missing.get(name, Missing.UNKNOWN)
        if not await services.claims.reopen(standing, missing, services.now()):
            self._made_since.add(name)

    async def _note(self, claims: tuple[ResourceId, list[Grant]]) -> None:
        """On the record of a claimant."""
        resource, grants = claims

        def reopen(record: ResourceRecord) -> ResourceRecord:
            opened = reopened(record, frozenset(grants))
            return opened if opened.grants != record.grants else record

        await self.services.ledger.update(resource, reopen)


def _is_wanted(
    having: Iterable[ResourceRecord], grant: Grant, condition: str | None, wanted: WantedGrants
) -> bool:
    """Whether a grant that these have is to be under this condition for one, and as it was for
    none.
    """
    now = replace(grant, condition=condition)
    as_it_was = any(wanted.has(record.id, grant) for record in having)
    return not as_it_was and any(wanted.has(record.id, now) for record in having)


def _is_settled(record: ResourceRecord, grant: Grant) -> bool:
    """Whether the resource has it under this very condition, and is to have it under no other."""
    known = {(one.name, one.condition) for one in record.grants}
    pending = {one.name for one in record.pending}
    return (grant.name, grant.condition) in known and grant.name not in pending
