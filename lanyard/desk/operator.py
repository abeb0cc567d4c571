"""What a person at the command line orders beside the policy: release and dismiss what is held,
pause, resume. Each order is on record, and what it frees is put on the queue to be looked at again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from lanyard.planning.orders import Pause, Paused
from lanyard.record.decisions import Decision, Decisions
from lanyard.record.held import Answer, Entry, HeldActions
from lanyard.record.kill_switch import KillSwitch
from lanyard.values.change import Change
from lanyard.values.errors import Because


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

    async def dismiss(self, entry_id: str) -> Entry:
        """Leave a held action undone, and show it no more; what waits for it waits no longer."""
        entry = await self.records.held.dismiss(entry_id, self.by)
        await self._record(entry)
        await self.enqueue(entry.change("dismiss"))
        return entry

    async def pause(self, what: Paused, reason: str) -> Pause:
        """Stop removals, or everything; returns the pause in force, which may be a wider one."""
        pause = await self.records.kill_switch.pause(what, self.by, reason)
        await self.records.decisions.add(Decision("", f"pause {what}", "done", reason))
        return pause

    async def resume(self) -> Resumed:
        """Go on, and have looked at again what the pause held."""
        pause = await self.records.kill_switch.resume()
        if pause is None:
            return Resumed(None, 0)
        reason = f"{pause.what} was {pause}"
        await self.records.decisions.add(Decision("", "resume", "done", reason))
        # What a damaged row is about the next sweep looks at.
        held = [entry async for entry in self.records.held.all([])]
        waiting = {
            entry.change("resume"): None
            for entry in held
            if entry.refusal.because is Because.PAUSED and entry.answer is not Answer.DISMISSED
        }
        for change in waiting:
            await self.enqueue(change)
        return Resumed(pause, len(waiting))

    async def _record(self, entry: Entry) -> None:
        refusal = entry.refusal
        reason = f"by {self.by}; it was held: {refusal.reason}"
        action = f"{entry.answer.value}: {refusal.action}"
        decision = Decision(entry.resource.text, action, "done", reason)
        await self.records.decisions.add(decision)
