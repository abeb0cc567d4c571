"""The queue's messages: one Change as JSON."""

import json

from lanyard.errors import Permanent
from lanyard.model import Change, InvalidResourceId, ResourceId

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
        }
    )


def decode(body: bytes | str) -> Change:
    """Read a message. Raises Permanent for one that this app did not write."""
    try:
        values = json.loads(body)
        return Change(
            ResourceId.parse(values["resource"]),
            str(values["source"]),
            str(values["eventId"]),
            str(values["eventType"]),
            str(values["correlationId"]),
            int(values["attempt"]),
            str(values["principal"]),
            str(values["grant"]),
        )
    except (ValueError, KeyError, TypeError, InvalidResourceId) as error:
        raise Permanent(f"no message of this queue: {error}") from error
