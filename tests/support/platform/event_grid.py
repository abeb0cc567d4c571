"""What the Event Grid tests share: a state with one topic, activities, an endpoint in memory."""

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

import httpx

from simulator.event_grid.behaviour import EventGridBehaviour
from simulator.event_grid.models import EventSubscription, TopicType, event_subscription
from simulator.event_grid.service import EventGrid
from simulator.state import Activity, State

URL = "https://app.example/runtime/webhooks/eventgrid?functionName=events&code=key"


@dataclass
class Endpoint:
    """Answers with each of `statuses` in turn, then with the last one again and again."""

    statuses: Iterable[int] = (202,)
    received: list[httpx.Request] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._answers = list(self.statuses)

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.received.append(request)
        status = self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]
        return httpx.Response(status)

    def client(self) -> httpx.AsyncClient:
        return client(self)

    def bodies(self) -> list[Any]:
        return [json.loads(request.content) for request in self.received]


def client(handle: Callable[[httpx.Request], httpx.Response]) -> httpx.AsyncClient:
    return httpx.AsyncClient(transport=httpx.MockTransport(handle))


class Grid:
    """An Event Grid with one topic on the one subscription of a new state."""

    def __init__(self, topic_type: TopicType = TopicType.SUBSCRIPTION, seed: int = 1) -> None:
        self.state = State(seed=seed)
        subscription = self.state.add_subscription("one")
        self.subscription_scope = f"/subscriptions/{subscription.id}"
        self.group = f"{self.subscription_scope}/resourceGroups/rg"
        self.vm = f"{self.group}/providers/Microsoft.Compute/virtualMachines/vm1"
        self.behaviour = EventGridBehaviour()
        self.event_grid = EventGrid(self.state, self.behaviour)
        topic_id = f"{self.group}/providers/Microsoft.EventGrid/systemTopics/topic"
        self.topic = self.event_grid.add_topic(topic_id, self.subscription_scope, topic_type)

    def subscribe(self, **properties: Any) -> EventSubscription:
        destination = {"endpointType": "WebHook", "properties": {"endpointUrl": URL}}
        subscription = event_subscription(
            f"{self.topic.id}/eventSubscriptions/lanyard",
            {"destination": destination} | properties,
        )
        self.event_grid.put_subscription(subscription)
        return subscription

    def publish(self, resource_id: str = "", verb: str = "write", **changes: Any) -> None:
        self.state.publish(self.activity(resource_id, verb, **changes))

    def activity(self, resource_id: str = "", verb: str = "write", **changes: Any) -> Activity:
        methods = {"write": "PUT", "delete": "DELETE"}
        values: dict[str, Any] = {
            "resource_id": resource_id or self.vm,
            "action": f"Microsoft.Compute/virtualMachines/{verb}",
            "method": methods.get(verb, "POST"),
            "url": f"https://management.azure.com{resource_id or self.vm}?api-version=2024-11-01",
            "status": "Succeeded",
            "caller": {"oid": "o-1", "appid": "a-1", "tid": "t-1", "sub": "o-1", "ver": "1.0"},
            "correlation_id": "c-1",
            "client_request_id": "r-1",
            "at": self.state.clock.now(),
        }
        return Activity(**(values | changes))

    def events(self) -> list[Any]:
        return [published.event for published in self.event_grid.published]
