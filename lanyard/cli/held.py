"""`lanyard held`, `release` and `dismiss`: what is not done although it could be, and what a person
decides about it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import App, AppOptions, AzureOptions
from lanyard.cli.frame.held_entries import (
    ENTRY_SHAPE,
    entry_as_json,
    naming,
    shown_answer,
    shown_reasons,
    up_to,
)
from lanyard.cli.frame.names import short
from lanyard.cli.frame.options import Command, Json, OfResource, Quiet, storage_rights
from lanyard.cli.frame.short_ids import about, nothing_about
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.frame.times import end_of, shown_time
from lanyard.record.held import Answer, Entry
from lanyard.record.rows import DamagedRow
from lanyard.values.errors import LanyardError

_WRITER = "Storage Table Data Contributor"

_LIST_ABOUT = f"""\
List what Lanyard holds: what the policy or a removal asks for and is not done, why, and what would
release it. What was dismissed is listed with --all only.

{storage_rights("Storage Table Data Reader")}
"""
_LIST_AFTER = """\
examples:
  lanyard held --storage stlanyard
  lanyard held --resource vm1                       or a group, a subscription, a whole id
  lanyard held --all --json

exit codes:
  0  nothing is held that nobody has released or dismissed
  1  an error: no credentials, a missing right, a storage account that is not an app's
  2  something is held and waits for a person or a change of the policy, or a row of the list
     cannot be read
"""
_WAITS = 2
_LIST_SHAPE = {
    "version": "`1`",
    "held[]": "by resource",
    **{f"held[].{key}": meaning for key, meaning in ENTRY_SHAPE.items()},
    "damaged[]": "rows of the list that cannot be read, of any resource",
}

_RELEASE_ABOUT = f"""\
Let something be done that is held, once: it is put on the queue of work, and done if nothing else
is in its way. What only a change of the policy releases is refused. A removal that is released is
not held to the hourly budget; a pause still stops it.

{storage_rights(_WRITER, "Storage Queue Data Message Sender")}
"""
_RELEASE_AFTER = """\
examples:
  lanyard release 1f2e3d4c --storage stlanyard
  lanyard release 1f2e3d4c 5a6b7c8d

exit codes:
  0  released
  1  an error: nothing with this id is held, only the policy releases it, a missing right
"""
_DISMISS_ABOUT = f"""\
Leave something undone that is held, and have it listed no more; with --for up to then, when it is
listed again.

{storage_rights(_WRITER)}
"""
_DISMISS_AFTER = """\
examples:
  lanyard dismiss 1f2e3d4c --storage stlanyard
  lanyard dismiss 1f2e3d4c --reason "until the vendor is gone, CHG-12" --for 12w

exit codes:
  0  dismissed
  1  an error: nothing with this id is held, a missing right
"""
_DECIDED_SHAPE = {"version": "`1`", "held[]": "as `lanyard held --json` has it, with the answer"}

Ids = Annotated[list[str], typer.Argument(metavar="ID", help="Ids that `lanyard held` lists.")]


def list_held(
    resource: OfResource = "",
    everything: Annotated[
        bool, typer.Option("--all", help="Also what was released or dismissed.")
    ] = False,
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """List what is held; returns the exit code."""
    terminal = Terminal(quiet=quiet)

    damaged: list[DamagedRow] = []

    async def find() -> list[Entry]:
        async with connect.app(azure, where) as app:
            every = list(naming([entry async for entry in app.held().all(damaged)]))
            found = await about(resource, every, _resource, app.reading.inventory)
            if every and not found:
                near = nothing_about(resource, "nothing that is held", map(_resource, every))
                terminal.note(near)
            return found

    held = asyncio.run(find())
    waiting = [entry for entry in held if entry.answer is Answer.NONE]
    listed = held if everything else waiting
    if json:
        entries = [entry_as_json(entry) for entry in listed]
        terminal.json({"version": 1, "held": entries, "damaged": [*map(str, damaged)]})
    else:
        _show(listed, terminal)
        for damage in damaged:
            terminal.report((f"! left alone: {damage}", "yellow"))
    return _WAITS if waiting or damaged else 0


def release(
    ids: Ids, *, azure: AzureOptions, where: AppOptions, json: Json = False, quiet: Quiet = False
) -> int:
    """Release each; returns the exit code."""
    decided = asyncio.run(_each(ids, lambda app: app.operator().release, azure, where))
    return _show_decided(decided, Terminal(quiet=quiet), json=json)


def dismiss(
    ids: Ids,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; it is on record.")] = "",
    for_: Annotated[
        str, typer.Option("--for", metavar="TIME", help="Up to then: 12h, 30d, 12w.")
    ] = "",
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Dismiss each; returns the exit code."""

    def leaving(app: App) -> Decide:
        until = end_of(for_, app.time())
        return lambda entry_id: app.operator().dismiss(entry_id, reason, until)

    decided = asyncio.run(_each(ids, leaving, azure, where))
    return _show_decided(decided, Terminal(quiet=quiet), json=json)


def _resource(entry: Entry) -> str:
    return entry.resource.text


#: What a person decides about an entry, by its id.
type Decide = Callable[[str], Awaitable[Entry]]


@dataclass(frozen=True, slots=True)
class _Decided:
    """What became of the ids that a person named."""

    entries: list[Entry] = field(default_factory=list)
    failures: list[LanyardError] = field(default_factory=list)


async def _each(
    ids: list[str],
    deciding: Callable[[App], Decide],
    azure: AzureOptions,
    where: AppOptions,
) -> _Decided:
    """One that fails stops no other."""
    decided = _Decided()
    async with connect.app(azure, where) as app:
        decide = deciding(app)
        for entry_id in ids:
            try:
                decided.entries.append(await decide(entry_id))
            except LanyardError as error:
                decided.failures.append(error)
    return decided


def _show_decided(decided: _Decided, terminal: Terminal, *, json: bool) -> int:
    if json:
        entries = [entry_as_json(entry) for entry in decided.entries]
        terminal.json({"version": 1, "held": entries})
    else:
        for entry in decided.entries:
            head = (entry.answer.value, "green"), f" {entry.id}: {entry.refusal.action}"
            terminal.show(*head, up_to(entry), (f"  {short(entry.resource.text)}", "dim"))
    for failure in decided.failures:
        terminal.error(str(failure))
    return 1 if decided.failures else 0


def _show(entries: list[Entry], terminal: Terminal) -> None:
    for entry in entries:
        refusal = entry.refusal
        answer = f"  {answered}" if (answered := shown_answer(entry)) else ""
        head = (entry.id, "bold"), "  ", (shown_time(entry.since), "dim"), f"  {refusal.action}"
        terminal.show(*head, (answer, "green"))
        about = f", {entry.principal}" if entry.principal else ""
        terminal.show((f"    {short(entry.resource.text)}{about}", "dim"))
        for line in shown_reasons(entry):
            terminal.show((f"    {line}", "dim"))
    terminal.show((f"held: {len(entries)}", "magenta" if entries else "green"))


HELD = Command(_LIST_ABOUT, _LIST_AFTER, list_held, _LIST_SHAPE)
RELEASE = Command(_RELEASE_ABOUT, _RELEASE_AFTER, release, _DECIDED_SHAPE)
DISMISS = Command(_DISMISS_ABOUT, _DISMISS_AFTER, dismiss, _DECIDED_SHAPE)
