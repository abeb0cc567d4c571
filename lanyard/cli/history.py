"""`lanyard history`: what was decided, when, why, by whom and on which evidence."""

import asyncio
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Annotated, Any

import typer

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.names import counted, short
from lanyard.cli.frame.options import Command, Json, OfResource, Quiet, storage_rights
from lanyard.cli.frame.short_ids import about, nothing_about
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.frame.times import shown_time, span
from lanyard.cli.shown_removal import shown_removed
from lanyard.desk.not_undoable import departed, why_not_undone
from lanyard.record.claims import Result
from lanyard.record.decisions import Recorded
from lanyard.record.removal_history import Past, history_of
from lanyard.record.rows import DamagedRow
from lanyard.values.removed import Became, RemovedIdentity

_ABOUT = f"""\
Show what Lanyard decided, a change a line: done, held, failed, put off until later, and what became
of each removal; --full has by whom and why, with the evidence. Times are UTC.
A removal keeps all of what it takes away: a role assignment, an identity on a resource, an
identity. `lanyard undo` with its id puts it back; where nothing can, the line has why.

{storage_rights("Storage Table Data Reader")}
"""
_AFTER = """\
examples:
  lanyard history --storage stlanyard                        the last 24 hours
  lanyard history --since 7d --removals                      what was taken away in a week
  lanyard history --since 7d --removals --full               with the evidence
  lanyard history --resource rg-shop --outcome held
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
    "decisions[].became": "of a removal, what became of it: `done`, `failed`, `givenBack` "
    "(nothing was taken, it is tried again), `unknown` (no answer came), `intended` (under way, or "
    "cut off), `undone`, `withdrawn`; else null",
    "damaged[]": "rows of those days that cannot be read, a sentence each",
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


#: What a removal came to by what became of it; "done" where it is not here, put back since or not.
_OUTCOMES = {
    Became.INTENDED: "intended",
    Became.UNKNOWN: "intended",
    Became.FAILED: "failed",
    Became.GIVEN_BACK: "later",
}
# What was done changed nothing in Azure: a line that does not say so would be taken for a change.
_CHANGED_NOTHING = {Result.ALREADY_ASSIGNED, Result.STILL_CLAIMED, Result.NOT_OURS}


class Outcome(StrEnum):
    """What a decision came to."""

    DONE = "done"
    HELD = "held"
    FAILED = "failed"
    LATER = "later"
    INTENDED = "intended"


@dataclass(frozen=True, slots=True)
class _Filter:
    outcome: Outcome | None
    removals: bool

    def wants(self, past: Past) -> bool:
        """A removal by what became of it, as it is shown."""
        decision = past.recorded.decision
        came_to = decision.outcome if past.became is None else _OUTCOMES.get(past.became, "done")
        return self.outcome in (None, came_to) and (
            decision.removed is not None or not self.removals
        )


def run(
    resource: OfResource = "",
    since: Annotated[str, typer.Option(metavar="TIME", help="From then: 12h, 7d, a date.")] = "24h",
    until: Annotated[str, typer.Option(metavar="TIME", help="Up to then; default: now.")] = "",
    outcome: Annotated[
        Outcome | None, typer.Option(case_sensitive=False, help="Only what came to this.")
    ] = None,
    removals: Annotated[
        bool, typer.Option("--removals", help="Only removals, and what became of each.")
    ] = False,
    full: Annotated[
        bool, typer.Option("--full", help="Each with its reason, rules and evidence.")
    ] = False,
    *,
    azure: AzureOptions,
    where: AppOptions,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Show the decisions; returns the exit code."""
    terminal = Terminal(quiet=quiet)
    wanted = _Filter(outcome, removals)

    damaged: list[DamagedRow] = []

    async def find() -> tuple[list[Past], frozenset[str]]:
        async with connect.app(azure, where) as app:
            times = span(since, until, app.time())
            past = await history_of(app.decisions(), *times, app.time(), damaged)
            found = await about(resource, past, _resource, app.reading.inventory)
            if resource and not found:
                then = f"nothing on record from {shown_time(times[0])} to {shown_time(times[1])}"
                terminal.note(nothing_about(resource, then, map(_resource, past)))
            return [each for each in found if wanted.wants(each)], departed(past)

    past, gone = asyncio.run(find())
    if json:
        found = [as_json(one.recorded, one.became) for one in past]
        terminal.json({"version": 1, "decisions": found, "damaged": [*map(str, damaged)]})
        return 0
    changes = [one for one in past if not one.shown_elsewhere]
    for one in changes:
        _show(one, gone, terminal, full=full)
    terminal.show((f"history: {counted(len(changes), 'entry')}", "dim"))
    for damage in damaged:
        terminal.report((f"! left alone: {damage}", "yellow"))
    return 0


