"""What a person at the command line orders beside the policy: release and dismiss what is held,
pause, resume. Each order is on record, and what it frees is put on the queue to be looked at again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple, Protocol

from lanyard.planning.orders import Pause, Paused
from lanyard.record.decisions import Decision, Decisions
from lanyard.record.held import Entry, HeldActions
from lanyard.record.kill_switch import KillSwitch
from lanyard.values.change import Change


class Records(Protocol):
    """Where orders are kept. Orders hold for every instance of the app at once."""

    @property
    def held(self) -> HeldActions:
        """What is not done, and what persons answered about it."""

    @property
    def kill_switch(self) -> KillSwitch:
        """The pause in force."""

    @property
    def decisions(self) -> Decisions:
        """The record; what is added to it is this person's."""


class Resumed(NamedTuple):
    """What a resume ended."""

    #: That was in force; None where none was.
    pause: Pause | None
    #: How many resources (or unknown principals) were put back on the queue.
    queued: int


@dataclass(frozen=True, slots=True)
class Operator:
    """One person. `enqueue` puts a change on the queue of work; `by`: as they signed in.

    All methods raise Temporary, Permanent where the storage cannot be reached.
    """

    records: Records
    enqueue: Callable[[Change], Awaitable[None]]
    by: str

    async def release(self, entry_id: str) -> Entry:
        """Have a held action done. Raises Permanent for what only the policy releases."""
        entry = await self.records.held.release(entry_id, self.by)
        await self._record(entry)
        await self.enqueue(entry.change("release"))
        return entry

    async def dismiss(self, entry_id: str, why: str = "", until: datetime | None = None) -> Entry:
        """Leave a held action undone, and show it no more, up to a moment (None for no end); what
        waits for it waits no longer.
        """
        entry = await self.records.held.dismiss(entry_id, self.by, why, until)
        await self._record(entry)
        await self.enqueue(entry.change("dismiss"))
        return entry

    async def pause(self, what: Paused, reason: str, until: datetime | None = None) -> Pause:
        """Stop removals, or everything, up to a moment (None for no end); returns the pause in
        force, which may be a wider or a longer one.
        """
        pause = await self.records.kill_switch.pause(what, self.by, reason, until)
        why = f"{reason}{_in_force(pause, what, until)}"
        await self.records.decisions.add(Decision("", f"pause {what}", "done", why))
        return pause

    async def resume(self) -> Resumed:
        """Go on, and have looked at again what the pause held."""
        pause = await self.records.kill_switch.resume()
        if pause is None:
            return Resumed(None, 0)
        await self.records.decisions.add(Decision("", "resume", "done", f"{pause.what}, {pause}"))
        waiting = await self.records.held.of_the_pause("resume")
        for change in waiting:
            await self.enqueue(change)
        return Resumed(pause, len(waiting))

    async def _record(self, entry: Entry) -> None:
        refusal = entry.refusal
        end = f" until {entry.until:%Y-%m-%d %H:%M} UTC" if entry.until is not None else ""
        why = f": {entry.why}" if entry.why else ""
        reason = f"by {self.by}{end}{why}; it was held: {refusal.reason}"
        action = f"{entry.answer.value}: {refusal.action}"
        decision = Decision(entry.resource.text, action, "done", reason)
        await self.records.decisions.add(decision)


def _in_force(pause: Pause, what: Paused, until: datetime | None) -> str:
    """What is recorded beside the reason: the end that is in force, and what else is, where the
    pause was made on top of another one.
    """
    end = f"until {pause.until:%Y-%m-%d %H:%M} UTC" if pause.until is not None else ""
    if (pause.what, pause.until) == (what, until):
        return f" ({end})" if end else ""
    return f" (in force with another pause: {pause.what}, {end or 'with no end'})"
