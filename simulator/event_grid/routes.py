"""HTTP face of Microsoft.EventGrid: system topics and their event subscriptions.

Azure answers 201 first and goes on in the background; here the handshake is over when the answer
comes, so the state is final: Succeeded, or the error of the handshake.
"""

from dataclasses import dataclass, replace

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.authorization.access import Access
from simulator.errors import AzureError
from simulator.event_grid.models import (
    SUBSCRIPTION_TYPE,
    TOPIC_TYPE,
    EventSubscription,
    TopicType,
    event_subscription,
    topic_of,
)
from simulator.event_grid.service import EventGrid
from simulator.managed_identity.attach import Attacher
from simulator.resource_ids import group_id
from simulator.resources import inside, not_found, read_tags, remove, render, require
from simulator.state import Json, Resource, State

VERSIONS = (
    *("2020-10-15-preview", "2021-06-01-preview", "2021-10-15-preview", "2021-12-01"),
    *("2022-06-15", "2023-06-01-preview", "2023-12-15-preview"),
    *("2024-06-01-preview", "2024-12-15-preview", "2025-02-15", "2025-07-15-preview"),
)

_WRITE_BLOB = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"
_SUBSCRIPTION = "/subscriptions/{subscription}"
_GROUP = "/subscriptions/{subscription}/resourceGroups/{group}"
_TOPICS = f"{_GROUP}/providers/{TOPIC_TYPE}"
_TOPIC = f"{_TOPICS}/{{topic}}"
_EVENTS = f"{_TOPIC}/eventSubscriptions"
_EVENT = f"{_EVENTS}/{{name}}"


@dataclass(frozen=True)
class _Topics:
    state: State
    event_grid: EventGrid
    attacher: Attacher

    def put(self, request: ArmRequest) -> ArmResponse:
        body = request.json()
        source, kind = _source_and_type(body, self.state)
        self._refuse_second(request.path, source, kind)
        key = request.path.lower()
        existing = self.state.resources.get(key)
        identity = self._identity(request, existing)
        self.event_grid.add_topic(request.path, source, kind)
        self.state.resources[key] = replace(
            self.state.resources[key],
            location=body.get("location") or "global",
            tags=read_tags(body),
            identity=identity,
            created_at=existing.created_at if existing else self.state.clock.now(),
        )
        return ArmResponse(200 if existing else 201, _show_topic(self.state.resources[key]))

    def _identity(self, request: ArmRequest, existing: Resource | None) -> Json | None:
        current, path = existing.identity if existing else None, request.path
        wanted = self.attacher.plan(path, current, request.json(), request.caller, merge=False)
        name = path.rpartition("/")[2]
        return self.attacher.completed(self.attacher.accepted(path, name, current, wanted))

    def _refuse_second(self, path: str, source: str, kind: TopicType) -> None:
        for topic in self.event_grid.topics():
            same = topic.source.lower() == source.lower() and topic.topic_type is kind
            if same and topic.id.lower() != path.lower():
                raise _invalid(f"Only one system topic is allowed per source: {topic.id} is there.")

    def get(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200, _show_topic(require(self.state, request.path)))

    def list(self, request: ArmRequest) -> ArmResponse:
        subscription, group = request.params["subscription"], request.params.get("group")
        scope = group_id(subscription, group) if group else f"/subscriptions/{subscription}"
        found = inside(self.state, scope, TOPIC_TYPE)
        return ArmResponse(200, {"value": [_show_topic(each) for each in found]})

    def delete(self, request: ArmRequest) -> ArmResponse:
        if request.path.lower() not in self.state.resources:
            return ArmResponse(204)
        for subscription in self.event_grid.subscriptions_of(request.path):
            self.event_grid.unsubscribe(subscription.id)
        remove(self.state, request.path)
        return ArmResponse(200)


