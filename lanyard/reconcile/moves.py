"""A resource that is gone from its id and lives under another: Azure moves it between groups and
subscriptions, with its identities, and reports a deletion and a write.

Its record moves with it. What no rule wants at the new place goes by the same rules as anywhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from lanyard.planning.life import LISTING_LAG, Life
from lanyard.planning.orders import Kind, Refusal
from lanyard.reconcile.services import Services
from lanyard.record.decisions import Decision
from lanyard.record.held import Answer
from lanyard.record.ledger import ResourceRecord
from lanyard.record.ownership import Likeness, as_seen, likeness, may_be_same
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import Because, NotYet, Permanent
from lanyard.values.own_identity import Dedicated
from lanyard.values.resource_id import ResourceId

#: Seconds until a listing is read again that has not heard of the end of a resource, and how long
#: that is waited for. One that shows it for longer speaks against its end (presence.py).
_LISTED_DELAY, _LISTED_LATE = 60.0, LISTING_LAG


#: What the key of what is held of a resource that may have moved begins with; the new id follows.
MOVE = "move "
# … and of one of which nobody can say whether it is the one.
_UNREAD = "unread move "
_SAY_WHICH = (
    "release it where it is the same: its record goes with it; dismiss it where it is another one: "
    "what it had goes as of any that is gone"
)
_WATCH = (
    "it goes on by itself once Lanyard has; or release it: its record goes with it, and what no "
    "rule wants there is taken as far as the app's rights go"
)
_LET_READ = (
    "let the app read it: then it goes on by itself; or dismiss it where it is another one: what "
    "it had goes as of any that is gone"
)
_OUTSIDE = "it moved to {}: in that subscription Lanyard has given nothing yet"
_IN_DOUBT = "it may have moved to {}: nothing but its identities shows it, which anybody may attach"


@dataclass(frozen=True, slots=True)
class Moves:
    """Follows resources. A crash in between leaves the old record, which is followed again."""

    services: Services

    async def follow(self, record: ResourceRecord) -> ResourceId | Refusal | None:
        """Where the resource of a record, which is gone, is by now, with its record there; None
        where it is nowhere: then whoever has its identities and needs what they have keeps it
        (estate.py). Where nobody can say whether it is the one, or it is where Lanyard has given
        nothing, what is held: the record stays as it is. Nor does it go anywhere, or is given up,
        while one that may be it cannot be read. Raises NotYet while the listing shows it where it
        was (where it is now is not listed either) or where ARM does not yet; Temporary, Permanent
        where it cannot be listed.
        """
        if record.row is None or record.empty:
            return None
        found = await self._found(record)
        if isinstance(found, _Unread):
            return _refusal_of_unread(found)
        if found is None:
            return None
        if found.doubt:
            refusal = _refusal(found)
            if not await self._released(record, refusal):
                return refusal
        await self._take_along(record, found.resource)
        return found.resource.id

    async def part(self, record: ResourceRecord, here: ComputeResource) -> ResourceId | None:
        """As `follow`, for the resource of a record in whose place another one was made: where the
        first is by now, with what it has. Claims and identities that are made for a resource are of
        its id: the one that is here keeps them. One that cannot be read is in doubt.
        """
        found = await self._found(record)
        if found is None or isinstance(found, _Unread) or found.doubt:
            return None
        services, there = self.services, found.resource
        for grant in record.owned().claimed:
            await services.claims.share(grant, there.id)
        await self._arrived(replace(record, dedicated={}), there)
        stays = as_seen(record, here, record.life, services.now())
        await services.ledger.save(replace(stays, system_principals=frozenset()))
        return there.id

    async def own(self, record: ResourceRecord) -> dict[ResourceId, Dedicated]:
        """The identities made for the resource of a record, without those of a place that it left
        where another resource was made since: that one has them, and they are no longer needed
        once *it* is gone. Raises Temporary.
        """
        return {
            one: each for one, each in record.dedicated.items() if not await self._left(one, each)
        }

    async def _left(self, identity: ResourceId, own: Dedicated) -> bool:
        if not own.owner:
            return False
        there = await self.services.ledger.resource(ResourceId.parse(own.owner))
        return identity in there.dedicated

    async def _found(self, record: ResourceRecord) -> "_Found | _Unread | None":
        """The one resource that is the one of the record, or may be it."""
        services, here = self.services, record.id
        named = [each.compute for each in await services.index.named(here.type, here.names)]
        listed = [one for one in named if one is not None]
        mine = ("", record.incarnation)
        late = any(one.id == here and one.incarnation in mine for one in listed)
        read, unread = await self._read(record, listed)
        # What is listed elsewhere a replica of ARM may not know yet.
        unsettled = late or None in read
        if unsettled and services.now() < record.life.missing + _LISTED_LATE:
            raise NotYet(f"{here} is gone, and listed yet: it may have been moved", _LISTED_DELAY)
        alike = [(likeness(record, one), one) for one in read if one is not None]
        same = [one for how, one in alike if how is Likeness.SAME]
        perhaps = [one for how, one in alike if how is Likeness.DOUBTFUL]
        if unread and not same:
            return unread[0]
        if len(same or perhaps) != 1:
            return None
        if perhaps and not same:
            return _Found(perhaps[0], _IN_DOUBT)
        return _Found(same[0], "" if await self._at_work_in(same[0].id, here) else _OUTSIDE)

    async def _read(
        self, record: ResourceRecord, listed: Iterable[ComputeResource]
    ) -> tuple[list[ComputeResource | None], list["_Unread"]]:
        """Those that may be the one of the record, as they are now, and those whose reading is
        refused; not what a person dismissed as another one.
        """
        services, read, unread = self.services, list[ComputeResource | None](), list[_Unread]()
        held = await services.held.of(record.id)
        for each in listed:
            entry = held.get(f"{_UNREAD}{each.id.key}")
            is_other = entry is not None and entry.answer is Answer.DISMISSED
            if is_other or not may_be_same(record, each):
                continue
            try:
                read.append(await services.compute.read(each.id))
            except Permanent as failure:
                unread.append(_Unread(each.id, failure))
        return read, unread

    async def _at_work_in(self, there: ResourceId, here: ResourceId) -> bool:
        """Whether a resource was moved to where Lanyard has given something before: what the app
        can read it may not watch, nor be able to write.
        """
        if there.subscription == here.subscription:
            return True
        async for known in self.services.ledger.records([]):  # a damaged row shows nothing
            if known.id.subscription == there.subscription and (known.attachments or known.grants):
                return True
        return False

    async def _released(self, record: ResourceRecord, refusal: Refusal) -> bool:
        entry = (await self.services.held.of(record.id)).get(refusal.key)
        return entry is not None and entry.answer is Answer.RELEASED

    async def _take_along(self, record: ResourceRecord, there: ComputeResource) -> None:
        services = self.services
        await self._arrived(record, there)
        for grant in record.owned().claimed:
            await services.claims.move(grant, record.id, there.id)
        await services.held.update(record.id, (), "", ())
        await services.ledger.forget(record)

    async def _arrived(self, record: ResourceRecord, there: ComputeResource) -> None:
        services = self.services
        known = await services.ledger.resource(there.id)
        await services.ledger.save(_merged(record, known, there, services.now()))
        for principal in record.system_principals:
            await services.identity_ledger.learn_holder(principal, there.id)
        await services.decisions.add(
            Decision(record.id.text, "move", "done", f"it is {there.id} now, with its record")
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """`doubt`: why its record does not go with it unasked, "" where it does; "{}" is its id."""

    resource: ComputeResource
    doubt: str = ""


@dataclass(frozen=True, slots=True)
class _Unread:
    """One that may be it, and why it cannot be read."""

    id: ResourceId
    failure: Permanent


def _refusal_of_unread(unread: _Unread) -> Refusal:
    return Refusal(
        key=f"{_UNREAD}{unread.id.key}",
        because=Because.MOVED,
        action="move its record",
        reason=f"it may have moved to {unread.id}, which cannot be read: {unread.failure}",
        release=_LET_READ,
        kind=Kind.REMOVAL,
    )


def _refusal(found: _Found) -> Refusal:
    return Refusal(
        key=f"{MOVE}{found.resource.id.key}",
        because=Because.MOVED,
        action="move its record",
        reason=found.doubt.format(found.resource.id),
        release=_WATCH if found.doubt == _OUTSIDE else _SAY_WHICH,
        releasable=True,
        kind=Kind.REMOVAL,
    )


def _merged(
    old: ResourceRecord, known: ResourceRecord, there: ComputeResource, now: float
) -> ResourceRecord:
    """Its grants are confirmed, or given up, by the plan of the new place."""
    attached = there.identity.user_assigned
    ours = {one: at for one, at in old.attachments.items() if one in attached}
    own = {one: _left_by(old, each, there) for one, each in old.dedicated.items()}
    names = {grant.name for grant in known.owned().claimed}
    moved = {grant for grant in old.owned().claimed if grant.name not in names}
    return replace(
        known,
        attachments={**ours, **known.attachments},
        adopted=known.adopted | (old.adopted - known.attachments.keys()),
        pending=known.pending | moved,
        system_principals=known.system_principals | old.system_principals,
        dedicated={**own, **known.dedicated},
        confirmed={**old.confirmed, **known.confirmed},
        given_by={**old.given_by, **known.given_by},
        incarnation=there.incarnation,
        life=Life(alive=now),
    )


def _left_by(old: ResourceRecord, own: Dedicated, there: ComputeResource) -> Dedicated:
    """What moves back to the place that its identity was made for has it as before."""
    owner = own.owner or old.id.key
    return replace(own, owner="" if owner == there.id.key else owner)
