"""A resource that is gone from its id and lives under another: Azure moves it between groups and
subscriptions, with its identities, and reports a deletion and a write.

Its record moves with it. What no rule wants at the new place goes by the same rules as anywhere.
"""

from dataclasses import dataclass, replace

from lanyard.planning.life import Life
from lanyard.reconcile.services import Services
from lanyard.record.decisions import Decision
from lanyard.record.ledger import ResourceRecord
from lanyard.record.ownership import as_seen, is_same
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import NotYet
from lanyard.values.resource_id import ResourceId

#: Seconds until a listing is read again that has not heard of the end of a resource, and how long
#: that is waited for. One that shows it for longer speaks against its end (presence.py).
_LISTED_DELAY, _LISTED_LATE = 60.0, 180.0


@dataclass(frozen=True, slots=True)
class Moves:
    """Follows resources. A crash in between leaves the old record, which is followed again."""

    services: Services

    async def follow(self, record: ResourceRecord) -> ResourceId | None:
        """Where the resource of a record, which is gone, is by now, with its record there; None
        where it is nowhere, or nobody can say which one it is: then whoever has its identities and
        needs what they have keeps it (estate.py). Raises NotYet while the listing shows it where it
        was: where it is now is not listed either; Temporary, Permanent.
        """
        if record.row is None or record.empty:
            return None
        found = await self._found(record)
        if found is None:
            return None
        await self._take_along(record, found)
        return found.id

    async def part(self, record: ResourceRecord, here: ComputeResource) -> ResourceId | None:
        """As `follow`, for the resource of a record in whose place another one was made: where the
        first is by now, with what it has. Claims and identities that are made for a resource are of
        its id: the one that is here keeps them.
        """
        found = await self._found(record)
        if found is None:
            return None
        services = self.services
        for grant in record.owned().claimed:
            await services.claims.share(grant, found.id)
        await self._arrived(replace(record, dedicated={}), found)
        stays = as_seen(record, here, record.life, services.now())
        await services.ledger.save(replace(stays, system_principals=frozenset()))
        return found.id

    async def _found(self, record: ResourceRecord) -> ComputeResource | None:
        services, here = self.services, record.id
        named = [each.compute for each in await services.index.named(here.type, here.name)]
        listed = [one for one in named if one is not None]
        late = any(one.id == here and one.incarnation == record.incarnation for one in listed)
        if late and services.now() < record.life.missing + _LISTED_LATE:
            raise NotYet(f"{here} is gone, and listed yet: it may have been moved", _LISTED_DELAY)
        same = [one for one in listed if is_same(record, one)]
        if len(same) != 1:
            return None
        current = await services.compute.read(same[0].id)
        return current if current is not None and is_same(record, current) else None

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


def _merged(
    old: ResourceRecord, known: ResourceRecord, there: ComputeResource, now: float
) -> ResourceRecord:
    """Its grants are confirmed, or given up, by the plan of the new place."""
    attached = there.identity.user_assigned
    ours = {one: at for one, at in old.attachments.items() if one in attached}
    own = {
        one: replace(each, owner=each.owner or old.id.key) for one, each in old.dedicated.items()
    }
    names = {grant.name for grant in known.owned().claimed}
    moved = {grant for grant in old.owned().claimed if grant.name not in names}
    return replace(
        known,
        attachments={**ours, **known.attachments},
        pending=known.pending | moved,
        system_principals=known.system_principals | old.system_principals,
        dedicated={**own, **known.dedicated},
        confirmed={**old.confirmed, **known.confirmed},
        incarnation=there.incarnation,
        life=Life(alive=now),
    )
