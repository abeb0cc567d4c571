"""The proof's own event subscription, which puts all events of its groups into a queue; what is
done so that there are some; and what they answer.
"""

import base64
import binascii
import json
import statistics
from collections import Counter
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from lanyard.desk.onboarding.parts import EVENT_GRID, EVENTS_SENDER
from lanyard.desk.onboarding.topics import principal_of
from lanyard.values.errors import LanyardError
from prove.ground import account_body
from prove.machine import machine_id
from prove.proof import GONE, GROUP, MOVED, QUEUE, STORAGE, Proof
from prove.questions import GROUP_EVENTS, MOVE_EVENTS, QUEUE_ENCODING, WRITE_EVENTS

_NAME = "lanyard-proof"
_MOVES = "2022-09-01"


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event as it came. `subject` and `operation` in lower case; `after`: seconds from what
    happened until it was in the queue.
    """

    id: str
    kind: str  # "ResourceWriteSuccess", …
    operation: str
    subject: str
    by: str  # the client id of who did it
    after: float
    encoded: bool  # whether the message was in base64


async def listen(proof: Proof) -> None:
    """As the topic's own identity, which may do nothing else there. Raises LanyardError without."""
    topic = proof.journal.values["topic"]
    principal = principal_of(await proof.resources.read(topic, EVENT_GRID) or {})
    if not principal:
        raise LanyardError("the topic has no identity that could send to a queue")
    await proof.assign(EVENTS_SENDER, principal, _queue(proof))
    body = {"properties": to_queue(proof) | {"filter": {"subjectBeginsWith": proof.group(GROUP)}}}
    id_ = f"{topic}/eventSubscriptions/{_NAME}"
    await proof.in_time(lambda: proof.ensure(id_, EVENT_GRID, body))


async def listen_no_more(proof: Proof) -> None:
    """The event subscription; the topic's role goes with the group that the queue is in."""
    topic = proof.journal.values["topic"]
    await proof.resources.delete(f"{topic}/eventSubscriptions/{_NAME}", EVENT_GRID)


def to_queue(proof: Proof) -> dict[str, Any]:
    """Where the proof's events go."""
    properties = {
        "resourceId": proof.account,
        "queueName": QUEUE,
        "queueMessageTimeToLiveInSeconds": -1,
    }
    return {
        "deliveryWithResourceIdentity": {
            "identity": {"type": "SystemAssigned"},
            "destination": {"endpointType": "StorageQueue", "properties": properties},
        },
        "eventDeliverySchema": "EventGridSchema",
    }


def _queue(proof: Proof) -> str:
    return f"{proof.account}/queueServices/default/queues/{QUEUE}"


async def make_movable(proof: Proof) -> None:
    """An empty storage account, before anything is heard, and another one for the group to go."""
    body = account_body(proof.journal.location)
    await proof.ensure(_movable(proof, GROUP), STORAGE, body)
    await proof.ensure(_accounts(proof, GONE) + proof.named("go"), STORAGE, body)


async def move(proof: Proof) -> None:
    """It moves into another group."""
    if await proof.resources.read(_movable(proof, MOVED), STORAGE) is not None:
        return
    began = proof.now()
    body = {
        "resources": [_movable(proof, GROUP)],
        "targetResourceGroup": proof.group(MOVED),
    }
    await proof.post(f"{proof.group(GROUP)}/moveResources", _MOVES, body)
    proof.measure("a storage account is moved", proof.now() - began)


async def delete_group(proof: Proof) -> None:
    """A group with a resource in it."""
    began = proof.now()
    await proof.delete_group(GONE)
    proof.measure("a resource group is deleted", proof.now() - began)


def _movable(proof: Proof, group: str) -> str:
    return _accounts(proof, group) + proof.named("mv")


def _accounts(proof: Proof, group: str) -> str:
    return f"{proof.group(group)}/providers/Microsoft.Storage/storageAccounts/"


async def collect(proof: Proof) -> None:
    """Take every event out of the queue until none has come for a while, and answer by them."""
    heard = {each["id"]: each for each in proof.journal.values.get("events", ())}
    last = proof.now()
    while proof.now() - last < proof.pace.quiet:
        async for event in _arrived(proof):
            heard[event.id], last = asdict(event), proof.now()
            # On record before the message is deleted, as the next one is asked for.
            proof.journal.keep(events=[*heard.values()])
        await proof.clients.sleep(proof.pace.look)
    if not heard:
        raise LanyardError("no event came")
    _answer(proof, [Event(**each) for each in heard.values()])


async def _arrived(proof: Proof) -> AsyncIterator[Event]:
    account = await proof.resources.read(proof.account, STORAGE) or {}
    async for message in proof.storage.messages(account, QUEUE):
        yield event_of(message.text, message.inserted)


def event_of(text: str, inserted: float) -> Event:
    """The event in a message, which is in base64 or is not. `inserted`: seconds since the epoch."""
    try:
        plain, encoded = base64.b64decode(text, validate=True).decode(), True
    except (binascii.Error, UnicodeDecodeError):
        plain, encoded = text, False
    event = json.loads(plain)
    happened = datetime.fromisoformat(str(event["eventTime"])).timestamp()
    claims = event["data"].get("claims") or {}
    return Event(
        id=str(event["id"]),
        kind=str(event["eventType"]).rpartition(".")[2],
        operation=str(event["data"].get("operationName") or "").lower(),
        subject=str(event["subject"]).lower(),
        by=str(claims.get("appid") or "") if isinstance(claims, Mapping) else "",
        after=max(inserted - happened, 0.0),  # storage counts whole seconds
        encoded=encoded,
    )


def _answer(proof: Proof, events: list[Event]) -> None:
    """All that the events answer."""
    after = statistics.median(event.after for event in events)
    proof.measure("an event is in a queue after what it reports (median)", after)
    encoded = sum(event.encoded for event in events)
    proof.answer(QUEUE_ENCODING, f"{encoded} of {len(events)} messages were in base64")
    app = proof.journal.values["app"]["LANYARD_CLIENT_ID"]
    machine = machine_id(proof, "webhook").lower()
    writes = [e for e in events if e.subject == machine and e.kind == "ResourceWriteSuccess"]
    own = sum(event.by == app for event in writes)
    proof.answer(WRITE_EVENTS, f"{len(writes) - own} by its creation, {own} by the app's write")
    gone, moved = proof.group(GONE).lower(), proof.named("mv").lower()
    within = (e for e in events if _is_in(e, gone) and e.kind.startswith("ResourceDelete"))
    proof.answer(GROUP_EVENTS, counted(within))
    moves = (
        e for e in events if moved in e.subject or e.operation.endswith("moveresources/action")
    )
    proof.answer(MOVE_EVENTS, counted(moves))


def _is_in(event: Event, group: str) -> bool:
    return f"{event.subject}/".startswith(f"{group}/")


def counted(events: Iterable[Event]) -> str:
    """How often each kind of event came, of which operation, and in which of the groups."""
    of = Counter((e.kind, e.operation, e.subject.split("/")[4]) for e in events)
    said = [f"{n} {kind} of {what} in {group}" for (kind, what, group), n in sorted(of.items())]
    return "; ".join(said) or "none"
