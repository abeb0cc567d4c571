"""Event Grid puts events into queues as the topic's identity: asked who it is, and what it may."""

import base64
import json
from dataclasses import dataclass, field, replace
from typing import Any

import httpx
import pytest

from simulator.authorization.access import Access
from simulator.authorization.definitions import built_in_roles
from simulator.errors import AzureError
from simulator.event_grid.delivery import Delivery
from simulator.event_grid.models import QueueDestination, event_subscription
from simulator.event_grid.queues import ADD_MESSAGE, MOST_BYTES, Queues, StorageQueues
from simulator.state import Principal, RoleAssignment
from simulator.tokens.jwt import TokenIssuer
from tests.support.platform.event_grid import Endpoint, Grid, client

ACCOUNT = "/subscriptions/s/resourceGroups/rg/providers/Microsoft.Storage/storageAccounts/st"
QUEUE = f"{ACCOUNT}/queueServices/default/queues/lanyard-events"


def to_queue(**more: Any) -> dict[str, Any]:
    properties = {"resourceId": ACCOUNT, "queueName": "lanyard-events", **more}
    destination = {"endpointType": "StorageQueue", "properties": properties}
    return {"identity": {"type": "SystemAssigned"}, "destination": destination}


@dataclass
class Stored:
    """What was put, and who did; answers with `status`."""

    status: int = 201
    put_: list[tuple[QueueDestination, str, str]] = field(default_factory=list)

    async def put(self, destination: QueueDestination, text: str, sender: Principal) -> int:
        self.put_.append((destination, text, sender.object_id))
        return self.status

    def events(self) -> list[Any]:
        return [json.loads(base64.b64decode(text)) for _, text, _ in self.put_]


class QueueGrid(Grid):
    """A topic with an identity that may send to the queue."""

    def __init__(self) -> None:
        super().__init__()
        self.access, self.stored = Access(self.state), Stored()
        for role in built_in_roles():
            self.state.role_definitions[role.guid] = role
        self.sender = self.state.add_principal("topic")
        key = self.topic.id.lower()
        identity = {"type": "SystemAssigned", "principalId": self.sender.object_id}
        self.state.resources[key] = replace(self.state.resources[key], identity=identity)
        self.allow()
        self.subscribe(deliveryWithResourceIdentity=to_queue())

    def allow(self, role: str = "c6a89b2d-59bc-44d0-9896-0f6e12d7b80a") -> None:
        self.state.role_assignments["a"] = RoleAssignment(
            id="a",
            name="a",
            scope=QUEUE,
            role_definition_id=f"/x/{role}",
            principal_id=self.sender.object_id,
            principal_type="ServicePrincipal",
            description=None,
            condition=None,
            condition_version=None,
            created_at=0.0,
            created_by="o",
            updated_at=0.0,
            updated_by="o",
        )

    def delivery(self) -> Delivery:
        queues = Queues(self.state, self.access, self.behaviour, self.stored)
        return Delivery(self.state, self.event_grid, Endpoint().client(), queues=queues)


async def delivered(grid: QueueGrid) -> Delivery:
    async with grid.delivery() as delivery:
        grid.publish()
        await delivery.settled()
    return delivery


@pytest.mark.parametrize("schema", ["EventGridSchema", "CloudEventSchemaV1_0"])
async def test_each_event_is_a_message_of_its_own(schema: str) -> None:
    grid = QueueGrid()
    queue = to_queue(queueMessageTimeToLiveInSeconds=-1)
    grid.subscribe(deliveryWithResourceIdentity=queue, eventDeliverySchema=schema)
    await delivered(grid)
    ((destination, _, sender),) = grid.stored.put_
    assert (destination.scope, destination.time_to_live) == (QUEUE, -1)
    assert sender == grid.sender.object_id
    (event,) = grid.stored.events()
    assert ("specversion" in event) == (schema != "EventGridSchema")
    assert event["id"] == grid.events()[0]["id"]


