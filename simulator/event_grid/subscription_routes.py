"""HTTP face of the event subscriptions of system topics.

The handshake is over when the answer comes; what Azure does after it takes its time here, too. A
handshake that fails is answered at once, which is an assumption.
"""

from dataclasses import dataclass, replace

from simulator.arm.guard import authorization_failed
from simulator.arm.messages import ArmRequest, ArmResponse
from simulator.authorization.access import Access
from simulator.event_grid.following import accepted, deleting
from simulator.event_grid.models import SUBSCRIPTION_TYPE, EventSubscription, event_subscription
from simulator.event_grid.service import EventGrid
from simulator.event_grid.topic_routes import invalid
from simulator.operations import Operations
from simulator.resources import not_found, require
from simulator.state import Json, Resource, State

#: What Event Grid sets of a webhook that said nothing of it (recorded).
_BATCHES: Json = {"maxEventsPerBatch": 1, "preferredBatchSizeInKilobytes": 64}
_ACCOUNTS, _SITES = "Microsoft.Storage/storageAccounts", "Microsoft.Web/sites"
_QUEUES = f"{_ACCOUNTS}/queueServices/queues"
_WRITE_BLOB = "Microsoft.Storage/storageAccounts/blobServices/containers/blobs/write"


@dataclass(frozen=True)
class EventSubscriptions:
    """The handlers."""

    state: State
    event_grid: EventGrid
    access: Access
    running: Operations

    async def put(self, request: ArmRequest) -> ArmResponse:
        """Create or replace."""
        return await self._write(request, request.json().get("properties") or {})

    async def patch(self, request: ArmRequest) -> ArmResponse:
        """What is sent, in the place of what was there."""
        return await self._write(request, {**self._of(request).properties, **request.json()})

    async def _write(self, request: ArmRequest, properties: Json) -> ArmResponse:
        topic = require(self.state, request.path.rpartition("/eventSubscriptions/")[0])
        subscription_id = f"{topic.id}/eventSubscriptions/{request.params['name']}"
        existing = self.event_grid.subscriptions.get(subscription_id.lower())
        subscription = event_subscription(subscription_id, properties)
        self._check_handler(request, subscription)
        if subscription.queue is not None:
            _identity_of(topic)
        if properties.get("deadLetterWithResourceIdentity"):
            self._check_dead_letters(topic, subscription)
        await self.event_grid.subscribe(subscription)
        at_work = "Updating" if existing else "Creating"
        written = self.event_grid.put_subscription(
            replace(subscription, provisioning_state=at_work)
        )
        seconds = self.state.behaviour.operation_seconds
        work = self.running.start(seconds, lambda: self._ended(written), subject=subscription_id)
        return accepted(request, show(written), topic.location, work)

    def _ended(self, written: EventSubscription) -> None:
        if self.event_grid.subscriptions.get(written.id.lower()) is written:
            self.event_grid.put_subscription(replace(written, provisioning_state="Succeeded"))

    def _check_dead_letters(self, topic: Resource, subscription: EventSubscription) -> None:
        """Event Grid tries the container as the topic's identity; the texts are assumptions."""
        principal = _identity_of(topic)
        destination = subscription.dead_letter
        assert destination is not None, "it was read with the other properties"
        if not self.access.allowed(principal, _WRITE_BLOB, destination.scope, data=True):
            raise invalid(
                f"The identity {principal} of the topic cannot write to the dead-letter container "
                f"{destination.scope}."
            )

    def _check_handler(self, request: ArmRequest, subscription: EventSubscription) -> None:
        """Who sends events to a resource of Azure may have to be allowed to write that."""
        behaviour, caller = self.event_grid.behaviour, request.caller
        if not (behaviour.asks_write_on_handler and subscription.azure_resource):
            return
        kind, handler = _SITES, subscription.endpoint.partition("/functions/")[0]
        if subscription.queue is not None:
            kind = _ACCOUNTS
            if behaviour.handler_is_the_queue:
                kind, handler = _QUEUES, subscription.queue.scope
        if not self.access.allowed(caller.object_id, f"{kind}/write", handler):
            raise authorization_failed(caller, f"{kind}/write", handler)

    def get(self, request: ArmRequest) -> ArmResponse:
        """One of them."""
        return ArmResponse(200, show(self._of(request)))

    def full_url(self, request: ArmRequest) -> ArmResponse:
        """The URL of a webhook with its query."""
        path = request.path.rpartition("/")[0]
        found = self.event_grid.subscriptions.get(path.lower())
        if found is None or found.azure_resource:
            raise not_found(path)
        return ArmResponse(200, {"endpointUrl": found.endpoint})

    def list(self, request: ArmRequest) -> ArmResponse:
        """Those of a topic."""
        topic = require(self.state, request.path.rpartition("/")[0])
        found = self.event_grid.subscriptions_of(topic.id)
        return ArmResponse(200, {"value": [show(each) for each in found]})

    def delete(self, request: ArmRequest) -> ArmResponse:
        """It gets no more events from here on."""
        topic = self.state.resources.get(request.path.rpartition("/eventSubscriptions/")[0].lower())
        if topic is None or not self.event_grid.unsubscribe(request.path):
            return ArmResponse(204)
        seconds = self.state.behaviour.operation_seconds
        work = self.running.start(seconds, lambda: None, subject=request.path)
        return deleting(request, topic.location, work)

    def _of(self, request: ArmRequest) -> EventSubscription:
        found = self.event_grid.subscriptions.get(request.path.lower())
        if found is None:
            raise not_found(request.path)
        return found


def _identity_of(topic: Resource) -> str:
    """The principal that a topic is. Raises AzureError 400."""
    principal = (topic.identity or {}).get("principalId")
    if principal is None:
        raise invalid(f"The topic {topic.id} has no system-assigned identity.")
    return str(principal)


def _filter(sent: Json, *, ended: bool) -> Json:
    """What is false is left out; what was not sent shows once the work has ended (recorded)."""
    defaults = {"subjectBeginsWith": "", "subjectEndsWith": ""} if ended else {}
    return {**defaults, **{key: value for key, value in sent.items() if value is not False}}


def show(subscription: EventSubscription) -> Json:
    """As ARM answers it. The query of a webhook's URL may hold a key: `getFullUrl` gives it."""
    destination = dict(subscription.properties.get("destination") or {})
    ended = subscription.provisioning_state == "Succeeded"
    if not subscription.azure_resource:
        base = subscription.endpoint.partition("?")[0]
        destination["properties"] = {
            **(_BATCHES if ended else {}),
            **(destination.get("properties") or {}),
            "endpointUrl": None,
            "endpointBaseUrl": base,
        }
    properties: Json = {
        **subscription.properties,
        "destination": None if subscription.queue is not None else destination,
        "filter": _filter(subscription.filter, ended=ended),
        "labels": subscription.properties.get("labels"),
        "provisioningState": subscription.provisioning_state,
        "topic": subscription.topic_id,
        "retryPolicy": {
            "maxDeliveryAttempts": subscription.retry.max_attempts,
            "eventTimeToLiveInMinutes": int(subscription.retry.time_to_live // 60),
        },
    }
    if ended or "eventDeliverySchema" in subscription.properties:
        properties["eventDeliverySchema"] = subscription.schema.value
    return {
        "id": subscription.id,
        "name": subscription.name,
        "type": SUBSCRIPTION_TYPE,
        "systemData": None,
        "properties": properties,
    }
