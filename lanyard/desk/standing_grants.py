"""Which of the wanted grants stand already, as ARM shows: for looks ahead that have no ledger."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial

from lanyard.planning.desired import Desired, WantedGrant
from lanyard.ports.azure import Assignments
from lanyard.ports.cache import Cache
from lanyard.values.compute import PrincipalRef
from lanyard.values.grants import Content, Grant, RoleAssignment
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True, order=True)
class _Listing:
    """The assignments of a principal in a subscription: one call shows every grant in it."""

    principal_id: str
    subscription: str


class Standing:
    """Looks up what stands. A principal shared by many resources is listed once for all of them."""

    def __init__(self, assignments: Assignments) -> None:
        self._assignments = assignments
        self._listings: Cache[_Listing, Mapping[Content[str], RoleAssignment]] = Cache()

    async def of(self, wanted: Desired, principals: Mapping[PrincipalRef, str]) -> frozenset[Grant]:
        """Those of the wanted grants that a role assignment gives, whoever made it.

        A grant to an identity that does not exist yet cannot stand. One that stands counts with the
        condition it has: under another one it is not the same. Raises Temporary, Permanent.
        """
        found = set()
        for grant in _known(wanted.grants, principals):
            if assignment := await self.giving(grant):
                found.add(replace(grant, condition=assignment.condition))
        return frozenset(found)

    async def giving(self, grant: Grant) -> RoleAssignment | None:
        """The one assignment of the grant's content, whoever made it and whatever its condition.
        Raises Temporary, Permanent.
        """
        listing = _Listing(grant.principal_id, ResourceId.parse(grant.scope).subscription)
        standing = await self._listings.get(listing, partial(self._list, listing))
        return standing.get(grant.content)

    async def _list(self, listing: _Listing) -> Mapping[Content[str], RoleAssignment]:
        """By what each gives: Azure keeps one assignment of it."""
        made = await self._assignments.of_principal(listing.principal_id, listing.subscription)
        return {assignment.content: assignment for assignment in made}


def _known(
    grants: tuple[WantedGrant, ...], principals: Mapping[PrincipalRef, str]
) -> Iterator[Grant]:
    for wanted in grants:
        if principal := principals.get(wanted.to):
            yield wanted.granted(principal)
