"""The events of a subscription on their way to the app: the topic, its event subscriptions, and
what becomes of an event that cannot be delivered.
"""

from collections.abc import Iterator

from lanyard.desk.onboarding.parts import (
    ALERT,
    ALERTS,
    CONTAINER,
    DEAD_LETTERS_WRITER,
    DELETES,
    EVENT_GRID,
    EVENTS_SENDER,
    FOR_EVER,
    GROUP,
    GROUPS,
    INSTALLATION_LABEL,
    QUEUE,
    TOPIC,
    TOPIC_TYPE,
    WRITES,
    Delivery,
    Deployment,
    Json,
    Part,
    alert_id,
    assignment,
    dead_letters_name,
    group_id,
    provider,
    sender_name,
    topic_id,
)
from lanyard.desk.onboarding.template import assignment_id, definition_id
from lanyard.values.compute_types import COMPUTE_TYPES
from lanyard.values.resource_id import ResourceId

_NAMESPACES = ("Microsoft.EventGrid", "Microsoft.Insights")
# What the app looks after beside compute; of a deleted group's contents nothing else may come.
_IDENTITIES_AND_TAGS = (
    "Microsoft.ManagedIdentity/userAssignedIdentities",
    "Microsoft.Resources/tags",
)
_GROUP_TYPE = "Microsoft.Resources/subscriptions/resourceGroups"


def before_topic(location: str, subscription: str) -> Iterator[Part]:
    """What the topic needs, in order: resource providers, a resource group at `location`."""
    for namespace in _NAMESPACES:
        yield provider(subscription, namespace)
    yield Part(
        id=group_id(subscription),
        api_version=GROUPS,
        about=f"resource group {GROUP}",
        body={"location": location},
        present=True,
    )


def topic(subscription: str, *, identity: bool = True) -> Part:
    """The topic of the subscription's events, with an identity or without one. There is one for
    each subscription.
    """
    source = f"/subscriptions/{subscription}"
    body = {
        "location": "global",
        **({"identity": {"type": "SystemAssigned"}} if identity else {}),
        "properties": {"source": source, "topicType": TOPIC_TYPE},
    }
    return Part(
        id=topic_id(subscription),
        api_version=EVENT_GRID,
        about=f"system topic {TOPIC}",
        body=body,
        needs=(group_id(subscription), _provider(subscription, 0)),
    )


def after_topic(
    app: Deployment, subscription: str, topic: str, principal_id: str
) -> Iterator[Part]:
    """What needs the topic (id), in order. `principal_id` is that of its identity, "" while the
    topic is not there.
    """
    needs: tuple[str, ...] = (topic,)
    if app.topic_identity:
        dead_letters = _dead_letters(app, topic, principal_id)
        yield dead_letters
        # Event Grid tries the container when the event subscription is made.
        needs = (topic, dead_letters.id)
        yield _alert(app.action_group_id, subscription, topic)
    if app.delivery is Delivery.QUEUE:
        sender = _sender(app, topic, principal_id)
        yield sender
        needs = (*needs, sender.id)
    for name, filters in (
        (WRITES, [_operations("write"), _not_by(app.client_id)]),
        (DELETES, [_operations("delete")]),
    ):
        yield Part(
            id=f"{topic}/eventSubscriptions/{name}",
            api_version=EVENT_GRID,
            about=f"event subscription {name}",
            body={"properties": _event_subscription(app, name, filters)},
            needs=needs,
        )


def _provider(subscription: str, index: int) -> str:
    return provider(subscription, _NAMESPACES[index]).id


def _dead_letters(app: Deployment, topic: str, principal_id: str) -> Part:
    container = app.dead_letters
    name = dead_letters_name(container, principal_id) if principal_id else ""
    role = definition_id(ResourceId.parse(app.storage_id).subscription, DEAD_LETTERS_WRITER)
    what = f"Storage Blob Data Contributor on {CONTAINER} to the topic"
    return assignment(assignment_id(container, name), principal_id, role, what, (topic,))


