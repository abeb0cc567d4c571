"""`lanyard held`, `release` and `dismiss`: what is not done although it could be, and a person's
word about it.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import App, AppOptions, AzureOptions
from lanyard.cli.frame.names import short
from lanyard.cli.frame.options import Command, Json, Quiet, storage_rights
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.frame.times import told
from lanyard.record.decisions import Decision
from lanyard.record.held import Answer, Entry, HeldActions
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import folded

_WRITER = "Storage Table Data Contributor"

_LIST_ABOUT = f"""\
List what Lanyard holds: what the policy or a removal asks for and is not done, why, and what would
release it. What was dismissed is listed with --all only.

{storage_rights("Storage Table Data Reader")}
"""
_LIST_AFTER = """\
examples:
  lanyard held --storage stlanyard
  lanyard held --resource /subscriptions/…/resourceGroups/rg-shop
  lanyard held --all --json

exit codes:
  0  nothing is held that nobody has said anything about
  1  an error: no credentials, a missing right, a storage account that is not an app's
  2  something is held and waits for a person or a change of the policy
"""
_WAITS = 2
_ENTRY = {
    "id": "what `lanyard release` and `dismiss` take",
    "resource": "id of the resource, or of the subscription of an orphan",
    "about": "the principal or grant of an orphan that no resource tells of; else empty",
    "key": "the action's own: no other action on the resource has it",
    "because": "why, as programs go by it: `mode`, `paused`, `budget` and so on",
    "action": "what is not done, in words",
    "reason": "why it is not",
    "release": "what would release it",
    "releasable": "whether `lanyard release` is enough",
    "since": "since when, ISO 8601, UTC",
    "answer": 'what a person decided: `""`, `released`, `dismissed`',
    "by": "who said so",
}
_LIST_SHAPE = {"version": "`1`", "held[]": "by resource"} | {
    f"held[].{key}": meaning for key, meaning in _ENTRY.items()
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
  1  an error: nothing with this id is held, it cannot be released, a missing right
"""
_DISMISS_ABOUT = f"""\
Leave something undone that is held, and be told no more of it.

{storage_rights(_WRITER)}
"""
_DISMISS_AFTER = """\
examples:
  lanyard dismiss 1f2e3d4c --storage stlanyard

exit codes:
  0  dismissed
  1  an error: nothing with this id is held, a missing right
"""
_SAID_SHAPE = {"version": "`1`", "held[]": "as `lanyard held --json` has it, with the word said"}

Ids = Annotated[list[str], typer.Argument(metavar="ID", help="Ids that `lanyard held` lists.")]


def list_held(
    resource: Annotated[
        str, typer.Option(metavar="ID", help="Of this resource, or below this scope.")
    ] = "",
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
    scope = folded(resource).rstrip("/")

    async def find() -> list[Entry]:
        async with _opened(azure, where) as (_, held):
            return [one async for one in held.all() if one.resource.key.startswith(scope)]

    found = asyncio.run(find())
    waiting = [entry for entry in found if entry.answer is Answer.NONE]
    shown = found if everything else waiting
    if json:
        terminal.json({"version": 1, "held": [entry_as_json(entry) for entry in shown]})
    else:
        _tell(shown, terminal)
    return _WAITS if waiting else 0


def release(
    ids: Ids, *, azure: AzureOptions, where: AppOptions, json: Json = False, quiet: Quiet = False
) -> int:
    """Release each; returns the exit code."""
    return _say(Answer.RELEASED, ids, azure, where, json=json, quiet=quiet)


def dismiss(
    ids: Ids, *, azure: AzureOptions, where: AppOptions, json: Json = False, quiet: Quiet = False
) -> int:
    """Dismiss each; returns the exit code."""
    return _say(Answer.DISMISSED, ids, azure, where, json=json, quiet=quiet)


def entry_as_json(entry: Entry) -> dict[str, Any]:
    """An entry of the list."""
    refusal = entry.refusal
    return {
        "id": entry.id,
        "resource": str(entry.resource),
        "about": entry.principal,
        "key": refusal.key,
        "because": refusal.because.value,
        "action": refusal.action,
        "reason": refusal.reason,
        "release": refusal.release,
        "releasable": refusal.releasable,
        "since": entry.since.isoformat(),
        "answer": entry.answer.value,
        "by": entry.by,
    }


@asynccontextmanager
async def _opened(azure: AzureOptions, where: AppOptions) -> AsyncIterator[tuple[App, HeldActions]]:
    async with connect.app(azure, where) as app:
        yield app, HeldActions(app.tables.held, app.now)


def _say(
    word: Answer, ids: list[str], azure: AzureOptions, where: AppOptions, *, json: bool, quiet: bool
) -> int:
    """One that fails stops no other."""
    terminal = Terminal(quiet=quiet)
    said: list[Entry] = []
    failures: list[str] = []

    async def each() -> None:
        async with _opened(azure, where) as (app, held):
            for entry_id in ids:
                try:
                    said.append(await _said(word, entry_id, app, held))
                except LanyardError as error:
                    failures.append(str(error))

    asyncio.run(each())
    if json:
        terminal.json({"version": 1, "held": [entry_as_json(entry) for entry in said]})
    for entry in said if not json else ():
        done = (word.value, "green"), f" {entry.id}: {entry.refusal.action}"
        terminal.say(*done, (f"  {short(entry.resource.text)}", "dim"))
    for failure in failures:
        terminal.error(failure)
    return 1 if failures else 0


async def _said(word: Answer, entry_id: str, app: App, held: HeldActions) -> Entry:
    """Say it, put it on record, and have a released one looked at."""
    tell = held.release if word is Answer.RELEASED else held.dismiss
    entry = await tell(entry_id, app.who)
    await app.decisions().add(
        Decision(
            entry.resource.text,
            f"{word.value}: {entry.refusal.action}",
            "done",
            f"by {app.who}; it was held: {entry.refusal.reason}",
        )
    )
    if word is Answer.RELEASED:
        await app.queue.put(entry.change("release"))
    return entry


def _tell(entries: list[Entry], terminal: Terminal) -> None:
    for entry in entries:
        said = f"  {entry.answer.value} by {entry.by}" if entry.answer else ""
        head = (entry.id, "bold"), "  ", (told(entry.since), "dim"), f"  {entry.refusal.action}"
        terminal.say(*head, (said, "green"))
        place = f"    {short(entry.resource.text)}" + (
            f", {entry.principal}" if entry.principal else ""
        )
        terminal.say((place, "dim"))
        terminal.say((f"    held: {entry.refusal.reason}", "dim"))
        way_out = f"lanyard release {entry.id}" if entry.refusal.releasable else ""
        terminal.say((f"    {way_out or entry.refusal.release}", "dim"))
    terminal.say((f"held: {len(entries)}", "magenta" if entries else "green"))


COMMANDS = (
    Command("held", "what is not done, and why", _LIST_ABOUT, _LIST_AFTER, list_held, _LIST_SHAPE),
    Command(
        "release",
        "let something be done that is held",
        _RELEASE_ABOUT,
        _RELEASE_AFTER,
        release,
        _SAID_SHAPE,
    ),
    Command(
        "dismiss",
        "leave something undone that is held",
        _DISMISS_ABOUT,
        _DISMISS_AFTER,
        dismiss,
        _SAID_SHAPE,
    ),
)
