"""The webhook as the world meets it: many at once, too much, too slow, without a key, half bad."""

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from demo.stack import Stack
from tests.support.app_queues import poisoned

pytestmark = pytest.mark.asyncio(loop_scope="module")

NOTIFICATION = {"aeg-event-type": "Notification", "Content-Type": "application/json"}
MEGABYTE = 1024 * 1024


def machine_id(stack: Stack, name: str) -> str:
    group = stack.operator.group("rg-shop")
    return f"{group}/providers/Microsoft.Compute/virtualMachines/{name}"


def event(stack: Stack, name: str, **more: Any) -> dict[str, Any]:
    resource = machine_id(stack, name)
    return {
        "id": name,
        "topic": stack.operator.scope,
        "subject": resource,
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-11-02T09:00:00Z",
        "dataVersion": "2",
        "metadataVersion": "1",
        "data": {"resourceUri": resource},
        **more,
    }


def client() -> httpx.AsyncClient:
    return httpx.AsyncClient(trust_env=False, timeout=60)


async def post(stack: Stack, body: Any, **query: str) -> httpx.Response:
    async with client() as http:
        url = httpx.URL(stack.webhook).copy_merge_params(query)
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        return await http.post(url, content=content, headers=NOTIFICATION)


class Witness:
    """What the app asked of ARM since then: (method, last segment of the path)."""

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._before = len(stack.azure.calls_of(stack.app_principal))

    def calls(self) -> Counter[tuple[str, str]]:
        calls = self._stack.azure.calls_of(self._stack.app_principal)[self._before :]
        return Counter((call.method, call.path.rpartition("/")[2]) for call in calls)


async def test_hundreds_of_posts_at_once_are_all_taken_and_worked_on(stack: Stack) -> None:
    witness, names = Witness(stack), [f"vm-load-{number}" for number in range(40)]
    async with client() as http:
        posts = [
            http.post(stack.webhook, json=[event(stack, name)] * 2, headers=NOTIFICATION)
            for name in names * 6
        ]
        answers = await asyncio.gather(*posts)
    assert Counter(answer.status_code for answer in answers) == {202: len(posts)}
    await stack.quiet()
    calls = witness.calls()
    assert {method for method, _ in calls} == {"GET"}
    assert {name for _, name in calls} == set(names)
    assert await poisoned(stack) == 0


async def chunks(total: int) -> AsyncIterator[bytes]:
    for _ in range(total // 65536):
        yield b" " * 65536


async def test_a_body_of_megabytes_comes_to_nothing_and_the_next_post_is_taken(
    stack: Stack,
) -> None:
    """Event Grid sends one megabyte at most; the host takes a hundred."""
    witness = Witness(stack)
    assert (await post(stack, b" " * (MEGABYTE + 1))).status_code == 500
    async with client() as http:
        answer = await http.post(stack.webhook, content=chunks(64 * MEGABYTE), headers=NOTIFICATION)
        assert answer.status_code == 500
    assert (await post(stack, event(stack, "vm-after"))).status_code == 202
    await stack.quiet()
    assert set(witness.calls()) == {("GET", "vm-after")}


class SlowSender:
    """Opens a post and sends a part of its body only."""

    def __init__(self, stack: Stack, body: bytes) -> None:
        self._url = urlsplit(stack.webhook)
        self._body = body

    async def __aenter__(self) -> "SlowSender":
        self._reader, self._writer = await asyncio.open_connection(
            self._url.hostname, self._url.port
        )
        head = (
            f"POST {self._url.path}?{self._url.query} HTTP/1.1\r\nHost: {self._url.netloc}\r\n"
            "aeg-event-type: Notification\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(self._body)}\r\n\r\n"
        )
        self._writer.write(head.encode() + self._body[:10])
        await self._writer.drain()
        return self

    async def finish(self) -> int:
        """Send the rest; returns the status of the answer."""
        self._writer.write(self._body[10:])
        await self._writer.drain()
        line = await asyncio.wait_for(self._reader.readline(), 30)
        return int(line.split()[1])

    async def __aexit__(self, *_exception: object) -> None:
        self._writer.close()
        await self._writer.wait_closed()


async def test_slow_senders_hold_up_nobody(stack: Stack) -> None:
    witness = Witness(stack)
    body = json.dumps(event(stack, "vm-slow")).encode()
    async with AsyncExitStack() as opened:
        slow = [await opened.enter_async_context(SlowSender(stack, body)) for _ in range(100)]
        assert (await post(stack, event(stack, "vm-quick"))).status_code == 202
        await stack.quiet()
        assert set(witness.calls()) == {("GET", "vm-quick")}
        # Microsoft's host gives up, after some seconds, who sends so little.
        status = await slow[0].finish()
        assert status in (202, 500)
    # The others hung up in the middle.
    await stack.quiet()
    taken = {("GET", "vm-slow")} if status == 202 else set()
    assert set(witness.calls()) == {("GET", "vm-quick")} | taken


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({"code": ""}, 401),
        ({"code": "wrong"}, 401),
        ({"code": "FUNCTION"}, 403),
        ({"functionName": "nobody"}, 404),
        ({"functionName": ""}, 404),
        ({"functionName": "reconcile"}, 404),
        ({"functionName": "sweep"}, 404),
    ],
    ids=str,
)
async def test_without_the_key_or_the_function_nothing_is_taken(
    stack: Stack, query: dict[str, str], status: int
) -> None:
    witness = Witness(stack)
    if query.get("code") == "FUNCTION":
        query = {"code": stack.host.keys["function"]}
    for body in (event(stack, "vm-denied"), b" " * (MEGABYTE + 1)):
        assert (await post(stack, body, **query)).status_code == status
    url = httpx.URL(stack.webhook).copy_merge_params(query)
    async with client() as http:
        answer = await http.options(url, headers={"WebHook-Request-Origin": "evil.example"})
    assert answer.status_code == status
    assert "WebHook-Allowed-Origin" not in answer.headers
    await stack.quiet()
    assert witness.calls() == {}


