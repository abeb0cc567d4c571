"""`lanyard replay`: what was given up, put on the queue of work again."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Annotated, Any

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import App, AppOptions, AzureOptions
from lanyard.cli.frame.names import short
from lanyard.cli.frame.options import Command, Json, OfResource, Quiet
from lanyard.cli.frame.short_ids import is_about
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.frame.times import moment, shown_time
from lanyard.cli.onboarding.steps import Yes, confirm
from lanyard.ports.dead_letters import DeadLetter, DeadLetters
from lanyard.queue.replay import Replay, Wanted
from lanyard.queue.replay import replay as replay_dead_letters
from lanyard.values.errors import LanyardError

_ABOUT = """\
Put what was given up on the queue of work again: dead letters, which are events that Event Grid
could not deliver, and poison messages, which failed too often. It is listed first, and asked for.
An event is only a hint and everything is read fresh, so that this does no harm, also twice, also
late. Each is removed from where it lay once it is on the queue.

The app itself replays dead letters every hour, and what the Functions host gave up although it
never failed; other poison messages wait for this command, without an end. 'lanyard history
--outcome failed' shows why they failed. One that cannot be read stays where it is. An event that
the app would have dropped is removed.

To look hides poison messages from others for as long as it takes.

The app's storage account is reached with your own identity, never with keys: you need Storage Table
Data Reader on it, and
  for poison messages   Storage Queue Data Contributor
  for dead letters      Storage Blob Data Contributor, Storage Queue Data Message Sender
                        (with --dry-run Storage Blob Data Reader is enough)
"""
_AFTER = """\
examples:
  lanyard replay --dry-run --storage stlanyard      what was given up
  lanyard replay --poison 2f0c11c8-5f0e-4e7e-9f6b-3c1d2e4a5b6c
  lanyard replay --resource /subscriptions/…/resourceGroups/rg-shop --yes
  lanyard replay --dead-letters --before 2d --reason TimeToLiveExceeded

exit codes:
  0  nothing that matches lies there any more
  1  an error: nothing with this id was given up, it was not confirmed, a missing right
  2  something lies there still: --dry-run found it, or it cannot be read
"""
_SHAPE = {
    "version": "`1`",
    "dryRun": "whether nothing was changed",
    "deadLetters[]": "what matches, dead letters first",
    "deadLetters[].id": "what `lanyard replay` takes: of a dead letter the blob's name and its "
    "place there, of a poison message the message's id",
    "deadLetters[].place": "where it lay: `dead-letters` (the container) or `poison` (the queue)",
    "deadLetters[].fate": "`replay`, `drop` (it is of no use) or `leave` (it cannot be read)",
    "deadLetters[].resource": "id of the resource that it is about; null where it has none",
    "deadLetters[].eventType": "of the event; may be empty",
    "deadLetters[].reason": "why it was given up, in Azure's term; or why it is dropped or left",
    "deadLetters[].at": "when it was given up, ISO 8601, UTC; null where that is not known",
}
_LIES_THERE = 2


class Place(StrEnum):
    """Where it lay."""

    DEAD_LETTERS = "dead-letters"
    POISON = "poison"


class Fate(StrEnum):
    """What is done with it."""

    REPLAY = "replay"
    DROP = "drop"
    LEAVE = "leave"


#: Raises LanyardError where nobody wants it done.
type Agree = Callable[[Sequence[Found]], None]

_DONE = {Fate.REPLAY: "replayed", Fate.DROP: "dropped", Fate.LEAVE: "left"}
_STYLES = {Fate.REPLAY: "green", Fate.DROP: "dim", Fate.LEAVE: "magenta"}


@dataclass(frozen=True, slots=True)
class Found:
    """A dead letter that matches."""

    place: Place
    dead_letter: DeadLetter
    fate: Fate


@dataclass(frozen=True, slots=True)
class Which:
    """The dead letters that are asked for; without `dead_letters` and `poison` from both places."""

    dead_letters: Annotated[
        bool, typer.Option("--dead-letters", help="Only what Event Grid could not deliver.")
    ] = False
    poison: Annotated[
        bool, typer.Option("--poison", help="Only messages that failed too often.")
    ] = False
    resource: OfResource = ""
    event_type: Annotated[
        str, typer.Option(metavar="TYPE", help="Such as Microsoft.Resources.ResourceDeleteSuccess.")
    ] = ""
    reason: Annotated[
        str, typer.Option(metavar="REASON", help="Such as MaxDeliveryAttemptsExceeded.")
    ] = ""
    before: Annotated[str, typer.Option(metavar="TIME", help="Given up before then.")] = ""

    def wanted(self, ids: Sequence[str], now: datetime) -> Wanted:
        """The filter. Raises typer.BadParameter for a time that is none."""
        before = moment(self.before, now) if self.before else None
        of_resource = partial(is_about, wanted=self.resource) if self.resource else None
        return Wanted(frozenset(ids), of_resource, self.event_type, self.reason, before)

    def places(self, app: App) -> dict[Place, DeadLetters]:
        """Where to look."""
        both = self.dead_letters == self.poison
        places: dict[Place, DeadLetters] = {}
        if both or self.dead_letters:
            places[Place.DEAD_LETTERS] = app.dead_letters
        if both or self.poison:
            places[Place.POISON] = app.poison
        return places


def run(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="ID", help="Ids that `lanyard replay --dry-run` shows."),
    ] = None,
    *,
    which: Which,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what was given up, and change nothing.")
    ] = False,
    yes: Yes = False,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Put them on the queue again; returns the exit code."""
    terminal = Terminal(quiet=quiet)

    def agree(found: Sequence[Found]) -> None:
        if not (yes or json):
            _show(found, terminal, dry_run=True)
        confirm(_question(found), yes=yes, json=json)

    found = asyncio.run(_replayed(ids or [], which, azure, where, None if dry_run else agree))
    if json:
        dead_letters = [_as_json(one) for one in found]
        terminal.json({"version": 1, "dryRun": dry_run, "deadLetters": dead_letters})
    else:
        _show(found, terminal, dry_run=dry_run)
    lie_there = found if dry_run else [one for one in found if one.fate is Fate.LEAVE]
    return _LIES_THERE if lie_there else 0


