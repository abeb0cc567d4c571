"""The options that select which part of the estate a command looks at."""

from dataclasses import dataclass
from typing import Annotated, Protocol

import typer

from lanyard.desk.within import EVERYWHERE, Wanted, Within, within
from lanyard.values.resource_id import ResourceId
from lanyard.values.subscriptions import Subscriptions


class Estate(Protocol):
    """What can be read. Raises Temporary, Permanent."""

    async def subscriptions(self) -> Subscriptions:
        """Every subscription that can be read, with the management groups that it is in."""

    async def resource_groups(self) -> list[ResourceId]:
        """Every resource group that can be read, empty ones included."""


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """What is looked at; without any of them everything that can be read."""

    subscription: Annotated[
        list[str] | None,
        typer.Option(metavar="ID|NAME", help="Only what is in this subscription; repeatable."),
    ] = None
    resource_group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME|ID",
            help="Only what is in this resource group; repeatable. It may be empty; one that is "
            "not listed is an error.",
        ),
    ] = None
    management_group: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Only the subscriptions in this management group; repeatable."
        ),
    ] = None

    @property
    def wanted(self) -> Wanted:
        """The same, as values."""
        return Wanted(
            self.subscription or (), self.resource_group or (), self.management_group or ()
        )

    async def chosen(self, estate: Estate) -> Within:
        """That part of what there is. Raises LanyardError for what is not there."""
        return (await self._read(estate))[0]

    async def scopes(self, estate: Estate) -> list[ResourceId]:
        """Its resource groups, or its subscriptions. Raises the same."""
        part, groups = await self._read(estate)
        if part.groups is not None:
            return sorted(one for one in groups if part.holds(one.text))
        every = part.subscriptions or ()
        return [ResourceId.parse(f"/subscriptions/{one}") for one in sorted(every)]

    async def _read(self, estate: Estate) -> tuple[Within, list[ResourceId]]:
        """The part, and the resource groups that are listed, as far as they matter."""
        wanted = self.wanted
        if wanted.is_everything:
            return EVERYWHERE, []
        groups = await estate.resource_groups() if wanted.resource_groups else []
        return within(wanted, await estate.subscriptions(), groups), groups