@dataclass(frozen=True)
class _EventSubscriptions:
    state: State
    event_grid: EventGrid
    access: Access

    async def put(self, request: ArmRequest) -> ArmResponse:
        topic = require(self.state, request.path.rpartition("/eventSubscriptions/")[0])
        subscription_id = f"{topic.id}/eventSubscriptions/{request.params['name']}"
        properties = request.json().get("properties") or {}
        subscription = event_subscription(subscription_id, properties)
        if "deadLetterWithResourceIdentity" in properties:
            self._check_dead_letters(topic, subscription)
        await self.event_grid.subscribe(subscription)
        return ArmResponse(201, _show(self._of(request)))

    def _check_dead_letters(self, topic: Resource, subscription: EventSubscription) -> None:
        """Event Grid tries the container as the topic's identity; the texts are assumptions."""
        principal = (topic.identity or {}).get("principalId")
        if principal is None:
            raise _invalid(f"The topic {topic.id} has no system-assigned identity.")
        destination = subscription.dead_letter
        assert destination is not None, "it was read with the other properties"
        if not self.access.allowed(principal, _WRITE_BLOB, destination.scope, data=True):
            raise _invalid(
                f"The identity {principal} of the topic cannot write to the dead-letter container "
                f"{destination.scope}."
            )

    def get(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200, _show(self._of(request)))

    def full_url(self, request: ArmRequest) -> ArmResponse:
        path = request.path.rpartition("/")[0]
        found = self.event_grid.subscriptions.get(path.lower())
        if found is None or found.azure_resource:
            raise not_found(path)
        return ArmResponse(200, {"endpointUrl": found.endpoint})

    def list(self, request: ArmRequest) -> ArmResponse:
        topic = require(self.state, request.path.rpartition("/")[0])
        found = self.event_grid.subscriptions_of(topic.id)
        return ArmResponse(200, {"value": [_show(each) for each in found]})

    def delete(self, request: ArmRequest) -> ArmResponse:
        return ArmResponse(200 if self.event_grid.unsubscribe(request.path) else 204)

    def _of(self, request: ArmRequest) -> EventSubscription:
        found = self.event_grid.subscriptions.get(request.path.lower())
        if found is None:
            raise not_found(request.path)
        return found


def _source_and_type(body: Json, state: State) -> tuple[str, TopicType]:
    properties = body.get("properties") or {}
    source, kind = properties.get("source") or "", str(properties.get("topicType"))
    known = {each.lower(): each for each in TopicType}
    if kind.lower() not in known:
        raise _invalid(f"The topicType '{kind}' is not simulated.")
    topic_type = known[kind.lower()]
    exists = source.lower() in state.resources
    if topic_type is not TopicType.RESOURCE_GROUP:
        exists = source.lower().removeprefix("/subscriptions/") in state.subscriptions
    if not exists:
        raise _invalid(f"The source '{source}' is no source of the topicType '{kind}'.")
    return source, topic_type


def _invalid(message: str) -> AzureError:
    return AzureError(400, "InvalidRequest", message)


def _show_topic(resource: Resource) -> Json:
    topic = topic_of(resource)
    properties = {
        "provisioningState": "Succeeded",
        "source": topic.source,
        "topicType": topic.topic_type.lower(),  # as Azure answers it
    }
    return {**render(resource), "properties": properties}


def _show(subscription: EventSubscription) -> Json:
    """Without the query of a webhook's URL, which may hold a key: `getFullUrl` gives that."""
    destination = dict(subscription.properties["destination"])
    if not subscription.azure_resource:
        base = subscription.endpoint.partition("?")[0]
        destination["properties"] = {"endpointUrl": None, "endpointBaseUrl": base}
    properties = {
        **subscription.properties,
        "destination": destination,
        "eventDeliverySchema": subscription.schema.value,
        "provisioningState": subscription.provisioning_state,
        "topic": subscription.topic_id,
        "retryPolicy": {
            "maxDeliveryAttempts": subscription.retry.max_attempts,
            "eventTimeToLiveInMinutes": int(subscription.retry.time_to_live // 60),
        },
    }
    return {
        "id": subscription.id,
        "name": subscription.name,
        "type": SUBSCRIPTION_TYPE,
        "properties": properties,
    }


def operations(state: State, event_grid: EventGrid, access: Access) -> list[Operation]:
    """All operations on system topics and event subscriptions."""
    topics = _Topics(state, event_grid, Attacher(state, access, f"{TOPIC_TYPE}/write"))
    events = _EventSubscriptions(state, event_grid, access)
    read, of_all = f"{TOPIC_TYPE}/read", f"{_SUBSCRIPTION}/providers/{TOPIC_TYPE}"
    made = [
        Operation("PUT", _TOPIC, topics.put, f"{TOPIC_TYPE}/write"),
        Operation("GET", _TOPIC, topics.get, read),
        Operation("DELETE", _TOPIC, topics.delete, f"{TOPIC_TYPE}/delete"),
        Operation("GET", _TOPICS, topics.list, read, _GROUP),
        Operation("GET", of_all, topics.list, read, _SUBSCRIPTION),
        Operation("PUT", _EVENT, events.put, f"{SUBSCRIPTION_TYPE}/write"),
        Operation("GET", _EVENT, events.get, f"{SUBSCRIPTION_TYPE}/read"),
        Operation("DELETE", _EVENT, events.delete, f"{SUBSCRIPTION_TYPE}/delete"),
        Operation("GET", _EVENTS, events.list, f"{SUBSCRIPTION_TYPE}/read", _TOPIC),
        Operation(
            "POST",
            f"{_EVENT}/getFullUrl",
            events.full_url,
            f"{SUBSCRIPTION_TYPE}/getFullUrl/action",
            _EVENT,
        ),
    ]
    return [replace(each, versions=VERSIONS) for each in made]