async def test_it_may_be_plain_text() -> None:
    grid = QueueGrid()
    grid.behaviour.queue_messages_plain = True
    await delivered(grid)
    assert json.loads(grid.stored.put_[0][1]) == grid.events()[0]


async def test_without_the_role_it_gives_up_at_once() -> None:
    grid = QueueGrid()
    grid.state.role_assignments.clear()
    delivery = await delivered(grid)
    (dropped,) = delivery.dropped
    assert (dropped.reason, dropped.attempts) == ("UndeliverableDueToHttpForbidden", 1)
    assert grid.stored.put_ == []


async def test_a_reader_of_the_queue_may_not_send() -> None:
    grid = QueueGrid()
    grid.allow("19e7f393-937e-4f77-808e-94535e297925")  # Storage Queue Data Reader
    assert not grid.access.allowed(grid.sender.object_id, ADD_MESSAGE, QUEUE, data=True)


@pytest.mark.parametrize("status", [404, 500])
async def test_what_may_pass_is_tried_again(status: int) -> None:
    grid = QueueGrid()
    grid.stored.status = status
    async with grid.delivery() as delivery:
        grid.publish()
        await delivery.settled()
        assert (len(grid.stored.put_), delivery.outstanding) == (1, 1)
        grid.stored.status = 201
        grid.state.clock.advance(400)
        await delivery.settled()
        assert (len(grid.stored.put_), delivery.outstanding) == (2, 0)


async def test_an_event_too_large_for_a_message_is_given_up() -> None:
    grid = QueueGrid()
    async with grid.delivery() as delivery:
        grid.publish(correlation_id="c" * MOST_BYTES)
        await delivery.settled()
    assert [each.reason for each in delivery.dropped] == ["UndeliverableDueToHttpPayloadTooLarge"]


async def test_a_topic_without_an_identity_is_nobody() -> None:
    grid = QueueGrid()
    key = grid.topic.id.lower()
    grid.state.resources[key] = replace(grid.state.resources[key], identity=None)
    async with grid.delivery() as delivery:
        grid.publish()
        await delivery.settled()
        assert [each.outcome.name for each in delivery.attempts] == ["Unauthorized"]


async def test_a_stopped_app_is_passed_by_and_its_webhook_loses_the_event() -> None:
    grid = QueueGrid()
    grid.behaviour.app_stopped = True
    assert (await delivered(grid)).dropped == []
    grid.subscribe()  # by webhook
    (dropped,) = (await delivered(grid)).dropped
    assert (dropped.reason, dropped.attempts) == ("UndeliverableDueToHttpForbidden", 1)


@pytest.mark.parametrize(
    "queue",
    [
        to_queue() | {"identity": {"type": "UserAssigned"}},
        to_queue(queueName=""),
        to_queue(queueMessageTimeToLiveInSeconds=0),
        {"identity": {"type": "SystemAssigned"}, "destination": {"endpointType": "EventHub"}},
    ],
    ids=["another identity", "no name", "no time", "another destination"],
)
def test_what_is_not_served_is_refused(queue: dict[str, Any]) -> None:
    with pytest.raises(AzureError):
        event_subscription("/t/eventSubscriptions/e", {"deliveryWithResourceIdentity": queue})


async def test_the_storage_gets_a_token_of_the_topic_and_the_time_to_live() -> None:
    grid, seen = QueueGrid(), []

    def storage(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(201)

    issuer = TokenIssuer(grid.state)
    async with client(storage) as http:
        queues = StorageQueues(http, "https://127.0.0.1:1/account/", issuer)
        destination = QueueDestination(ACCOUNT, "lanyard-events", -1)
        assert await queues.put(destination, "<&", grid.sender) == 201
    (request,) = seen
    assert str(request.url).endswith("/account/lanyard-events/messages?messagettl=-1")
    assert b"<MessageText>&lt;&amp;</MessageText>" in request.content
    assert request.headers["authorization"].startswith("Bearer ")
