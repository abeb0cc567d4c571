"""`lanyard scan`: the estate at a glance, before anything of Lanyard is deployed."""

import asyncio
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.files import apart, write
from lanyard.cli.frame.names import counted
from lanyard.cli.frame.options import Command, Json, Quiet, storage_rights
from lanyard.cli.frame.part_options import PlaceOptions
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.plan.batch import Looked
from lanyard.cli.plan.counts import Counts, count, in_words
from lanyard.cli.scan.as_json import SHAPE, scan_as_json
from lanyard.cli.scan.lists import Listing, show_listing
from lanyard.cli.scan.page import page
from lanyard.cli.scan.text import show
from lanyard.desk.scan.given import GivenByRules, read_given
from lanyard.desk.scan.reading import read_estate
from lanyard.desk.scan.report import Estate
from lanyard.desk.scan.saved import as_saved
from lanyard.desk.scan.scan import scan
from lanyard.desk.scan.under_policy import previews
from lanyard.desk.within import Within
from lanyard.policy import Policy, load_policy
from lanyard.sweep.listings import Progress

if TYPE_CHECKING:
    from lanyard.desk.azure.connection import Reading

_ABOUT = f"""\
Look at everything that you can read, and show what it comes to: which compute has an identity and
which has none, who holds role assignments, which identities nobody uses and which many share, which
assignments are orphaned, which managed identities could give themselves more, and which
subscriptions come near the limit of 4,000 assignments. With --policy also what that policy would
change, and with --storage by which rules that app gave what stands. Nothing is changed, and nothing
of Lanyard has to be deployed. With --subscription, --resource-group or --management-group only what
is in there is counted, and nothing above it.

You need the role Reader, and to be signed in (az login, a service principal in the environment, or
a managed identity). Orphaned means that the directory does not know the principal: members of a
tenant may ask it, guests and service principals need Directory.Read.All. Without, everything else
is shown, and orphans are not determined. Of an app only its record is read.
{storage_rights("Storage Table Data Reader")}
"""
_AFTER = """\
examples:
  lanyard scan
  lanyard scan --show without-identity              which these are; or orphaned, privileged, unused
  lanyard scan --show without-identity --quiet | lanyard plan --list -
  lanyard scan --html estate.html                   a page with pictures, safe to mail
  lanyard scan --policy lanyard.yaml                what that policy would change, too
  lanyard scan --storage stlanyard --html e.html    by which rule the app gave what stands, too
  lanyard scan --save estate.json                   what was read, to look at it offline
  lanyard scan --json | jq '.orphans.assignments[] | select(.ageDays > 90) | .assignment'

exit codes:
  0  nothing that needs a look
  1  an error: a listing failed or is not whole, no credentials, a file that cannot be written
  2  orphaned assignments, privileged ones of managed identities, a subscription near its limit,
     orphans that are not determined, or (with --policy) something that would change
"""
_LOOK = 2


def run(
    policy: Annotated[
        Path | None,
        typer.Option("--policy", metavar="FILE", help="Show what this policy would change."),
    ] = None,
    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page with pictures.")
    ] = None,
    save: Annotated[
        Path | None,
        typer.Option(
            "--save",
            metavar="FILE",
            help="Keep what was read: other commands take it.",
        ),
    ] = None,
    show_: Annotated[
        Listing | None,
        typer.Option("--show", help="List just these, all of them, with their whole ids."),
    ] = None,
    *,
    places: PlaceOptions,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Look and show; returns the exit code."""
    apart(html=html, save=save)
    terminal = Terminal(quiet=quiet)
    loaded = load_policy(policy) if policy is not None else None
    estate, part, given = asyncio.run(_read(azure, where, places, terminal))
    loaded = loaded and loaded.under(estate.subscriptions)
    changes = _changes(loaded, estate, part)
    document = scan_as_json(scan(estate, part, loaded, given), loaded, changes)
    if html is not None:
        write(html, page(document))
    if save is not None:
        write(save, as_saved(estate))
    if json:
        terminal.json(document)
    else:
        if show_ is not None:
            show_listing(show_, document, terminal)
        else:
            show(document, changes, terminal)
        for file in filter(None, (html, save)):
            terminal.show(f"{file} written")
    found = _worth_a_look(document["summary"], changes)
    if found and not json:
        terminal.show((f"to look at, so it ends with {_LOOK}: {', '.join(found)}", "yellow"))
    return _LOOK if found else 0


def now() -> datetime:
    """The moment of the scan: ages are counted from it."""
    return datetime.now(UTC)


type _Read = tuple[Estate, Within, GivenByRules | None]


async def _read(
    azure: AzureOptions, where: AppOptions, places: PlaceOptions, terminal: Terminal
) -> _Read:
    with terminal.counting() as counted:
        if not connect.is_at_hand(where):
            async with connect.reading(azure) as reading:
                return *await _estate(reading, places, counted), None
        async with connect.app(azure, where) as app:
            given = await read_given(app.ledger(), app.azure.assignments.installation)
            return *await _estate(app.reading, places, counted), given


async def _estate(
    reading: "Reading", places: PlaceOptions, counted: Progress
) -> tuple[Estate, Within]:
    part = await places.chosen(reading.inventory)
    return await read_estate(reading.ports, reading.clients.sleep, now(), counted), part


def _changes(policy: Policy | None, estate: Estate, part: Within) -> Counts | None:
    """By the listing: what `lanyard plan` reads resource by resource."""
    if policy is None:
        return None
    ahead = (each for each in previews(policy, estate) if part.holds(each.resource.id.text))
    return count([Looked(each.resource.id, each) for each in ahead])


def _worth_a_look(summary: dict[str, int | None], changes: Counts | None) -> list[str]:
    """What a person should see to, in words."""
    named = {
        "orphans": "orphaned assignment",
        "privileged": "privileged assignment",
        "nearLimit": "nearly full subscription",
    }
    found = [counted(some, noun) for name, noun in named.items() if (some := summary[name])]
    if summary["orphans"] is None:
        found.append("orphaned assignments are not determined")
    if changes and changes.changed:
        found.append(f"the policy: {in_words(changes)}")
    return found


COMMAND = Command(_ABOUT, _AFTER, run, SHAPE)
