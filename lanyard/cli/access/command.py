"""`lanyard access`: who has access to a resource, a resource group or a subscription."""

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lanyard.cli.access.as_json import SHAPE, access_as_json
from lanyard.cli.access.text import show
from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.options import Command, Json, Quiet, storage_rights
from lanyard.cli.frame.short_ids import whole_id
from lanyard.cli.frame.terminal import Terminal
from lanyard.desk.access.holdings import Seen, holdings
from lanyard.desk.access.reading_access import read_access
from lanyard.policy import Policy, load_policy
from lanyard.policy.load import rule_places
from lanyard.sweep.listings import Progress
from lanyard.values.resource_id import folded

if TYPE_CHECKING:
    from lanyard.desk.azure.connection import Reading

_ABOUT = f"""\
Show who has access to a resource, a resource group or a subscription: each role assignment at it,
above it (its group, its subscription, management groups) and below it, with who that is: the
resource that an identity belongs to and those that have it, people, applications, groups with their
members. Of each: whether Lanyard gave it and by which rule, that it is the app's own, or not
Lanyard's. Nothing is changed, and nothing of Lanyard has to be deployed.

You need the role Reader there. Names, and the members of groups, are the directory's: members of a
tenant may ask it, guests and service principals need Directory.Read.All; without, ids are shown.
With --storage only what this app made counts as Lanyard's, and its own identity is known.
{storage_rights("Storage Table Data Reader")}

Keys of the resource itself, access policies of a vault, assignments that are only eligible
(Privileged Identity Management) and directory roles are none of Azure's role assignments, and are
not shown. Why a machine has what it has shows `lanyard explain`.
"""
_AFTER = """\
examples:
  lanyard access /subscriptions/…/vaults/kv-shop               who can read this vault
  lanyard access rg-shop --policy lanyard.yaml                 a group, by its name
  lanyard access /subscriptions/… --json | jq '.access[] | select(.by == "others") | .holder'

exit codes:
  0  shown, also where nobody has any
  1  an error: a group or subscription that does not exist, a missing right, no credentials
"""
_DEFAULT = Path("lanyard.yaml")


def run(
    target: Annotated[
        str, typer.Argument(metavar="ID", help="A resource, a resource group or a subscription.")
    ],
    policy: Annotated[
        Path | None,
        typer.Option(
            "--policy",
            envvar="LANYARD_POLICY",
            metavar="FILE",
            help="Whose rules are named; default: lanyard.yaml, where there is one.",
        ),
    ] = None,
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Read and show; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    loaded, places = _policy(policy)
    with terminal.counting() as counted:
        seen = asyncio.run(_read(target, azure, where, counted))
    document = access_as_json(seen, holdings(seen, loaded), places, by_policy=loaded is not None)
    if json:
        terminal.json(document)
    else:
        show(document, terminal)
    return 0


def _policy(given: Path | None) -> tuple[Policy | None, Mapping[str, str]]:
    """The policy whose rules are named, and where these stand; nothing where there is none."""
    path = given or (_DEFAULT if _DEFAULT.exists() else None)
    return (None, {}) if path is None else (load_policy(path), rule_places(path))


async def _read(target: str, azure: AzureOptions, where: AppOptions, counted: Progress) -> Seen:
    if not connect.is_at_hand(where):
        installation, principal = (
            folded(where.installation or ""),
            folded(where.app_principal or ""),
        )
        async with connect.reading(azure) as reading:
            seen = await _seen(target, reading, counted)
            return replace(seen, installation=installation, own_principal=principal)
    async with connect.app(azure, where) as app:
        seen = await _seen(target, app.reading, counted)
        principal = await connect.own_principal(app, where.app_principal)
        installation = app.azure.assignments.installation
        return replace(seen, installation=installation, own_principal=principal)


async def _seen(target: str, reading: "Reading", counted: Progress) -> Seen:
    place = await whole_id(target, reading.inventory)
    index, sleep = reading.ports("").index, reading.clients.sleep
    asked = reading.inventory, reading.rights, index, reading.people
    return await read_access(place, *asked, sleep, counted)


COMMAND = Command(_ABOUT, _AFTER, run, SHAPE)
