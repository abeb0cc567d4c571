"""What was given up is put on the queue again, and removed only after that."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from azure.storage.queue import QueueMessage

from lanyard.azure.storage.dead_letters import given_up_events, read_dead_letter
from lanyard.queue.messages import packed
from lanyard.queue.replay import Wanted, replay
from lanyard.values.change import Change
from lanyard.values.errors import Temporary
from tests.support.dead_letters import CLOUD, EVENT, NOW, Blob, Lying, dead_letter
from tests.support.examples import GROUP, vm_id


class Box(Lying):
    """Blobs, and the queue of work that they are replayed to."""

    def __init__(self, *blobs: Blob) -> None:
        super().__init__(*blobs)
        self.queue: list[Change] = []
        self.room = 1000

    async def enqueue(self, change: Change) -> None:
        if not self.room:
            raise Temporary("the queue is down", 5)
        self.room -= 1
        self.queue.append(change)


async def test_a_dry_run_changes_nothing() -> None:
    box = Box(Blob(dead_letter("vm1"), dead_letter("vm2")))
    found = await replay(box, box.enqueue, dry_run=True)
    assert [one.id for one in found.replayed] == ["vm1", "vm2"]
    assert (box.queue, box.lying()) == ([], ["vm1", "vm2"])


async def test_what_is_replayed_begins_afresh_and_is_removed() -> None:
    box = Box(Blob(dead_letter("vm1")), Blob(dead_letter("vm2")))
    await replay(box, box.enqueue, dry_run=False)
    assert [(c.resource, c.source, c.attempt) for c in box.queue] == [
        (vm_id("vm1"), "replay", 0),
        (vm_id("vm2"), "replay", 0),
    ]
    assert box.lying() == []


async def test_nothing_is_removed_that_was_not_enqueued() -> None:
    box = Box(Blob(dead_letter("vm1")), Blob(dead_letter("vm2"), dead_letter("vm3")))
    box.room = 2
    with pytest.raises(Temporary):
        await replay(box, box.enqueue, dry_run=False)
    assert box.lying() == ["vm2", "vm3"]


async def test_what_would_have_been_dropped_is_and_what_cannot_be_read_stays() -> None:
    useless = dead_letter("disk", change=None, reason="a type that is not watched", of_no_use=True)
    unreadable = dead_letter("blob", change=None, reason="it is no event")
    box = Box(Blob(useless, unreadable))
    found = await replay(box, box.enqueue, dry_run=False)
    assert (found.dropped, found.left) == ((useless,), (unreadable,))
    assert (box.queue, box.lying()) == ([], ["blob"])


@pytest.mark.parametrize(
    ("wanted", "replayed"),
    [
        (Wanted(), ["vm1", "vm10", "other"]),
        (Wanted(ids=frozenset({"vm10"})), ["vm10"]),
        (Wanted(is_about=lambda id_: id_ == vm_id("vm1").text), ["vm1"]),
        (Wanted(is_about=lambda id_: "-else/" not in id_), ["vm1", "vm10"]),
        (Wanted(event_type="microsoft.resources.resourcedeletesuccess"), ["other"]),
        (Wanted(reason="maxdeliveryattemptsexceeded"), ["vm1", "vm10"]),
        (Wanted(before=NOW), ["other"]),
    ],
)
async def test_a_filter_takes_out_what_matches(wanted: Wanted, replayed: list[str]) -> None:
    other = dead_letter(
        "other",
        at=NOW - timedelta(days=1),
        reason="TimeToLiveExceeded",
        event_type="Microsoft.Resources.ResourceDeleteSuccess",
        change=Change(vm_id("vm1", group=f"{GROUP}-else"), "event"),
    )
    box = Box(Blob(dead_letter("vm1"), dead_letter("vm10"), other))
    found = await replay(box, box.enqueue, wanted, dry_run=False)
    assert [one.id for one in found.replayed] == replayed
    assert sorted(box.lying()) == sorted({"vm1", "vm10", "other"} - set(replayed))


@pytest.mark.parametrize("entry", [EVENT, CLOUD], ids=["Event Grid", "CloudEvents"])
def test_a_dead_letter_is_read_in_either_schema(entry: dict[str, Any]) -> None:
    found = read_dead_letter("blob#0", entry, own_ids=())
    assert found.change is not None
    assert found.change.resource == vm_id("vm1")
    assert (found.reason, found.at) == ("MaxDeliveryAttemptsExceeded", NOW - timedelta(hours=1))
    assert found.event_type == "Microsoft.Resources.ResourceWriteSuccess"


@pytest.mark.parametrize(
    "entry",
    [None, 5, "x", [], {}, EVENT | {"data": None}, EVENT | {"lastDeliveryAttemptTime": 5, "id": 7}],
    ids=str,
)
def test_whatever_lies_there_is_read_without_an_error(entry: Any) -> None:
    assert read_dead_letter("blob#0", entry, own_ids=()).id == "blob#0"


def lying(content: str) -> QueueMessage:
    message = QueueMessage(content)
    message.id = "m-1"
    message.inserted_on = NOW
    return message


@pytest.mark.parametrize("entry", [EVENT, CLOUD])
@pytest.mark.parametrize("form", [str, packed], ids=["plain", "base64"])
def test_a_message_of_events_that_was_given_up_is_read_as_the_function_reads_it(
    entry: dict[str, Any], form: Callable[[str], str]
) -> None:
    found = given_up_events(own_ids=())(lying(form(json.dumps([entry, {}]))))
    assert [one.id for one in found] == ["m-1#0", "m-1#1"]
    assert found[0].change is not None
    assert found[0].change.resource == vm_id("vm1")
    assert (found[1].change, found[1].of_no_use) == (None, True)


def test_one_that_holds_no_event_says_so() -> None:
    (found,) = given_up_events(own_ids=())(lying("no JSON"))
    assert (found.change, found.of_no_use, found.at) == (None, False, NOW)
    assert "no JSON" in found.reason
