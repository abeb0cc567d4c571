"""Event Grid has put a change into the queue of events: keep what is ours, put it on the queue of
work.

It waits there while the app is stopped or failing, and nobody needs an address to reach the app
(docs/dev/adr/0021-events-by-queue.md). The queue is another one than that of the work: who may
send events sends no work.
"""

import json

import azure.functions as func

from lanyard.app.intake import Delivery, taken_in
from lanyard.azure.event_bodies import events_in
from lanyard.queue.messages import EVENTS, QUEUE, unpacked
from lanyard.settings import events_connection
from lanyard.values.errors import Permanent

blueprint = func.Blueprint()


@blueprint.queue_trigger(arg_name="message", queue_name=EVENTS, connection=events_connection())
@blueprint.queue_output(arg_name="work", queue_name=QUEUE, connection="AzureWebJobsStorage")
async def queued_events(message: str, work: func.Out[str], context: func.Context) -> None:
    """One message, with one event or several. What raises here is no fault of the message: the host
    hands it over again.

    The message's text and no `func.QueueMessage`: the host puts the members of a plain JSON object
    in the place of the message's own id, count and times (an event's `id` among them), and the
    library raises where they are none.
    """
    try:
        events = events_in(unpacked(message.encode()))
    except Permanent as error:
        await _given_up(str(error))
        return
    trace = context.trace_context.trace_parent
    found = [taken_in(event, Delivery.QUEUE, trace) for event in events]
    texts = [text for text in found if text is not None]
    if len(texts) > 1:
        work.set(json.dumps(texts))  # which the host takes for so many messages
    elif texts:
        work.set(texts[0])


async def _given_up(reason: str) -> None:
    """It would be no better the next time: it is on record, and the host deletes it."""
    from lanyard.app.composition import decisions
    from lanyard.app.lost_events import unreadable

    await unreadable(decisions(), reason)
