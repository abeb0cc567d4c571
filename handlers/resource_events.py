"""Event Grid sends a change: keep what is ours, put it on the queue, answer at once.

Event Grid gives a webhook 30 seconds and sends the whole batch again when one event fails, so
nothing here waits on anything but the queue, and the policy is not read: what it does not name is
dropped by who takes the message.
"""

import logging
from dataclasses import replace

import azure.functions as func

from lanyard.azure.events import Event, change_of, dated
from lanyard.queue.messages import QUEUE, encode
from lanyard.settings import Settings, SettingsError, settings
from lanyard.values.change import Change, Ignored
from lanyard.values.compute_types import WATCHED_TYPES

blueprint = func.Blueprint()
log = logging.getLogger("lanyard.events")


@blueprint.event_grid_trigger(arg_name="event")
@blueprint.queue_output(arg_name="message", queue_name=QUEUE, connection="AzureWebJobsStorage")
async def resource_events(
    event: func.EventGridEvent, message: func.Out[str], context: func.Context
) -> None:
    """One event. Ours: onto the queue. Not ours: dropped and counted, never an error, because
    Event Grid would send it again for a day and it would be no better.
    """
    known = _known()
    change = _change(event, known)
    trace = _recorded(change, event.id, context, known)
    if isinstance(change, Ignored):
        log.info("event ignored: %s", change.reason)
        return
    # Each event has its line: an alert and the workbook (infra/) go by them, whoever collects.
    log.info("event queued: %s", change.resource)
    message.set(encode(replace(change, traceparent=trace)))


def _known() -> Settings | None:
    """The settings; None where one is missing or wrong. An event is taken in without: it waits on
    the queue, and the app's own writes come back once.
    """
    try:
        return settings()
    except SettingsError as error:
        log.error("not configured, events wait on the queue: %s", error)
        return None


def _change(
    event: func.EventGridEvent | func.CloudEvent, known: Settings | None
) -> Change | Ignored:
    own_ids = known.own_ids if known is not None else frozenset()
    change = change_of(envelope(event), types=WATCHED_TYPES, own_ids=own_ids)
    moment = event.time if isinstance(event, func.CloudEvent) else event.event_time
    if isinstance(change, Ignored) or moment is None or moment.tzinfo is None:
        return change  # Azure's times have a zone; another may be no moment at all
    return dated(change, moment.timestamp())


def _recorded(
    change: Change | Ignored, event_id: str, context: func.Context, known: Settings | None
) -> str:
    """The trace of the event; "" where nobody collects any."""
    if known is None or not known.collected:
        return ""
    # Imported only then: it would cost the start.
    from lanyard.telemetry import event_received, within

    if known.exported:
        from lanyard.azure.collecting import collect_soon

        collect_soon()
    with within(context.trace_context.trace_parent):
        return event_received(change, event_id)


def envelope(event: func.EventGridEvent | func.CloudEvent) -> Event:
    """The worker gives a CloudEvent where the body has `specversion`, whatever is annotated."""
    if isinstance(event, func.CloudEvent):
        kind, origin = event.type, event.source
    else:
        kind, origin = event.event_type, event.topic
    return Event(event.id, kind, origin, event.subject or "", event.get_json())
