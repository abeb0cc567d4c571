"""The queue's messages: one Change as JSON."""

import base64
import binascii
import json
import math
import re
from dataclasses import replace
from typing import Any

from lanyard.values.change import Change
from lanyard.values.errors import Permanent
from lanyard.values.resource_id import ResourceId, is_guid

#: The queue of work; beside it is where a message lands that was given up ("-poison").
QUEUE = "lanyard-reconcile"
#: The queue that Event Grid puts events into: who may send them sends no work.
EVENTS = "lanyard-events"
# What a base64 text may be broken by.
_BLANKS = bytes.maketrans(b"", b""), b" \t\r\n"
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")


def packed(message: str) -> str:
    """A message as it lies in a queue: base64, which the host's output binding stores as it is.
    Plain JSON it would rewrite (line breaks, dates), and hand its members over in the place of the
    message's own id, count and times.
    """
    return base64.b64encode(message.encode()).decode()


def unpacked(content: bytes) -> bytes:
    """What lies in a queue, base64 or plain: `messageEncoding` is none, as with base64 the host
    gives plain text up and never calls the app. No JSON object or array is base64 by chance.
    """
    try:
        return base64.b64decode(content.translate(*_BLANKS), validate=True)
    except binascii.Error:
        return content


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
            "happened": change.happened,
            "written": change.written,
            "deleted": change.deleted,
            "traceparent": change.traceparent,
            "policy": change.policy,
            "seen": change.seen,
            "refused": change.refused,
            "waitsSince": change.waits_since,
            "lost": change.lost,
        }
    )


def decode(body: bytes | str) -> Change:
    """Read a message. Raises Permanent for one that this app did not write."""
    try:
        values = json.loads(body)
        return Change(
            ResourceId.parse(_text(values, "resource")),
            _text(values, "source"),
            event_id=_text(values, "eventId"),
            event_type=_text(values, "eventType"),
            correlation_id=_text(values, "correlationId"),
            attempt=_count(values, "attempt"),
            principal=_guid(values, "principal"),
            grant=_guid(values, "grant"),
            since=_moment(values, "since"),
            happened=_moment(values, "happened"),
            written=_moment(values, "written"),
            deleted=_moment(values, "deleted"),
            traceparent=_traceparent(values),
            policy=_text(values, "policy") if "policy" in values else "",
            seen=_text(values, "seen") if "seen" in values else "",
            refused=_count(values, "refused") if "refused" in values else 0,
            waits_since=_moment(values, "waitsSince"),
            lost=_count(values, "lost") if "lost" in values else 0,
        )
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise Permanent(f"no message of this queue: {type(error).__name__} {error}") from error


def fresh(body: bytes) -> str:
    """The same message for the queue once more, for one that was handed over too often. When it
    came is not known then: it may have served for others that came later, and are gone.
    """
    try:
        return encode(replace(decode(body), since=None))
    except Permanent:
        return body.decode(errors="replace")


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


def _count(values: Any, name: str) -> int:
    value = values[name]
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ValueError(f"{name!r} is no count")
    return value


def _moment(values: Any, name: str) -> float | None:
    value = values.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{name!r} is no moment")
    return float(value)


def _traceparent(values: Any) -> str:
    """No work is refused for what only telemetry needs."""
    value = values.get("traceparent")
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else ""