def _sender(app: Deployment, topic: str, principal_id: str) -> Part:
    queue = app.events_queue
    name = sender_name(queue, principal_id) if principal_id else ""
    role = definition_id(ResourceId.parse(app.events_account).subscription, EVENTS_SENDER)
    what = f"Storage Queue Data Message Sender on {QUEUE} to the topic"
    return assignment(assignment_id(queue, name), principal_id, role, what, (topic,))


def _alert(action_group_id: str, subscription: str, topic: str) -> Part:
    criterion = {
        "criterionType": "StaticThresholdCriterion",
        "name": "dead-lettered",
        "metricNamespace": "Microsoft.EventGrid/systemTopics",
        "metricName": "DeadLetteredCount",
        "timeAggregation": "Total",
        "operator": "GreaterThan",
        "threshold": 0,
    }
    properties = {
        "description": "Event Grid gave up on events: they lie in the container dead-letters and "
        "can be replayed.",
        "severity": 1,
        "enabled": True,
        "scopes": [topic],
        "evaluationFrequency": "PT5M",
        "windowSize": "PT15M",
        "criteria": {
            "odata.type": "Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria",
            "allOf": [criterion],
        },
        "actions": [{"actionGroupId": action_group_id}] if action_group_id else [],
    }
    return Part(
        id=alert_id(subscription),
        api_version=ALERTS,
        about=f"alert {ALERT}",
        body={"location": "global", "properties": properties},
        needs=(topic, _provider(subscription, 1)),
    )


def _event_subscription(app: Deployment, name: str, filters: list[Json]) -> Json:
    kind = "Delete" if name == DELETES else "Write"
    return {
        **_destination(app),
        "eventDeliverySchema": "EventGridSchema",
        "labels": [f"{INSTALLATION_LABEL}{app.installation}"],
        "filter": {
            "includedEventTypes": [f"Microsoft.Resources.Resource{kind}Success"],
            "advancedFilters": filters,
        },
        "retryPolicy": {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440},
        "deadLetterWithResourceIdentity": _kept(app) if app.topic_identity else None,
    }


def _kept(app: Deployment) -> Json:
    """Where Event Grid writes what it cannot deliver."""
    return {
        "identity": {"type": "SystemAssigned"},
        "deadLetterDestination": {
            "endpointType": "StorageBlob",
            "properties": {"resourceId": app.storage_id, "blobContainerName": CONTAINER},
        },
    }


def _destination(app: Deployment) -> Json:
    """Where the events go: to the function, or as the topic's own identity into the queue."""
    if app.delivery is Delivery.WEBHOOK:
        of_function = {
            "resourceId": app.endpoint,
            "maxEventsPerBatch": 1,
            "preferredBatchSizeInKilobytes": 64,
        }
        return {"destination": {"endpointType": "AzureFunction", "properties": of_function}}
    of_queue = {
        "resourceId": app.events_account,
        "queueName": QUEUE,
        "queueMessageTimeToLiveInSeconds": FOR_EVER,
    }
    return {
        "deliveryWithResourceIdentity": {
            "identity": {"type": "SystemAssigned"},
            "destination": {"endpointType": "StorageQueue", "properties": of_queue},
        }
    }


def _operations(verb: str) -> Json:
    """Event Grid takes 25 values an event subscription: writes and deletes have one each."""
    types = [row.name for row in COMPUTE_TYPES.values() if row.api_version]
    types += [*_IDENTITIES_AND_TAGS, *([_GROUP_TYPE] if verb == "delete" else [])]
    values = [f"{name}/{verb}" for name in types]
    return {"operatorType": "StringIn", "key": "data.operationName", "values": values}


def _not_by(client_id: str) -> Json:
    """Our own writes need not come back. Where the claim is missing the event does come."""
    return {"operatorType": "StringNotIn", "key": "data.claims.appid", "values": [client_id]}
