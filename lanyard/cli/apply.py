"""`lanyard apply`: have the app look at resources now."""

import asyncio
from typing import Annotated

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.options import Command, Json, Quiet, storage_rights
from lanyard.cli.frame.short_ids import whole_ids
from lanyard.cli.frame.terminal import Terminal
from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId

_ABOUT = f"""\
Put resources on the app's queue of work: it reads each of them fresh and brings it to what the
deployed policy says, as after an event. Nothing is done from here, and with no rights of yours.

A resource group or subscription stands for every resource in it that Lanyard knows.

{storage_rights("Storage Table Data Reader", "Storage Queue Data Message Sender")}
"""
_AFTER = """\
examples:
  lanyard apply /subscriptions/…/virtualMachines/vm1 --storage stlanyard
  lanyard history --resource /subscriptions/…/virtualMachines/vm1 --since 5m

exit codes:
  0  on the queue
  1  an error: what is no resource id, a scope in which Lanyard knows no resource, no credentials, a
     missing right
"""
_NOTHING = (
    "nothing was put on the queue: Lanyard knows no resource there. Name a new one by its own id, "
    "or let the next sweep find it"
)
_SHAPE = {"version": "`1`", "queued[]": "the ids that were put on the queue"}


def run(
    targets: Annotated[
        list[str], typer.Argument(metavar="ID", help="Resources, resource groups, subscriptions.")
    ],
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Enqueue them; returns the exit code."""
    terminal = Terminal(quiet=quiet)

    async def enqueue() -> list[ResourceId]:
        async with connect.app(azure, where) as app:
            resources: list[ResourceId] = []
            for resource in await whole_ids(targets, app.reading.inventory):
                if resource.type:
                    resources.append(resource)
                else:
                    resources += [known async for known in app.ledger().under(resource)]
            for resource in resources:
                await app.queue.put(Change(resource, "command"))
            return resources

    queued = asyncio.run(enqueue())
    if json:
        terminal.json({"version": 1, "queued": [str(resource) for resource in queued]})
    else:
        for resource in queued:
            terminal.show(("queued", "green"), f"  {resource}")
    if not queued:
        terminal.error(_NOTHING)
    return 0 if queued else 1


COMMAND = Command(_ABOUT, _AFTER, run, _SHAPE)
