"""Which principal stands behind each wanted identity, and which identities are not to be given:
with as few calls as can be.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Protocol

from lanyard.planning.desired import Desired, WantedIdentity
from lanyard.ports.cache import Cache, Together
from lanyard.values.compute import (
    ComputeResource,
    ManagedIdentity,
    PrincipalRef,
    SystemAssigned,
    UserAssigned,
)
from lanyard.values.own_identity import Dedicated, Known, made_for, mark_of
from lanyard.values.resource_id import ResourceId, folded

#: Whether the record of a resource (by its mark) has an identity as made for it alone.
type IsDedicated = Callable[[str, ResourceId], Awaitable[bool]]


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
    identities. An identity that does not exist is an answer, too.
    """

    def __init__(self, identities: Details) -> None:
        self._identities = identities
        self._answers: Cache[ResourceId, ManagedIdentity | None] = Cache()

    async def details(self, identity: ResourceId) -> ManagedIdentity | None:
        """The identity, as it was when it was first asked for."""
        return await self._answers.get(identity, partial(self._identities.details, identity))


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

    async def known(
        self, wanted: Desired, resource: ComputeResource | None
    ) -> dict[PrincipalRef, str]:
        """The principals of the identities that exist, wanted, kept, or named by the resource's own
        settings; a wanted one that does not exist is left out. Raises Temporary, Permanent.
        """
        principals: dict[PrincipalRef, str] = {}
        if resource is None:
            return principals
        if resource.identity.system_principal_id is not None:
            principals[SystemAssigned()] = resource.identity.system_principal_id
        for identity in wanted.identities:
            shown = resource.identity.user_assigned.get(identity)
            principal = await self._principal(identity, shown)
            if principal is not None:
                principals[UserAssigned(identity)] = principal
        in_use = resource.names.keys() | wanted.kept.identities.keys()
        for identity in in_use - wanted.identities.keys():
            # What its settings name is in use, and what it keeps its own, attached or not; only
            # what is on record is known of it.
            if (known := await self.ledger.known(identity)) is not None:
                principals[UserAssigned(identity)] = known.principal
        return principals

    async def not_for(
        self,
        resource: ComputeResource | None,
        wanted: Desired,
        principals: dict[PrincipalRef, str],
        own: Mapping[ResourceId, Dedicated],
    ) -> frozenset[ResourceId]:
        """The identities that are wanted, and exist, and are not to be given to this resource: one
        for it alone that was not made for it, and one that several have where it was made for
        another alone. Whoever may choose a resource's name would choose an identity by it.

        `own`: those that are on record as made for it. One that is gone is taken out of
        `principals`. Raises Temporary, Permanent.
        """
        if resource is None:
            return frozenset()
        theirs = set[ResourceId]()
        for identity in wanted.identities.values():
            if UserAssigned(identity.id) not in principals:
                continue
            check = self._is_anothers_own if identity.dedicated else self._is_of_one
            if await check(resource, identity, principals, own):
                theirs.add(identity.id)
        return frozenset(theirs)

    async def _is_anothers_own(
        self,
        resource: ComputeResource,
        wanted: WantedIdentity,
        principals: dict[PrincipalRef, str],
        own: Mapping[ResourceId, Dedicated],
    ) -> bool:
        """Asked of one that is not on record as made for the resource, that has another principal
        now, or that it has not: another may have been made under its name, and its event was lost.
        """
        ref, known = UserAssigned(wanted.id), own.get(wanted.id, Dedicated("", 0.0))
        has_it = wanted.id in resource.identity.user_assigned
        if has_it and (principals[ref] == known.principal or not self.installation):
            return False
        current = await self._now(ref, principals)
        if current is None:
            return False
        if not known.principal and not await self._may_be(current, ref.id):
            return True
        return not known.is_still(current, resource.id, self.installation)

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
        principals: dict[PrincipalRef, str],
        _own: Mapping[ResourceId, Dedicated],
    ) -> bool:
        """Asked of one that was made for another resource when it was read last: that its tag says
        so no more, and that one's record, makes it everybody's.
        """
        known, ref = await self.ledger.known(wanted.id), UserAssigned(wanted.id)
        mine = folded(mark_of(resource.id.key))
        if known is None or known.owner in ("", mine):
            return False
        current = await self._now(ref, principals)
        if current is None:
            return False
        owner = made_for(current.tags, self.installation)
        if owner or await self.is_dedicated(known.owner, wanted.id):
            return owner != mine
        await self.ledger.learn_principal(wanted.id, current.principal_id, "")
        return False

    async def _now(
        self, ref: UserAssigned, principals: dict[PrincipalRef, str]
    ) -> ManagedIdentity | None:
        """What it is by now, with its principal."""
        current = await self.identities.details(ref.id)
        if current is None:
            del principals[ref]
        elif current.principal_id != principals[ref]:
            principals[ref] = current.principal_id
            owner = made_for(current.tags, self.installation)
            await self.ledger.learn_principal(ref.id, current.principal_id, owner)
        return current

    async def _principal(self, identity: ResourceId, shown: str | None) -> str | None:
        known = await self.ledger.known(identity)
        if known is not None and shown in (None, known.principal):
            return known.principal
        current = await self.identities.details(identity)
        if current is None:
            return None
        owner = made_for(current.tags, self.installation)
        await self.ledger.learn_principal(identity, current.principal_id, owner)
        return current.principal_id
