"""`lanyard undo`: removals, taken back."""

import asyncio
from collections.abc import Callable
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
from lanyard.cli.onboarding.steps import Yes, confirm
from lanyard.cli.shown_removal import shown_removed
from lanyard.desk.undo import Undo, Undoable
from lanyard.values.errors import LanyardError
from lanyard.values.removed import (
    Removed,
    RemovedAssignment,
    RemovedAttachment,
    RemovedIdentity,
)

_ABOUT = f"""\
Put back what Lanyard removed. A role assignment comes back as it was and is kept: nothing removes
it again until --withdraw takes that back. An identity that was detached is attached again, and is
yours from then on: Lanyard detaches only what it attached. What would serve nobody stays removed:
what was for a principal that is gone, or on a resource that is. A deleted identity cannot be put
back; the error says how to make it again, with its roles and users. With --since it shows what
would become of each, and asks.

It is done with your own rights: you need one to assign the role at its scope (such as Role Based
Access Control Administrator) and to read the directory; for an attachment, one to write the
resource and Managed Identity Operator on the identity.
{storage_rights("Storage Table Data Contributor")}
"""
_AFTER = """\
examples:
  lanyard undo 2026-11-21T101500.000000-000001-0a1b2c3d      (lanyard history --removals)
  lanyard undo --since yesterday --dry-run          what would become of each
  lanyard undo --since 2026-11-21T10:00 --until 2026-11-21T11:00
  lanyard undo --withdraw 2026-11-21T101500.000000-000001-0a1b2c3d

exit codes:
  0  every one is there again (or was withdrawn), also where there was none; with --dry-run:
     would be
  1  an error: a decision that removed nothing, a principal that is gone, an identity that was
     deleted, a missing right
"""
_SHAPE = {
    "version": "`1`",
    "dryRun": "whether nothing was changed",
    "removals[]": "what was asked for, oldest first",
    "removals[].decision": "id of the decision that removed it",
    "removals[].about": "id of the resource that the decision is about; of an orphan, of its "
    "subscription",
    "removals[].kind": "`assignment`, `attachment`, or `identity` (deleted)",
    "removals[].assignment": "id of the role assignment; else null",
    "removals[].role": "of an assignment: `id` (GUID), `name`; else null",
    "removals[].scope": "of an assignment: where it gives the role; else null",
    "removals[].identity": "id of the identity that was detached or deleted; else null",
    "removals[].resource": "id of the resource that it was detached from; else null",
    "removals[].principalId": "whose access it was",
    "removals[].makeAgain": "of a deleted identity, what one like it needs: `location`, `tags`, "
    "`roles[]` (`role`, `scope`, `condition`), `resources[]` that had it; else null",
    "removals[].result": "what was done, or with --dry-run would be, in words; empty for an error",
    "removals[].error": "why it was not, or would not be; empty where it was",
}


@dataclass(frozen=True, slots=True)
class Undone:
    """What became of one removal."""

    undoable: Undoable
    result: str = ""
    error: str = ""


