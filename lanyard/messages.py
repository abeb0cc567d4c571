"""The queue's messages: one Change as JSON."""

import json
import math
from typing import Any

from lanyard.errors import Permanent
from lanyard.model import Change, ResourceId, is_guid

#: The queue of work, and where a message lands that failed too often ("-poison").
QUEUE = "lanyard-reconcile"


def encode(change: Change) -> str:
    """The message for `change`."""
    return json.dumps(
        {
            "resource": change.resource.text,
            "source": change.source,
            "eventId": change.event_id,
            "eventType": change.event_type,
            "correlationId": change.correlation_id,
            "attempt": change.attempt,
            "principal": change.principal,
            "grant": change.grant,
            "since": change.since,
        }
    )


def decode(body: bytes | str) -> Change:
    """Read a message. Raises Permanent for one that this app did not write."""
    try:
        values = json.loads(body)
        return Change(
            ResourceId.parse(_text(values, "resource")),
            _text(values, "source"),
            _text(values, "eventId"),
            _text(values, "eventType"),
            _text(values, "correlationId"),
            _attempt(values),
            _guid(values, "principal"),
            _guid(values, "grant"),
            _since(values),
        )
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise Permanent(f"no message of this queue: {type(error).__name__} {error}") from error


def _text(values: Any, name: str) -> str:
    value = values[name]
    if not isinstance(value, str):
        raise TypeError(f"{name!r} is no text")
    return value


def _guid(values: Any, name: str) -> str:
    """These end up in queries and paths of Azure, where anything else could mean anything."""
    value = _text(values, name)
    if value and not is_guid(value):
        raise ValueError(f"{name!r} is no GUID")
    return value


def _attempt(values: Any) -> int:
    value = values["attempt"]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError("'attempt' is no count")
    return value


def _since(values: Any) -> float | None:
    value = values.get("since")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError("'since' is no moment")
    return float(value)
