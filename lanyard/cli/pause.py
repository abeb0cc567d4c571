"""`lanyard pause` and `lanyard resume`: stop removals, or everything, for all instances at once."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.names import counted
from lanyard.cli.frame.options import Command, Json, Quiet, storage_rights
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.frame.times import end_of
from lanyard.desk.operator import Resumed
from lanyard.planning.orders import Pause, Paused
from lanyard.values.errors import LanyardError

_PAUSE_ABOUT = f"""\
Stop Lanyard, all instances at once: what it would remove is held from now on, or, with
--everything, whatever it would change. What is being done at this moment is finished. With --for it
ends by itself, not before that time is over, and what it held is put back on the queue of work
within five minutes; `lanyard status` shows until when it lasts. A pause neither narrows nor
shortens another one: what is in force then is shown and recorded, with the reasons of both.

{storage_rights("Storage Table Data Contributor")}
"""
_PAUSE_AFTER = """\
examples:
  lanyard pause "migration this weekend" --storage stlanyard
  lanyard pause --for 2d "migration this weekend"             it ends by itself
  lanyard pause --everything "investigating INC-4711"

exit codes:
  0  paused
  1  an error: no credentials, a missing right, a storage account that is not an app's
"""
_RESUME_ABOUT = f"""\
Go on after a pause, whoever made it. What the pause held is put back on the queue of work, and done
if nothing else is in its way.

{storage_rights("Storage Table Data Contributor", "Storage Queue Data Message Sender")}
"""
_RESUME_AFTER = """\
examples:
  lanyard resume --storage stlanyard

exit codes:
  0  nothing is paused any more, also where nothing was
  1  an error: no credentials, a missing right, a storage account that is not an app's
"""
_PAUSE_SHAPE = {
    "version": "`1`",
    "pause": "the pause in force after the command; null where there is none",
    "pause.what": "`removals` or `everything`",
    "pause.by": "who made it, of several the first; `lanyard` where it stopped itself",
    "pause.at": "since when, ISO 8601, UTC",
    "pause.reason": "why; of several, the reason of each, with who made the others",
    "pause.until": "when it ends by itself, ISO 8601, UTC; null for no end",
}
_RESUME_SHAPE = {
    "version": "`1`",
    "pause": "null: nothing is paused after the command",
    "queued": "how many resources that the pause held were put back on the queue",
}


def pause(
    why: Annotated[str, typer.Argument(metavar="REASON", help="Why; it is on record.")] = "",
    everything: Annotated[
        bool,
        typer.Option(
            "--everything/--removals", help="Whether nothing is changed any more, or removed."
        ),
    ] = False,
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why, in place of REASON.")] = "",
    for_: Annotated[
        str, typer.Option("--for", metavar="TIME", help="It ends then: 30m, 2h, 7d, 4w.")
    ] = "",
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Stop; returns the exit code."""
    what = Paused.EVERYTHING if everything else Paused.REMOVALS
    if bool(why) is bool(reason):
        raise LanyardError('say why, once; it is on record: lanyard pause "migration this weekend"')

    async def stop() -> Pause:
        async with connect.app(azure, where) as app:
            return await app.operator().pause(what, why or reason, end_of(for_, app.time()))

    in_force = asyncio.run(stop())
    terminal = Terminal(quiet=quiet)
    if json:
        terminal.json({"version": 1, "pause": pause_as_json(in_force)})
    else:
        terminal.show((f"{in_force.what} {in_force}", "yellow"))
    return 0


def resume(
    *, azure: AzureOptions, where: AppOptions, json: Json = False, quiet: Quiet = False
) -> int:
    """Go on; returns the exit code."""

    async def go_on() -> Resumed:
        async with connect.app(azure, where) as app:
            return await app.operator().resume()

    resumed = asyncio.run(go_on())
    terminal = Terminal(quiet=quiet)
    if json:
        terminal.json({"version": 1, "pause": None, "queued": resumed.queued})
    else:
        _show_resumed(resumed, terminal)
    return 0


def pause_as_json(pause: Pause | None) -> dict[str, Any] | None:
    """A pause, or that there is none."""
    if pause is None:
        return None
    until = None if pause.until is None else pause.until.isoformat()
    return asdict(pause) | {"at": pause.at.isoformat(), "until": until}


def _show_resumed(resumed: Resumed, terminal: Terminal) -> None:
    if resumed.pause is None:
        terminal.show(("nothing was paused", "green"))
        return
    terminal.show((f"going on with {resumed.pause.what}, {resumed.pause}", "green"))
    terminal.show((f"{counted(resumed.queued, 'resource')} put back on the queue", "green"))


PAUSE = Command(_PAUSE_ABOUT, _PAUSE_AFTER, pause, _PAUSE_SHAPE)
RESUME = Command(_RESUME_ABOUT, _RESUME_AFTER, resume, _RESUME_SHAPE)
