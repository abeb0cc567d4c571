"""`lanyard status`: a deployed app at a glance."""

import asyncio
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from lanyard.cli.frame import connect
from lanyard.cli.frame.connect import App, AppOptions, AzureOptions
from lanyard.cli.frame.options import LOOK, Command, Json, Quiet, storage_rights
from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.frame.times import age, told
from lanyard.cli.pause import pause_as_json
from lanyard.planning.orders import Pause
from lanyard.policy import RemovalLimit
from lanyard.record.budget import RemovalBudget
from lanyard.record.decisions import Recorded
from lanyard.record.held import Answer, HeldActions
from lanyard.record.kill_switch import KillSwitch

_ABOUT = f"""\
Tell how a deployed app is doing: what it looks after, what waits, when it last looked over the
whole estate, what it holds, and whether it is paused.

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
     that failed or did not run for three hours
"""
_SHAPE = {
    "version": "`1`",
    "needsAttention[]": "why a person should look, in words; empty where nothing does",
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
    "pause": "the pause in force, as `lanyard pause --json` has it; else null",
    "removedThisHour": "role assignments removed since the full hour (UTC)",
}
_ATTENTION = 2
_SWEEP_OVERDUE = timedelta(hours=3)
_LOOK_BACK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Status:
    """What `lanyard status` tells; `at` is the moment of asking."""

    at: datetime
    resources: int
    grants: dict[str, int]
    claims: int
    waiting: int
    poisoned: int
    dead_letters: int
    last_sweep: Recorded | None
    held: dict[str, int]
    pause: Pause | None
    removed_this_hour: int

    def attention(self) -> Iterator[str]:
        """Why a person should look, in words."""
        if self.pause is not None:
            yield f"{self.pause.what} {self.pause}"
        if held := self.held["waiting"]:
            yield f"{held} held: 'lanyard held' lists them"
        if self.poisoned:
            tried = f"{self.poisoned} messages were given up after too many tries"
            yield f"{tried}: 'lanyard replay --poison' tries again"
        if self.dead_letters:
            yield f"{self.dead_letters} blobs of dead letters: 'lanyard replay --dead-letters'"
        yield from self._sweep_attention()

    def _sweep_attention(self) -> Iterator[str]:
        sweep = self.last_sweep
        if sweep is None:
            yield "no sweep within a week: does the app run?"
        elif self.at - sweep.at > _SWEEP_OVERDUE:
            yield f"the last sweep is {age((self.at - sweep.at).total_seconds())} old"
        if sweep is not None and sweep.decision.outcome == "failed":
            yield f"the last sweep failed: {sweep.decision.reason}"


def run(*, azure: AzureOptions, where: AppOptions, json: Json = False, quiet: Quiet = False) -> int:
    """Ask and tell; returns the exit code."""
    terminal = Terminal(quiet=quiet)

    async def ask() -> Status:
        async with connect.app(azure, where) as app:
            return await status_of(app)

    status = asyncio.run(ask())
    attention = list(status.attention())
    if json:
        terminal.json(_as_json(status, attention))
    else:
        _tell(status, attention, terminal)
    return _ATTENTION if attention else 0


async def status_of(app: App) -> Status:
    """Ask the tables and the queues."""
    now, kill_switch = (
        datetime.fromtimestamp(app.now(), UTC),
        KillSwitch(app.tables.control, app.now),
    )
    budget = RemovalBudget(app.tables.control, RemovalLimit(), kill_switch, app.now)
    standing = [each async for each in app.claims().standing()]
    return Status(
        at=now,
        resources=len([record async for record in app.ledger().records()]),
        grants=dict(sorted(Counter(each.state.value for each in standing).items())),
        claims=sum(len(each.claimants) for each in standing),
        waiting=await app.queue.waiting(),
        poisoned=await app.poison.count(),
        dead_letters=await app.dead_letters.count(),
        last_sweep=await _last_sweep(app, now),
        held=await _held(app),
        pause=await kill_switch.read(),
        removed_this_hour=await budget.spent(),
    )


async def _last_sweep(app: App, now: datetime) -> Recorded | None:
    """Day by day backwards: the latest is almost always of today."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    while day > now - _LOOK_BACK:
        record = app.decisions().between(day, day + timedelta(days=1))
        sweeps = [one async for one in record if one.decision.action == "sweep"]
        if sweeps:
            return sweeps[-1]
        day -= timedelta(days=1)
    return None


async def _held(app: App) -> dict[str, int]:
    words = Counter([entry.answer async for entry in HeldActions(app.tables.held, app.now).all()])
    return {
        "waiting": words[Answer.NONE],
        "released": words[Answer.RELEASED],
        "dismissed": words[Answer.DISMISSED],
    }


def _as_json(status: Status, attention: list[str]) -> dict[str, Any]:
    sweep = status.last_sweep
    found = None
    if sweep is not None:
        decision = sweep.decision
        found = {"at": sweep.at.isoformat(), "outcome": decision.outcome, "found": decision.reason}
    return {
        "version": 1,
        "needsAttention": attention,
        "resources": status.resources,
        "grants": status.grants,
        "claims": status.claims,
        "waiting": status.waiting,
        "poisoned": status.poisoned,
        "deadLetters": status.dead_letters,
        "lastSweep": found,
        "policy": sweep.policy if sweep is not None else None,
        "held": status.held,
        "pause": pause_as_json(status.pause),
        "removedThisHour": status.removed_this_hour,
    }


def _tell(status: Status, attention: list[str], terminal: Terminal) -> None:
    sweep = status.last_sweep
    grants = ", ".join(f"{number} {state}" for state, number in status.grants.items())
    held = ", ".join(f"{number} {word}" for word, number in status.held.items())
    rows = [
        ("resources", f"{status.resources}"),
        ("grants", f"{grants or 'none'}, {status.claims} claims on them"),
        ("queue", f"{status.waiting} waiting, {status.poisoned} given up"),
        ("dead letters", f"{status.dead_letters} blobs"),
        ("last sweep", f"{told(sweep.at)}, {sweep.decision.outcome}" if sweep else "none"),
        ("policy", sweep.policy if sweep else "not known"),
        ("held", held),
        ("paused", f"{status.pause.what} {status.pause}" if status.pause else "no"),
        ("removed", f"{status.removed_this_hour} assignments in this hour"),
    ]
    for name, value in rows:
        terminal.say((f"{name:14}", "bold"), value)
    for reason in attention:
        terminal.tell((f"! {reason}", "yellow"))
    if not attention:
        terminal.say(("status: nothing needs a person", "green"))


COMMAND = Command("status", "how a deployed app is doing", _ABOUT, _AFTER, run, _SHAPE)
