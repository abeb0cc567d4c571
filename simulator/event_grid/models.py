"""System topics and event subscriptions as values, read from the JSON that ARM holds. Pure."""

from dataclasses import dataclass, replace
from enum import StrEnum
from urllib.parse import urlsplit

from simulator.event_grid.filters import check_filter, invalid_subscription
from simulator.identity import IdentityRules
from simulator.resource_ids import is_within
from simulator.state import Json, Resource

#: Of the identities of topics.
RULES = IdentityRules(shows_none=True)
# Of a message in a queue, where nothing else is asked for.
_SEVEN_DAYS = 7 * 24 * 3600
TOPIC_TYPE = "Microsoft.EventGrid/systemTopics"
SUBSCRIPTION_TYPE = "Microsoft.EventGrid/systemTopics/eventSubscriptions"


class TopicType(StrEnum):
    """The sources that tell of resources."""

    SUBSCRIPTION = "Microsoft.Resources.Subscriptions"
    RESOURCE_GROUP = "Microsoft.Resources.ResourceGroups"
    RESOURCE_NOTIFICATIONS = "Microsoft.ResourceNotifications.Resources"


class Schema(StrEnum):
    """`eventDeliverySchema`."""

    EVENT_GRID = "EventGridSchema"
    CLOUD_EVENTS = "CloudEventSchemaV1_0"


@dataclass(frozen=True)
class SystemTopic:
    """`source`: the id of what it listens to. `topic_type`: a `TopicType`, or one of a service of
    whose resources nothing is told here.
    """

    id: str
    source: str
    topic_type: str

    def covers(self, resource_id: str) -> bool:
        """Whether an activity on this resource is the topic's to tell."""
        return is_within(resource_id, self.source)


@dataclass(frozen=True)
class RetryPolicy:
    """The first of the two that is reached ends the attempts."""

    max_attempts: int = 30
    time_to_live: float = 1440 * 60.0  # seconds


@dataclass(frozen=True)
class DeadLetterDestination:
    """A container of a storage account; `account_id` is the account's resource id."""

    account_id: str
    container: str

    @property
    def scope(self) -> str:
        """The container's resource id."""
        return f"{self.account_id}/blobServices/default/containers/{self.container}"


@dataclass(frozen=True)
class QueueDestination:
    """A queue of a storage account (resource id), written to as the topic's identity.

    `time_to_live`: of a message, in seconds; -1 for ever.
    """

    account_id: str
    name: str
    time_to_live: int

    @property
    def scope(self) -> str:
        """The queue's resource id."""
        return f"{self.account_id}/queueServices/default/queues/{self.name}"


@dataclass(frozen=True)
class EventSubscription:
    """`endpoint`: a webhook's URL, or the resource id of a function or a storage account.
    `properties` as in ARM.
    """

    id: str
    name: str
    topic_id: str
    endpoint: str
    azure_resource: bool  # an AzureFunction or StorageQueue destination, not a WebHook
    filter: Json
    schema: Schema
    retry: RetryPolicy
    dead_letter: DeadLetterDestination | None
    properties: Json
    queue: QueueDestination | None = None
    provisioning_state: str = "Succeeded"

    def failed(self) -> "EventSubscription":
        """The same, after its endpoint did not validate: it gets no events."""
        return replace(self, provisioning_state="Failed")


def topic_of(resource: Resource) -> SystemTopic:
    """The topic that a `Microsoft.EventGrid/systemTopics` resource describes."""
    kinds = {kind.lower(): kind for kind in TopicType}
    sent = str(resource.properties["topicType"])
    kind = kinds.get(sent.lower(), sent)
    return SystemTopic(resource.id, resource.properties["source"], kind)


