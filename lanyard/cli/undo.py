"""`lanyard undo`: removals, taken back."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.names import role_as_json, short
from lanyard.cli.frame.options import Command, Json, Quiet, storage_rights
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.frame.times import span
from lanyard.desk.undo import Removed, Undo
from lanyard.values.errors import LanyardError
from lanyard.values.roles import role_name

_ABOUT = f"""\
Put role assignments back that Lanyard removed, as they were, and keep them: nothing removes them
again until --withdraw takes that back. One whose principal no longer exists stays removed.

It is done with your own rights: you need one to assign the role at its scope (such as Role Based
Access Control Administrator), and to read the directory.
{storage_rights("Storage Table Data Contributor")}
"""
_AFTER = """\
examples:
  lanyard undo 2026-11-21T101500.000000-000001-0a1b2c3d      (lanyard history --removals)
  lanyard undo --since 2h --dry-run                 which these would be
  lanyard undo --since 2026-11-21T10:00 --until 2026-11-21T11:00
  lanyard undo --withdraw 2026-11-21T101500.000000-000001-0a1b2c3d

exit codes:
  0  every one is there again (or was withdrawn), also where there was none
  1  an error: a decision that removed nothing, a principal that is gone, a missing right
"""
_SHAPE = {
    "version": "`1`",
    "dryRun": "whether nothing was changed",
    "removals[]": "what was asked for, oldest first",
    "removals[].decision": "id of the decision that removed it",
    "removals[].assignment": "id of the role assignment",
    "removals[].role": "`id` (GUID), `name`",
    "removals[].scope": "where it gives the role",
    "removals[].principalId": "whom it is for",
    "removals[].result": "what was done, in words; empty with --dry-run and for an error",
    "removals[].error": "why it was not; empty where it was",
}


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one removal."""

    removed: Removed
    result: str = ""
    error: str = ""


@dataclass(frozen=True, slots=True)
class _Wish:
    ids: list[str]
    since: str
    until: str
    withdraw: bool
    dry_run: bool

    async def removals(self, undo: Undo, now: datetime) -> list[Removed]:
        """Raises Permanent for an id that stands for no removal, before anything is put back."""
        if self.ids:
            return [await undo.find(decision_id) for decision_id in self.ids]
        return [one async for one in undo.between(*span(self.since, self.until, now))]

    async def done(self, undo: Undo, removed: Removed) -> Undone:
        """One that fails stops no other."""
        if self.dry_run:
            return Undone(removed)
        try:
            if self.withdraw:
                await undo.withdraw(removed)
                return Undone(removed, "withdrawn")
            return Undone(removed, await undo.put_back(removed))
        except LanyardError as error:
            return Undone(removed, error=str(error))


def run(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="DECISION", help="Ids that `lanyard history --removals` shows."),
    ] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="All removals from then on.")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Up to then; default: now.")] = "",
    withdraw: Annotated[
        bool, typer.Option("--withdraw", help="Keep them no longer; nothing is put back.")
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show which these are, and change nothing.")
    ] = False,
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Put them back; returns the exit code."""
    if bool(ids) == bool(since):
        raise typer.BadParameter("give decisions, or a time with --since, one of the two")
    wish = _Wish(ids or [], since, until, withdraw, dry_run)
    undone = asyncio.run(_undo(wish, azure, where))
    terminal = Terminal(quiet=quiet)
    if json:
        removals = [_as_json(one) for one in undone]
        terminal.json({"version": 1, "dryRun": dry_run, "removals": removals})
    else:
        _show(undone, terminal, dry_run=dry_run)
    return 1 if any(one.error for one in undone) else 0


async def _undo(wish: _Wish, azure: AzureOptions, where: AppOptions) -> list[Undone]:
    async with connect.app(azure, where) as reached:
        app, _ = await connect.believing(reached, where.app_principal)
        undo = Undo(app.services(), app.who)
        return [await wish.done(undo, one) for one in await wish.removals(undo, app.time())]


def _as_json(undone: Undone) -> dict[str, Any]:
    removed, grant = undone.removed, undone.removed.grant
    return {
        "decision": removed.decision_id,
        "assignment": removed.id,
        "role": role_as_json(grant.role_id),
        "scope": grant.scope,
        "principalId": grant.principal_id,
        "result": undone.result,
        "error": undone.error,
    }


def _show(undone: list[Undone], terminal: Terminal, *, dry_run: bool) -> None:
    for removal in undone:
        grant = removal.removed.grant
        what = f"{role_name(grant.role_id)} at {short(grant.scope)} for {grant.principal_id}"
        if removal.error:
            terminal.error(f"{what}: {removal.error}")
        else:
            terminal.show((removal.result or "would be put back", "green"), f"  {what}")
            terminal.show((f"    {removal.removed.decision_id}", "dim"))
    failed = sum(bool(removal.error) for removal in undone)
    summary = f"undo: {len(undone) - failed} of {len(undone)}"
    summary += ", nothing was changed" if dry_run else ""
    terminal.show((summary, "red" if failed else "dim"))


COMMAND = Command("undo", "put back what was removed", _ABOUT, _AFTER, run, _SHAPE)
