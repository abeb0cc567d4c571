"""Custom topics: what people make and publish to. Kept apart from HTTP.

Nothing is delivered from them: they keep what they were sent, for whoever looks.
"""

import re
from dataclasses import dataclass

from simulator.authorization.access import Access
from simulator.errors import AzureError
from simulator.event_grid.models import RULES
from simulator.operations import Operations
from simulator.state import Json, Resource, State
from simulator.tracked.kind import WRITES, Kind, Untagged
from simulator.tracked.models import TrackedResources

TOPICS = Kind(
    "Microsoft.EventGrid/topics",
    rules=RULES,
    top_level=("sku", "kind"),
    read_only=("endpoint",),
    slow=WRITES | {"DELETE"},
    shows_state=True,
    untagged=Untagged.NULL,
)
#: What a topic takes unless `inputSchema` says otherwise.
DEFAULT_SCHEMA = "EventGridSchema"
CLOUD_EVENTS = "CloudEventSchemaV1_0"
_SCHEMAS = (DEFAULT_SCHEMA, CLOUD_EVENTS, "CustomEventSchema")


@dataclass(frozen=True)
class Received:
    """An event that a topic took, as it was sent. `at`: seconds since the epoch."""

    topic_id: str
    event: Json
    at: float


class CustomTopics(TrackedResources):
    """The custom topics of all subscriptions. `received`: every event they took, in order."""

    def __init__(self, state: State, operations: Operations, access: Access) -> None:
        super().__init__(state, operations, access, TOPICS)
        self.received: list[Received] = []
        self._by_host: dict[str, Resource] = {}  # each publication asks by it
        state.resources.observe(self._watch)

    def check(self, base: Resource, body: Json, *, created: bool) -> None:  # noqa: ARG002
        """A name that can be a host's, and a schema that exists."""
        if not re.fullmatch("[A-Za-z0-9-]{3,50}", base.name):
            raise AzureError(400, "InvalidRequest", f"The topic name '{base.name}' is not valid.")
        schema = (body.get("properties") or {}).get("inputSchema", DEFAULT_SCHEMA)
        if schema not in _SCHEMAS:
            raise AzureError(400, "InvalidRequest", f"The inputSchema '{schema}' is not valid.")

    def properties(self, base: Resource, sent: Json, *, merge: bool) -> Json:
        """With the schema that a topic has where none was named."""
        return {"inputSchema": DEFAULT_SCHEMA, **super().properties(base, sent, merge=merge)}

    def show(self, resource: Resource) -> Json:
        """Event Grid writes that nobody is known to have made it."""
        return {**super().show(resource), "systemData": None}

    def by_host(self, host: str) -> Resource | None:
        """The topic of `{name}.{region}-1`, which is what its address starts with."""
        return self._by_host.get(host.lower())

    def receive(self, topic: Resource, events: list[Json]) -> None:
        """Keep them."""
        now = self.state.clock.now()
        self.received += [Received(topic.id, event, now) for event in events]

    def _watch(self, _key: str, before: Resource | None, after: Resource | None) -> None:
        if before is not None and before.type.lower() == TOPICS.type.lower():
            self._by_host.pop(host_of(before), None)
        if after is not None and after.type.lower() == TOPICS.type.lower():
            self._by_host[host_of(after)] = after


def host_of(topic: Resource) -> str:
    """The first part of a topic's host name in Azure."""
    return f"{topic.name}.{topic.location}-1".lower()
