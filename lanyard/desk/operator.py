"""What a person at the command line tells Lanyard: each word is on record before it takes effect on
anything, and what it concerns is put on the queue to be looked at again.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from lanyard.planning.orders import Pause, Paused
from lanyard.reconcile.services import Services
from lanyard.record.decisions import Decision
from lanyard.record.held import Answer, Entry
from lanyard.values.change import Change
from lanyard.values.errors import Because


@dataclass(frozen=True, slots=True)
class Operator:
    """One person, as they signed in. `enqueue` puts a change on the queue of work."""

    services: Services
    enqueue: Callable[[Change], Awaitable[None]]
    by: str

    async def release(self, entry_id: str) -> Entry:
        """Have a held action done. Raises Permanent for what only the policy releases."""
        entry = await self.services.held.release(entry_id, self.by)
        await self._record(entry, "released")
        await self.enqueue(entry.change("release"))
        return entry

    async def dismiss(self, entry_id: str) -> Entry:
        """Leave a held action undone, and tell no more of it."""
        entry = await self.services.held.dismiss(entry_id, self.by)
        await self._record(entry, "dismissed")
        return entry

    async def pause(self, what: Paused, reason: str) -> Pause:
        """Stop removals, or everything, in all instances at once."""
        pause = await self.services.kill_switch.pause(what, self.by, reason)
        await self.services.decisions.add(
            Decision("", f"pause {pause.what.value}", "done", str(pause))
        )
        return pause

    async def resume(self) -> tuple[Pause | None, int]:
        """Go on, and have looked at again what the pause held. Returns the pause that was in
        force, and how many resources that was.
        """
        pause = await self.services.kill_switch.resume()
        if pause is None:
            return None, 0
        reason = f"{self.by} ends: {pause}"
        await self.services.decisions.add(Decision("", "resume", "done", reason))
        held = [entry async for entry in self.services.held.all()]
        waiting = {
            entry.change("resume"): None
            for entry in held
            if entry.refusal.because is Because.PAUSED and entry.answer is not Answer.DISMISSED
        }
        for change in waiting:
            await self.enqueue(change)
        return pause, len(waiting)

    async def _record(self, entry: Entry, word: str) -> None:
        refusal = entry.refusal
        decision = Decision(entry.resource.text, refusal.action, word, f"{word} by {self.by}")
        await self.services.decisions.add(decision)
