"""Identities that are missing, made. One of a resource's own goes on record before, and with the
principal that it was made with after: only that one is deleted with the resource.
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from lanyard.planning.actions import CreateIdentity
from lanyard.planning.outcomes import attempt
from lanyard.reconcile.apply_removals import REPLAN_DELAY
from lanyard.reconcile.progress import Progress
from lanyard.reconcile.services import Services
from lanyard.values.compute import UserAssigned
from lanyard.values.errors import Temporary
from lanyard.values.own_identity import Created, Dedicated, creation_tags
from lanyard.values.resource_id import ResourceId

#: Seconds until what one replica of ARM misses, or a listing still shows, is looked at again: a PUT
#: would replace the tags of what is there.
_LATE = 30.0


@dataclass(frozen=True, slots=True)
class MadeIdentities:
    """Those of one plan. `created`: what became of each."""

    services: Services
    progress: Progress
    created: dict[ResourceId, Created] = field(default_factory=dict)

    async def make(self, actions: Sequence[CreateIdentity]) -> None:
        """All of them, side by side. One that fails stops no other."""
        before = self.progress.record.dedicated
        mine = [action for action in actions if action.dedicated]
        own = {a.id: before.get(a.id, Dedicated("", a.delete_after)) for a in mine}
        await self._keep({**before, **own})
        self.progress.outcomes += await asyncio.gather(
            *(attempt(action, self._make(action, before.get(action.id))) for action in actions)
        )
        known = self.progress.record.dedicated
        found = {one: self._as_made(one, known[one]) for one in own if one in self.created}
        kept = {**known, **found}
        await self._keep({one: still for one, still in kept.items() if still is not None})

    async def _keep(self, dedicated: Mapping[ResourceId, Dedicated]) -> None:
        await self.progress.save(replace(self.progress.record, dedicated=dedicated))

    async def _make(self, action: CreateIdentity, begun: Dedicated | None) -> str:
        identity, owner = action.id, self.progress.record.id if action.dedicated else None
        made = await self._made_before(identity, begun) if begun is not None else None
        if made is None:
            if await self.services.index.shows(identity):
                message = f"ARM answers 404 for {identity}, and Resource Graph shows it"
                raise Temporary(message, _LATE)
            own = creation_tags(owner, self.services.assignments.installation)
            tags = {**action.tags, **own}
            made = await self.services.identities.create(identity, action.location, tags)
        if made.principal == self.services.own_principal:
            # One answer of ARM missed it. Known by its principal, it is held from now on.
            await self.services.identity_ledger.learn_principal(identity, made.principal)
            raise Temporary(f"{identity} is Lanyard's own identity", REPLAN_DELAY)
        self.created[identity] = made
        if action.dedicated and not _is_mine(made, begun):
            # The tags that it has by now say that it was.
            await self.services.identities.create(identity, action.location, {})
            raise Temporary(f"{identity} is there by now, and was not made for it", REPLAN_DELAY)
        await self.services.identity_ledger.learn_principal(identity, made.principal)
        self.progress.principals[UserAssigned(identity)] = made.principal
        return f"principal {made.principal}"

    async def _made_before(self, identity: ResourceId, begun: Dedicated) -> Created | None:
        """One that was begun before may be there all the same: the answer was lost, or a replica of
        ARM misses it. Made once more, it would have Lanyard's tags whoever made it.
        """
        current = await self.services.identities.details(identity)
        if current is None:
            return None
        mine = begun.is_still(
            current, self.progress.record.id, self.services.assignments.installation
        )
        return Created(current.principal_id, new=mine)

    def _as_made(self, identity: ResourceId, before: Dedicated) -> Dedicated | None:
        """None for one that somebody else made: it is theirs."""
        made = self.created[identity]
        if _is_mine(made, before):
            return Dedicated(made.principal, before.delete_after)
        return None


def _is_mine(made: Created, before: Dedicated | None) -> bool:
    """Whether Lanyard made it, now or before."""
    return made.new or (before is not None and made.principal == before.principal)
