"""Identities that are missing, made. One of a resource's own goes on record before, and with the
principal that it was made with after: only that one is deleted with the resource. One that many
need at once is made by one of them (record/making.py).
"""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial

from lanyard.planning.actions import CreateIdentity
from lanyard.planning.outcomes import attempt
from lanyard.reconcile.apply_removals import REPLAN_DELAY
from lanyard.reconcile.progress import Progress
from lanyard.reconcile.services import Services
from lanyard.values.compute import UserAssigned
from lanyard.values.errors import NotYet, Permanent, Temporary
from lanyard.values.own_identity import Created, Dedicated, creation_tags, mark_of
from lanyard.values.resource_id import ResourceId, folded

#: Seconds until what one replica of ARM misses, or a listing still shows, is looked at again: a PUT
#: would replace the tags of what is there.
_LATE = 30.0
#: Until so many seconds after a PUT that got no answer it may act, or what it made be missed. After
#: one more nobody could say whether it was Lanyard or somebody else who made it.
_UNDER_WAY = 60.0


@dataclass(frozen=True, slots=True)
class MadeIdentities:
    """Those of one plan. `created`: what became of each; `asked_at`: when a PUT went out that may
    act yet.
    """

    services: Services
    progress: Progress
    created: dict[ResourceId, Created] = field(default_factory=dict)
    asked_at: dict[ResourceId, float] = field(default_factory=dict)

    async def make(self, actions: Sequence[CreateIdentity]) -> None:
        """All of them, side by side. One that fails stops no other."""
        before = self.progress.record.dedicated
        self.asked_at.update({one: own.asked_at for one, own in before.items()})
        mine = [action for action in actions if action.dedicated]
        own = {a.id: self._begun(before.get(a.id), a) for a in mine}
        await self._keep({**before, **own})
        self.progress.outcomes += await asyncio.gather(
            *(attempt(action, self._make(action, before.get(action.id))) for action in actions)
        )
        known = self.progress.record.dedicated
        by_now = {one: self._by_now(one, before.get(one), known[one]) for one in own}
        kept = {**known, **by_now}
        await self._keep({one: still for one, still in kept.items() if still is not None})

    def _begun(self, before: Dedicated | None, action: CreateIdentity) -> Dedicated:
        """What is on record while it is asked for: whoever asks may die. What it comes to has
        another principal than what was there before.
        """
        begun, now = before or Dedicated("", action.delete_after), self.services.now()
        under_way = now < begun.asked_at + _UNDER_WAY
        return begun if under_way else replace(begun, principal="", asked_at=now)

    async def _keep(self, dedicated: Mapping[ResourceId, Dedicated]) -> None:
        await self.progress.save(replace(self.progress.record, dedicated=dedicated))

    async def _make(self, action: CreateIdentity, begun: Dedicated | None) -> str:
        identity = action.id
        if action.dedicated:
            principal = await self._make_one(action, begun)
        else:
            there = partial(self._learnt, identity)
            make = partial(self._make_for_all, action)
            principal = await self.services.many.once.ensure(identity, there, make)
        self.progress.principals[UserAssigned(identity)] = principal
        return f"principal {principal}"

    async def _make_for_all(self, action: CreateIdentity) -> str:
        """As its maker, for every instance; nobody waits for one that failed, unless what it asked
        for may come to be. Returns the principal. Raises BeingMade.
        """
        makers = self.services.many.makers
        maker = await makers.begin(action.id, self.progress.record.id)
        try:
            principal = await self._learnt(action.id) or await self._make_one(action, None)
        except (Temporary, Permanent) as failure:
            if not failure.uncertain:
                await makers.end(maker)
            raise
        await makers.end(maker)
        return principal

    async def _learnt(self, identity: ResourceId) -> str | None:
        """The principal of one that is on record since this was planned, as everybody's. Where the
        resource shows another one, the record may be older.
        """
        known, resource = (
            await self.services.identity_ledger.known(identity),
            self.progress.resource,
        )
        shown = resource.identity.user_assigned.get(identity) if resource is not None else None
        if known is None or shown not in (None, known.principal):
            return None
        is_for_all = not known.owner and known.principal != self.services.own_principal
        return known.principal if is_for_all else None

    async def _make_one(self, action: CreateIdentity, begun: Dedicated | None) -> str:
        identity, owner = action.id, self.progress.record.id.text if action.dedicated else ""
        made = await self._there_by_now(action, begun)
        if made is None:
            self._ensure_not_under_way(identity)
            made = await self._put(action, owner)
        self.created[identity] = made
        if action.dedicated and not _is_mine(made, begun):
            raise Temporary(f"{identity} is there by now, and was not made for it", REPLAN_DELAY)
        whose = folded(mark_of(owner))
        await self.services.identity_ledger.learn_principal(identity, made.principal, whose)
        return made.principal

    async def _there_by_now(
        self, action: CreateIdentity, begun: Dedicated | None
    ) -> Created | None:
        """It may be there all the same: an answer was lost, or a replica of ARM missed it when it
        was read. Made once more, it would have Lanyard's tags whoever made it.
        """
        current = await self.services.identities.details(action.id)
        if current is None:
            return None
        is_app = current.principal_id == self.services.own_principal
        if is_app or not action.dedicated:
            known = await self.services.identity_ledger.known(action.id)
            if known == (current.principal_id, "") and not is_app:
                return Created(current.principal_id, new=False)  # it was looked at
            # It is looked at like any that exists.
            self.created[action.id] = Created(current.principal_id, new=False)
            raise Temporary(f"{action.id} is there by now", REPLAN_DELAY)
        installation = self.services.assignments.installation
        mine = begun is not None and begun.is_still(current, self.progress.record.id, installation)
        return Created(current.principal_id, new=mine)

    async def _put(self, action: CreateIdentity, owner: str) -> Created:
        """Make it. One that nothing showed, and that is there all the same, has not the tags of
        another resource's own afterwards, and Lanyard's identity none.
        """
        identity, services = action.id, self.services
        if await services.index.shows(identity):
            message = f"ARM answers 404 for {identity}, and Resource Graph shows it"
            raise Temporary(message, _LATE)
        installation = services.assignments.installation
        tags = {**action.tags, **creation_tags(owner, installation)}
        made = await self._ask(action, tags)
        if made.new:
            return made
        known = await services.identity_ledger.known(identity)
        whose = known.owner if known is not None and known.principal == made.principal else ""
        is_app = made.principal == services.own_principal
        if is_app or whose != folded(mark_of(owner)):
            await self._give_back(action, made, "" if is_app else whose)
        return made

    def _ensure_not_under_way(self, identity: ResourceId) -> None:
        """Raises NotYet while what was asked for before may come to be, or be seen by all."""
        left = self.asked_at.get(identity, 0.0) + _UNDER_WAY - self.services.now()
        if left > 0:
            raise NotYet(f"{identity} was asked for without an answer: it may come to be", left)

    async def _ask(self, action: CreateIdentity, tags: Mapping[str, str]) -> Created:
        identity, services = action.id, self.services
        self.asked_at[identity] = services.now()
        try:
            return await services.identities.create(identity, action.location, tags)
        except (Temporary, Permanent) as failure:
            if not failure.uncertain:
                self.asked_at[identity] = 0.0
            raise

    async def _give_back(self, action: CreateIdentity, made: Created, whose: str) -> None:
        """Take Lanyard's tags off what is somebody else's; those that it had before, nothing shows.
        On record first: by these tags it would be taken for this resource's own.

        Raises Temporary: it is looked at like any that exists.
        """
        self.created[action.id] = made
        services = self.services
        await services.identity_ledger.learn_principal(action.id, made.principal, whose)
        installation = services.assignments.installation
        tags = creation_tags(whose, installation) if whose else {}
        await services.identities.create(action.id, action.location, tags)
        raise Temporary(f"{action.id} is there by now, and was not made for it", REPLAN_DELAY)

    def _by_now(
        self, identity: ResourceId, before: Dedicated | None, begun: Dedicated
    ) -> Dedicated | None:
        """None for one that somebody else made: it is theirs."""
        made, asked_at = self.created.get(identity), self.asked_at.get(identity, 0.0)
        if made is not None:
            mine = _is_mine(made, before)
            return Dedicated(made.principal, begun.delete_after) if mine else None
        known = begun if asked_at else before or begun
        return replace(known, asked_at=asked_at)


def _is_mine(made: Created, before: Dedicated | None) -> bool:
    """Whether Lanyard made it, now or before."""
    return made.new or (before is not None and made.principal == before.principal)
