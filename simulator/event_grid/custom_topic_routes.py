"""HTTP face of Microsoft.EventGrid/topics, and of where all of Event Grid's links lead."""

from dataclasses import dataclass, replace

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.event_grid.custom_topics import TOPICS, CustomTopics, host_of
from simulator.event_grid.following import (
    NAMESPACE,
    RESULTS,
    STATUSES,
    status,
    without_place,
)
from simulator.event_grid.routes import VERSIONS
from simulator.resources import require
from simulator.state import Json
from simulator.tracked.routes import Handlers, Style, polls
from simulator.tracked.routes import operations as tracked_operations

_STYLE = Style(
    NAMESPACE,
    async_operation=TOPICS.slow,
    updated=201,
    location=frozenset({"DELETE"}),
    statuses=STATUSES,
    results=RESULTS,
    status=status,
)


@dataclass(frozen=True)
class _Handlers(Handlers):
    """As every tracked resource, and with the topic's address on the server that was asked."""

    topics: CustomTopics

    def updated_status(self, request: ArmRequest) -> int:  # noqa: ARG002
        """A PATCH, too (recorded)."""
        return self.style.updated

    def put(self, request: ArmRequest) -> ArmResponse:
        return self._addressed(request, super().put(request))

    def patch(self, request: ArmRequest) -> ArmResponse:
        return self._addressed(request, super().patch(request))

    def get(self, request: ArmRequest) -> ArmResponse:
        return self._addressed(request, super().get(request))

    def list(self, request: ArmRequest) -> ArmResponse:
        answer = super().list(request)
        rows = (answer.body or {})["value"]
        shown = [self._with_endpoint(request, row) for row in rows]
        return replace(answer, body={**(answer.body or {}), "value": shown})

    def _addressed(self, request: ArmRequest, answer: ArmResponse) -> ArmResponse:
        return replace(answer, body=self._with_endpoint(request, answer.body or {}))

    def _with_endpoint(self, request: ArmRequest, body: Json) -> Json:
        topic = require(self.topics.state, body["id"])
        endpoint = f"{request.base_url}/eventgrid/{host_of(topic)}/api/events"
        at_work = topic.provisioning_state != "Succeeded"
        put = request.method == "PUT" and at_work  # a PATCH shows it (recorded)
        if put or topic.provisioning_state == TOPICS.creating:
            return {**body, "properties": {**body["properties"], "endpoint": None}}
        return {**body, "properties": {**body["properties"], "endpoint": endpoint}}


def operations(topics: CustomTopics) -> list[Operation]:
    """All operations on custom topics."""
    handle = _Handlers(topics, _STYLE, topics)
    followed = polls(handle)
    of_global = [replace(each, template=without_place(each.template)) for each in followed]
    return [*tracked_operations(handle, VERSIONS), *followed, *of_global]
