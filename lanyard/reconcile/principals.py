"""Which principal stands behind each wanted identity, with as few calls as can be."""

from collections.abc import Mapping
from functools import partial
from typing import Protocol

from lanyard.planning.desired import Desired
from lanyard.ports.cache import Cache
from lanyard.values.compute import (
    ComputeResource,
    ManagedIdentity,
    PrincipalRef,
    SystemAssigned,
    UserAssigned,
)
from lanyard.values.own_identity import Dedicated
from lanyard.values.resource_id import ResourceId


class Source(Protocol):
    """Where the principal of an identity is asked: ARM."""

    async def principal(self, identity: ResourceId) -> str | None:
        """The principal of an existing identity, or None."""


class Details(Protocol):
    """Where it is asked whose an identity is."""

    async def details(self, identity: ResourceId) -> ManagedIdentity | None:
        """The identity as it is now, or None."""


class Record(Source, Protocol):
    """Where the answer is remembered: the ledger."""

    async def learn_principal(self, identity: ResourceId, principal_id: str) -> None:
        """Remember the principal of an identity."""


class AskedOnce:
    """Asks the sources in turn, once for each identity, and keeps the answer: for looks at many
    resources that share identities. An identity that does not exist is an answer, too.
    """

    def __init__(self, *sources: Source) -> None:
        self._sources = sources
        self._answers: Cache[ResourceId, str | None] = Cache()

    async def principal(self, identity: ResourceId) -> str | None:
        """The principal, as far as it is known or exists."""
        return await self._answers.get(identity, partial(self._ask, identity))

    async def _ask(self, identity: ResourceId) -> str | None:
        for source in self._sources:
            if principal := await source.principal(identity):
                return principal
        return None

    async def learn_principal(self, identity: ResourceId, principal_id: str) -> None:
        """Only kept for as long as this lives: whoever works on the resource puts it on record."""
        self._answers.put(identity, principal_id)


async def known_principals(
    wanted: Desired, resource: ComputeResource | None, identities: Source, ledger: Record
) -> dict[PrincipalRef, str]:
    """The principals of the identities that exist, wanted, kept, or named by the resource's own
    settings; a wanted one that does not exist is left out.

    The ledger answers for identities seen before. ARM is asked for a new one, and where the
    resource shows another principal than the ledger: then the identity was recreated.
    """
    principals: dict[PrincipalRef, str] = {}
    if resource is None:
        return principals
    if resource.identity.system_principal_id is not None:
        principals[SystemAssigned()] = resource.identity.system_principal_id
    for identity in wanted.identities:
        shown = resource.identity.user_assigned.get(identity)
        principal = await _principal(identity, shown, identities, ledger)
        if principal is not None:
            principals[UserAssigned(identity)] = principal
    in_use = resource.names.keys() | wanted.kept.identities.keys()
    for identity in in_use - wanted.identities.keys():
        # What its settings name is in use, and what it keeps its own, attached or not; only what is
        # on record is known of it.
        if (principal := await ledger.principal(identity)) is not None:
            principals[UserAssigned(identity)] = principal
    return principals


async def not_made_for(
    resource: ComputeResource | None,
    wanted: Desired,
    principals: dict[PrincipalRef, str],
    known: Mapping[ResourceId, Dedicated],
    identities: Details,
    installation: str,
) -> frozenset[ResourceId]:
    """The identities that are wanted for this resource alone, and exist, and were not made for it:
    somebody else's, or another resource's of that name. Whoever may choose a resource's name would
    choose an identity by it.

    `known`: those that are on record as made for it. ARM is asked for one that is not, or that has
    another principal now; one that is gone is taken out of `principals`. Raises Temporary,
    Permanent.
    """
    theirs: set[ResourceId] = set()
    if resource is None:
        return frozenset()
    for identity in wanted.identities.values():
        principal = principals.get(UserAssigned(identity.id))
        own = known.get(identity.id, Dedicated("", identity.delete_after))
        if not identity.dedicated or principal in (None, own.principal):
            continue
        current = await identities.details(identity.id)
        if current is None:
            del principals[UserAssigned(identity.id)]
        elif not own.is_still(current, resource.id, installation):
            theirs.add(identity.id)
    return frozenset(theirs)


async def _principal(
    identity: ResourceId, shown: str | None, identities: Source, ledger: Record
) -> str | None:
    known = await ledger.principal(identity)
    if known is not None and shown in (None, known):
        return known
    principal = await identities.principal(identity)
    if principal is not None:
        await ledger.learn_principal(identity, principal)
    return principal
