"""Event Grid apart from HTTP and from delivery: what is published, and who wants it."""

from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from uuid import UUID

from simulator.errors import AzureError
from simulator.event_grid.behaviour import EventGridBehaviour
from simulator.event_grid.events import as_cloud_event, notification_event, resource_event
from simulator.event_grid.filters import wants
from simulator.event_grid.models import (
    TOPIC_TYPE,
    EventSubscription,
    Schema,
    SystemTopic,
    TopicType,
    topic_of,
)
from simulator.resource_ids import is_within
from simulator.state import Activity, Ids, Json, Resource, RoleAssignment, State


@dataclass(frozen=True)
class Published:
    """An event of a topic, in the Event Grid schema."""

    topic_id: str
    event: Json


type Receiver = Callable[[EventSubscription, Json], None]
type Validator = Callable[[EventSubscription], Awaitable[None]]
type Farewell = Callable[[EventSubscription], None]


class EventGrid:
    """Turns activities into events of each topic that covers them.

    Topics are resources of the state; event subscriptions are kept here and die with their topic.
    """

    def __init__(self, state: State, behaviour: EventGridBehaviour | None = None) -> None:
        self.behaviour = behaviour or EventGridBehaviour()
        self.published: list[Published] = []
        self.subscriptions: dict[str, EventSubscription] = {}  # by lower-case id
        self.addresses: dict[str, str] = {}  # lower-case id of a function → webhook URL
        # Ids of its own: events do not shift the ids that resources get.
        self.ids = Ids(UUID(state.tenant_id).int)
        self._state = state
        # While deliveries run: the handshake with an endpoint, and the last word to it.
        self.validate: Validator | None = None
        self.farewell: Farewell | None = None
        self._receivers: list[Receiver] = []
        # Kept at hand: an event must not cost a walk over every resource or role assignment.
        self._topics: dict[str, SystemTopic] = {}
        self._assignments: defaultdict[str, dict[str, RoleAssignment]] = defaultdict(dict)
        state.resources.observe(self._watch_topics)
        state.role_assignments.observe(self._watch_assignments)
        state.on_activity(self._publish)

    def add_topic(self, topic_id: str, source: str, topic_type: str) -> SystemTopic:
        """A system topic, without a call to ARM. `source`: whose events it tells."""
        properties = {"source": source, "topicType": str(topic_type)}
        name = topic_id.rpartition("/")[2]
        resource = Resource(topic_id, TOPIC_TYPE, name, "global", {}, properties)
        self._state.resources[topic_id.lower()] = resource
        return topic_of(resource)

    def topics(self) -> list[SystemTopic]:
        """The system topics that exist now."""
        return list(self._topics.values())

    async def subscribe(self, subscription: EventSubscription) -> None:
        """Shake hands with the endpoint, then add or replace the event subscription.

        Raises AzureError 400 `Url validation`; the event subscription is then kept as Failed,
        unless one that works is there already.
        """
        if self.validate is None:
            raise AzureError(503, "ServiceUnavailable", "No event delivery is running.")
        try:
            await self.validate(subscription)
        except AzureError:
            self.subscriptions.setdefault(subscription.id.lower(), subscription.failed())
            raise
        self.put_subscription(subscription)

    def unsubscribe(self, subscription_id: str) -> bool:
        """Remove an event subscription and tell its endpoint. Returns whether it was there."""
        subscription = self.subscriptions.pop(subscription_id.lower(), None)
        if subscription is not None and self.farewell is not None:
            self.farewell(subscription)
        return subscription is not None

    def put_subscription(self, subscription: EventSubscription) -> EventSubscription:
        """Add or replace an event subscription without a handshake."""
        self.subscriptions[subscription.id.lower()] = subscription
        return subscription

    def subscriptions_of(self, topic_id: str) -> list[EventSubscription]:
        """The event subscriptions of one topic."""
        topic = topic_id.lower()
        return [each for each in self.subscriptions.values() if each.topic_id.lower() == topic]

    def address_of(self, subscription: EventSubscription) -> str | None:
        """Where its events go now; None when no one told where that function is."""
        if not subscription.azure_resource:
            return subscription.endpoint
        return self.addresses.get(subscription.endpoint.lower())

    def on_event(self, receiver: Receiver) -> None:
        """Call `receiver` with each event that an event subscription wants, in its schema."""
        self._receivers.append(receiver)

    def forget(self, receiver: Receiver) -> None:
        """No longer call `receiver`."""
        self._receivers.remove(receiver)

    def _publish(self, activity: Activity) -> None:
        for topic in self.topics():
            if topic.topic_type in set(TopicType) and topic.covers(activity.resource_id):
                event = self._event(topic, activity)
                if event is not None:
                    self.published.append(Published(topic.id, event))
                    self._fan_out(topic, event)

    def _event(self, topic: SystemTopic, activity: Activity) -> Json | None:
        event_id = self.ids.uuid()
        if topic.topic_type == TopicType.RESOURCE_NOTIFICATIONS:
            resource = self._state.resources.get(activity.resource_id.lower())
            return notification_event(activity, resource, topic=topic.source, event_id=event_id)
        return resource_event(
            activity,
            topic=topic.source,
            event_id=event_id,
            tenant_id=self._state.tenant_id,
            evidence=self._evidence(activity),
            behaviour=self.behaviour,
        )

    def _fan_out(self, topic: SystemTopic, event: Json) -> None:
        for subscription in self.subscriptions_of(topic.id):
            cloud = subscription.schema is Schema.CLOUD_EVENTS
            shaped = as_cloud_event(event) if cloud else event
            ready = subscription.provisioning_state in ("Succeeded", "Updating")
            if ready and wants(subscription.filter, shaped):
                for receiver in list(self._receivers):
                    receiver(subscription, shaped)

    def _evidence(self, activity: Activity) -> Json:
        """By which role assignment the caller was allowed: any of its own that covers the scope."""
        for assignment in self._assignments[activity.caller.get("oid", "")].values():
            if is_within(activity.resource_id, assignment.scope):
                return self._evidence_of(assignment)
        return {"role": "Subscription Admin"}

    def _evidence_of(self, assignment: RoleAssignment) -> Json:
        guid = assignment.role_definition_id.rpartition("/")[2].lower()
        role = self._state.role_definitions.get(guid)
        return {
            "role": role.role_name if role else guid,
            "roleAssignmentScope": assignment.scope,
            "roleAssignmentId": assignment.name.replace("-", ""),
            "roleDefinitionId": guid.replace("-", ""),
            "principalId": assignment.principal_id.replace("-", ""),
            "principalType": assignment.principal_type,
        }

    def _watch_topics(self, key: str, before: Resource | None, after: Resource | None) -> None:
        if before is not None:
            self._topics.pop(key, None)
        if after is not None and after.type.lower() == TOPIC_TYPE.lower():
            self._topics[key] = topic_of(after)

    def _watch_assignments(
        self, key: str, before: RoleAssignment | None, after: RoleAssignment | None
    ) -> None:
        if before is not None:
            self._assignments[before.principal_id].pop(key, None)
        if after is not None:
            self._assignments[after.principal_id][key] = after