def _resource(past: Past) -> str:
    return past.recorded.decision.resource


def as_json(recorded: Recorded, became: Became | None = None) -> dict[str, Any]:
    """A decision, with everything that is on record; `became`: what became of a removal."""
    head = {"id": recorded.id, "at": recorded.at.isoformat(), "by": recorded.by}
    decision = asdict(recorded.decision) | {"became": became}
    return {**head, "policy": recorded.policy, **decision}


def _show(past: Past, gone: frozenset[str], terminal: Terminal, *, full: bool) -> None:
    recorded, decision = past.recorded, past.recorded.decision
    word = _BECAME[past.became] if past.became is not None else decision.outcome
    terminal.show(
        (shown_time(recorded.at), "dim"),
        (f"  {word:10}", _STYLES.get(word, "")),
        (f"  {short(decision.resource)}" if decision.resource else "", "bold"),
        f"  {decision.action}",
        (_beside(past, gone) if not full else "", "dim"),
    )
    for note in _notes(past, gone) if full else ():
        terminal.show((f"    {note}", "dim"))


def _beside(past: Past, gone: frozenset[str]) -> str:
    """What a line has beside the change: why it was not done, its rules, how it is undone."""
    decision, parts = past.recorded.decision, []
    if decision.removed is not None:
        parts += _way_back(past, gone, past.recorded.short_id)
    elif decision.rules:
        parts.append(f"rule: {'; '.join(decision.rules)}")
    changed_nothing = decision.reason in _CHANGED_NOTHING
    # What a person did is no more than its reason: a pause, a release.
    by_person = not past.recorded.client_id and not decision.key
    is_done = decision.removed is None and decision.outcome == "done"
    shows_why = not is_done or changed_nothing or by_person
    why = past.why if shows_why else ""
    return (f": {why}" if why else "") + (f"  ({', '.join(parts)})" if parts else "")


def _notes(past: Past, gone: frozenset[str]) -> Iterator[str]:
    recorded, decision = past.recorded, past.recorded.decision
    yield f"by {recorded.by}"
    if decision.reason:
        yield decision.reason
    if past.why not in ("", decision.reason):
        yield past.why
    if decision.rules:
        yield f"rule: {'; '.join(decision.rules)}"
    yield from (f"evidence: {each}" for each in decision.evidence)
    if decision.removed is not None:
        yield shown_removed(decision.removed)
        yield from _way_back(past, gone, recorded.id)


def _way_back(past: Past, gone: frozenset[str], id_: str) -> list[str]:
    """How a person takes back what became of a removal, or why nobody can; nothing where nothing
    was taken.
    """
    match past.became:
        case Became.UNDONE:
            return [f"lanyard undo --withdraw {id_}"]
        case Became.FAILED | Became.GIVEN_BACK:
            return []
        case _ if why := why_not_undone(past, gone):
            return [f"no undo: {why}{_instead(past, id_)}"]
        case _:
            return [f"lanyard undo {id_}"]


def _instead(past: Past, id_: str) -> str:
    is_identity = isinstance(past.recorded.decision.removed, RemovedIdentity)
    return f"; lanyard undo {id_} shows how to make one like it" if is_identity else ""


COMMAND = Command(_ABOUT, _AFTER, run, _SHAPE)
