"""A message that is given up: on record with why, and kept without an end where a person looks.

The host's own copies of what it gives up end after seven days, and say nothing of why.
"""

import logging
from dataclasses import dataclass

from lanyard.ports.dead_letters import Poison, PoisonMessage
from lanyard.queue.messages import encode
from lanyard.record.decisions import Decision, Decisions
from lanyard.values.change import Change, cause_of

# An alert goes by its beginning (infra/modules/alerts.bicep).
_LINE = "given up: %s: %s; it lies in the poison queue until 'lanyard replay' puts it back"

log = logging.getLogger("lanyard")


@dataclass(frozen=True, slots=True)
class GivingUp:
    """Gives messages up. What cannot be put on record is not given up: that raises."""

    decisions: Decisions
    poison: Poison

    async def give_up(self, change: Change, reason: str) -> None:
        """This app worked on it, and it failed for the last time. Raises Temporary, Permanent."""
        await self._record(change, reason)
        await self.poison.keep(encode(change).encode())
        _report(change, reason)

    async def unreadable(self, body: bytes, reason: str) -> None:
        """No message of this queue. Raises as `give_up` does."""
        await self._record(None, reason)
        await self.poison.keep(body)
        _report(None, reason)

    async def take_over(self, message: PoisonMessage, change: Change | None, reason: str) -> None:
        """The host gave it up, in this copy, which would end. Raises as `give_up` does."""
        await self._record(change, reason)
        await message.keep()
        _report(change, reason)

    async def _record(self, change: Change | None, reason: str) -> None:
        resource = "" if change is None else change.resource.text
        cause = {} if change is None else cause_of(change)
        why = f"given up, because {reason}"
        await self.decisions.add(Decision(resource, "reconcile", "failed", why, cause=cause))


def _report(change: Change | None, reason: str) -> None:
    about = "a message that cannot be read" if change is None else change.resource.text
    log.error(_LINE, about, reason)
