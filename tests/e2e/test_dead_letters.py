"""Dead letters on the blobs of Azurite and poison messages on its queue, replayed."""

import asyncio
import base64
import json
import uuid
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
import pytest_asyncio
from azure.storage.blob.aio import ContainerClient
from azure.storage.queue.aio import QueueClient

from demo.stack import LOCATION, Stack
from lanyard.azure.storage.dead_letters import CONTAINER, DeadLetterBlobs, PoisonQueue
from lanyard.queue.messages import EVENTS, encode
from lanyard.queue.replay import Wanted, replay
from lanyard.values.change import Change
from tests.support.dead_letters import CLOUD, EVENT
from tests.support.examples import vm_id

pytestmark = pytest.mark.asyncio(loop_scope="module")


class Work:
    """Stands where the queue of work does."""

    def __init__(self) -> None:
        self.names: list[str] = []

    async def put(self, change: Change) -> None:
        self.names.append(change.resource.name)


@pytest_asyncio.fixture(loop_scope="module")
async def container(stack: Stack) -> AsyncIterator[ContainerClient]:
    async with ContainerClient(
        stack.azurite.blob_url,
        f"c{uuid.uuid4().hex}",
        credential=stack.operator.credential,
        **stack.operator.options,
    ) as client:
        yield client


@pytest_asyncio.fixture(loop_scope="module")
async def queue(stack: Stack) -> AsyncIterator[QueueClient]:
    async with QueueClient(
        stack.azurite.queue_url,
        f"q{uuid.uuid4().hex}",
        credential=stack.operator.credential,
        **stack.operator.options,
    ) as client:
        yield client


async def names(container: ContainerClient) -> list[str]:
    return [name async for name in container.list_blob_names()]


async def test_where_nothing_was_ever_given_up_there_is_nothing(
    container: ContainerClient, queue: QueueClient
) -> None:
    work = Work()
    for dead_letters in (DeadLetterBlobs(container, ()), PoisonQueue(queue)):
        assert (await replay(dead_letters, work.put, dry_run=False)).replayed == ()
    assert await PoisonQueue(queue).count() == 0


async def test_blobs_at_any_depth_are_replayed_and_what_is_left_of_one_stays(
    container: ContainerClient,
) -> None:
    await container.create_container()
    later = EVENT | {"deadLetterReason": "TimeToLiveExceeded"}
    await container.upload_blob("topic/SUB/2026/11/2/9/a.json", json.dumps([EVENT, later]))
    await container.upload_blob("b.json", json.dumps(CLOUD))
    await container.upload_blob("c.json", b"\xff no json")
    dead_letters, work = DeadLetterBlobs(container, ()), Work()
    seen = await replay(dead_letters, work.put, dry_run=True)
    assert (len(seen.replayed), len(seen.left), work.names) == (3, 1, [])
    wanted = Wanted(reason="MaxDeliveryAttemptsExceeded")
    await replay(dead_letters, work.put, wanted, dry_run=False)
    assert work.names == ["vm1", "vm1"]
    assert await names(container) == ["c.json", "topic/SUB/2026/11/2/9/a.json"]
    rest = await replay(dead_letters, work.put, dry_run=False)
    assert [one.reason for one in rest.replayed] == ["TimeToLiveExceeded"]
    assert await names(container) == ["c.json"]


async def test_poison_messages_are_replayed_one_by_one_and_the_rest_can_be_seen_again(
    queue: QueueClient,
) -> None:
    await queue.create_queue()
    for number in range(40):
        message = encode(Change(vm_id(f"vm{number}"), "event"))
        await queue.send_message(base64.b64encode(message.encode()).decode())
    await queue.send_message("no base64 :-)")
    dead_letters, work = PoisonQueue(queue), Work()
    assert await dead_letters.count() == 41
    only = Wanted(is_about=lambda id_: id_ == vm_id("vm7").text)
    found = await replay(dead_letters, work.put, only, dry_run=False)
    assert (len(found.replayed), work.names) == (1, ["vm7"])
    seen = await replay(dead_letters, work.put, dry_run=True)
    assert (len(seen.replayed), len(seen.left)) == (39, 1)
    await replay(dead_letters, work.put, dry_run=False)
    assert len(work.names) == 40
    assert await dead_letters.count() == 1


