"""Events that come by queue: the promises are those of the webhook."""

import asyncio
import base64
import json
import logging
from typing import Any

import pytest

from lanyard.app import composition
from lanyard.app.lost_events import put_back_events
from lanyard.queue.messages import decode
from lanyard.record.decisions import Decisions
from simulator.event_grid.events import as_cloud_event
from tests.support.dead_letters import Blob, Lying, dead_letter
from tests.support.estate import Estate


@pytest.fixture
def recording(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> Estate:
    def decisions() -> Decisions:
        return estate.services.decisions

    monkeypatch.setattr(composition, "decisions", decisions)
    return estate


def plain(event: Any) -> str:
    return json.dumps(event)


def base64_of(event: Any) -> str:
    return base64.b64encode(plain(event).encode()).decode()


def plain_cloud(event: Any) -> str:
    return plain(as_cloud_event(event))


def base64_cloud(event: Any) -> str:
    return base64_of(as_cloud_event(event))


@pytest.mark.parametrize("form", [plain, base64_of, plain_cloud, base64_cloud])
async def test_a_machine_gets_its_identity_whatever_the_form(estate: Estate, form: Any) -> None:
    await estate.create_vm("vm1")
    *_, event = estate.new_events()
    (message,) = await estate.deliver_by_queue(form(event))
    assert decode(message) == decode(await estate.deliver(event) or "")
    assert decode(message).event_id == event["id"]
    await estate.work(message)
    assert list(await estate.identity_of("vm1")) == ["id-lanyard-westeurope"]


async def test_several_events_in_one_message_are_as_many(estate: Estate) -> None:
    machines = [await estate.create_vm(f"vm{number}") for number in range(3)]
    events = [e for e in estate.new_events() if "/virtualMachines/" in e["subject"]]
    messages = await estate.deliver_by_queue(plain([*events, 3, {}]))
    assert [decode(message).resource for message in messages] == machines


async def test_five_events_of_a_resource_are_one_reconcile(estate: Estate) -> None:
    await estate.create_vm("vm0")
    await estate.settle()
    await estate.create_vm("vm0")
    *_, event = estate.new_events()
    messages = [m for _ in range(5) for m in await estate.deliver_by_queue(plain(event))]
    assert len(messages) == 5
    estate.app_calls()
    await asyncio.gather(*(estate.work(message) for message in messages))
    assert estate.app_calls() == ["GET virtualMachines/vm0"]


async def test_what_is_not_ours_is_dropped_with_a_line_and_no_call(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    await estate.create_vm("vm0")
    for event in estate.new_events():
        for message in await estate.deliver_by_queue(plain(event)):
            await estate.work(message)
    own = estate.new_events()
    estate.app_calls()
    assert any(e["data"]["operationName"].endswith("virtualMachines/write") for e in own)
    with caplog.at_level(logging.INFO, "lanyard.events"):
        assert [await estate.deliver_by_queue(plain(event)) for event in own] == [[]] * len(own)
    assert estate.app_calls() == []
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == len(own)
    assert "event ignored: our own write" in lines


@pytest.mark.parametrize("content", ["", "no JSON", base64.b64encode(b"\xff{").decode(), "[3]"])
async def test_what_cannot_be_read_is_on_record_and_deleted(
    recording: Estate, caplog: pytest.LogCaptureFixture, content: str
) -> None:
    before = len(await recording.recorded())
    assert await recording.deliver_by_queue(content) == []
    ((action, outcome, reason),) = (await recording.decisions())[before:]
    assert (action, outcome) == ("event", "failed")
    assert "was deleted, because it cannot be read" in reason
    # An alert goes by it.
    assert any(record.getMessage().startswith("given up: ") for record in caplog.records)


async def test_an_event_whose_members_are_named_as_the_hosts_own_is_an_event(
    estate: Estate,
) -> None:
    """The host puts them in the place of the message's own, which nobody looks at."""
    await estate.create_vm("vm1")
    *_, event = estate.new_events()
    named = {"popReceipt": "x", "insertionTime": "soon", "dequeueCount": "many"}
    (message,) = await estate.deliver_by_queue(plain(event | named))
    assert decode(message).event_id == event["id"]


async def test_what_the_host_gave_up_is_put_back_or_on_record(estate: Estate) -> None:
    kept: list[str] = []

    async def put(change: Any) -> None:
        kept.append(f"{change.source} {change.resource.name}")

    lying = Lying(
        Blob(
            dead_letter("vm1"),
            dead_letter("e", change=None, of_no_use=True),
            dead_letter("junk", change=None, reason="no JSON"),
        )
    )
    before = len(await estate.recorded())
    await put_back_events(lying, put, estate.services.decisions)
    assert kept == ["replay vm1"]
    assert lying.lying() == []
    ((_, _, reason),) = (await estate.decisions())[before:]
    assert "no JSON" in reason
