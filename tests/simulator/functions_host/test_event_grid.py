"""The Event Grid webhook of the running host: handshake, status codes, one invocation an event."""

import json
from collections.abc import Callable
from typing import Any
from uuid import uuid4

import httpx
import pytest

from simulator.functions_host.process import HostProcess
from tests.support.azurite.queues import Queue

pytestmark = pytest.mark.asyncio(loop_scope="session")
WEBHOOK = "/runtime/webhooks/eventgrid"
NOTIFICATION = {"aeg-event-type": "Notification"}


LEVELS = b'[{"data": {"x": %s%s}}]'


class Webhook:
    """Posts as Event Grid does."""

    def __init__(self, client: httpx.AsyncClient, key: str) -> None:
        self._client = client
        self._key = key

    async def post(
        self, function: str, content: Any, headers: dict[str, str] = NOTIFICATION
    ) -> httpx.Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        query = {"functionName": function, "code": self._key}
        return await self._client.post(WEBHOOK, params=query, content=body, headers=headers)


@pytest.fixture
def webhook(client: httpx.AsyncClient, host: HostProcess) -> Webhook:
    return Webhook(client, host.keys["eventgrid_extension"])


def event(**data: Any) -> dict[str, Any]:
    return {
        "id": str(uuid4()),
        "topic": "/subscriptions/0",
        "subject": "/subscriptions/0/resourceGroups/rg",
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-11-20T10:00:00.1234567Z",
        "data": data,
        "dataVersion": "2",
        "metadataVersion": "1",
    }


@pytest.mark.parametrize(
    "body",
    [
        [{"id": "1", "data": {"validationCode": "c0de"}}],
        {"id": "1", "data": '{"validationCode": "c0de"}'},
    ],
    ids=["Event Grid schema", "CloudEvents schema, data as a string"],
)
async def test_answers_the_validation_with_its_code(webhook: Webhook, body: Any) -> None:
    answer = await webhook.post("take_event", body, {"AEG-Event-Type": "SubscriptionValidation"})
    assert (answer.status_code, answer.json()) == (200, {"validationResponse": "c0de"})


async def test_answers_the_handshake_of_cloud_events(
    client: httpx.AsyncClient, host: HostProcess
) -> None:
    answer = await client.options(
        WEBHOOK,
        params={"functionName": "take_cloud_event", "code": host.keys["eventgrid_extension"]},
        headers={"WebHook-Request-Origin": "eventgrid.azure.net"},
    )
    assert answer.status_code == 200
    assert answer.headers["WebHook-Allowed-Origin"] == "eventgrid.azure.net"


@pytest.mark.parametrize(
    ("keys", "status"),
    [
        (lambda _: {}, 401),
        (lambda _: {"code": "wrong"}, 401),
        (lambda known: {"code": known["function"]}, 403),
    ],
    ids=["no key", "a wrong key", "the key of the functions"],
)
async def test_refuses_without_the_key_of_the_webhook(
    client: httpx.AsyncClient,
    host: HostProcess,
    keys: Callable[[dict[str, str]], dict[str, str]],
    status: int,
) -> None:
    query = {"functionName": "take_event", **keys(host.keys)}
    answer = await client.post(WEBHOOK, params=query, json=[event()], headers=NOTIFICATION)
    assert answer.status_code == status


@pytest.mark.parametrize(
    ("header", "query", "status"),
    [("wrong", "eventgrid_extension", 401), ("eventgrid_extension", "wrong", 202)],
    ids=["a wrong header", "a right one"],
)
async def test_the_key_in_the_header_goes_before_that_of_the_query(
    client: httpx.AsyncClient, host: HostProcess, header: str, query: str, status: int
) -> None:
    def shown(name: str) -> str:
        return host.keys.get(name, name)

    answer = await client.post(
        WEBHOOK,
        params={"functionName": "take_event", "code": shown(query)},
        headers={**NOTIFICATION, "x-functions-key": shown(header)},
        json=[],
    )
    assert answer.status_code == status


