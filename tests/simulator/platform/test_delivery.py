"""Attempts, retries, dead letters and faults, with the clock moved instead of waiting."""

import asyncio
import json
from typing import Any

import httpx
import pytest

from simulator.errors import AzureError
from simulator.event_grid.dead_letters import (
    BlobDeadLetters,
    DestinationMissing,
    DestinationUnavailable,
    Undelivered,
    record_of,
)
from simulator.event_grid.delivery import Delivery
from simulator.event_grid.models import DeadLetterDestination
from simulator.state import Json
from simulator.tokens.jwt import STORAGE_AUDIENCES, TokenIssuer
from tests.support.platform.event_grid import URL, Endpoint, Grid, client

DEAD_LETTERS = {
    "endpointType": "StorageBlob",
    "properties": {
        "resourceId": "/subscriptions/s/…/storageAccounts/a",
        "blobContainerName": "dead",
    },
}


def delivery_of(grid: Grid, endpoint: Endpoint, dead_letters: Any = None) -> Delivery:
    return Delivery(grid.state, grid.event_grid, endpoint.client(), dead_letters)


async def test_one_event_a_post_with_event_grids_headers() -> None:
    grid, endpoint = Grid(), Endpoint()
    grid.subscribe()
    async with delivery_of(grid, endpoint) as delivery:
        grid.publish()
        grid.publish(verb="delete")
        await delivery.settled()
    assert sorted(body[0]["id"] for body in endpoint.bodies()) == sorted(
        event["id"] for event in grid.events()
    )
    assert {len(body) for body in endpoint.bodies()} == {1}
    headers = endpoint.received[0].headers
    assert str(endpoint.received[0].url) == URL
    assert headers["aeg-event-type"] == "Notification"
    assert headers["aeg-delivery-count"] == "0"
    assert headers["aeg-subscription-name"].lower() == "lanyard"
    assert headers["content-type"].startswith("application/json")


async def test_a_cloud_event_is_sent_bare() -> None:
    grid, endpoint = Grid(), Endpoint()
    grid.subscribe(eventDeliverySchema="CloudEventSchemaV1_0")
    async with delivery_of(grid, endpoint) as delivery:
        grid.publish()
        await delivery.settled()
    (body,) = endpoint.bodies()
    assert (body["specversion"], body["subject"]) == ("1.0", grid.vm)
    content_type = endpoint.received[0].headers["content-type"]
    assert content_type.startswith("application/cloudevents+json")


async def test_a_filtered_event_is_not_sent() -> None:
    grid, endpoint = Grid(), Endpoint()
    grid.subscribe(filter={"includedEventTypes": ["Microsoft.Resources.ResourceDeleteSuccess"]})
    async with delivery_of(grid, endpoint) as delivery:
        grid.publish()
        grid.publish(verb="delete")
        await delivery.settled()
    assert [body[0]["eventType"] for body in endpoint.bodies()] == [
        "Microsoft.Resources.ResourceDeleteSuccess"
    ]


@pytest.mark.parametrize("status", [200, 201, 202, 203, 204])
async def test_success_is_200_to_204(status: int) -> None:
    grid, endpoint = Grid(), Endpoint([status])
    grid.subscribe()
    async with delivery_of(grid, endpoint) as delivery:
        grid.publish()
        await delivery.settled()
        grid.state.clock.advance(86400)
        await delivery.settled()
    assert len(endpoint.received) == 1


