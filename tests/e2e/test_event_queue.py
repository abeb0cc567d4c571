"""The queue of events as the world meets it: messages of every kind, each taken once."""

import base64
import json
import re
from collections.abc import Sequence
from typing import Any

import pytest
from azure.core.exceptions import ResourceNotFoundError
from azure.storage.queue.aio import QueueClient

from demo.events import EVENTS
from demo.stack import Stack
from simulator.event_grid.events import as_cloud_event
from tests.support.machines import GROUP, created, principals_of

pytestmark = pytest.mark.asyncio(loop_scope="module")

WRITTEN = "Microsoft.Resources.ResourceWriteSuccess"
#: Members that the host has itself of every message, and the names of the function's own bindings.
NAMED_AS_THE_HOSTS: dict[str, Any] = {
    "Id": "x",
    "ID": "y",
    "dequeueCount": "many",
    "popReceipt": {"a": [1]},
    "insertionTime": "soon",
    "expirationTime": None,
    "queueTrigger": 3,
    **dict.fromkeys(("message", "work", "context", "sys", "$return"), "z"),
}


def in_base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def event_of(stack: Stack, name: str) -> dict[str, Any]:
    resource = f"{stack.operator.group(GROUP)}/providers/Microsoft.Compute/virtualMachines/{name}"
    return {
        "id": "e-1",
        "topic": stack.operator.scope,
        "subject": resource,
        "eventType": WRITTEN,
        "eventTime": "2026-11-02T09:00:00Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {"resourceUri": resource},
    }


def work(event: dict[str, Any]) -> Sequence[str]:
    """Messages that have something for the app in them."""
    cloud, text = as_cloud_event(event), json.dumps(event)
    both = (text, json.dumps(cloud))
    changes: list[dict[str, Any]] = [NAMED_AS_THE_HOSTS, {"id": 7}, {"id": "\ud800"}]
    odd = [event | change for change in changes]
    return [
        *both,
        *(in_base64(each.encode()) for each in both),
        *(json.dumps(each) for each in odd),
        json.dumps([event, event]),
        json.dumps([3, None, {}, [], event]),
        json.dumps(event | {"eventTime": "9999-12-31T23:59:59-23:59"}),
        json.dumps(event | {"data": {"correlationId": "c" * 40_000}}),
        json.dumps(event, indent=4),
        in_base64(b"\xef\xbb\xbf" + text.encode()),
        base64.encodebytes(text.encode()).decode(),
    ]


def none_of_ours(event: dict[str, Any]) -> Sequence[str]:
    """Messages that are dropped and counted."""
    another = {"subject": event["subject"].replace("virtualMachines", "disks"), "data": {}}
    elsewhere = {"topic": "/subscriptions/aaaaaaaa-0000-4000-8000-000000000009"}
    changes = (another, elsewhere, {"eventType": 3}, {"data": "x"}, {"subject": "../.."})
    return ["{}", "[{}]", '{"id":1,"id":2}', *(json.dumps({**event, **each}) for each in changes)]


UNREADABLE = (
    *("", "no JSON", "[]", "[3]", "null", "{", "é", "NaN", "bm8gSlNPTg=="),
    "[" * 30_000,
    "9" * 5_000,
    "x" * 60_000,
    in_base64(b"\xff\xfe{"),
    in_base64(b"\x00\x01\x02"),
    in_base64(in_base64(b"{}").encode()),
)


async def test_each_message_ends_as_work_dropped_or_on_record_and_none_is_tried_again(
    stack: Stack,
) -> None:
    await created(stack, "vm-by-queue")
    await stack.quiet()
    before = len(said(stack))
    event = event_of(stack, "vm-by-queue")
    texts = [*work(event), *none_of_ours(event), *UNREADABLE]
    await send(stack, texts)
    await stack.quiet()
    log = said(stack)[before:]
    assert re.findall(r"Executed 'Functions.queued_events' \((\w+)", log) == ["Succeeded"] * len(
        texts
    )
    assert log.count("given up: an event that cannot be read") == len(UNREADABLE)
    assert await given_up(stack) == 0
    assert len(await principals_of(stack, "vm-by-queue")) == 1


async def send(stack: Stack, texts: Sequence[str]) -> None:
    """As they are: whoever sends encodes nothing."""
    async with queue(stack, EVENTS) as client:
        for text in texts:
            await client.send_message(text)


def queue(stack: Stack, name: str) -> QueueClient:
    operator = stack.operator
    return QueueClient(
        stack.azurite.queue_url, name, credential=operator.credential, **operator.options
    )


async def given_up(stack: Stack) -> int:
    async with queue(stack, f"{EVENTS}-poison") as client:
        try:
            return (await client.get_queue_properties()).approximate_message_count or 0
        except ResourceNotFoundError:
            return 0


def said(stack: Stack) -> str:
    return stack.host.log_file.read_text(errors="replace")