@pytest.mark.parametrize("name", ["nobody", "", "take_work"])
async def test_knows_only_event_grid_functions(webhook: Webhook, name: str) -> None:
    assert (await webhook.post(name, [event()])).status_code == 404


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"aeg-event-type": "SubscriptionDeletion"}, 400),
        ({"aeg-event-type": "Unsubscribe"}, 202),
        ({"aeg-event-type": "Surprise"}, 400),
        ({}, 400),
    ],
    ids=["deletion", "unsubscribe", "unknown", "missing"],
)
async def test_answers_by_the_kind_of_post(
    webhook: Webhook, headers: dict[str, str], status: int
) -> None:
    assert (await webhook.post("take_event", [event()], headers)).status_code == status


@pytest.mark.parametrize(
    "body",
    [b"{", b"\xff\xfe", b"[" * 100_000, b"[1, 2]", b'"text"', LEVELS % (b"[" * 62, b"]" * 62)],
    ids=["cut off", "no text", "too deep", "numbers", "a string", "65 levels"],
)
async def test_what_is_no_event_comes_again(webhook: Webhook, body: bytes) -> None:
    assert (await webhook.post("take_event", body)).status_code == 500


@pytest.mark.parametrize(
    "body",
    [b'[{"data": {"x": "' + b"x" * 1024 * 1024 + b'"}}]', LEVELS % (b"[" * 61, b"]" * 61)],
    ids=["over 1 MB", "64 levels"],
)
async def test_takes_more_than_event_grid_sends(webhook: Webhook, body: bytes) -> None:
    assert (await webhook.post("take_event", body)).status_code == 202


async def test_what_is_no_event_keeps_none_beside_it_from_running(
    webhook: Webhook, queue: Callable[[str], Queue]
) -> None:
    said = str(uuid4())
    assert (await webhook.post("take_event", [3, event(send=[said])])).status_code == 500
    await queue("seen").wait_for_json(body=said)


async def test_a_validation_without_a_code_comes_again(webhook: Webhook) -> None:
    headers = {"aeg-event-type": "SubscriptionValidation"}
    for body in ([], [{"data": None}], [{"data": "no json"}], {"data": "[]"}):
        assert (await webhook.post("take_event", body, headers)).status_code == 500


async def test_accepts_an_array_and_a_single_event(
    webhook: Webhook, queue: Callable[[str], Queue]
) -> None:
    texts = [f"said {uuid4()}" for _ in range(3)]
    events = [event(send=[texts[0]]), event(send=texts[1:2])]
    assert (await webhook.post("take_event", events)).status_code == 202
    assert (await webhook.post("take_event", event(send=texts[2:]))).status_code == 202
    for text in texts:
        await queue("seen").wait_for_json(body=text)


async def test_gives_a_cloud_event_to_the_function(
    webhook: Webhook, queue: Callable[[str], Queue]
) -> None:
    source = f"/subscriptions/{uuid4()}"
    cloud = {"specversion": "1.0", "id": "1", "source": source, "type": "t", "data": {"a": "ü"}}
    assert (await webhook.post("take_cloud_event", cloud)).status_code == 202
    seen = await queue("seen").wait_for_json(source=source)
    assert (seen["type"], seen["data"]) == ("t", {"a": "ü"})


async def test_one_failed_event_fails_the_post_and_writes_nothing_of_its_own(
    webhook: Webhook, queue: Callable[[str], Queue]
) -> None:
    good, bad = str(uuid4()), str(uuid4())
    answer = await webhook.post("take_event", [event(send=[bad], fail=True), event(send=[good])])
    said = "Exception while executing function: Functions.take_event"
    assert (answer.status_code, answer.text) == (500, said)
    await queue("seen").wait_for_json(body=good)
    assert not await queue("seen").has_json(body=bad)


async def test_an_output_that_cannot_be_written_fails_the_post(webhook: Webhook) -> None:
    assert (await webhook.post("write_to_nowhere", event())).status_code == 500
