"""Event Grid sends a change: keep what is ours, put it on the queue, answer at once.

Event Grid gives a webhook 30 seconds and sends the whole batch again when one event fails, so
nothing here waits on anything but the queue, and the policy is not read: what it does not name is
dropped by who takes the message.
"""

import azure.functions as func

from lanyard.app.intake import Delivery, taken_in
from lanyard.azure.events import Event
from lanyard.queue.messages import QUEUE

blueprint = func.Blueprint()


@blueprint.event_grid_trigger(arg_name="event")
@blueprint.queue_output(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")
async def resource_events(
    event: func.EventGridEvent, message: func.Out[str], context: func.Context
) -> None:
    """One event. Ours: onto the queue. Not ours: dropped and counted."""
    trace = context.trace_context.trace_parent
    if (work := taken_in(envelope(event), Delivery.WEBHOOK, trace)) is not None:
        message.set(work)


def envelope(event: func.EventGridEvent | func.CloudEvent) -> Event:
    """The worker gives a CloudEvent where the body has `specversion`, whatever is annotated."""
    if isinstance(event, func.CloudEvent):
        kind, origin, at = event.type, event.source, event.time
    else:
        kind, origin, at = event.event_type, event.topic, event.event_time
    return Event(event.id, kind, origin, event.subject or "", event.get_json(), at)
