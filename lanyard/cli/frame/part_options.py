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

    async def called(self, name: str) -> list[ResourceId]:
        """The resources and resource groups of this name."""


@dataclass(frozen=True, slots=True)
class PlaceOptions:
    """What is looked at; without any of them everything that can be read."""

    subscription: Annotated[
        list[str] | None,
        typer.Option(metavar="ID|NAME", help="Only what is in this subscription; repeatable."),
    ] = None
    resource_group: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME|ID", help="Only what is in this resource group; repeatable."),
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
        wanted = self.wanted
        return EVERYWHERE if wanted.is_everything else within(wanted, await estate.subscriptions())

    async def scopes(self, estate: Estate) -> list[ResourceId]:
        """The scopes that it comes to: its resource groups, or its subscriptions."""
        part = await self.chosen(estate)
        if part.groups is None:
            every = part.subscriptions or ()
            return [ResourceId.parse(f"/subscriptions/{one}") for one in sorted(every)]
        found = [ResourceId.parse(one) for one in sorted(part.groups) if one.startswith("/")]
        for name in sorted(one for one in part.groups if not one.startswith("/")):
            found += [one for one in await estate.called(name) if one.is_resource_group]
        return [one for one in dict.fromkeys(found) if part.holds(one.text)]
