"""Queue messages and their encoding (`extensions.queues.messageEncoding`); pure."""

import base64
import json
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from simulator.functions_host.protocol import TypedData

Encoding = Literal["base64", "none"]


@dataclass(frozen=True)
class Message:
    """A message taken from a queue; `content` is as stored, so base64 where the app uses that."""

    id: str
    content: str
    pop_receipt: str
    dequeue_count: int
    inserted_on: datetime
    expires_on: datetime
    next_visible_on: datetime


def decode_content(content: str, encoding: Encoding) -> str:
    """The text of a stored message. Raises ValueError where it is no base64."""
    if encoding == "none":
        return content
    stored = base64.b64decode("".join(content.split()), validate=True)
    return stored.decode("utf-8", errors="replace")


def encode_content(text: str | bytes, encoding: Encoding) -> str:
    """The form in which a message is stored."""
    raw = text.encode() if isinstance(text, str) else text
    return base64.b64encode(raw).decode() if encoding == "base64" else raw.decode()


def outgoing_texts(data: TypedData) -> list[str | bytes]:
    """The messages that one output value stands for: a JSON array is one message an element."""
    if data.kind in ("string", "bytes"):
        return [data.value]
    if data.kind is None:
        return []
    value = json.loads(data.value) if data.kind == "json" else data.value
    items = value if isinstance(value, list) else [value]
    return [item if isinstance(item, str) else json.dumps(item) for item in items]


def trigger_metadata(message: Message, text: str) -> dict[str, TypedData]:
    """What `func.QueueMessage` shows beside the body, under the host's names."""
    return {
        "QueueTrigger": TypedData(string=text),
        "Id": TypedData(string=message.id),
        "PopReceipt": TypedData(string=message.pop_receipt),
        "DequeueCount": TypedData(json=str(message.dequeue_count)),
        "InsertionTime": TypedData(string=message.inserted_on.isoformat()),
        "ExpirationTime": TypedData(string=message.expires_on.isoformat()),
        "NextVisibleTime": TypedData(string=message.next_visible_on.isoformat()),
    }
