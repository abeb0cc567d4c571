"""Queue triggers of the running host on Azurite; the app's host.json: 3 tries, 1 s between them."""

import base64
import time
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from simulator.functions_host.process import HostProcess
from tests.support.azurite.queues import Queue
from tests.support.functions_host import CLIENT_ID, Storage

pytestmark = [pytest.mark.asyncio(loop_scope="session"), pytest.mark.usefixtures("host")]

type Open = Callable[[str], Queue]


async def test_shows_the_message_to_the_function_and_deletes_it(queue: Open) -> None:
    text = f"ünïcode {uuid4()}"
    await queue("work").send(text)
    seen = await queue("seen").wait_for_json(body=text)
    inserted = datetime.fromisoformat(seen["insertion_time"])
    assert seen["dequeue_count"] == 1
    assert seen["id"]
    assert seen["pop_receipt"]
    assert datetime.fromisoformat(seen["expiration_time"]) == inserted + timedelta(days=7)
    assert datetime.fromisoformat(seen["time_next_visible"]) >= inserted + timedelta(minutes=10)
    await queue("work").until_empty()


async def test_a_failed_message_comes_again_after_the_visibility_timeout(queue: Open) -> None:
    text = "fail 2"
    started = time.monotonic()
    await queue("work").send(text)
    seen = await queue("seen").wait_for_json(body=text)
    assert seen["dequeue_count"] == 2
    assert time.monotonic() - started >= 1


async def test_a_message_that_fails_too_often_goes_to_the_poison_queue(queue: Open) -> None:
    await queue("work").send("fail 99")
    poison = await queue("work-poison").wait_for(lambda content: decoded(content) == b"fail 99")
    assert decoded(poison) == b"fail 99"
    await queue("work").until_empty()
    assert not await queue("seen").has_json(body="fail 99")


async def test_what_is_no_base64_goes_to_the_poison_queue_as_it_is(queue: Open) -> None:
    content = f"<no base64> {uuid4()}"
    await queue("work").send_raw(content)
    await queue("work-poison").wait_for(lambda found: found == content)
    await queue("work").until_empty()


def decoded(content: str) -> bytes:
    try:
        return base64.b64decode(content, validate=True)
    except ValueError:
        return b""


async def test_works_on_the_messages_of_a_batch_side_by_side(queue: Open) -> None:
    for _ in range(3):
        await queue("work").send("together 3")
    await queue("seen").wait_for_json(body="together 3", dequeue_count=1)
    await queue("work").until_empty()


async def test_asks_for_tokens_with_the_identity_of_the_connection(
    storage: Storage, host: HostProcess
) -> None:
    assert set(storage.tokens.client_ids) == {CLIENT_ID}
