"""What becomes of an event, whichever way it came: work for the queue, or dropped and counted.

An instance that only takes events in needs nothing of what is imported elsewhere in this folder.
"""

import logging
import time
from dataclasses import replace
from enum import StrEnum

from lanyard.azure.events import MAX_NOTE, Event, change_of, dated
from lanyard.queue.messages import encode, packed
from lanyard.settings import Settings, SettingsError, settings
from lanyard.values.change import Change, Ignored
from lanyard.values.compute_types import WATCHED_TYPES

log = logging.getLogger("lanyard.events")


class Delivery(StrEnum):
    """The way that Event Grid brings events."""

    WEBHOOK = "webhook"
    QUEUE = "queue"


def taken_in(event: Event, delivery: Delivery, traceparent: str) -> str | None:
    """The message for the queue of work; None for what is not ours, which is counted: it is no
    error, because it would come again and be no better. `traceparent`: of the invocation.
    """
    known = _known()
    change = _change(event, known)
    trace = _recorded(change, event, delivery, traceparent, known)
    # Each event has its line: an alert and the workbook (infra/) go by them, whoever collects.
    if isinstance(change, Ignored):
        log.info("event ignored: %s", change.reason)
        return None
    log.info("event queued: %s", change.resource)
    return packed(encode(replace(change, traceparent=trace)))


def _known() -> Settings | None:
    """The settings; None where one is missing or wrong. An event is taken in without: it waits on
    the queue, and the app's own writes come back once.
    """
    try:
        return settings()
    except SettingsError as error:
        log.error("not configured, events wait on the queue: %s", error)
        return None


def _change(event: Event, known: Settings | None) -> Change | Ignored:
    own_ids = known.own_ids if known is not None else frozenset()
    change = change_of(event, types=WATCHED_TYPES, own_ids=own_ids)
    if isinstance(change, Ignored) or event.at is None or event.at.tzinfo is None:
        return change  # Azure's times have a zone; another may be no moment at all
    return dated(change, event.at.timestamp())


def _recorded(
    change: Change | Ignored,
    event: Event,
    delivery: Delivery,
    traceparent: str,
    known: Settings | None,
) -> str:
    """The trace of the event; "" where nobody collects any."""
    if known is None or not known.collected:
        return ""
    # Imported only then: it would cost the start.
    from lanyard.telemetry import event_received, within

    if known.exported:
        from lanyard.azure.collecting import collect_soon

        collect_soon()
    with within(traceparent):
        return event_received(change, _id(event), delivery.value, _age(change))


def _age(change: Change | Ignored) -> float | None:
    if isinstance(change, Ignored) or change.happened is None:
        return None
    return max(time.time() - change.happened, 0.0)


def _id(event: Event) -> str:
    return event.id[:MAX_NOTE] if isinstance(event.id, str) else ""
