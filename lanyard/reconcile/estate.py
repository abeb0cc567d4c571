"""Who needs a grant, as the estate itself shows it: asked before the grant is revoked.

The ledger may be lost, old or damaged, and then it knows nobody who needs what it revokes. One
query of Resource Graph gives whoever shows the grant's principal; of those that the policy has keep
it, or whose row cannot be read, ARM is asked in turn until one is there. One that ARM does not show
has to be gone for certain: else nothing is revoked yet.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace

from lanyard.planning.desired import desired
from lanyard.planning.life import SECOND_LOOK
from lanyard.planning.needs import names_principal, needs_grant
from lanyard.policy import Policy
from lanyard.ports.azure import Compute, Index
from lanyard.reconcile.presence import Presence
from lanyard.record.ledger import Ledger
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import Because, NotYet, Permanent, Refused, Temporary
from lanyard.values.grants import Grant
from lanyard.values.listed import Listed
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded

# So many that are listed and not there are read; then the listing lags too far to go by.
_MOST_STALE = 10
# What cannot be seen is looked at again so much later (seconds).
_DELAY = 3600.0


@dataclass(frozen=True, slots=True)
class Estate:
    """All that the app can read, under one policy. `now`: seconds since the epoch."""

    policy: Policy
    index: Index
    compute: Compute
    ledger: Ledger
    now: Callable[[], float]

    async def needing(self, grant: Grant, besides: ResourceId | None) -> ResourceId | None:
        """A living resource that needs the grant, on its record from now on; None where none does.

        `besides`: the one that gives its claim up. Raises Refused where it cannot be seen whether
        one does, NotYet where one that does is listed, and ARM does not say so: by one answer it
        neither is gone nor needs it no more; Temporary, Permanent where Resource Graph cannot be
        asked.
        """
        missing: list[ResourceId] = []
        otherwise: list[ResourceId] = []
        for listed in await self.index.showing(grant.principal_id):
            if besides is not None and folded(listed.id) == besides.key:
                continue
            if not self._may_need(listed, grant):
                continue
            if len(missing) == _MOST_STALE:
                raise _unseen(f"{len(missing)} resources that need it are listed, and not there")
            resource, current = await self._read(listed)
            if current is None:
                missing.append(resource)
            elif self._needs(current, grant):
                await self._learn(resource, grant)
                return resource
            elif not listed.unread:
                otherwise.append(resource)
        await self._ensure_gone(missing)
        if otherwise:
            raise NotYet(f"{otherwise[0]} needs it by Resource Graph, and by ARM not", SECOND_LOOK)
        return None

    def _may_need(self, listed: Listed, grant: Grant) -> bool:
        """By its row."""
        row = listed.compute
        return listed.unread or (row is not None and self._needs(row, grant))

    def _needs(self, resource: ComputeResource, grant: Grant) -> bool:
        """Of a resource for which a rule cannot be filled in nobody can say that it does not."""
        wanted = desired(self.policy, resource)
        return (
            needs_grant(wanted, resource, {}, grant)
            or bool(wanted.unfulfillable)
            or names_principal(resource, grant.principal_id)
        )

    async def _read(self, listed: Listed) -> tuple[ResourceId, ComputeResource | None]:
        """What a row shows of a resource in part may be what ARM's answer is, too: then nobody can
        say that it needs nothing.
        """
        try:
            resource = ResourceId.parse(listed.id)
            return resource, await self.compute.read(resource)
        except (InvalidResourceId, Permanent) as error:
            raise _unseen(f"{listed.id} shows it, and cannot be read: {error}") from error
        except Temporary as error:
            if not listed.unread:
                raise
            raise _unseen(f"{listed.id} shows it, and cannot be read: {error}") from error

    async def _ensure_gone(self, missing: Iterable[ResourceId]) -> None:
        """ARM answers 404 for these, and they are listed. Raises NotYet until all are gone for
        certain, Temporary, Permanent where a listing cannot be asked.
        """
        for resource in missing:
            life = (await self.ledger.resource(resource)).life.missed(self.now())
            await Presence(self.index, resource, self.now()).ensure_gone(life)

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