def event_subscription(subscription_id: str, properties: Json) -> EventSubscription:
    """Read and check the ARM properties of an event subscription.

    `subscription_id` is the ARM id of the event subscription. Raises AzureError 400.
    """
    topic_id, _, name = subscription_id.rpartition("/eventSubscriptions/")
    event_filter = properties.get("filter") or {}
    check_filter(event_filter)
    queue = _queue(properties)
    if queue is not None:
        endpoint, azure_resource = queue.account_id, True
    else:
        endpoint, azure_resource = _destination(properties.get("destination") or {})
    return EventSubscription(
        id=subscription_id,
        name=name,
        topic_id=topic_id,
        endpoint=endpoint,
        azure_resource=azure_resource,
        filter=event_filter,
        schema=_schema(properties.get("eventDeliverySchema") or Schema.EVENT_GRID),
        retry=_retry(properties.get("retryPolicy") or {}),
        dead_letter=_dead_letter(_dead_letter_destination(properties)),
        properties=properties,
        queue=queue,
    )


def _queue(properties: Json) -> QueueDestination | None:
    """Where a queue is the destination. One without an identity, for which Event Grid takes the
    account's key, is not simulated.
    """
    with_identity = properties.get("deliveryWithResourceIdentity")
    if not with_identity:
        return None
    if (with_identity.get("identity") or {}).get("type") != "SystemAssigned":
        raise invalid_subscription("Delivery by another than a system-assigned identity.")
    destination = with_identity.get("destination") or {}
    of_it = destination.get("properties") or {}
    account, name = of_it.get("resourceId"), of_it.get("queueName")
    if destination.get("endpointType") != "StorageQueue" or not account or not name:
        raise invalid_subscription("Delivery with an identity is simulated to a StorageQueue.")
    seconds = of_it.get("queueMessageTimeToLiveInSeconds", _SEVEN_DAYS)
    if seconds != -1 and seconds < 1:
        raise invalid_subscription("queueMessageTimeToLiveInSeconds must be -1 or more than 0.")
    return QueueDestination(account, name, seconds)


def _destination(destination: Json) -> tuple[str, bool]:
    kind, properties = destination.get("endpointType"), destination.get("properties") or {}
    if kind == "WebHook":
        return _webhook_url(properties.get("endpointUrl") or ""), False
    if kind == "AzureFunction":
        if resource_id := properties.get("resourceId"):
            return resource_id, True
        raise invalid_subscription("An AzureFunction destination needs its resourceId.")
    raise invalid_subscription(f"Destination endpointType '{kind}' is not simulated.")


def _webhook_url(url: str) -> str:
    """Azure takes https alone; on loopback plain http is taken, too: nothing leaves the machine."""
    parts = urlsplit(url)
    local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.hostname and (parts.scheme == "https" or (local and parts.scheme == "http")):
        return url
    raise invalid_subscription(
        "Supplied URL is invalid. It cannot be null or empty and should be a proper HTTPS URL "
        "like https://www.example.com."
    )


def _schema(name: str) -> Schema:
    try:
        return Schema(name)
    except ValueError:
        raise invalid_subscription(f"eventDeliverySchema '{name}' is not supported.") from None


def _retry(policy: Json) -> RetryPolicy:
    attempts = policy.get("maxDeliveryAttempts", 30)
    minutes = policy.get("eventTimeToLiveInMinutes", 1440)
    if not 1 <= attempts <= 30 or not 1 <= minutes <= 1440:
        raise invalid_subscription(
            "maxDeliveryAttempts must be 1 to 30, eventTimeToLiveInMinutes 1 to 1440."
        )
    return RetryPolicy(attempts, minutes * 60.0)


def _dead_letter_destination(properties: Json) -> Json | None:
    """Given as it is, or with the identity of the topic that it is written as."""
    with_identity = properties.get("deadLetterWithResourceIdentity")
    if not with_identity:
        return properties.get("deadLetterDestination")
    if (with_identity.get("identity") or {}).get("type") != "SystemAssigned":
        raise invalid_subscription("Dead letters by another than a system-assigned identity.")
    destination: Json | None = with_identity.get("deadLetterDestination")
    return destination


def _dead_letter(destination: Json | None) -> DeadLetterDestination | None:
    if not destination:
        return None
    properties = destination.get("properties") or {}
    account, container = properties.get("resourceId"), properties.get("blobContainerName")
    if destination.get("endpointType") != "StorageBlob" or not account or not container:
        raise invalid_subscription("A dead-letter destination is a StorageBlob with a container.")
    return DeadLetterDestination(account, container)
