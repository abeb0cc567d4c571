"""Which principal stands behind each wanted identity, and which identities are not to be given:
with as few calls as can be.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Protocol

from lanyard.planning.desired import Desired, WantedIdentity
from lanyard.planning.plan import Actual
from lanyard.ports.cache import Cache, Together
from lanyard.record.rows import DamagedRow
from lanyard.values.compute import (
    ComputeResource,
    ManagedIdentity,
    PrincipalRef,
    SystemAssigned,
    UserAssigned,
)
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.own_identity import Dedicated, Known, made_for, mark_of
from lanyard.values.resource_id import ResourceId, folded

#: Whether the record of a resource (by its mark) has an identity as made for it alone.
type IsDedicated = Callable[[str, ResourceId], Awaitable[bool]]
#: Whether the record of a resource that moved has an identity as made at this place (id).
type IsLeft = Callable[[ResourceId, ResourceId], Awaitable[bool]]


class Details(Protocol):
    """Where it is asked what an identity is now: ARM, or a listing."""

    async def details(self, identity: ResourceId) -> ManagedIdentity | None:
        """The identity as it is now, or None."""


class Record(Protocol):
    """Where the answer is remembered: the ledger."""

    async def known(self, identity: ResourceId) -> Known | None:
        """The principal of an identity, and whose it is, where it is known."""

    async def learn_principal(self, identity: ResourceId, principal_id: str, owner: str) -> None:
        """Remember the principal of an identity, and whose it is (see `Known`)."""


class AskedOnce:
    """Asks for each identity once, and keeps the answer: for looks at many resources that share
    identities. That an identity does not exist is an answer, too, and so is a refusal.
    """

    def __init__(self, identities: Details) -> None:
        self._identities = identities
        self._answers: Cache[ResourceId, ManagedIdentity | None] = Cache()
        #: Why an identity could not be read.
        self.unread: dict[ResourceId, Temporary | Permanent] = {}

    async def details(self, identity: ResourceId) -> ManagedIdentity | None:
        """The identity, as it was when it was first asked for. Raises Temporary, Permanent."""
        if identity in self.unread:
            raise self.unread[identity]
        try:
            return await self._answers.get(identity, partial(self._identities.details, identity))
        except (Temporary, Permanent) as failure:
            self.unread[identity] = failure
            raise


class AskedTogether:
    """Asks for an identity once for all who want to know at the same time."""

    def __init__(self, identities: Details) -> None:
        self._identities = identities
        self._answers: Together[ResourceId, ManagedIdentity | None] = Together()

    async def details(self, identity: ResourceId) -> ManagedIdentity | None:
        """The identity, as it is after it was asked for."""
        return await self._answers.get(identity, partial(self._identities.details, identity))


class RecordedOnce:
    """The ledger, read once for each identity. `writes`: what is learnt is put on record; where
    only a look is made, whoever works on the resource does that.
    """

    def __init__(self, ledger: Record | None, *, writes: bool = False) -> None:
        self._ledger = ledger
        self._writes = writes
        self._answers: Cache[ResourceId, Known | None] = Cache()

    async def known(self, identity: ResourceId) -> Known | None:
        """The principal of an identity, and whose it is, where it is known."""
        return await self._answers.get(identity, partial(self._ask, identity))

    async def _ask(self, identity: ResourceId) -> Known | None:
        return None if self._ledger is None else await self._ledger.known(identity)

    async def learn_principal(self, identity: ResourceId, principal_id: str, owner: str) -> None:
        """Remember it for as long as this lives."""
        if self._writes and self._ledger is not None:
            await self._ledger.learn_principal(identity, principal_id, owner)
        self._answers.put(identity, Known(principal_id, owner))


async def nowhere(_owner: str, _identity: ResourceId) -> bool:
    """Where there are no records."""
    return False


async def by_its_tags(_identity: ResourceId, _place: ResourceId) -> bool:
    """Where there are no records: its tags are all that is known."""
    return True


@dataclass(frozen=True, slots=True)
class Behind:
    """What stands behind the identities of one resource, as far as it is known."""

    #: Of those that exist, wanted, kept, or named by the resource's own settings.
    principals: dict[PrincipalRef, str] = field(default_factory=dict)
    #: The wanted ones that cannot be read, and why: nothing is concluded of them.
    unread: dict[ResourceId, Temporary | Permanent] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Principals:
    """What is known of the identities of one resource, or of many one after the other.

    The ledger answers for identities seen before. `identities` is asked for a new one, where the
    resource shows another principal than the ledger (then it was recreated), and whose one is.
    """

    identities: Details
    ledger: Record
    #: GUID, lower case; "" where it is not known: then no tag says whose an identity is, and what a
    #: resource has counts as its own.
    installation: str
    is_dedicated: IsDedicated = nowhere
    is_left: IsLeft = by_its_tags

    async def known(self, wanted: Desired, resource: ComputeResource | None) -> Behind:
        """The principals of the identities that exist, wanted, kept, or named by the resource's own
        settings; a wanted one that does not exist is left out. Raises Temporary where the record
        cannot be read, DamagedRow.
        """
        behind = Behind()
        if resource is None:
            return behind
        if resource.identity.system_principal_id is not None:
            behind.principals[SystemAssigned()] = resource.identity.system_principal_id
        for identity in wanted.identities:
            shown = resource.identity.user_assigned.get(identity)
            await self._look_up(identity, shown, behind)
        in_use = resource.names.keys() | wanted.kept.identities.keys()
        for identity in in_use - wanted.identities.keys():
            # What its settings name is in use, and what it keeps its own, attached or not; only
            # what is on record is known of it.
            if (known := await self.ledger.known(identity)) is not None:
                behind.principals[UserAssigned(identity)] = known.principal
        return behind

    async def actual(
        self,
        resource: ComputeResource | None,
        wanted: Desired,
        behind: Behind,
        own: Mapping[ResourceId, Dedicated],
    ) -> Actual:
        """What there is, by what stands behind the identities and whose they are.

        `own`: those that are on record as made for the resource. One that is gone is taken out of
        what stands `behind`, and one of which it cannot be asked is among those that cannot be
        read. Raises Temporary where the record cannot be read.
        """
        theirs = frozenset[ResourceId]()
        if resource is not None:
            theirs = await self._not_for(resource, wanted, behind, own)
        return Actual(resource, behind.principals, theirs, behind.unread)

    async def _not_for(
        self,
        resource: ComputeResource,
        wanted: Desired,
        behind: Behind,
        own: Mapping[ResourceId, Dedicated],
    ) -> frozenset[ResourceId]:
        """The identities that are wanted, and exist, and are not to be given to this resource: one
        for it alone that was not made for it, and one that several have where it was made for
        another alone. Whoever may choose a resource's name would choose an identity by it.
        """
        theirs = set[ResourceId]()
        for identity in wanted.identities.values():
            if UserAssigned(identity.id) not in behind.principals or identity.id in behind.unread:
                continue
            check = self._is_anothers_own if identity.dedicated else self._is_of_one
            try:
                if await check(resource, identity, behind, own):
                    theirs.add(identity.id)
            except DamagedRow as damage:  # of whom it may be
                behind.unread[identity.id] = damage
        return frozenset(theirs)

    async def _is_anothers_own(
        self,
        resource: ComputeResource,
        wanted: WantedIdentity,
        behind: Behind,
        own: Mapping[ResourceId, Dedicated],
    ) -> bool:
        """Asked of one that is not on record as made for the resource, that has another principal
        now, or that it has not: another may have been made under its name, and its event was lost.

        What is not on record at all, and not attached, has only its tags, which whoever may tag
        puts on any identity: they say nothing.
        """
        ref, known = UserAssigned(wanted.id), own.get(wanted.id, Dedicated("", 0.0))
        has_it = wanted.id in resource.identity.user_assigned
        if has_it and (behind.principals[ref] == known.principal or not self.installation):
            return False
        current = await self._now(ref, behind)
        if current is None:
            return False
        if not known.principal and not await self._may_be(current, ref.id):
            return True
        if not known.is_still(current, resource.id, self.installation):
            return True
        on_record = has_it or wanted.id in own
        return not (on_record or await self.is_left(wanted.id, resource.id))

    async def _may_be(self, current: ManagedIdentity, identity: ResourceId) -> bool:
        """Whether nothing on record says that it is not this resource's own, whatever its tags say:
        a PUT that met it has put them there.
        """
        known = await self.ledger.known(identity)
        return known is None or known != (current.principal_id, "")

    async def _is_of_one(
        self,
        resource: ComputeResource,
        wanted: WantedIdentity,
        behind: Behind,
        _own: Mapping[ResourceId, Dedicated],
    ) -> bool:
        """Asked of one that was made for another resource when it was read last: that its tag says
        so no more, and that one's record, makes it everybody's.
        """
        known, ref = await self.ledger.known(wanted.id), UserAssigned(wanted.id)
        mine = folded(mark_of(resource.id.key))
        if known is None or known.owner in ("", mine):
            return False
        current = await self._now(ref, behind)
        if current is None:
            return False
        owner = made_for(current.tags, self.installation)
        if owner or await self.is_dedicated(known.owner, wanted.id):
            return owner != mine
        await self.ledger.learn_principal(wanted.id, current.principal_id, "")
        return False

    async def _now(self, ref: UserAssigned, behind: Behind) -> ManagedIdentity | None:
        """What it is by now, with its principal; None, too, where it cannot be read."""
        try:
            current = await self.identities.details(ref.id)
        except (Temporary, Permanent) as failure:
            behind.unread[ref.id] = failure
            return None
        if current is None:
            del behind.principals[ref]
        elif current.principal_id != behind.principals[ref]:
            await self._learn(ref.id, current, behind)
        return current

    async def _look_up(self, identity: ResourceId, shown: str | None, behind: Behind) -> None:
        """A wanted one, which the resource shows with that principal. ARM is asked where the record
        does not say it; what is on record of one that it does not show stays.
        """
        try:
            known = await self.ledger.known(identity)
        except DamagedRow as damage:
            behind.unread[identity] = damage
            return
        if known is not None:
            behind.principals[UserAssigned(identity)] = known.principal
            if shown in (None, known.principal):
                return
        try:
            current = await self.identities.details(identity)
        except (Temporary, Permanent) as failure:
            behind.unread[identity] = failure
            return
        if current is None:
            behind.principals.pop(UserAssigned(identity), None)
        else:
            await self._learn(identity, current, behind)

    async def _learn(self, identity: ResourceId, current: ManagedIdentity, behind: Behind) -> None:
        owner = made_for(current.tags, self.installation)
        await self.ledger.learn_principal(identity, current.principal_id, owner)
        behind.principals[UserAssigned(identity)] = current.principal_id
