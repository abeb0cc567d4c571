"""HTTP face of system topics. Without identity a topic is there at once, else it takes its time; so
does a write that names the identity `None` (recorded).
"""

from dataclasses import dataclass, replace
from uuid import NAMESPACE_URL, uuid5

from simulator.arm.messages import ArmRequest, ArmResponse
from simulator.errors import AzureError
from simulator.event_grid.following import accepted, deleting
from simulator.event_grid.models import TOPIC_TYPE, SystemTopic, TopicType, topic_of
from simulator.event_grid.service import EventGrid
from simulator.managed_identity.attach import Attacher
from simulator.operations import Operations
from simulator.resource_ids import group_id, parse
from simulator.resources import inside, read_location, read_tags, remove, render, require
from simulator.state import Json, Resource, State


@dataclass(frozen=True)
class Topics:
    """The handlers."""

    state: State
    event_grid: EventGrid
    attacher: Attacher
    running: Operations

    def put(self, request: ArmRequest) -> ArmResponse:
        """Create or replace."""
        body = request.json()
        topic = _wanted(request.path, body, self.state)
        self._refuse_second(topic)
        existing = self.state.resources.get(request.path.lower())
        identity = self._identity(request, existing)
        self.event_grid.add_topic(request.path, topic.source, topic.topic_type)
        made = replace(
            self.state.resources[request.path.lower()],
            location=read_location(body) if body.get("location") else "global",
            tags=read_tags(body),
            identity=identity,
            created_at=existing.created_at if existing else self.state.clock.now(),
        )
        return self._written(request, made, "Updating" if existing else "Creating")

    def patch(self, request: ArmRequest) -> ArmResponse:
        """Tags and identity."""
        topic = require(self.state, request.path)
        body = request.json()
        changed = replace(
            topic,
            tags=read_tags(body) if "tags" in body else topic.tags,
            identity=self._identity(request, topic),
        )
        return self._written(request, changed, "Updating")

    def get(self, request: ArmRequest) -> ArmResponse:
        """One of them."""
        return ArmResponse(200, _show(require(self.state, request.path)))

    def list(self, request: ArmRequest) -> ArmResponse:
        """Those of a resource group or of a subscription."""
        subscription, group = request.params["subscription"], request.params.get("group")
        scope = group_id(subscription, group) if group else f"/subscriptions/{subscription}"
        found = inside(self.state, scope, TOPIC_TYPE)
        return ArmResponse(200, {"value": [_show(each) for each in found]})

    def delete(self, request: ArmRequest) -> ArmResponse:
        """With its event subscriptions, which get no more events from here on."""
        topic = self.state.resources.get(request.path.lower())
        if topic is None:
            return ArmResponse(204)
        for subscription in self.event_grid.subscriptions_of(request.path):
            self.event_grid.unsubscribe(subscription.id)
        seconds = self.state.behaviour.operation_seconds
        work = self.running.start(seconds, lambda: self._gone(topic.id), subject=topic.id)
        return deleting(request, topic.location, work)

    def _gone(self, topic_id: str) -> None:
        if topic_id.lower() in self.state.resources:
            remove(self.state, topic_id)

    def _written(self, request: ArmRequest, topic: Resource, at_work: str) -> ArmResponse:
        key = topic.id.lower()
        has_identity = (topic.identity or {}).get("type", "None") != "None"
        if not has_identity and "identity" not in request.json():
            self.state.resources[key] = topic
            return ArmResponse(200, _show(topic))
        self.state.resources[key] = replace(topic, provisioning_state=at_work)

        def finish() -> None:
            if current := self.state.resources.get(key):
                self.state.resources[key] = replace(current, provisioning_state="Succeeded")

        work = self.running.start(self.state.behaviour.operation_seconds, finish, topic.id)
        return accepted(request, _show(self.state.resources[key]), topic.location, work)

    def _identity(self, request: ArmRequest, existing: Resource | None) -> Json | None:
        current, path = existing.identity if existing else None, request.path
        merge = request.method == "PATCH"
        self._refuse_on_global(request, existing)
        wanted = self.attacher.plan(path, current, request.json(), request.caller, merge=merge)
        return self.attacher.accepted(path, path.rpartition("/")[2], current, wanted)

    def _refuse_on_global(self, request: ArmRequest, existing: Resource | None) -> None:
        body = request.json()
        location = body.get("location") or (existing.location if existing else "global")
        wanted = (body.get("identity") or {}).get("type", "None") != "None"
        if wanted and location == "global" and self.event_grid.behaviour.global_identity_refused:
            raise invalid(
                f"The requested operation on resource '{request.path}' failed since identity is "
                "unavailable for location 'global'."
            )

    def _refuse_second(self, wanted: SystemTopic) -> None:
        for topic in self.event_grid.topics():
            same = topic.source.lower() == wanted.source.lower()
            same = same and topic.topic_type.lower() == wanted.topic_type.lower()
            if same and topic.id.lower() != wanted.id.lower():
                raise invalid(f"Only one system topic is allowed per source: {topic.id} is there.")


def _wanted(path: str, body: Json, state: State) -> SystemTopic:
    properties = body.get("properties") or {}
    source, kind = properties.get("source") or "", str(properties.get("topicType") or "")
    known = {each.lower(): each for each in TopicType}
    topic_type = known.get(kind.lower())
    exists = source.lower().removeprefix("/subscriptions/") in state.subscriptions
    if topic_type is TopicType.RESOURCE_GROUP:
        exists = source.lower() in state.resources
    elif topic_type is None:  # of a service of its own: nothing is told of it here
        exists = (exists or parse(source) is not None) and bool(kind)
    if not exists:
        raise invalid(f"The source '{source}' is no source of the topicType '{kind}'.")
    return SystemTopic(path, source, topic_type or kind)


def invalid(message: str) -> AzureError:
    """400 to what Event Grid does not take."""
    return AzureError(400, "InvalidRequest", message)


def _show(resource: Resource) -> Json:
    topic = topic_of(resource)
    kind = topic.topic_type
    properties = {
        "provisioningState": resource.provisioning_state,
        "source": topic.source,
        # As Azure answers it, where it is one of those that tell of resources.
        "topicType": kind.lower() if kind in set(TopicType) else kind,
        "metricResourceId": str(uuid5(NAMESPACE_URL, resource.id)),
    }
    shown = {"properties": properties, "tags": resource.tags or None, "systemData": None}
    return {**render(resource), **shown}
