"""Events of the queue that cannot be worked on: on record, and the host's copies of what it gave up
put back.

The host gives a message of the queue of events up where the queue of work could not be written to
for minutes, or where its process ended each time; its copy would end after seven days. An event
is a hint, so what can be read of it is worked on an hour late rather than never.
"""

import logging
from contextlib import aclosing
from dataclasses import replace

from lanyard.ports.dead_letters import DeadLetter, DeadLetters
from lanyard.ports.queue import Enqueue
from lanyard.record.decisions import Decision, Decisions

# An alert goes by its beginning (infra/modules/alerts.bicep).
_LINE = "given up: an event that cannot be read, which is deleted: %s"

log = logging.getLogger("lanyard.events")


async def unreadable(decisions: Decisions, reason: str) -> None:
    """Put on record that an event is deleted, and why. Nothing of what was in it is kept: an event
    names people. Raises Temporary, Permanent.
    """
    why = f"an event in the queue was deleted, because it cannot be read: {reason}"
    await decisions.add(Decision("", "event", "failed", why))
    log.error(_LINE, reason)


async def put_back_events(given_up: DeadLetters, enqueue: Enqueue, decisions: Decisions) -> None:
    """Look once through what the host gave up of the queue of events. Raises Temporary, Permanent:
    then the next look goes on.
    """
    if not await given_up.count():
        return
    back = 0
    async with aclosing(given_up.batches()) as messages:
        async for message in messages:
            for event in message.dead_letters:
                back += await _put_back(event, enqueue, decisions)
            await message.take_out(message.dead_letters)
    log.warning("%d events that were given up are on the queue again", back)


async def _put_back(event: DeadLetter, enqueue: Enqueue, decisions: Decisions) -> bool:
    if event.change is not None:
        await enqueue(replace(event.change, source="replay"))
    elif not event.of_no_use:
        await unreadable(decisions, event.reason)
    return event.change is not None
