"""`lanyard diff`: what a change of the policy gives and takes, before it is merged."""

import asyncio
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated

import typer

from lanyard.cli.diff.as_json import SHAPE, difference_as_json
from lanyard.cli.diff.markdown import as_markdown
from lanyard.cli.diff.page import page
from lanyard.cli.diff.sources import DEPLOYED, Compared, compared, of_texts
from lanyard.cli.diff.text import show
from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import App, AppOptions, AzureOptions
from lanyard.cli.frame.files import write
from lanyard.cli.frame.options import Command, Json, Quiet
from lanyard.cli.frame.part_options import PlaceOptions
from lanyard.cli.frame.short_ids import is_about, is_short, nothing_about
from lanyard.cli.frame.targets import one_target
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.scan.command import now
from lanyard.desk.difference.difference import difference
from lanyard.desk.difference.rollout import rollout
from lanyard.desk.difference.world import world_of
from lanyard.desk.scan.reading import read_estate
from lanyard.desk.scan.report import Estate
from lanyard.desk.scan.saved import read_saved
from lanyard.desk.within import Within, within
from lanyard.planning.plan import Owned
from lanyard.record.last_good_policy import LastGood
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import ResourceId, folded

_ABOUT = """\
Show what a change of the policy gives and takes: what each resource and each identity gains and
loses once NEW has taken the place of OLD, by which rule, which apps restart, what is held, and how
the removals go (budget, automatic stop, grace). Nothing is changed.

OLD and NEW are a file or folder, git:REVISION:PATH, or `deployed`: the policy in force of an app
that takes it from a blob. With --without a rule is left out of NEW, or of OLD where there is no
NEW: what goes when that rule is deleted.

The estate is read as `lanyard scan` reads it, with the role Reader, or comes from a file of
`lanyard scan --save`, where a resource group that has nothing in it is not known. What is Lanyard's
is by the record of the app where its storage account is named (Storage Table Data Reader); else
what OLD gives and stands counts.
"""
_AFTER = """\
examples:
  lanyard diff git:origin/main:lanyard.yaml lanyard.yaml
  lanyard diff git:HEAD~1:policies policies --markdown comment.md
  lanyard diff deployed lanyard.yaml --storage stlanyard
  lanyard diff lanyard.yaml --without "machines read blobs"       what goes with a rule
  lanyard diff old.yaml new.yaml --estate estate.json --scope rg-shop

exit codes:
  0  nothing is lost
  1  an error: a broken policy, a listing that failed, no credentials, a file that cannot be read
  2  something is lost
"""
_LOSES = 2


@dataclass(frozen=True, slots=True)
class Forms:
    """In which forms it is written beside what is shown."""

    html: Annotated[
        Path | None, typer.Option("--html", metavar="FILE", help="Write a page, safe to mail.")
    ] = None
    markdown: Annotated[
        Path | None,
        typer.Option("--markdown", metavar="FILE", help="Write Markdown, for a pull request."),
    ] = None


