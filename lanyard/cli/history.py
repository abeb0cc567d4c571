"""`lanyard history`: what was decided, when, why, by whom and on which evidence."""

import asyncio
from dataclasses import asdict, dataclass
from typing import Annotated, Any

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.names import short
from lanyard.cli.frame.options import Command, Json, Quiet, storage_rights
from lanyard.cli.frame.terminal import Part, Terminal
from lanyard.cli.frame.times import shown_time, span
from lanyard.record.decisions import Recorded
from lanyard.values.resource_id import is_within

_ABOUT = f"""\
Show what Lanyard decided: done, held, failed, put off until later, and by whom and why.
A removal keeps the whole role assignment; `lanyard undo` with its id puts it back.

{storage_rights("Storage Table Data Reader")}
"""
_AFTER = """\
examples:
  lanyard history --storage stlanyard                        the last 24 hours
  lanyard history --since 7d --removals                      what was taken away in a week
  lanyard history --resource /subscriptions/…/resourceGroups/rg-shop --outcome held
  lanyard history --since 2026-11-01 --until 2026-11-08 --json

exit codes:
  0  shown, also where there is nothing to show
  1  an error: no credentials, a missing right, a storage account that is not an app's
"""
_SHAPE = {
    "version": "`1`",
    "decisions[]": "oldest first",
    "decisions[].id": "what `lanyard undo` takes",
    "decisions[].at": "when, ISO 8601, UTC",
    "decisions[].by": "the app, or the person who asked",
    "decisions[].policy": "digest of the policy in force",
    "decisions[].resource": "id of the resource; empty for what concerns the whole app",
    "decisions[].key": "the action's own, as `lanyard held --json` has it; empty for what is none",
    "decisions[].grant": "the name of the role assignment that was given or released, or empty",
    "decisions[].action": "what was to be done, in words",
    "decisions[].outcome": "`intended`, `done`, `held`, `failed`, `later`",
    "decisions[].reason": "why, or with which result",
    "decisions[].rules[]": "names of the rules that ask for it",
    "decisions[].cause": "the event: `source`, `eventId`, `eventType`, `correlationId`; of a sweep "
    "how many resources no event had named: `drifted`, `missing`",
    "decisions[].evidence[]": "what proved that a removal was right",
    "decisions[].assignment": "the role assignment that was removed, as ARM had it; else null",
}
_STYLES = {"done": "green", "failed": "red", "held": "magenta", "later": "yellow"}


@dataclass(frozen=True, slots=True)
class _Filter:
    resource: str
    outcome: str
    removals: bool

    def wants(self, recorded: Recorded) -> bool:
        decision = recorded.decision
        return (
            is_within(decision.resource, self.resource)
            and self.outcome in ("", decision.outcome)
            and (decision.assignment is not None or not self.removals)
        )


def run(
    resource: Annotated[
        str, typer.Option(metavar="ID", help="Of this resource, or below this scope.")
    ] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="From then: 12h, 7d, a date.")] = "24h",
    until: Annotated[str, typer.Option(metavar="TIME", help="Up to then; default: now.")] = "",
    outcome: Annotated[
        str, typer.Option(metavar="WORD", help="Only done, held, failed, later or intended.")
    ] = "",
    removals: Annotated[bool, typer.Option("--removals", help="Only assignments removed.")] = False,
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Show the decisions; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    wanted = _Filter(resource, outcome.lower(), removals)

    async def find() -> list[Recorded]:
        async with connect.app(azure, where) as app:
            record = app.decisions().between(*span(since, until, app.time()))
            return [recorded async for recorded in record if wanted.wants(recorded)]

    decisions = asyncio.run(find())
    if json:
        terminal.json({"version": 1, "decisions": [as_json(one) for one in decisions]})
        return 0
    for one in decisions:
        _show(one, terminal)
    terminal.show((f"history: {len(decisions)} decisions", "dim"))
    return 0


def as_json(recorded: Recorded) -> dict[str, Any]:
    """A decision, with everything that is on record."""
    head = {"id": recorded.id, "at": recorded.at.isoformat(), "by": recorded.by}
    return {**head, "policy": recorded.policy, **asdict(recorded.decision)}


def _show(recorded: Recorded, terminal: Terminal) -> None:
    decision = recorded.decision
    parts: list[Part] = [
        (shown_time(recorded.at), "dim"),
        "  ",
        (f"{decision.outcome:8}", _STYLES.get(decision.outcome, "")),
        (f"  {short(decision.resource)}" if decision.resource else "", "bold"),
        f"  {decision.action}",
    ]
    terminal.show(*parts)
    notes = [decision.reason, f"rule: {'; '.join(decision.rules)}" if decision.rules else ""]
    notes += [f"evidence: {each}" for each in decision.evidence]
    if decision.assignment is not None:
        notes.append(f"lanyard undo {recorded.id}")
    for note in filter(None, notes):
        terminal.show((f"    {note}", "dim"))


COMMAND = Command("history", "what was decided, and why", _ABOUT, _AFTER, run, _SHAPE)
