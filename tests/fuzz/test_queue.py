"""Whatever lies in the queue of events: work, dropped and counted, or on record. Nothing raises,
so nothing is tried again.
"""

import base64
import json
import logging
from collections.abc import Coroutine
from typing import Any
from unittest.mock import patch

from hypothesis import example, given
from hypothesis import strategies as st

from handlers import queued_events as handler
from lanyard.app import intake
from lanyard.azure.events import DELETED, WRITTEN
from lanyard.queue.messages import decode
from lanyard.settings import SettingsError
from simulator.functions_host.messages import outgoing_texts
from simulator.functions_host.protocol import TypedData
from tests.support.estate import Out, invocation, user_function
from tests.support.examples import SUBSCRIPTION, vm_id
from tests.support.fuzz.events import ENVELOPES, bodies
from tests.support.fuzz.strategies import DEEP_TEXT, any_json

#: What one message of a storage queue holds.
MOST_BYTES = 64 * 1024

#: The other members of an event: nothing of what becomes of it goes by them, but for its time.
ANYTHING = any_json() | st.text() | st.just("e" * 100_000)
OURS = st.builds(
    lambda kinds, schema, id_, at, correlation: {
        "id": id_,
        "subject": vm_id().text,
        "data": {"correlationId": correlation, "resourceUri": vm_id().text},
        schema["kind"]: kinds,
        schema["origin"]: f"/subscriptions/{SUBSCRIPTION}",
        **schema["extra"],
        **at,
    },
    st.sampled_from(sorted(WRITTEN | DELETED)),
    st.sampled_from(ENVELOPES),
    ANYTHING,
    st.fixed_dictionaries(
        {}, optional={"eventTime": ANYTHING, "time": ANYTHING, "dequeueCount": ANYTHING}
    ),
    ANYTHING,
)
TEXTS = st.one_of(
    OURS.map(json.dumps),
    bodies().map(json.dumps),
    st.lists(OURS | bodies() | any_json(), max_size=3).map(json.dumps),
    any_json().map(json.dumps),
    st.text(),
)


class Counted(logging.Handler):
    """The lines of events that were dropped."""

    def __init__(self) -> None:
        super().__init__()
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


def at_once(work: Coroutine[Any, Any, None]) -> None:
    """Run what waits for nothing."""
    try:
        work.send(None)
    except StopIteration:
        return
    raise AssertionError("it waits")


def no_settings() -> None:
    raise SettingsError("none")


def taken_in(text: str) -> tuple[list[str], list[str], list[str]]:
    """What becomes of a message: the work, the lines of what was dropped, what is on record."""
    recorded: list[str] = []

    async def given_up(reason: str) -> None:
        recorded.append(reason)

    work, counted = Out(), Counted()
    log = logging.getLogger("lanyard.events")
    log.addHandler(counted)
    level = log.level
    log.setLevel(logging.INFO)
    try:
        with (
            patch.object(handler, "_given_up", given_up),
            patch.object(intake, "settings", no_settings),
        ):
            at_once(user_function(handler.queued_events)(text, work, invocation()))
    finally:
        log.removeHandler(counted)
        log.setLevel(level)
    dropped = [line for line in counted.lines if line.startswith("event ignored: ")]
    sent = [] if work.value is None else outgoing_texts(TypedData(string=work.value))
    return [str(message) for message in sent], dropped, recorded


@given(TEXTS.map(lambda text: text.encode("utf-8", "replace")) | st.binary(), st.booleans())
@example(DEEP_TEXT.encode(), False)
@example(b"9" * 5000, True)
@example(b"", False)
def test_any_message_is_work_or_dropped_or_on_record(body: bytes, in_base64: bool) -> None:
    # What is no UTF-8 can be no text of a queue.
    text = base64.b64encode(body).decode() if in_base64 else body.decode("utf-8", "replace")
    work, dropped, recorded = taken_in(text)
    assert bool(work or dropped) != bool(recorded)
    assert len(recorded) <= 1
    for message in work:
        assert len(message) <= MOST_BYTES
        assert decode(base64.b64decode(message)).source == "event"


@given(OURS, st.booleans())
def test_an_event_of_ours_is_work_whatever_else_is_in_it(event: Any, in_base64: bool) -> None:
    text = json.dumps(event)
    text = base64.b64encode(text.encode()).decode() if in_base64 else text
    assert [len(part) for part in taken_in(text)] == [1, 0, 0]


@given(st.lists(OURS, min_size=1, max_size=2), st.lists(any_json(), max_size=3), st.randoms())
def test_each_of_several_is_work_or_counted(ours: list[Any], junk: list[Any], dice: Any) -> None:
    events = [*ours, *ours, *junk]  # each of ours twice: as work, both are one
    dice.shuffle(events)
    work, dropped, recorded = taken_in(json.dumps(events))
    assert (len(work), len(dropped), recorded) == (2 * len(ours), len(junk), [])


def test_an_event_that_is_none_is_counted_as_one() -> None:
    event: dict[str, Any] = {"id": 3}
    assert [len(part) for part in taken_in(json.dumps([event, None, 3]))] == [0, 3, 0]