async def test_failures_are_retried_on_azures_schedule() -> None:
    grid, endpoint = Grid(), Endpoint([500])
    grid.behaviour.retry_jitter = 0.0
    grid.subscribe()
    start = grid.state.clock.now()
    async with delivery_of(grid, endpoint) as delivery:
        grid.publish()
        await delivery.settled()
        for _ in range(86400 // 10 + 2):
            grid.state.clock.advance(10)
            await delivery.settled()
    waits = [10, 30, 60, 300, 600, 1800, 3600, 10800, 21600, 43200]
    due = [sum(waits[:count]) for count in range(len(waits) + 1)]
    assert [attempt.at - start for attempt in delivery.attempts] == [
        moment for moment in due if moment <= 86400
    ]
    counts = [request.headers["aeg-delivery-count"] for request in endpoint.received]
    assert counts == [str(number) for number in range(len(endpoint.received))]


async def test_a_retry_that_succeeds_is_the_last() -> None:
    grid, endpoint = Grid(), Endpoint([500, 503, 301, 202])
    grid.subscribe()
    async with delivery_of(grid, endpoint) as delivery:
        grid.publish()
        for _ in range(5):
            await delivery.settled()
            grid.state.clock.advance(120)
    outcomes = [attempt.outcome.name for attempt in delivery.attempts]
    assert outcomes == ["GenericError", "Busy", "GenericError", "Success"]
    assert delivery.dropped == []


async def test_jitter_is_small_and_seeded() -> None:
    async def second_attempt(seed: int) -> float:
        grid, endpoint = Grid(seed=seed), Endpoint([500])
        grid.behaviour.retry_jitter = 0.5
        grid.subscribe()
        start = grid.state.clock.now()
        async with delivery_of(grid, endpoint) as delivery:
            grid.publish()
            while len(delivery.attempts) < 2:
                await delivery.settled()
                grid.state.clock.advance(0.125)
        return delivery.attempts[1].at - start

    first = await second_attempt(1)
    assert 10 <= first <= 15.125
    assert await second_attempt(1) == first
    assert await second_attempt(2) != first


@pytest.mark.parametrize("status", [400, 401, 403, 413])
async def test_some_answers_are_never_retried(status: int) -> None:
    grid, endpoint = Grid(), Endpoint([status])
    grid.subscribe()
    async with delivery_of(grid, endpoint) as delivery:
        grid.publish()
        await delivery.settled()
        grid.state.clock.advance(3600)
        await delivery.settled()
    assert len(endpoint.received) == 1
    assert [each.attempts for each in delivery.dropped] == [1]


async def test_a_functions_401_is_retried_after_five_minutes() -> None:
    grid, endpoint = Grid(), Endpoint([401, 202])
    function_id = "/subscriptions/s/…/sites/app/functions/resource_events"
    destination = {"endpointType": "AzureFunction", "properties": {"resourceId": function_id}}
    grid.subscribe(destination=destination)
    grid.event_grid.addresses[function_id.lower()] = URL
    async with delivery_of(grid, endpoint) as delivery:
        grid.publish()
        await delivery.settled()
        grid.state.clock.advance(290)
        await delivery.settled()
        assert len(endpoint.received) == 1
        grid.state.clock.advance(60)
        await delivery.settled()
    assert [attempt.outcome.name for attempt in delivery.attempts] == ["Unauthorized", "Success"]
    assert {str(request.url) for request in endpoint.received} == {URL}


async def test_a_refused_connection_is_retried() -> None:
    def refuse(request: httpx.Request) -> httpx.Response:
        raise httpx.ConnectError("refused", request=request)

    def time_out(request: httpx.Request) -> httpx.Response:
        raise httpx.ReadTimeout("slow", request=request)

    for handler, name in [(refuse, "SocketError"), (time_out, "TimedOut")]:
        grid = Grid()
        grid.subscribe()
        async with Delivery(grid.state, grid.event_grid, client(handler)) as delivery:
            grid.publish()
            await delivery.settled()
            grid.state.clock.advance(11)
            await delivery.settled()
        assert [attempt.outcome.name for attempt in delivery.attempts] == [name, name]


class Memory:
    """A dead-letter store that fails with each of `errors` first."""

    def __init__(self, *errors: Exception) -> None:
        self.records: dict[str, Json] = {}
        self._errors = list(errors)

    async def write(self, destination: DeadLetterDestination, path: str, record: Json) -> None:
        if self._errors:
            raise self._errors.pop(0)
        self.records[f"{destination.container}/{path}"] = record


async def test_after_the_last_attempt_the_event_is_dead_lettered() -> None:
    grid, endpoint, memory = Grid(), Endpoint([500]), Memory()
    grid.subscribe(deadLetterDestination=DEAD_LETTERS, retryPolicy={"maxDeliveryAttempts": 2})
    async with delivery_of(grid, endpoint, memory) as delivery:
        grid.publish()
        await delivery.settled()
        grid.state.clock.advance(60)
        await delivery.settled()
    ((path, record),) = memory.records.items()
    (event,) = grid.events()
    assert path.startswith("dead/topic/LANYARD/2026/11/2/9/")
    assert path.endswith(".json")
    assert record == event | {
        "deadLetterReason": "MaxDeliveryAttemptsExceeded",
        "deliveryAttempts": 2,
        "lastDeliveryOutcome": "GenericError",
        "publishTime": "2026-11-02T09:00:00.0000000Z",
        "lastDeliveryAttemptTime": "2026-11-02T09:01:00.0000000Z",
    }


async def test_a_dead_cloud_event_has_lower_case_members() -> None:
    grid, endpoint, memory = Grid(), Endpoint([400]), Memory()
    grid.subscribe(deadLetterDestination=DEAD_LETTERS, eventDeliverySchema="CloudEventSchemaV1_0")
    async with delivery_of(grid, endpoint, memory) as delivery:
        grid.publish()
        await delivery.settled()
    (record,) = memory.records.values()
    assert record["deadletterreason"] == "UndeliverableDueToHttpBadRequest"
    assert record["lastdeliveryoutcome"] == "BadRequest"
    assert "deadLetterReason" not in record


async def test_time_to_live_is_looked_at_when_the_next_attempt_is_due() -> None:
    grid, endpoint, memory = Grid(), Endpoint([500]), Memory()
    grid.subscribe(deadLetterDestination=DEAD_LETTERS, retryPolicy={"eventTimeToLiveInMinutes": 1})
    async with delivery_of(grid, endpoint, memory) as delivery:
        grid.publish()
        for _ in range(12):
            await delivery.settled()
            grid.state.clock.advance(15)
        await delivery.settled()
    (record,) = memory.records.values()
    assert record["deadLetterReason"] == "TimeToLiveExceeded"
    assert record["deliveryAttempts"] == 3


async def test_dead_lettering_waits_where_azure_waits() -> None:
    grid, endpoint, memory = Grid(), Endpoint([400]), Memory()
    grid.behaviour.dead_letter_delay_seconds = 300.0
    grid.subscribe(deadLetterDestination=DEAD_LETTERS)
    async with delivery_of(grid, endpoint, memory) as delivery:
        grid.publish()
        await delivery.settled()
        assert not memory.records
        grid.state.clock.advance(300)
        await delivery.settled()
        assert memory.records


async def test_a_sick_dead_letter_store_is_tried_again_and_a_missing_one_drops() -> None:
    for error, kept in [(DestinationUnavailable("503"), 1), (DestinationMissing("dead"), 0)]:
        grid, endpoint, memory = Grid(), Endpoint([400]), Memory(error)
        grid.subscribe(deadLetterDestination=DEAD_LETTERS)
        async with delivery_of(grid, endpoint, memory) as delivery:
            grid.publish()
            await delivery.settled()
            grid.state.clock.advance(301)
            await delivery.settled()
        assert len(memory.records) == len(delivery.dead_lettered) == kept
        assert len(delivery.dropped) == 1 - kept


async def test_blob_dead_letters_are_put_with_a_bearer_token() -> None:
    grid = Grid()
    subscription = grid.subscribe(deadLetterDestination=DEAD_LETTERS)
    issuer, statuses = TokenIssuer(grid.state), Endpoint([201, 404, 503])
    store = BlobDeadLetters(
        statuses.client(), "https://blobs/account", issuer, grid.state.add_principal("Event Grid")
    )
    destination = subscription.dead_letter
    assert destination is not None
    await store.write(destination, "a/b.json", {"id": "1"})
    (put,) = statuses.received
    assert (put.method, str(put.url)) == ("PUT", "https://blobs/account/dead/a/b.json")
    assert statuses.bodies() == [[{"id": "1"}]]
    issuer.verify(put.headers["authorization"].removeprefix("Bearer "), STORAGE_AUDIENCES)
    with pytest.raises(DestinationMissing):
        await store.write(destination, "a/b.json", {"id": "1"})
    with pytest.raises(DestinationUnavailable):
        await store.write(destination, "a/b.json", {"id": "1"})


async def test_faults_double_lose_delay_and_reorder() -> None:
    grid, endpoint = Grid(), Endpoint()
    grid.subscribe()
    async with delivery_of(grid, endpoint) as delivery:

        async def sent_after(seconds: float) -> int:
            before = len(endpoint.received)
            await delivery.settled()
            grid.state.clock.advance(seconds)
            await delivery.settled()
            return len(endpoint.received) - before

        grid.behaviour.duplicate_probability = 1.0
        grid.publish()
        assert await sent_after(0) == 2
        grid.behaviour.duplicate_probability = 0.0

        grid.behaviour.loss_probability = 1.0
        grid.publish()
        assert await sent_after(3600) == 0
        assert [event["id"] for event in delivery.lost] == [grid.events()[-1]["id"]]
        grid.behaviour.loss_probability = 0.0

        grid.behaviour.delay_seconds = 60.0
        grid.publish()
        assert await sent_after(59) == 0
        assert await sent_after(1) == 1
        grid.behaviour.delay_seconds = 0.0

        grid.behaviour.reorder_probability = 1.0
        grid.publish(verb="write")
        grid.behaviour.reorder_probability = 0.0
        grid.publish(verb="delete")
        assert await sent_after(grid.behaviour.reorder_seconds) == 2
    kinds = [body[0]["eventType"] for body in endpoint.bodies()[-2:]]
    assert kinds == [
        "Microsoft.Resources.ResourceDeleteSuccess",
        "Microsoft.Resources.ResourceWriteSuccess",
    ]


async def test_probabilities_follow_the_seed() -> None:
    async def doubled(seed: int) -> list[int]:
        grid, endpoint = Grid(seed=seed), Endpoint()
        grid.behaviour.duplicate_probability = 0.5
        grid.subscribe()
        counts = []
        async with delivery_of(grid, endpoint) as delivery:
            for _ in range(20):
                grid.publish()
                await delivery.settled()
                counts.append(len(endpoint.received))
        return counts

    assert await doubled(7) == await doubled(7)
    assert await doubled(7) != await doubled(8)


async def test_a_deleted_event_subscription_gets_no_more_retries() -> None:
    grid, endpoint = Grid(), Endpoint([500])
    subscription = grid.subscribe()
    async with delivery_of(grid, endpoint) as delivery:
        grid.publish()
        await delivery.settled()
        del grid.event_grid.subscriptions[subscription.id.lower()]
        grid.state.clock.advance(60)
        await delivery.settled()
    assert len(endpoint.received) == 1


async def test_what_waits_for_its_next_attempt_makes_it_when_hastened() -> None:
    grid, endpoint = Grid(), Endpoint([503, 503, 200])
    grid.subscribe()
    async with delivery_of(grid, endpoint) as delivery:
        grid.publish()
        await delivery.settled()
        for _ in range(2):
            delivery.hasten()
            await delivery.settled()
        assert [each.number for each in delivery.attempts] == [1, 2, 3]
        assert not delivery.outstanding
        delivery.hasten()


async def test_closing_stops_what_still_waits() -> None:
    grid, endpoint = Grid(), Endpoint([500])
    grid.subscribe()
    async with delivery_of(grid, endpoint) as delivery:
        grid.publish()
        await delivery.settled()
    grid.publish()
    assert len(endpoint.received) == 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


def echo(request: httpx.Request) -> httpx.Response:
    (event,) = json.loads(request.content)
    assert request.headers["aeg-event-type"] == "SubscriptionValidation"
    assert event["eventType"] == "Microsoft.EventGrid.SubscriptionValidationEvent"
    return httpx.Response(200, json={"validationResponse": event["data"]["validationCode"]})


def allow(request: httpx.Request) -> httpx.Response:
    assert request.method == "OPTIONS"
    origin = request.headers["webhook-request-origin"]
    return httpx.Response(200, headers={"WebHook-Allowed-Origin": origin})


@pytest.mark.parametrize(
    ("schema", "handler"), [("EventGridSchema", echo), ("CloudEventSchemaV1_0", allow)]
)
async def test_the_handshake_passes(schema: str, handler: Any) -> None:
    grid = Grid()
    subscription = grid.subscribe(eventDeliverySchema=schema)
    async with Delivery(grid.state, grid.event_grid, client(handler)) as delivery:
        await delivery.validate(subscription)


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(404),
        httpx.Response(200),
        httpx.Response(202, json={"validationResponse": "?"}),
        httpx.Response(200, json=["validationResponse"]),
    ],
    ids=["404", "empty", "wrong code", "no object"],
)
async def test_the_handshake_fails_with_a_clear_error(schema: str, answer: httpx.Response) -> None:
    grid = Grid()
    subscription = grid.subscribe(eventDeliverySchema=schema)
    async with Delivery(grid.state, grid.event_grid, client(lambda _: answer)) as delivery:
        with pytest.raises(AzureError, match="handshake failed") as refused:
            await delivery.validate(subscription)
    assert (refused.value.status, refused.value.code) == (400, "Url validation")
    assert "code=key" not in refused.value.message


def test_a_record_keeps_the_event_whole() -> None:
    grid = Grid()
    grid.publish()
    (event,) = grid.events()
    undelivered = Undelivered(grid.subscribe(), event, "r", 1, "o", 0.0, 0.0)
    assert event.items() <= record_of(undelivered).items()
