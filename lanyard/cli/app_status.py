"""How a deployed app is doing, as it was at one moment, and why a person should look."""

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from lanyard.app.timetable import first_sweep, next_sweep
from lanyard.cli.frame.connect import App
from lanyard.cli.frame.times import age
from lanyard.planning.orders import Pause
from lanyard.policy import RemovalLimit
from lanyard.record.budget import RemovalBudget
from lanyard.record.decisions import REFUSED, SWEEP, Decision, Decisions, Recorded
from lanyard.record.held import Answer, HeldActions
from lanyard.record.installation import Running, running
from lanyard.record.rows import DamagedRow

_SWEEP_OVERDUE = timedelta(hours=3)
_LOOK_BACK = timedelta(days=7)
#: An app that decides things has begun its first sweep by then.
_FIRST_SWEEP = timedelta(minutes=15)


class Reason(StrEnum):
    """Why a person should look."""

    PAUSED = "paused"
    HELD = "held"
    POISONED = "poisoned"
    DEAD_LETTERS = "deadLetters"
    NO_SWEEP = "noSweep"
    SWEEP_OVERDUE = "sweepOverdue"
    SWEEP_FAILED = "sweepFailed"
    DAMAGED = "damaged"


@dataclass(frozen=True, slots=True)
class Attention:
    """A reason to look, and what it comes to in words, for people alone."""

    reason: Reason
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """A deployed app at one moment."""

    at: datetime
    resources: int  # that it has something to remember of
    grants: dict[str, int]  # by state
    claims: int  # on those grants
    waiting: int  # messages of the queue of work, about; delayed ones included
    poisoned: int  # messages given up after too many tries, about
    dead_letters: int  # blobs of events that could not be delivered
    last_sweep: Recorded | None  # None: none within a week
    running: Running | None  # what the app is; None: it has begun no sweep yet
    busy_since: datetime | None  # its first decision within a week
    held: dict[str, int]  # by what a person decided: waiting, released, dismissed
    excluded: int  # resources that keep what they have of a rule that excludes them
    pause: Pause | None
    removed_this_hour: int  # removals of any kind since the full hour (UTC)
    damaged: tuple[str, ...]  # rows that cannot be read: what they are about is left alone

    @property
    def is_new(self) -> bool:
        """Whether its first sweep is still to come, as it is right after the start."""
        if self.running is not None or self.last_sweep is not None:
            return False
        return self.busy_since is None or self.at - self.busy_since < _FIRST_SWEEP

    @property
    def next_sweep(self) -> datetime:
        """When it sweeps next, where it runs."""
        return first_sweep(self.at) if self.is_new else next_sweep(self.at)

    def attention(self) -> Iterator[Attention]:
        """Why a person should look; nothing where all is well."""
        if self.pause is not None:
            yield Attention(Reason.PAUSED, f"{self.pause.what} {self.pause}")
        if held := self.held["waiting"]:
            yield Attention(Reason.HELD, f"{held} held: 'lanyard held' lists them")
        if self.poisoned:
            tried = f"{self.poisoned} messages were given up after too many tries"
            again = f"{tried}: 'lanyard replay --poison' tries again"
            yield Attention(Reason.POISONED, again)
        if self.dead_letters:
            again = f"{self.dead_letters} blobs of dead letters: 'lanyard replay --dead-letters'"
            yield Attention(Reason.DEAD_LETTERS, again)
        for damage in self.damaged:
            yield Attention(Reason.DAMAGED, f"left alone: {damage}")
        yield from self._sweep_attention()

    def _sweep_attention(self) -> Iterator[Attention]:
        sweep = self.last_sweep
        if self.is_new:
            return
        if sweep is None:
            yield Attention(Reason.NO_SWEEP, "no sweep within a week: does the app run?")
            return
        if self.at - sweep.at > _SWEEP_OVERDUE:
            old = age((self.at - sweep.at).total_seconds())
            yield Attention(Reason.SWEEP_OVERDUE, f"the last sweep is {old} old")
        if sweep.decision.outcome == "failed":
            why = f"the last sweep failed: {sweep.decision.reason}"
            yield Attention(Reason.SWEEP_FAILED, why)


async def status_of(app: App) -> Status:
    """Ask the tables and the queues."""
    now, kill_switch = app.time(), app.kill_switch()
    budget = RemovalBudget(app.tables.control, RemovalLimit(), kill_switch, app.now)
    swept = await last_sweep(app.decisions(), now)
    damaged: list[DamagedRow] = []
    app_itself = await _running(app, damaged)
    is_known = app_itself is not None or swept is not None
    standing = [grant async for grant in app.claims().standing(damaged)]
    records = [record async for record in app.ledger().records(damaged)]
    held = await _held(app.held(), damaged)
    return Status(
        at=now,
        resources=len(records),
        grants=dict(sorted(Counter(grant.state.value for grant in standing).items())),
        claims=sum(len(grant.claimants) for grant in standing),
        waiting=await app.queue.waiting(),
        poisoned=await app.poison.count(),
        dead_letters=await app.dead_letters.count(),
        last_sweep=swept,
        running=app_itself,
        busy_since=None if is_known else await _busy_since(app.decisions(), now),
        held=held,
        excluded=int(swept.decision.cause.get("excluded", "0")) if swept else 0,
        pause=await kill_switch.read(),
        removed_this_hour=await budget.spent(),
        damaged=tuple(map(str, damaged)),
    )


async def _running(app: App, damaged: list[DamagedRow]) -> Running | None:
    try:
        return await running(app.tables.control)
    except DamagedRow as damage:
        damaged.append(damage)
        return None


async def _busy_since(decisions: Decisions, now: datetime) -> datetime | None:
    """When the app itself first decided anything, within a week: a person decides by no policy."""
    async for recorded in decisions.between(now - _LOOK_BACK, now):
        if recorded.client_id or recorded.policy:
            return recorded.at
    return None


async def last_sweep(decisions: Decisions, now: datetime) -> Recorded | None:
    """The last sweep that is on record, within a week."""
    return await _latest(decisions, now, lambda decision: decision.key == SWEEP)


async def last_refused_policy(app: App) -> Recorded | None:
    """When the app last could not use a policy, within a week."""
    return await _latest(app.decisions(), app.time(), lambda made: made.action == REFUSED)


async def _latest(
    decisions: Decisions, now: datetime, wanted: Callable[[Decision], bool]
) -> Recorded | None:
    """Day by day backwards: the latest is almost always of today."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    while day > now - _LOOK_BACK:
        record = decisions.between(day, day + timedelta(days=1))
        found = [one async for one in record if wanted(one.decision)]
        if found:
            return found[-1]
        day -= timedelta(days=1)
    return None


async def _held(listed: HeldActions, damaged: list[DamagedRow]) -> dict[str, int]:
    answers = Counter([entry.answer async for entry in listed.all(damaged)])
    return {
        "waiting": answers[Answer.NONE],
        "released": answers[Answer.RELEASED],
        "dismissed": answers[Answer.DISMISSED],
    }
