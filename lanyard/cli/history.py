"""`lanyard history`: what was decided, when, why, by whom and on which evidence."""

import asyncio
from dataclasses import asdict, dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.names import short
from lanyard.cli.frame.options import Command, Json, Quiet, storage_rights
from lanyard.cli.frame.terminal import Part, Terminal
from lanyard.cli.frame.times import shown_time, span
from lanyard.cli.shown_removal import shown_removed
from lanyard.record.decisions import Decisions, Recorded
from lanyard.record.removal_history import removals as removals_of
from lanyard.values.removed import Became
from lanyard.values.resource_id import is_within

_ABOUT = f"""\
Show what Lanyard decided: done, held, failed, put off until later, and by whom and why.
A removal keeps all of what it takes away: a role assignment, an identity on a resource, an
identity. `lanyard undo` with its id puts it back; --removals says what became of each.

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
    "decisions[].grant": "the name of the grant that was given or released (its role assignment "
    "has it, too), or empty",
    "decisions[].action": "what was to be done, in words",
    "decisions[].outcome": "`intended`, `done`, `held`, `failed`, `later`",
    "decisions[].reason": "why, or with which result",
    "decisions[].rules[]": "names of the rules that ask for it",
    "decisions[].cause": "the event: `source`, `eventId`, `eventType`, `correlationId`, and of a "
    "sweep's message the version of the `policy` that asked for it; of a sweep itself how many "
    "resources no event had named: `drifted`, `missing`, and keep what they have: `excluded`",
    "decisions[].evidence[]": "what proved that a removal was right",
    "decisions[].removed": "what a removal takes away, by its `kind`: `assignment` (`raw`, as ARM "
    "had it), `attachment` (`resource`, `identity`, which is empty for the system-assigned one, "
    "`principal_id`, `incarnation`, `taken`: `detach`, `reattach`, `dangling`), `identity` (`id`, "
    "`location`, `tags`, `principal_id`, `client_id`, `roles[]`, `resources[]`); else null",
    "decisions[].became": "with --removals, what became of it: `done`, `failed`, `givenBack` "
    "(nothing was taken, it is tried again), `unknown` (no answer came), `intended` (under way, or "
    "cut off), `undone`, `withdrawn`; else null",
}
_STYLES = {
    "done": "green",
    "failed": "red",
    "held": "magenta",
    "later": "yellow",
    "given back": "yellow",
    "unknown": "yellow",
}
_BECAME = {each: each.value for each in Became} | {Became.GIVEN_BACK: "given back"}


class Outcome(StrEnum):
    """What a decision came to."""

    DONE = "done"
    HELD = "held"
    FAILED = "failed"
    LATER = "later"
    INTENDED = "intended"


@dataclass(frozen=True, slots=True)
class _Filter:
    resource: str
    outcome: Outcome | None
    removals: bool

    def wants(self, recorded: Recorded) -> bool:
        decision = recorded.decision
        return (
            is_within(decision.resource, self.resource)
            and self.outcome in (None, decision.outcome)
            and (decision.removed is not None or not self.removals)
        )


def run(
    resource: Annotated[
        str, typer.Option(metavar="ID", help="Of this resource, or below this scope.")
    ] = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="From then: 12h, 7d, a date.")] = "24h",
    until: Annotated[str, typer.Option(metavar="TIME", help="Up to then; default: now.")] = "",
    outcome: Annotated[
        Outcome | None, typer.Option(case_sensitive=False, help="Only what came to this.")
    ] = None,
    removals: Annotated[
        bool, typer.Option("--removals", help="Only removals, and what became of each.")
    ] = False,
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Show the decisions; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    wanted = _Filter(resource, outcome, removals)

    async def find() -> list[tuple[Recorded, Became | None]]:
        async with connect.app(azure, where) as app:
            times = span(since, until, app.time())
            found = await _found(app.decisions(), times, app.time(), removals=removals)
            return [each for each in found if wanted.wants(each[0])]

    decisions = asyncio.run(find())
    if json:
        terminal.json({"version": 1, "decisions": [as_json(*one) for one in decisions]})
        return 0
    for recorded, became in decisions:
        _show(recorded, became, terminal)
    terminal.show((f"history: {len(decisions)} decisions", "dim"))
    return 0


async def _found(
    decisions: Decisions, times: tuple[datetime, datetime], now: datetime, *, removals: bool
) -> list[tuple[Recorded, Became | None]]:
    if removals:
        return [(each.recorded, each.became) for each in await removals_of(decisions, *times, now)]
    return [(recorded, None) async for recorded in decisions.between(*times)]


def as_json(recorded: Recorded, became: Became | None = None) -> dict[str, Any]:
    """A decision, with everything that is on record; `became`: what became of a removal."""
    head = {"id": recorded.id, "at": recorded.at.isoformat(), "by": recorded.by}
    decision = asdict(recorded.decision) | {"became": became}
    return {**head, "policy": recorded.policy, **decision}


def _show(recorded: Recorded, became: Became | None, terminal: Terminal) -> None:
    decision = recorded.decision
    word = _BECAME[became] if became is not None else decision.outcome
    parts: list[Part] = [
        (shown_time(recorded.at), "dim"),
        "  ",
        (f"{word:10}" if became else f"{word:8}", _STYLES.get(word, "")),
        (f"  {short(decision.resource)}" if decision.resource else "", "bold"),
        f"  {decision.action}",
    ]
    terminal.show(*parts)
    notes = [decision.reason, f"rule: {'; '.join(decision.rules)}" if decision.rules else ""]
    notes += [f"evidence: {each}" for each in decision.evidence]
    if decision.removed is not None:
        notes.append(shown_removed(decision.removed))
        notes.append(f"lanyard undo {recorded.id}")
    for note in filter(None, notes):
        terminal.show((f"    {note}", "dim"))


COMMAND = Command(_ABOUT, _AFTER, run, _SHAPE)
