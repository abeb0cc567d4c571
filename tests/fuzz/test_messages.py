"""Whatever is on the queue: a change that this app could have written, or Permanent."""

import json
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from lanyard.queue.messages import decode, encode
from lanyard.values.change import Change
from lanyard.values.errors import Permanent
from lanyard.values.resource_id import is_guid
from tests.support.fuzz.strategies import DEEP_TEXT, IDS, TEXT, any_json, broken_ids, mostly

PRINCIPAL = "aaaaaaaa-0000-0000-0000-000000000001"
GUIDS = st.sampled_from(["", PRINCIPAL, PRINCIPAL.upper(), f"{PRINCIPAL}'", f"{PRINCIPAL}/../x"])
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "resource": mostly(st.sampled_from(IDS) | broken_ids()),
    "source": mostly(TEXT),
    "eventId": mostly(TEXT),
    "eventType": mostly(TEXT),
    "correlationId": mostly(TEXT),
    "attempt": mostly(st.integers()),
    "principal": mostly(GUIDS),
    "grant": mostly(GUIDS),
}


def read(body: bytes | str) -> Change | None:
    try:
        return decode(body)
    except Permanent:
        return None


def check(change: Change) -> None:
    assert decode(encode(change)) == change
    assert change.attempt >= 0
    for name in (change.principal, change.grant):
        assert name == "" or is_guid(name)
    texts = (change.source, change.event_id, change.event_type, change.correlation_id)
    assert all(isinstance(text, str) for text in texts)


@given(st.fixed_dictionaries(FIELDS), st.sets(st.sampled_from(sorted(FIELDS)), max_size=1))
@example({"resource": []}, set())
@example({**dict.fromkeys(FIELDS, ""), "resource": IDS[0], "attempt": float("inf")}, set())
def test_any_message_is_a_change_or_permanent(values: dict[str, Any], dropped: set[str]) -> None:
    kept = {name: value for name, value in values.items() if name not in dropped}
    change = read(json.dumps(kept))
    if change is not None:
        check(change)


@given(st.binary() | st.text() | any_json().map(json.dumps))
@example(DEEP_TEXT)
@example("9" * 5000)
def test_any_bytes_are_permanent(body: bytes | str) -> None:
    assert read(body) is None


@given(st.sampled_from(IDS), TEXT, st.integers(min_value=0))
def test_what_is_written_is_read_again(text: str, note: str, attempt: int) -> None:
    change = read(json.dumps({**written(text, note), "attempt": attempt}))
    assert change is not None
    assert (change.resource.text, change.event_id, change.attempt) == (text, note, attempt)


def written(text: str, note: str) -> dict[str, Any]:
    return {
        "resource": text,
        "source": "event",
        "eventId": note,
        "eventType": "t",
        "correlationId": "",
        "attempt": 0,
        "principal": PRINCIPAL,
        "grant": "",
    }