async def test_what_the_host_put_there_ends_and_what_is_kept_does_not(queue: QueueClient) -> None:
    poison = PoisonQueue(queue)
    change = Change(vm_id("vm1"), "event")
    await poison.keep(encode(change).encode())  # makes the queue
    await queue.send_message("no base64 :-)", time_to_live=7 * 24 * 3600)
    seen = [(one.ends, one.dead_letters[0].change) async for one in poison.batches()]
    assert seen == [(False, change), (True, None)]
    async for message in poison.batches():
        if message.ends:
            await message.keep()
    assert [one.ends async for one in poison.batches()] == [False, False]
    texts = [found.content for found in await queue.peek_messages(max_messages=5)]
    assert "no base64 :-)" in texts


async def test_the_timer_replays_what_could_not_be_delivered(stack: Stack) -> None:
    """All of it: the host runs the function, and the machine of the lost event is looked after."""
    await stack.operator.create_vm("rg-shop", "vm-lost", LOCATION)
    await stack.quiet()
    machine = vm_id("vm-lost", group=stack.operator.group("rg-shop")).text
    lost = EVENT | {"topic": stack.operator.scope, "subject": machine, "data": {}}
    before = len(stack.azure.calls_of(stack.app_principal))
    async with ContainerClient(
        stack.azurite.blob_url,
        CONTAINER,
        credential=stack.operator.credential,
        **stack.operator.options,
    ) as container:
        await container.create_container()
        await container.upload_blob("a/b/c.json", json.dumps([lost]))
        await run_timer(stack, "dead_letters")
        async with asyncio.timeout(30):
            while await names(container):
                await stack.azure.clock.sleep_until(stack.azure.clock.now() + 0.1)
        await stack.quiet()
    read = stack.azure.calls_of(stack.app_principal)[before:]
    assert [(call.method, call.path.rpartition("/")[2]) for call in read] == [("GET", "vm-lost")]


def event_of(stack: Stack, name: str, **more: Any) -> str:
    """The event of a machine's write, as text."""
    machine = vm_id(name, group=stack.operator.group("rg-shop")).text
    return json.dumps(
        EVENT | {"topic": stack.operator.scope, "subject": machine, "data": {}} | more
    )


def events_queue(stack: Stack, name: str) -> QueueClient:
    return QueueClient(
        stack.azurite.queue_url,
        name,
        credential=stack.operator.credential,
        **stack.operator.options,
    )


async def emptied(stack: Stack, queue: QueueClient) -> None:
    async with asyncio.timeout(30):
        while (await queue.get_queue_properties()).approximate_message_count:
            await stack.azure.clock.sleep_until(stack.azure.clock.now() + 0.1)


async def test_what_lies_in_the_queue_of_events_is_work_or_on_record(stack: Stack) -> None:
    names = ("vm-plain", "vm-base64")
    for name in names:
        await stack.operator.create_vm("rg-shop", name, LOCATION)
    await stack.quiet()
    before = len(stack.azure.calls_of(stack.app_principal))
    # The host puts such members in the place of the message's own.
    plain = event_of(stack, names[0], dequeueCount="many", insertionTime="soon")
    encoded = event_of(stack, names[1])
    async with events_queue(stack, EVENTS) as queue:
        await queue.send_message(plain)
        await queue.send_message(base64.b64encode(encoded.encode()).decode())
        await queue.send_message("no event :-)")
        await emptied(stack, queue)
    await stack.quiet()
    read = stack.azure.calls_of(stack.app_principal)[before:]
    assert {call.path.rpartition("/")[2] for call in read if call.method == "GET"} >= {*names}
    assert "given up: an event that cannot be read" in stack.host.log_file.read_text()


async def test_the_timer_puts_back_the_events_that_the_host_gave_up(stack: Stack) -> None:
    await stack.operator.create_vm("rg-shop", "vm-given-up", LOCATION)
    await stack.quiet()
    before = len(stack.azure.calls_of(stack.app_principal))
    async with events_queue(stack, f"{EVENTS}-poison") as queue:
        await queue.create_queue()
        await queue.send_message(event_of(stack, "vm-given-up"))
        await run_timer(stack, "dead_letters")
        await emptied(stack, queue)
    await stack.quiet()
    read = stack.azure.calls_of(stack.app_principal)[before:]
    assert [(call.method, call.path.rpartition("/")[2]) for call in read] == [
        ("GET", "vm-given-up")
    ]


async def run_timer(stack: Stack, name: str) -> None:
    """As a person runs it: by the host's admin route, which returns when it was started."""
    key = stack.host.keys["master"]
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            f"{stack.host.url}/admin/functions/{name}", json={}, headers={"x-functions-key": key}
        )
    assert answer.status_code == 202
