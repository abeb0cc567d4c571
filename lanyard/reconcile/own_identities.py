"""Identities of one resource alone that it no longer needs: everything that can say that they are
in use is asked before they go, and before their roles do.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import ceil

from lanyard.planning.actions import (
    Action,
    DeleteIdentity,
    UpgradeInstances,
    changes_identity,
)
from lanyard.planning.deletion import (
    Use,
    clear,
    concerned,
    first_look_in,
    in_hidden_use,
    in_unread,
    in_use,
    not_answered,
    second_look_in,
    seconds_left,
    stays_attached,
    trusted,
    unused,
    used,
)
from lanyard.planning.life import SECOND_LOOK
from lanyard.planning.obstacle import Obstacle
from lanyard.planning.orders import Refusal
from lanyard.planning.outcomes import Outcome, failed, only
from lanyard.planning.verdict import Held
from lanyard.reconcile.deleted_identities import is_deletable
from lanyard.reconcile.progress import Progress
from lanyard.reconcile.services import Services
from lanyard.record.held import Entry
from lanyard.values.errors import Because, NotYet, Permanent, Temporary
from lanyard.values.own_identity import Dedicated
from lanyard.values.resource_id import ResourceId, folded

#: Seconds for which a question that Azure does not answer is asked again and again; then what waits
#: for the answer is held, and each sweep asks once more.
_PATIENCE = 3600.0


@dataclass(slots=True)
class Looks:
    """What the looks come to, of the actions that the guard allowed."""

    allowed: Sequence[Action]
    #: Those that wait, with the seconds that are left.
    waiting: dict[Action, float]
    #: Of these, the seconds after which they are looked at again before they are due.
    again: dict[Action, float] = field(default_factory=dict)
    #: Those that only wait for the second of two looks.
    second: set[Action] = field(default_factory=set)
    #: Those that something stands against.
    held: list[Held] = field(default_factory=list)
    #: Those of which Azure could not be asked now.
    failed: list[Outcome] = field(default_factory=list)

    def hold(self, actions: Iterable[Action], obstacle: Obstacle) -> None:
        """Something stands against these."""
        known = {one.action for one in self.held}
        for action in actions:
            self.waiting.pop(action, None)
            if action not in known:
                self.held.append(obstacle.held(action))

    def due(self) -> list[Action]:
        """What is done now. Instances are not brought up to date for what is only done later."""
        against = [*(one.action for one in self.held), *(one.action for one in self.failed)]
        due = [a for a in self.allowed if a not in self.waiting and a not in against]
        changed = any(map(changes_identity, due))
        return [a for a in due if not isinstance(a, UpgradeInstances) or a.lagging or changed]

    def listed_yet(self, entries: Mapping[str, Entry]) -> list[Refusal]:
        """What was tried before, and is held by what Azure answered then, stays on the list until
        it is tried again.
        """
        second = {action.key for action in self.second}
        return [entry.refusal for key, entry in entries.items() if key in second]

    def put_off(self) -> list[Outcome]:
        """What waits comes back when it is due, or to be looked at before."""
        return [
            Outcome(
                action,
                failure=NotYet(
                    f"due in {ceil(left / 60)} min, if it is then", self.again.get(action, left)
                ),
            )
            for action, left in self.waiting.items()
        ]


@dataclass(frozen=True, slots=True)
class OwnIdentities:
    """Of the resource of one reconcile."""

    services: Services
    progress: Progress

    async def look(
        self, planned: Iterable[Action], allowed: Sequence[Action], waiting: Mapping[Action, float]
    ) -> Looks:
        """Look who uses what is planned to be deleted, where anything of it is due or nobody has
        looked yet. `waiting`: the seconds that allowed actions have to wait anyway.
        """
        looks = Looks(allowed, dict(waiting))
        for deletion in only(DeleteIdentity, planned):
            own = self.progress.record.dedicated[deletion.id]
            principal = own.principal or await self._principal(deletion.id)
            group = [one for one in allowed if concerned(one, deletion.id, principal)]
            if group:
                await self._look(deletion.id, own, group, looks)
        return looks

    async def _principal(self, identity: ResourceId) -> str:
        """Of one whose making was cut off."""
        return await self.services.identity_ledger.principal(identity) or ""

    async def _look(
        self, identity: ResourceId, own: Dedicated, group: Sequence[Action], looks: Looks
    ) -> None:
        due = [action for action in group if action not in looks.waiting]
        looked_at = own.alone_since and (own.unused_since or self._has(identity))
        if looked_at and not self._soon(identity, group, looks):
            return
        try:
            obstacle = await self._obstacle(identity, own, group, looks)
        except Temporary as failure:
            if await self._unanswered(identity) < _PATIENCE:
                # Where nothing is due yet, the look is made again.
                looks.failed += failed(due, failure)
                return
            obstacle = not_answered("what has it", failure)
        else:
            await self._answered(identity)
        if obstacle is not None:
            looks.hold(group, obstacle)

    async def _unanswered(self, identity: ResourceId) -> float:
        """For how long Azure has not answered by now, in seconds."""
        own, now = self.progress.record.dedicated[identity], self.services.now()
        since = own.unanswered_since or now
        await self._save(identity, replace(own, unanswered_since=since))
        return now - since

    async def _answered(self, identity: ResourceId) -> None:
        own = self.progress.record.dedicated.get(identity)
        if own is not None and own.unanswered_since:
            await self._save(identity, replace(own, unanswered_since=0.0))

    async def _save(self, identity: ResourceId, own: Dedicated) -> None:
        dedicated = {**self.progress.record.dedicated, identity: own}
        await self.progress.save(replace(self.progress.record, dedicated=dedicated))

    async def _obstacle(
        self, identity: ResourceId, own: Dedicated, group: Sequence[Action], looks: Looks
    ) -> Obstacle | None:
        """Why none of it may go; what only has to wait is in `looks`. Raises Temporary."""
        try:
            use = await self._listed(identity, own)
        except Permanent as failure:
            return not_answered("what has it", failure)
        if use is None:
            looks.waiting.pop(DeleteIdentity(identity), None)
            return None
        # At first, too: what spoke against it goes on to, without a gap.
        asked = not own.alone_since
        if obstacle := in_use(use) or (await self._unlisted(identity, use) if asked else None):
            return await self._stays(identity, obstacle)
        own = await self._goes_on(identity, use)
        self._wait(identity, own, group, use, looks)
        soon = self._soon(identity, group, looks)
        if not soon:
            return None
        unread, deletion = await self.services.unread.read(), DeleteIdentity(identity)
        if (elsewhere := in_unread(unread)) and deletion in group and deletion not in looks.waiting:
            looks.hold([deletion], elsewhere)
            soon.remove(deletion)  # it is asked about twice once that is over
        if not asked and (obstacle := await self._unlisted(identity, use)):
            return await self._stays(identity, obstacle)
        # While its own resource has it, that is what its deletion waits for.
        soon = [each for each in soon if not (use.attached and each == deletion)]
        await self._clear(identity, soon, looks)
        return None

    def _soon(self, identity: ResourceId, group: Sequence[Action], looks: Looks) -> list[Action]:
        """What everything is to be asked for now; when the rest is looked at is in `looks`."""
        own, now = self.progress.record.dedicated[identity], self.services.now()
        soon = []
        for action in group:
            left = looks.waiting.get(action, 0.0)
            if left and (first := first_look_in(own, action, left, now)) > 0:
                looks.again[action] = first
            else:
                soon.append(action)
        return soon

    async def _clear(self, identity: ResourceId, soon: Sequence[Action], looks: Looks) -> None:
        """Everything was asked, and nothing shows a use: what is due goes by the second look."""
        own, now = self.progress.record.dedicated[identity], self.services.now()
        await self._save(identity, clear(own, soon, now))
        for action in soon:
            left = second_look_in(own, action, now)
            if left > 0 and action not in looks.waiting:
                looks.second.add(action)
            if (left := max(looks.waiting.get(action, 0.0), left)) > 0:
                looks.waiting[action] = left

    async def _stays(self, identity: ResourceId, obstacle: Obstacle) -> Obstacle:
        """A use that is seen ends by two looks again; a question without an answer shows none."""
        if obstacle.because is Because.IN_USE:
            await self._save(identity, used(self.progress.record.dedicated[identity]))
        return obstacle

    async def _goes_on(self, identity: ResourceId, use: Use) -> Dedicated:
        """No look shows a use."""
        own = unused(self.progress.record.dedicated[identity], use, self.services.now())
        await self._save(identity, own)
        return own

    def _wait(
        self,
        identity: ResourceId,
        own: Dedicated,
        group: Sequence[Action],
        use: Use,
        looks: Looks,
    ) -> None:
        """For the listings."""
        if obstacle := stays_attached(use, identity, looks.allowed):
            looks.hold([DeleteIdentity(identity)], obstacle)
        for action in group:
            left = seconds_left(action, own, use, self.services.now())
            if (left := max(looks.waiting.get(action, 0.0), left)) > 0:
                looks.waiting[action] = left

    async def _listed(self, identity: ResourceId, own: Dedicated) -> Use | None:
        """Where it is, with its principal on record; None where it is another one now, or gone, for
        certain: that one is not to be looked after. Raises Temporary, Permanent.
        """
        services, progress = self.services, self.progress
        current = await services.identities.details(identity)
        if current is None:
            await services.identity_presence.ensure_gone(identity)
            await self._away(identity, own)
            return None
        await services.identity_presence.seen(identity)
        if not is_deletable(own, current, progress.record.id, services):
            return await self._another(identity, own)
        listed = {folded(each): each for each in await services.index.resources_with(identity)}
        mine = listed.pop(progress.record.id.key, None)
        here = replace(own, principal=current.principal_id, away_since=0.0)
        await self._save(identity, here)
        return Use(
            others=tuple(sorted(listed.values())),
            listed=mine is not None,
            attached=self._has(identity),
        )

    async def _another(self, identity: ResourceId, own: Dedicated) -> Use | None:
        """ARM shows another one in its place, as a replica that is behind may: believed where it
        does so a minute later as well, and nothing is listed with the principal of this one.
        """
        await self._away(identity, own)
        away_since = self.progress.record.dedicated[identity].away_since
        if (left := away_since + SECOND_LOOK - self.services.now()) > 0:
            raise NotYet(f"{identity}: ARM shows another one in its place", left)
        its = (self.progress.record.id.key, identity.key)
        showing = await self.services.index.showing(own.principal) if own.principal else []
        others = {one.id for one in showing if folded(one.id) not in its}
        return Use(others=tuple(sorted(others))) if others else None

    async def _away(self, identity: ResourceId, own: Dedicated) -> None:
        """Azure shows none, or another one."""
        if not own.away_since:
            await self._save(identity, replace(own, away_since=self.services.now()))

    def _has(self, identity: ResourceId) -> bool:
        """Whether the resource itself lives and has it."""
        resource = self.progress.resource
        return resource is not None and identity in resource.identity.user_assigned

    async def _unlisted(self, identity: ResourceId, use: Use) -> Obstacle | None:
        """What no listing shows. The count comes last: the tenant may ask once a second."""
        questions: dict[str, Callable[[], Awaitable[Obstacle | None]]] = {
            "the ledger": lambda: self._on_record(identity),
            "federatedIdentityCredentials": lambda: self._trusted(identity),
            "listAssociatedResources": lambda: self._counted(identity, use),
        }
        for what, asked in questions.items():
            try:
                if obstacle := await asked():
                    return obstacle
            except Permanent as failure:
                return not_answered(what, failure)
        return None

    async def _on_record(self, identity: ResourceId) -> Obstacle | None:
        """What Lanyard attached it to a moment ago is not listed yet. What is gone stays on record
        with what it had while something of it is to go, and has nothing.
        """
        users = self.services.ledger.having(identity, living=True)
        having = {resource async for resource in users}
        others = sorted(having - {self.progress.record.id})
        return in_use(Use(others=tuple(other.text for other in others)))

    async def _trusted(self, identity: ResourceId) -> Obstacle | None:
        return trusted(await self.services.identities.federated(identity))

    async def _counted(self, identity: ResourceId, use: Use) -> Obstacle | None:
        return in_hidden_use(use, await self.services.identities.associated(identity))