#: Raises LanyardError where nobody wants it done.
type Agree = Callable[[list[Undone]], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Wish:
    ids: list[str]
    since: str
    until: str
    withdraw: bool
    dry_run: bool
    agree: Agree

    async def removals(self, undo: Undo, now: datetime) -> list[Undoable]:
        """Raises Permanent for an id that stands for no removal, before anything is put back."""
        if self.ids:
            return [await undo.find(decision_id) for decision_id in self.ids]
        times = span(self.since, self.until, now)
        return [one async for one in undo.between(*times, undone=self.withdraw)]

    async def done(self, undo: Undo, undoable: Undoable, *, dry_run: bool) -> Undone:
        """One that fails stops no other."""
        try:
            if dry_run:
                return Undone(undoable, await self._foreseen(undo, undoable))
            if self.withdraw:
                await undo.withdraw(undoable)
                return Undone(undoable, "withdrawn")
            return Undone(undoable, await undo.put_back(undoable))
        except LanyardError as error:
            return Undone(undoable, error=str(error))

    async def _foreseen(self, undo: Undo, undoable: Undoable) -> str:
        if not self.withdraw:
            return await undo.foresee(undoable)
        await undo.withdrawable(undoable)
        return "would be withdrawn"


def run(
    ids: Annotated[
        list[str] | None,
        typer.Argument(metavar="DECISION", help="Ids that `lanyard history --removals` shows."),
    ] = None,
    since: Annotated[str, typer.Option(metavar="TIME", help="All removals from then on.")] = "",
    until: Annotated[str, typer.Option(metavar="TIME", help="Up to then; default: now.")] = "",
    withdraw: Annotated[
        bool,
        typer.Option(
            "--withdraw",
            help="Keep them no longer; nothing is put back. With --since what was undone.",
        ),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would become of each; change nothing.")
    ] = False,
    yes: Yes = False,
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Put them back; returns the exit code."""
    if bool(ids) == bool(since):
        raise typer.BadParameter("give decisions, or a time with --since, one of the two")
    terminal, did = Terminal(quiet=quiet), "withdraw" if withdraw else "undo"

    def agree(foreseen: list[Undone]) -> None:
        if not (yes or json):
            _show(foreseen, terminal, did, dry_run=True)
        possible = sum(not each.error for each in foreseen)
        verb = "Withdraw the undo of" if withdraw else "Put back"
        confirm(f"{verb} {possible} of {len(foreseen)}?", yes=yes, json=json)

    wish = _Wish(
        ids=ids or [], since=since, until=until, withdraw=withdraw, dry_run=dry_run, agree=agree
    )
    undone = asyncio.run(_undo(wish, azure, where))
    if json:
        removals = [_as_json(one) for one in undone]
        terminal.json({"version": 1, "dryRun": dry_run, "removals": removals})
    else:
        _show(undone, terminal, did, dry_run=dry_run)
    return 1 if any(one.error for one in undone) else 0


async def _undo(wish: _Wish, azure: AzureOptions, where: AppOptions) -> list[Undone]:
    async with connect.app(azure, where) as reached:
        app, _ = await connect.judging(reached, where)
        undo = Undo(app.services(), app.who)
        found = await wish.removals(undo, app.time())
        # Who names each removal has seen it; who names a time has not.
        if wish.dry_run or wish.since:
            foreseen = [await wish.done(undo, one, dry_run=True) for one in found]
            if wish.dry_run or all(one.error for one in foreseen):
                return foreseen
            wish.agree(foreseen)
        return [await wish.done(undo, one, dry_run=False) for one in found]


def _as_json(undone: Undone) -> dict[str, Any]:
    removed = undone.undoable.removed
    nothing = dict.fromkeys(("assignment", "role", "scope", "identity", "resource", "makeAgain"))
    return {
        "decision": undone.undoable.decision_id,
        "about": undone.undoable.resource,
        "kind": removed.kind,
        **nothing,
        **_details(removed),
        "result": undone.result,
        "error": undone.error,
    }


def _details(removed: Removed) -> dict[str, Any]:
    match removed:
        case RemovedAssignment(id=id, grant=grant):
            role = role_as_json(grant.role_id)
            return {
                "assignment": id,
                "role": role,
                "scope": grant.scope,
                "principalId": grant.principal_id,
            }
        case RemovedAttachment(identity=id, resource=resource, principal_id=principal):
            return {"identity": id or "system", "resource": resource, "principalId": principal}
        case RemovedIdentity(id=id, principal_id=principal):
            return {"identity": id, "principalId": principal, "makeAgain": _make_again(removed)}


def _make_again(removed: RemovedIdentity) -> dict[str, Any]:
    return {
        "location": removed.location,
        "tags": dict(removed.tags),
        "roles": [
            {"role": role_as_json(r.role_id), "scope": r.scope, "condition": r.condition}
            for r in removed.roles
        ],
        "resources": list(removed.resources),
    }


def _show(undone: list[Undone], terminal: Terminal, did: str, *, dry_run: bool) -> None:
    for removal in undone:
        what = shown_removed(removal.undoable.removed)
        if removal.error:
            terminal.error(f"{what}: {removal.error}")
        else:
            terminal.show((removal.result, "green"), f"  {what}")
            had = f", of {short(removal.undoable.resource)}" if removal.undoable.resource else ""
            terminal.show((f"    {removal.undoable.decision_id}{had}", "dim"))
    failed = sum(bool(removal.error) for removal in undone)
    summary = f"{did}: {len(undone) - failed} of {len(undone)}"
    summary += ", nothing was changed" if dry_run else ""
    terminal.show((summary, "red" if failed else "dim"))


COMMAND = Command(_ABOUT, _AFTER, run, _SHAPE)
