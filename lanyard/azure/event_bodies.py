"""Events as JSON, in the Event Grid schema or as CloudEvents, where no worker read them. Pure."""

import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from lanyard.azure.events import Event
from lanyard.values.errors import Permanent

# Of what is no event, as an event: nothing in it is of use, and it is counted as that.
_NOTHING: Mapping[str, Any] = {}


def events_in(body: bytes) -> list[Event]:
    """The events of one message: an event, or an array of them, of which an element that is none is
    an event without members. Raises Permanent for what holds no event at all.
    """
    try:
        found = json.loads(body)
    except (ValueError, RecursionError) as error:
        raise Permanent(f"no JSON: {type(error).__name__} {error}") from error
    if isinstance(found, Mapping):
        return [event_of(found)]
    elements = found if isinstance(found, list) else []
    if not any(isinstance(element, Mapping) for element in elements):
        raise Permanent("no event in it")
    return [event_of(one if isinstance(one, Mapping) else _NOTHING) for one in elements]


def event_of(entry: Mapping[str, Any]) -> Event:
    """The envelope of an event in either schema."""
    return Event(
        entry.get("id"),
        first(entry, "eventType", "type"),
        first(entry, "topic", "source"),
        entry.get("subject"),
        entry.get("data"),
        moment(first(entry, "eventTime", "time")),
    )


def first(entry: Mapping[str, Any], *names: str) -> Any:
    """The first of these members that is there, or None."""
    return next((entry[name] for name in names if name in entry), None)


def moment(text: Any) -> datetime | None:
    """A time with its zone; None for anything else, which may be no moment at all."""
    try:
        found = datetime.fromisoformat(text)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo is not None else None
