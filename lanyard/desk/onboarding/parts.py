"""What watches one subscription, as values: the resources of ARM, under the names that infra/ gives
them. role_parts.py and event_parts.py have what is in each.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from lanyard.desk.at_groups import Kind
from lanyard.desk.onboarding.template import assignment_id, definition_id, guid
from lanyard.queue.messages import EVENTS
from lanyard.values.roles import role_id

type Json = Mapping[str, Any]

GROUP = "rg-lanyard-events"
TOPIC = "lanyard"
TOPIC_TYPE = "Microsoft.Resources.Subscriptions"
ALERT = "lanyard-dead-letters"
CONTAINER = "dead-letters"
WRITES, DELETES = "lanyard-writes", "lanyard-deletes"
#: What an event subscription is labelled with, before the app's installation: by it two apps that
#: share one are found.
INSTALLATION_LABEL = "lanyard-installation:"
#: The function that takes the events (function_app.py).
FUNCTION = "resource_events"
#: The queue of them, where they are delivered to one (lanyard/queue/messages.py).
QUEUE = EVENTS
#: No message of it ends by itself; Azure's default is seven days.
FOR_EVER = -1

OPERATOR = role_id("Managed Identity Operator") or ""
DEAD_LETTERS_WRITER = role_id("Storage Blob Data Contributor") or ""
EVENTS_SENDER = role_id("Storage Queue Data Message Sender") or ""

AUTHORIZATION = "2022-04-01"
EVENT_GRID = "2025-02-15"
ALERTS = "2018-03-01"
GROUPS = "2025-04-01"
SUBSCRIPTIONS = "2022-12-01"


class Delivery(StrEnum):
    """The way that Event Grid brings the events of a subscription."""

    WEBHOOK = "webhook"
    QUEUE = "queue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployed app, by the outputs of infra/main.bicep; "" for what is not needed of it."""

    #: The function app's resource id.
    app_id: str
    #: Client id and object id of its identity.
    client_id: str = ""
    principal_id: str
    #: Its storage account's resource id.
    storage_id: str
    #: Whose what it makes is (GUID, lower case).
    installation: str = ""
    #: Who gets dead letters reported, or nobody.
    action_group_id: str = ""
    #: Of the resource group of the topic.
    location: str = ""
    delivery: Delivery = Delivery.WEBHOOK
    #: Whether the topic has the identity that dead letters are written, and a queue is sent to, as.
    topic_identity: bool = True
    #: The account (resource id) that has the queue of events, where it is not the app's own.
    events_storage_id: str = ""

    @property
    def endpoint(self) -> str:
        """The id of the function that takes the events."""
        return f"{self.app_id}/functions/{FUNCTION}"

    @property
    def events_account(self) -> str:
        """The id of the account that has the queue of events."""
        return self.events_storage_id or self.storage_id

    @property
    def events_queue(self) -> str:
        """The id of that queue."""
        return f"{self.events_account}/queueServices/default/queues/{QUEUE}"

    @property
    def dead_letters(self) -> str:
        """The id of the container for dead letters."""
        return f"{self.storage_id}/blobServices/default/containers/{CONTAINER}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One resource as it should be."""

    id: str  # ends with / while its name is not known
    api_version: str
    about: str  # what it is, in words
    body: Json  # as it is written
    needs: tuple[str, ...] = ()  # ids of those without which it cannot be made
    present: bool = False  # that it is there is enough
    registers: bool = False  # a resource provider, which is registered rather than written


def provider(subscription: str, namespace: str) -> Part:
    """A resource provider, registered."""
    return Part(
        id=f"/subscriptions/{subscription}/providers/{namespace}",
        api_version=GROUPS,
        about=f"resource provider {namespace}",
        body={"registrationState": "Registered"},
        registers=True,
    )


def group_id(subscription: str) -> str:
    """The resource group of the topic, in the subscription (id) that is watched."""
    return f"/subscriptions/{subscription}/resourceGroups/{GROUP}"


def topic_id(subscription: str) -> str:
    """The topic that Lanyard makes, where the subscription has none."""
    return f"{group_id(subscription)}/providers/Microsoft.EventGrid/systemTopics/{TOPIC}"


def alert_id(subscription: str) -> str:
    """The alert on dead letters."""
    return f"{group_id(subscription)}/providers/Microsoft.Insights/metricAlerts/{ALERT}"


def role_of(subscription: str) -> str:
    """The GUID of the app's role in the subscription."""
    return guid(f"/subscriptions/{subscription}", "lanyard")


def identity_role_of(subscription: str) -> str:
    """The GUID of its role where the policy has identities made."""
    return group_role_of(subscription, Kind.IDENTITIES)


def group_role_of(subscription: str, kind: Kind) -> str:
    """The GUID of its role of a kind that is assigned at resource groups."""
    return guid(f"/subscriptions/{subscription}", f"lanyard-{kind}")


def group_roles_of(subscription: str) -> frozenset[str]:
    """The GUIDs of all of these."""
    return frozenset(group_role_of(subscription, kind) for kind in Kind)


def watching_assignment(subscription: str, principal_id: str) -> str:
    """The id of the assignment that shows that an app (object id) watches the subscription."""
    scope = f"/subscriptions/{subscription}"
    role = definition_id(subscription, role_of(subscription))
    return assignment_id(scope, guid(scope, principal_id, role))


def operator_name(identity: str, principal_id: str) -> str:
    """The name of the assignment of Managed Identity Operator on an identity (id)."""
    return guid(identity, principal_id, OPERATOR)


def dead_letters_name(container: str, principal_id: str) -> str:
    """The name of the assignment by which a topic writes dead letters to a container (id)."""
    return guid(container, principal_id, DEAD_LETTERS_WRITER)


def sender_name(queue: str, principal_id: str) -> str:
    """The name of the assignment by which a topic puts events into a queue (id)."""
    return guid(queue, principal_id, EVENTS_SENDER)


def assignment(
    id_: str,
    principal_id: str,
    role: str,
    what: str,
    needs: tuple[str, ...] = (),
    condition: Json | None = None,
) -> Part:
    """The assignment of a role (id of its definition) to a service principal; `what` in words."""
    properties = {
        "principalId": principal_id,
        "principalType": "ServicePrincipal",
        "roleDefinitionId": role,
        **(condition or {}),
    }
    return Part(
        id=id_,
        api_version=AUTHORIZATION,
        about=f"assignment of {what}",
        body={"properties": properties},
        needs=needs,
    )
