"""Queue messages and their encoding (`extensions.queues.messageEncoding`); pure."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from simulator.functions_host import newtonsoft
from simulator.functions_host.protocol import TypedData

Encoding = Literal["base64", "none"]

#: What .NET's base64 passes over; no other white space.
_BLANKS = str.maketrans("", "", " \t\r\n")


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


def decode_content(content: str, encoding: Encoding) -> bytes:
    """What a stored message holds. Raises ValueError where it is no base64."""
    if encoding == "none":
        return content.encode()
    return base64.b64decode(content.translate(_BLANKS), validate=True)


def encode_content(text: str | bytes, encoding: Encoding) -> str:
    """The form in which a message is stored."""
    raw = text.encode() if isinstance(text, str) else text
    return base64.b64encode(raw).decode() if encoding == "base64" else raw.decode()


def outgoing_texts(data: TypedData) -> list[str | bytes]:
    """The messages that one output value stands for.

    An array of JSON is one message an element, an object is written anew over several lines, with
    its dates normalised; other text stays, and no text is no message.
    """
    if data.kind is None:
        return []
    if data.kind == "bytes":
        return [data.value]
    if data.kind not in ("json", "string"):
        return [str(data.value)]
    value = _parsed(data.value)
    return [_text(item) for item in value] if isinstance(value, list) else [_text(value)]


def _parsed(text: str) -> Any:
    """As the host does it (FunctionBinding.ReadAsEnumerable): what looks like JSON is read."""
    bare = text.strip()
    if not bare:
        return []
    if (bare[0], bare[-1]) in (("{", "}"), ("[", "]")):
        try:
            return newtonsoft.read(bare)
        except newtonsoft.NotJson:
            return text
    return text


def _text(item: Any) -> str:
    """JToken.ToString()."""
    match item:
        case str():
            return newtonsoft.shown(item)
        case bool():
            return str(item)
        case None:
            return ""
        case dict() | list():
            return newtonsoft.indented(item)
    return newtonsoft.compact(item).removesuffix(".0")


def trigger_metadata(message: Message, text: str) -> dict[str, TypedData]:
    """What `func.QueueMessage` shows beside the body, under the host's names.

    Members of a message that is a JSON object come with it, and go before what is of that name.
    """
    own = {
        "QueueTrigger": TypedData(string=text),
        "DequeueCount": TypedData(json=str(message.dequeue_count)),
        "ExpirationTime": TypedData(json=json.dumps(message.expires_on.isoformat())),
        "Id": TypedData(string=message.id),
        "InsertionTime": TypedData(json=json.dumps(message.inserted_on.isoformat())),
        "NextVisibleTime": TypedData(json=json.dumps(message.next_visible_on.isoformat())),
        "PopReceipt": TypedData(string=message.pop_receipt),
    }
    names = {name.lower(): name for name in own}
    members = {names.get(key.lower(), key): value for key, value in _members(text).items()}
    return own | members


def _members(text: str) -> Mapping[str, TypedData]:
    try:
        value = newtonsoft.read(text)
    except newtonsoft.NotJson:
        return {}
    if not isinstance(value, dict):
        return {}
    kept = {key: member for key, member in value.items() if not isinstance(member, list | None)}
    return {key: _member(member) for key, member in kept.items()}


def _member(value: Any) -> TypedData:
    if isinstance(value, dict):
        return TypedData(json=newtonsoft.compact(value))
    return TypedData(string=_text(value))
