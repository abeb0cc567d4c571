"""What lies in the queue of events: base64 or plain, either schema, one event or several."""

import base64
import json
from datetime import UTC, datetime

import pytest

from lanyard.azure.event_bodies import event_of, events_in
from lanyard.azure.events import Event
from lanyard.queue.messages import packed, unpacked
from lanyard.values.errors import Permanent
from tests.support.dead_letters import CLOUD, EVENT

TIME = "2026-11-02T08:00:00.1234567Z"
AT = datetime(2026, 11, 2, 8, 0, 0, 123456, tzinfo=UTC)


def test_both_schemas_are_the_same_event() -> None:
    found = event_of(EVENT | {"eventTime": TIME})
    assert found == event_of(CLOUD | {"time": TIME})
    assert found == Event(
        EVENT["id"], EVENT["eventType"], EVENT["topic"], EVENT["subject"], EVENT["data"], AT
    )


@pytest.mark.parametrize("time", [None, 3, "soon", "2026-11-02", "2026-11-02T08:00:00", ["x"]])
def test_a_time_without_a_zone_is_none(time: object) -> None:
    assert event_of(EVENT | {"eventTime": time}).at is None


def test_an_array_is_an_event_an_element_and_what_is_none_stays_beside_the_others() -> None:
    found = events_in(json.dumps([EVENT, 3, CLOUD]).encode())
    assert [event.id for event in found] == ["e-1", None, "e-1"]


@pytest.mark.parametrize(
    "body",
    [b"", b" ", b"{", b"null", b"3", b'"text"', b"[]", b"[1, [2]]", b"\xff\xfe", b"[" * 100_000],
)
def test_what_holds_no_event_is_permanent(body: bytes) -> None:
    with pytest.raises(Permanent):
        events_in(body)


@pytest.mark.parametrize("text", ["{}", '[{"id": "ü"}]', " {}", "text"])
def test_base64_and_plain_are_the_same_message(text: str) -> None:
    assert unpacked(packed(text).encode()) == text.encode()
    if text != "text":  # which is base64 by chance; no JSON object or array is
        assert unpacked(text.encode()) == text.encode()


def test_base64_may_be_broken_over_lines_and_hold_no_utf8() -> None:
    content = base64.encodebytes(b"\xff" * 100)
    assert content.count(b"\n") > 1
    assert unpacked(content) == b"\xff" * 100
