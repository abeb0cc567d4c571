"""`lanyard pause` and `lanyard resume`: stop removals, or everything, for all instances at once."""

import asyncio
from dataclasses import asdict
from typing import Annotated, Any

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import App, AppOptions, AzureOptions
from lanyard.cli.frame.options import Command, Json, Quiet, storage_rights
from lanyard.cli.frame.terminal import Terminal
from lanyard.planning.orders import Pause, Paused
from lanyard.record.decisions import Decision
from lanyard.record.kill_switch import KillSwitch

_RIGHTS = storage_rights("Storage Table Data Contributor")
_PAUSE_ABOUT = f"""\
Stop Lanyard, all instances at once: what it would remove is held from now on, or, with
--everything, whatever it would change. What is being done at this moment is finished.

{_RIGHTS}
"""
_PAUSE_AFTER = """\
examples:
  lanyard pause "migration this weekend" --storage stlanyard
  lanyard pause --everything "investigating INC-4711"

exit codes:
  0  paused
  1  an error: no credentials, a missing right, a storage account that is not an app's
"""
_RESUME_ABOUT = f"""\
Go on after a pause, whoever made it. What was held meanwhile is done when its resource is looked at
again: within an hour by the sweep, at once by `lanyard apply`.

{_RIGHTS}
"""
_RESUME_AFTER = """\
examples:
  lanyard resume --storage stlanyard

exit codes:
  0  nothing is paused any more, also where nothing was
  1  an error: no credentials, a missing right, a storage account that is not an app's
"""
_SHAPE = {
    "version": "`1`",
    "pause": "the pause in force after the command; null where there is none",
    "pause.what": "`removals` or `everything`",
    "pause.by": "who made it; `lanyard` where it stopped itself",
    "pause.at": "since when, ISO 8601, UTC",
    "pause.reason": "why",
}


def pause(
    reason: Annotated[str, typer.Argument(metavar="REASON", help="Why; it is on record.")],
    everything: Annotated[
        bool, typer.Option("--everything", help="Nothing is changed any more, not only removed.")
    ] = False,
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Pull the kill switch; returns the exit code."""
    what = Paused.EVERYTHING if everything else Paused.REMOVALS

    async def pull() -> Pause:
        async with connect.app(azure, where) as app:
            made = await KillSwitch(app.tables.control, app.now).pause(what, app.who, reason)
            await _record(app, f"pause {what}", reason)
            return made

    in_force = asyncio.run(pull())
    _tell(in_force, f"{in_force.what} {in_force}", Terminal(quiet=quiet), json=json)
    return 0


def resume(
    *, azure: AzureOptions, where: AppOptions, json: Json = False, quiet: Quiet = False
) -> int:
    """Release the kill switch; returns the exit code."""

    async def release() -> Pause | None:
        async with connect.app(azure, where) as app:
            before = await KillSwitch(app.tables.control, app.now).resume()
            if before is not None:
                await _record(app, "resume", f"{before.what} was {before}")
            return before

    before = asyncio.run(release())
    told = f"going on; {before.what} was {before}" if before else "nothing was paused"
    _tell(None, told, Terminal(quiet=quiet), json=json)
    return 0


def pause_as_json(pause: Pause | None) -> dict[str, Any] | None:
    """A pause, or that there is none."""
    return None if pause is None else asdict(pause) | {"at": pause.at.isoformat()}


async def _record(app: App, action: str, reason: str) -> None:
    await app.decisions().add(Decision("", action, "done", reason))


def _tell(in_force: Pause | None, words: str, terminal: Terminal, *, json: bool) -> None:
    if json:
        terminal.json({"version": 1, "pause": pause_as_json(in_force)})
    else:
        terminal.say((words, "yellow" if in_force else "green"))


COMMANDS = (
    Command("pause", "stop removals, or everything", _PAUSE_ABOUT, _PAUSE_AFTER, pause, _SHAPE),
    Command("resume", "go on after a pause", _RESUME_ABOUT, _RESUME_AFTER, resume, _SHAPE),
)