async def test_what_is_put_there_with_the_key_is_worked_on_like_what_is_posted(
    stack: Stack,
) -> None:
    witness, body = Witness(stack), event(stack, "vm-put")
    async with client() as http:
        keyless = httpx.URL(stack.webhook).copy_merge_params({"code": ""})
        denied = await http.put(keyless, json=body, headers=NOTIFICATION)
        assert denied.status_code == 401
        answer = await http.put(stack.webhook, json=body, headers=NOTIFICATION)
    assert answer.status_code == 202
    await stack.quiet()
    assert witness.calls() == {("GET", "vm-put"): 1}


async def test_the_handshakes_of_both_schemas(stack: Stack) -> None:
    validation = [
        {
            "id": "v",
            "topic": stack.operator.scope,
            "subject": "",
            "eventType": "Microsoft.EventGrid.SubscriptionValidationEvent",
            "eventTime": "2026-11-02T09:00:00Z",
            "data": {"validationCode": "c0de"},
            "dataVersion": "1",
        }
    ]
    headers = NOTIFICATION | {"aeg-event-type": "SubscriptionValidation"}
    async with client() as http:
        answer = await http.post(stack.webhook, json=validation, headers=headers)
        assert (answer.status_code, answer.json()) == (200, {"validationResponse": "c0de"})
        origin = {"WebHook-Request-Origin": "eventgrid.azure.net"}
        answer = await http.options(stack.webhook, headers=origin)
    assert answer.status_code == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"


@pytest.mark.parametrize(
    ("bad", "status"),
    [
        ({"eventTime": "never"}, 500),
        ({"subject": ["x"]}, 202),
        ({"data": {"resourceUri": "/etc/passwd", "claims": "[" * 100_000}}, 202),
        ({"eventType": {"x": 1}, "id": ["x"] * 1000}, 202),
    ],
    ids=["refused by the converter", "a list for a subject", "deep claims", "an object for a type"],
)
async def test_a_bad_event_keeps_no_good_one_of_its_batch_from_being_worked_on(
    stack: Stack, bad: dict[str, Any], status: int
) -> None:
    """What is answered with 500 comes again whole, and is worked on again."""
    witness = Witness(stack)
    batch = [event(stack, "vm-first"), event(stack, "vm-bad", **bad), event(stack, "vm-last")]
    for _ in range(2):
        assert (await post(stack, batch)).status_code == status
    await stack.quiet()
    assert set(witness.calls()) == {("GET", "vm-first"), ("GET", "vm-last")}
    assert await poisoned(stack) == 0
