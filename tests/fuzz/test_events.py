"""Whatever arrives as an event: a change of what its subject names, or a counted reason."""

import json
from typing import Any

from azure.functions.eventgrid import EventGridEventInConverter
from azure.functions.meta import Datum
from hypothesis import example, given

from handlers.resource_events import envelope
from lanyard.azure.events import Event, change_of
from lanyard.queue.messages import decode, encode
from lanyard.values.change import Change, Ignored
from tests.support.examples import SUBSCRIPTION, VM_TYPE, vm_id
from tests.support.fuzz.events import CLAIMS, OWN, bodies
from tests.support.fuzz.strategies import DEEP, DEEP_TEXT, any_json

WRITE, DELETE = (
    "Microsoft.Resources.ResourceWriteSuccess",
    "Microsoft.Resources.ResourceDeleteSuccess",
)
IDENTITY = "microsoft.managedidentity/userassignedidentities"
TYPES = {VM_TYPE.lower(), IDENTITY}
#: What one message of a storage queue holds, in base64.
MOST_BYTES = 64 * 1024 * 3 // 4


def judged(body: dict[str, Any]) -> Change | Ignored:
    """The body through Microsoft's converter, as the handler does it."""
    datum = Datum(json.dumps(body), "json")
    event = envelope(EventGridEventInConverter.decode(datum, trigger_metadata={}))
    return change_of(event, types=TYPES, own_ids={OWN})


def named_by(body: dict[str, Any]) -> str:
    """What the event says it is about, in the words of whoever reads it without Lanyard."""
    data = body["data"]
    info = data.get("resourceInfo")
    named = info.get("id") if isinstance(info, dict) else data.get("resourceUri")
    text: Any = body.get("subject") or named
    bare: str = text.rstrip("/")
    tags = "/providers/microsoft.resources/tags/default"
    return bare[: -len(tags)] if bare.lower().endswith(tags) else bare


@given(bodies())
@example({"eventType": ["x"], "topic": "/", "subject": "s", "data": {}})
@example(
    {
        "eventType": WRITE,
        "topic": f"/subscriptions/{SUBSCRIPTION}",
        "subject": vm_id().text,
        "data": {"claims": DEEP_TEXT},
    }
)
@example(
    {
        "eventType": WRITE,
        "topic": f"/subscriptions/{SUBSCRIPTION}",
        "subject": vm_id().text,
        "data": {"claims": {"appid": DEEP}, "correlationId": DEEP},
    }
)
def test_an_event_is_a_change_of_what_it_names_or_is_ignored(body: dict[str, Any]) -> None:
    found = judged(body)
    if isinstance(found, Ignored):
        assert found.reason
        return
    assert found.resource.text == named_by(body)
    origin = str(body.get("topic", body.get("source")))
    if origin.startswith("/subscriptions/"):
        assert found.resource.subscription == origin.split("/")[2]
    assert found.resource.is_resource_group or found.resource.type.lower() in TYPES
    message = encode(found).encode()
    assert len(message) <= MOST_BYTES
    assert decode(message) == found


@given(any_json(), any_json(), any_json(), any_json(), any_json())
def test_anything_in_place_of_the_envelope_is_ignored(
    id: Any, type: Any, origin: Any, subject: Any, data: Any
) -> None:
    found = change_of(Event(id, type, origin, subject, data), types=TYPES, own_ids={OWN})
    assert isinstance(found, Ignored)


@given(CLAIMS)
def test_a_deletion_is_heard_whoever_it_says_did_it(claims: Any) -> None:
    data = {"resourceUri": vm_id().text, "claims": claims}
    origin = f"/subscriptions/{SUBSCRIPTION}"
    event = Event("e", DELETE, origin, vm_id().text, data)
    assert isinstance(change_of(event, types=TYPES, own_ids={OWN}), Change)


def test_an_event_that_names_two_resources_is_believed_in_neither() -> None:
    data = {"resourceUri": vm_id("vm2").text}
    event = Event("e", WRITE, f"/subscriptions/{SUBSCRIPTION}", vm_id("vm1").text, data)
    found = change_of(event, types=TYPES, own_ids={OWN})
    assert found == Ignored("no usable resource id")