async def _replayed(
    ids: Sequence[str], which: Which, azure: AzureOptions, where: AppOptions, agree: Agree | None
) -> list[Found]:
    """What was done, or what would be where nobody is to `agree` or there is nothing to do."""
    async with connect.app(azure, where) as app:
        wanted = which.wanted(ids, app.time())
        places = which.places(app)
        found = await _through(app, places, wanted, dry_run=True)
        _expect(wanted.ids, found)
        if agree is None or all(one.fate is Fate.LEAVE for one in found):
            return found
        agree(found)
        # Only what was shown: more may have been given up meanwhile.
        listed = replace(wanted, ids=frozenset(one.dead_letter.id for one in found))
        return await _through(app, places, listed, dry_run=False)


async def _through(
    app: App, places: dict[Place, DeadLetters], wanted: Wanted, *, dry_run: bool
) -> list[Found]:
    found: list[Found] = []
    for place, dead_letters in places.items():
        done = await replay_dead_letters(dead_letters, app.queue.put, wanted, dry_run=dry_run)
        found += _found(place, done)
    return found


def _found(place: Place, done: Replay) -> Iterator[Found]:
    fates = {Fate.REPLAY: done.replayed, Fate.DROP: done.dropped, Fate.LEAVE: done.left}
    for fate, dead_letters in fates.items():
        yield from (Found(place, dead_letter, fate) for dead_letter in dead_letters)


def _expect(ids: frozenset[str], found: Sequence[Found]) -> None:
    """Raises LanyardError for an id that nothing has, before anything is put on the queue."""
    if unknown := ids - {one.dead_letter.id for one in found}:
        raise LanyardError(
            f"nothing with id {', '.join(map(repr, sorted(unknown)))} was given up that matches: "
            "'lanyard replay --dry-run' lists what was"
        )


def _question(found: Sequence[Found]) -> str:
    replayed = sum(one.fate is Fate.REPLAY for one in found)
    dropped = sum(one.fate is Fate.DROP for one in found)
    also = f" and remove {dropped} of no use" if dropped else ""
    return f"Put {replayed} on the queue of work{also}?"


def _as_json(found: Found) -> dict[str, Any]:
    dead_letter, change = found.dead_letter, found.dead_letter.change
    return {
        "id": dead_letter.id,
        "place": found.place.value,
        "fate": found.fate.value,
        "resource": str(change.resource) if change is not None else None,
        "eventType": dead_letter.event_type,
        "reason": dead_letter.reason,
        "at": dead_letter.at.isoformat() if dead_letter.at is not None else None,
    }


def _show(found: Sequence[Found], terminal: Terminal, *, dry_run: bool) -> None:
    """What lies in the storage is whatever somebody put there: it is shown with care."""
    for one in found:
        dead_letter = one.dead_letter
        change = dead_letter.change
        about = short(change.resource.text) if change is not None else "no resource"
        fate = one.fate.value if dry_run else _DONE[one.fate]
        head = f"  {about}  {dead_letter.event_type}".rstrip()
        terminal.show((f"{fate:8}", _STYLES[one.fate]), head)
        at = f"{shown_time(dead_letter.at)}  " if dead_letter.at is not None else ""
        terminal.show((f"    {at}{one.place.value}: {dead_letter.reason}", "dim"))
        terminal.show((f"    {dead_letter.id}", "dim"))
    replayed = sum(one.fate is Fate.REPLAY for one in found)
    summary = f"replay: {replayed} of {len(found)}"
    terminal.show((summary + (", nothing was changed" if dry_run else ""), "dim"))


COMMAND = Command(_ABOUT, _AFTER, run, _SHAPE)
