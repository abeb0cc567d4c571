"""Reads who has access to a place: one list of its role assignments, the listing of the resources
with their identities, one call of the directory, and one for each group.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from lanyard.desk.access.holdings import Seen
from lanyard.desk.access.who import Members, Names, People
from lanyard.desk.scan.reading import Sleep, control_principal, list_resources
from lanyard.ports.azure import Index
from lanyard.sweep.listings import Progress, silent
from lanyard.values.errors import LanyardError
from lanyard.values.listed import Listed, ListedAssignment, ListedRole
from lanyard.values.resource_id import ResourceId, folded
from lanyard.values.roles import role_name

#: So many groups are asked for at a time.
_AT_ONCE = 8


class Rights(Protocol):
    """ARM's lists for a scope. Raises Temporary, Permanent."""

    async def assignments(self, scope: ResourceId) -> tuple[ListedAssignment, ...]:
        """At, above and below it."""

    async def roles(self, scope: ResourceId) -> dict[str, ListedRole]:
        """That can be assigned there."""


class Places(Protocol):
    """Whether a place is there."""

    async def check(self, scope: ResourceId) -> None:
        """Of a subscription, a resource group: raises Permanent where it does not exist."""


async def read_access(
    place: ResourceId,
    places: Places,
    rights: Rights,
    index: Index,
    people: People,
    sleep: Sleep,
    progress: Progress = silent,
) -> Seen:
    """Everything that answers who has access to a place, whatever the app.

    Raises Temporary, Permanent where a list fails, or the group or subscription does not exist. Of
    a resource it is known only whether the index lists it. A directory that may not be read is
    named in the answer.
    """
    is_listed = await _is_listed(place, places, index)
    assignments = await rights.assignments(place)
    resources = await list_resources(index, sleep, progress)
    return Seen(
        place=place,
        assignments=assignments,
        roles=await _roles(place, rights, assignments),
        resources=resources,
        names=await _names(people, assignments, resources),
        is_listed=is_listed,
    )


async def _is_listed(place: ResourceId, places: Places, index: Index) -> bool:
    if place.type:
        return await index.shows(place)
    await places.check(place)
    return True


async def _roles(
    place: ResourceId, rights: Rights, assignments: Iterable[ListedAssignment]
) -> dict[str, ListedRole]:
    """Only where one of them is none of the built-in roles that are known without asking."""
    ids = {each.role_id for each in assignments}
    return await rights.roles(place) if any(role_name(one) == one for one in ids) else {}


async def _names(
    people: People, assignments: Sequence[ListedAssignment], resources: Iterable[Listed]
) -> Names:
    """With a principal that a resource shows among those that are asked for: an answer without it
    is a part, or none.
    """
    principals = {each.principal_id for each in assignments}
    groups = {e.principal_id for e in assignments if folded(e.principal_type) == "group"}
    if not principals:
        return Names()
    shown = (p for each in resources for p in (each.own_principal, each.system_principal))
    control = control_principal(assignments, dict.fromkeys(filter(None, shown), ""))
    try:
        known = await people.named(principals | ({control} if control else set()))
    except LanyardError as error:
        return Names(failure=str(error))
    if control and control not in known:
        return Names(failure=f"the directory does not show {control}, which a resource has")
    return Names(known, await _members(people, sorted(groups)), is_whole=bool(control))


async def _members(people: People, groups: Iterable[str]) -> Mapping[str, Members]:
    at_once = asyncio.Semaphore(_AT_ONCE)

    async def of(group: str) -> Members:
        async with at_once:
            try:
                return Members(await people.members(group))
            except LanyardError as error:
                return Members(unread=str(error))

    groups = list(groups)
    return dict(zip(groups, await asyncio.gather(*map(of, groups)), strict=True))