@dataclass(frozen=True, slots=True)
class _Found:
    """What was read. `records`: None where no record is at hand."""

    old: Compared
    new: Compared
    estate: Estate
    part: Within
    records: Mapping[ResourceId, Owned] | None

    def under_its_listing(self) -> "_Found":
        """With what the subscriptions that the policies name come to in the estate."""
        listing = self.estate.subscriptions
        return replace(self, old=self.old.under(listing), new=self.new.under(listing))

    def without(self, rules: Collection[str]) -> "_Found":
        """Where the new policy lacks these rules. Raises LanyardError for one that it has not."""
        return replace(self, new=self.new.without(rules))


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the estate is read, and which part of it counts."""

    saved: Path | None
    places: PlaceOptions
    azure: AzureOptions
    where: AppOptions


def run(
    old: Annotated[str, typer.Argument(metavar="OLD", help="The policy in force until now.")],
    new: Annotated[
        str, typer.Argument(metavar="[NEW]", help="The policy after the change; by default OLD.")
    ] = "",
    without: Annotated[
        list[str] | None,
        typer.Option(metavar="RULE", help="A rule that NEW is to lack, by its name; repeatable."),
    ] = None,
    estate: Annotated[
        Path | None,
        typer.Option("--estate", metavar="FILE", help="Of lanyard scan --save, in place of Azure."),
    ] = None,
    scope: Annotated[
        str | None,
        typer.Option(
            "--scope", metavar="ID", help="Show what is in this scope, or this resource: rg-shop."
        ),
    ] = None,
    full: Annotated[
        bool, typer.Option("--full", help="Name every resource by its whole id.")
    ] = False,
    *,
    forms: Forms,
    places: PlaceOptions,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Read, compare and show; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    if not (new or without):
        raise typer.BadParameter("name NEW, or with --without a rule that is to go")
    if old == new == DEPLOYED and not without:
        raise LanyardError("OLD and NEW are the same policy, the deployed one")
    source = _Source(estate, places, azure, where)
    found = _read(old, new or old, source, terminal).under_its_listing().without(without or ())
    inside = _inside(found.estate, scope or "")
    world = world_of(
        found.estate, found.old.policy, found.records, folded(where.app_principal or "")
    )

    def counts(id_: ResourceId) -> bool:
        return found.part.holds(id_.text) and inside(id_)

    differs = difference(found.old.policy, found.new.policy, world, counts)
    plan = rollout(differs.before, differs.after, found.new.policy, found.estate, counts)
    by_record = found.records is not None
    document = difference_as_json(found.old, found.new, differs, plan, by_record=by_record)
    written = [(forms.html, page), (forms.markdown, as_markdown)]
    for file, form in written:
        if file is not None:
            write(file, form(document))
    if json:
        terminal.json(document)
    else:
        show(document, terminal, full=full)
    return _LOSES if differs.loses else 0


def _inside(estate: Estate, scope: str) -> Callable[[ResourceId], bool]:
    """Whether a resource is in a scope: a whole id, or one for short; "" for everywhere. Raises
    LanyardError where nothing that is listed is.
    """
    if scope and not is_short(scope):
        scope = one_target(scope).ids[0].text
    ids = [one.id for one in estate.resources]
    ids += [one.text for one in estate.resource_groups]
    ids += [f"/subscriptions/{one}" for one in estate.subscriptions]

    def is_inside(id_: str) -> bool:
        return is_about(id_, scope, estate.subscriptions)

    if not any(map(is_inside, ids)):
        raise LanyardError(f"--scope: {nothing_about(scope, 'nothing in the estate', ids)}")
    return lambda id_: is_inside(id_.text)


def _read(
    old: str,
    new: str,
    source: _Source,
    terminal: Terminal,
) -> _Found:
    """Policies first: a broken one is known before anything is asked of Azure."""
    known = {name: compared(name) for name in (old, new) if name != DEPLOYED}
    estate = read_saved(source.saved) if source.saved is not None else None
    at_hand = connect.is_at_hand(source.where)
    if not at_hand and DEPLOYED in (old, new):
        raise LanyardError(
            "which app has the deployed policy? Name its storage account with --storage or "
            "LANYARD_STORAGE"
        )
    if not at_hand and estate is not None:
        return _Found(known[old], known[new], estate, _part_of(estate, source), None)
    return asyncio.run(_look(old, new, known, estate, source, terminal))


async def _look(
    old: str,
    new: str,
    known: dict[str, Compared],
    estate: Estate | None,
    source: _Source,
    terminal: Terminal,
) -> _Found:
    with terminal.counting() as counted:
        if not connect.is_at_hand(source.where):
            async with connect.reading(source.azure) as reading:
                part = await source.places.chosen(reading.inventory)
                read = await read_estate(reading.ports, reading.clients.sleep, now(), counted)
            return _Found(known[old], known[new], read, part, None)
        async with connect.app(source.azure, source.where) as app:
            if DEPLOYED in (old, new):
                known[DEPLOYED] = await _deployed(app)
            records = {one.id: one.owned() async for one in app.ledger().records()}
            if estate is not None:
                return _Found(known[old], known[new], estate, _part_of(estate, source), records)
            reading = app.reading
            part = await source.places.chosen(reading.inventory)
            read = await read_estate(reading.ports, reading.clients.sleep, now(), counted)
            return _Found(known[old], known[new], read, part, records)


def _part_of(estate: Estate, source: _Source) -> Within:
    """By what the file has: a group in which nothing was listed is not known. Raises LanyardError
    for what is not there.
    """
    return within(source.places.wanted, estate.subscriptions, estate.resource_groups)


async def _deployed(app: App) -> Compared:
    """The policy in force, as the app last had it. Raises LanyardError where that is packaged."""
    text = await LastGood(app.tables.control).read()
    if not text:
        raise LanyardError(
            "'deployed' is a policy that an app takes from a blob, and this one has its policy in "
            "its package, which cannot be read from here: name the file that the package was built "
            "from, git:HEAD:lanyard.yaml say, in place of 'deployed'"
        )
    return of_texts(DEPLOYED, [(DEPLOYED, text)])


COMMAND = Command(_ABOUT, _AFTER, run, SHAPE)
