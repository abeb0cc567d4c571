"""`lanyard status`: a deployed app at a glance."""

import asyncio
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from lanyard.cli.app_status import Attention, Status, status_of
from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import AppOptions, AzureOptions
from lanyard.cli.frame.options import LOOK, Command, Json, Quiet, storage_rights
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.frame.times import age, shown_time
from lanyard.cli.pause import pause_as_json
from lanyard.record.installation import Running

_ABOUT = f"""\
Show how a deployed app is doing: its version and mode and since when, what it looks after, what
waits, when it last looked over the whole estate and when it does next, what it holds, and whether
it is paused, and until when.

{storage_rights(*LOOK)}
"""
_AFTER = """\
examples:
  lanyard status --storage stlanyard
  lanyard status --json | jq .poisoned

exit codes:
  0  nothing needs a person
  1  an error: no credentials, a missing right, a storage account that is not an app's
  2  something needs a person: a pause, held actions, messages given up, dead letters, a sweep
     that failed or did not run for three hours, a row of a table that cannot be read
"""
_SHAPE = {
    "version": "`1`",
    "needsAttention[]": "why a person should look, in words; empty where nothing does",
    "reasons[]": "of each of these, for programs: `paused`, `held`, `poisoned`, `deadLetters`, "
    "`noSweep`, `sweepOverdue`, `sweepFailed`, `damaged`",
    "app": "as it last began a sweep: `installation` (GUID), `version`, `mode` of its policy, and "
    "`since` when it sweeps in this version and mode; null where it has begun none yet",
    "nextSweep": "when it sweeps next, where it runs, ISO 8601, UTC",
    "resources": "compute resources that Lanyard has something to remember of",
    "grants": "its grants by state: `granting`, `active`, `revoking`",
    "claims": "claims on them",
    "waiting": "messages of the queue of work, about; delayed ones included",
    "poisoned": "messages given up after too many tries, about",
    "deadLetters": "blobs of events that Event Grid could not deliver",
    "lastSweep": "the last look over the whole estate within a week; null where there is none",
    "lastSweep.at": "when, ISO 8601, UTC",
    "lastSweep.outcome": "`done` or `failed`",
    "lastSweep.found": "what it found, or why it failed, in words",
    "policy": "digest of the policy that it swept under",
    "held": "what is held: `waiting` for a person or the policy, `released`, `dismissed`",
    "excluded": "resources that a rule excludes and that keep what they have, by the last sweep "
    "of the app itself: one by `lanyard sweep` is not on its record",
    "pause": "the pause in force, as `lanyard pause --json` has it; else null",
    "removedThisHour": "removals since the full hour (UTC), of any kind",
    "damaged[]": "rows of Lanyard's tables that cannot be read: what they are about is left alone, "
    "and not counted",
}
_ATTENTION = 2


def run(*, azure: AzureOptions, where: AppOptions, json: Json = False, quiet: Quiet = False) -> int:
    """Ask and show; returns the exit code."""
    terminal = Terminal(quiet=quiet)

    async def ask() -> Status:
        async with connect.app(azure, where) as app:
            return await status_of(app)

    status = asyncio.run(ask())
    attention = list(status.attention())
    if json:
        terminal.json(_as_json(status, attention))
    else:
        _show(status, attention, terminal)
    return _ATTENTION if attention else 0


def _as_json(status: Status, attention: Sequence[Attention]) -> dict[str, Any]:
    sweep = status.last_sweep
    last_sweep = None
    if sweep is not None:
        decision = sweep.decision
        last_sweep = {
            "at": sweep.at.isoformat(),
            "outcome": decision.outcome,
            "found": decision.reason,
        }
    return {
        "version": 1,
        "needsAttention": [needed.text for needed in attention],
        "reasons": [needed.reason.value for needed in attention],
        "app": _app_as_json(status.running),
        "nextSweep": status.next_sweep.isoformat(),
        "resources": status.resources,
        "grants": status.grants,
        "claims": status.claims,
        "waiting": status.waiting,
        "poisoned": status.poisoned,
        "deadLetters": status.dead_letters,
        "lastSweep": last_sweep,
        "policy": sweep.policy if sweep is not None else None,
        "held": status.held,
        "excluded": status.excluded,
        "pause": pause_as_json(status.pause),
        "removedThisHour": status.removed_this_hour,
        "damaged": list(status.damaged),
    }


def _app_as_json(app: Running | None) -> dict[str, str] | None:
    return None if app is None else asdict(app) | {"since": app.since.isoformat()}


def _app_rows(status: Status) -> list[tuple[str, str]]:
    app, minutes = status.running, age((status.next_sweep - status.at).total_seconds())
    if status.is_new:
        return [("sweep", f"first sweep in {minutes}; if none comes, see lanyard doctor")]
    rows = [("next sweep", f"{shown_time(status.next_sweep)}, in {minutes}")]
    if app is not None:
        since = f"in this version and mode since {shown_time(app.since)}"
        return [("mode", app.mode), ("version", f"{app.version}, {since}"), *rows]
    return rows


def _show(status: Status, attention: Sequence[Attention], terminal: Terminal) -> None:
    sweep = status.last_sweep
    grants = ", ".join(f"{number} {state}" for state, number in status.grants.items())
    held = ", ".join(f"{number} {answer}" for answer, number in status.held.items())
    rows = [
        *_app_rows(status),
        ("resources", f"{status.resources}"),
        ("grants", f"{grants or 'none'}, {status.claims} claims on them"),
        ("queue", f"{status.waiting} waiting, {status.poisoned} given up"),
        ("dead letters", f"{status.dead_letters} blobs"),
        ("last sweep", f"{shown_time(sweep.at)}, {sweep.decision.outcome}" if sweep else "none"),
        ("policy", sweep.policy if sweep else "not known"),
        ("held", held),
        ("excluded", f"{status.excluded} keep what they have, by the app's own last sweep"),
        ("paused", f"{status.pause.what} {status.pause}" if status.pause else "no"),
        ("removals", f"{status.removed_this_hour} in this hour"),
    ]
    for name, value in rows:
        terminal.show((f"{name:14}", "bold"), value)
    for needed in attention:
        terminal.report((f"! {needed.text}", "yellow"))
    if not attention:
        terminal.show(("status: nothing needs a person", "green"))


COMMAND = Command(_ABOUT, _AFTER, run, _SHAPE)
