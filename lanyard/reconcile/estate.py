"""Who needs a grant, as the estate itself shows it: asked before the grant is revoked.

The ledger may be lost, old or damaged, and then it knows nobody who needs what it revokes. One
query of Resource Graph gives whoever shows the grant's principal; of those that the policy has keep
it, or whose row cannot be read, ARM is asked in turn until one is there.
"""

from dataclasses import dataclass, replace

from lanyard.planning.desired import desired
from lanyard.planning.needs import names_principal, needs_grant
from lanyard.policy import Policy
from lanyard.ports.azure import Compute, Index
from lanyard.record.ledger import Ledger
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import Because, Permanent, Refused, Temporary
from lanyard.values.grants import Grant
from lanyard.values.listed import Listed
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded

# So many that are listed and not there are read; then the listing lags too far to go by.
_MOST_STALE = 10
# What cannot be seen is looked at again so much later (seconds).
_DELAY = 3600.0


@dataclass(frozen=True, slots=True)
class Estate:
    """All that the app can read, under one policy."""

    policy: Policy
    index: Index
    compute: Compute
    ledger: Ledger

    async def needing(self, grant: Grant, besides: ResourceId | None) -> ResourceId | None:
        """A living resource that needs the grant, on its record from now on; None where none does.

        `besides`: the one that gives its claim up. Raises Refused where it cannot be seen whether
        one does, Temporary, Permanent where Resource Graph cannot be asked.
        """
        stale = 0
        for listed in await self.index.showing(grant.principal_id):
            row = listed.compute
            if besides is not None and folded(listed.id) == besides.key:
                continue
            if not listed.unread and (row is None or not self._needs(row, grant)):
                continue
            if stale == _MOST_STALE:
                raise _unseen(f"{stale} resources that need it are listed, and not there")
            current = await self._read(listed)
            if current is None:
                stale += 1
            elif self._needs(current, grant):
                await self._learn(current.id, grant)
                return current.id
        return None

    def _needs(self, resource: ComputeResource, grant: Grant) -> bool:
        """Of a resource for which a rule cannot be filled in nobody can say that it does not."""
        wanted = desired(self.policy, resource)
        return (
            needs_grant(wanted, resource, {}, grant)
            or bool(wanted.unfulfillable)
            or names_principal(resource, grant.principal_id)
        )

    async def _read(self, listed: Listed) -> ComputeResource | None:
        """What a row shows of a resource in part may be what ARM's answer is, too: then nobody can
        say that it needs nothing.
        """
        try:
            return await self.compute.read(ResourceId.parse(listed.id))
        except (InvalidResourceId, Permanent) as error:
            raise _unseen(f"{listed.id} shows it, and cannot be read: {error}") from error
        except Temporary as error:
            if not listed.unread:
                raise
            raise _unseen(f"{listed.id} shows it, and cannot be read: {error}") from error

    async def _learn(self, resource: ResourceId, grant: Grant) -> None:
        """It stands, and goes by that resource's own plan from now on, if at all."""
        record = await self.ledger.resource(resource)
        if grant.name not in {known.name for known in record.owned().claimed}:
            await self.ledger.save(replace(record, grants=record.grants | {grant}))


def _unseen(reason: str) -> Refused:
    return Refused(
        Because.CANNOT_BE_ASKED,
        reason,
        _DELAY,
        "see to it that Azure answers for it; it goes on by itself",
        releasable=False,
    )
