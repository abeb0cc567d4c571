"""What the host gave up although it never failed goes back to the queue of work.

The host counts how often it hands a message over. A process that ends with the message in hand (it
was stopped, its storage was away, another message brought it down) says nothing about the message,
and Lanyard counts by itself what failed (`Change.attempt`). So a copy in the poison queue that the
host made is of a message that was lost too often, or is none of Lanyard's. Such copies end after
seven days; what Lanyard gives up itself has no end (`giving_up.py`).
"""

import logging
import random
from contextlib import aclosing
from dataclasses import dataclass, field, replace

from lanyard.app.giving_up import GivingUp
from lanyard.ports.dead_letters import PoisonMessage
from lanyard.ports.queue import Queue

#: So often the host may give a message up that never failed. Who brings its process down each time
#: does so with all that is in hand beside it.
MOST_LOST = 3
# What was lost more than once comes back spread over so many seconds: beside other messages.
_SPREAD = 600.0

log = logging.getLogger("lanyard")


@dataclass(frozen=True, slots=True)
class LostAttempts:
    """Puts back what the host gave up, and puts on record what it gave up too often."""

    queue: Queue
    giving_up: GivingUp
    dice: random.Random = field(default_factory=random.Random)

    async def put_back(self) -> None:
        """Look through the poison queue once. Raises Temporary, Permanent: then the next look
        goes on.
        """
        if not await self.giving_up.poison.count():
            return
        back = 0
        async with aclosing(self.giving_up.poison.batches()) as messages:
            async for message in messages:
                if message.ends:
                    back += await self._look_at(message)
        if back:
            log.warning("%d messages were lost too often, and are on the queue again", back)

    async def _look_at(self, message: PoisonMessage) -> bool:
        """Whether it is on the queue again."""
        (given_up,) = message.dead_letters
        change = given_up.change
        if change is None:
            await self.giving_up.take_over(message, None, given_up.reason)
            return False
        if change.lost >= MOST_LOST:
            reason = "the app's process ended each time it was in hand"
            await self.giving_up.take_over(message, change, reason)
            return False
        wait = _SPREAD * self.dice.random() if change.lost else 0.0
        # When it came is not known any more: it may have served for others that are gone.
        await self.queue.put(replace(change, lost=change.lost + 1, since=None), wait)
        await message.take_out([given_up])
        return True
