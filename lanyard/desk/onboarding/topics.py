"""What there is beside the parts: the topics of a subscription, a principal's role assignments."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from lanyard.desk.onboarding.parts import (
    AUTHORIZATION,
    CONTAINER,
    DEAD_LETTERS_WRITER,
    EVENT_GRID,
    EVENTS_SENDER,
    QUEUE,
    TOPIC_TYPE,
    Deployment,
    dead_letters_name,
    sender_name,
)
from lanyard.desk.onboarding.steps import Resources
from lanyard.values.resource_id import folded, last_name


async def topics_of(resources: Resources, subscription: str) -> list[Mapping[str, Any]]:
    """The system topics of the subscription's own events: Azure allows one. Raises as ARM does."""
    source = f"/subscriptions/{subscription}"
    listed = await resources.every(
        f"{source}/providers/Microsoft.EventGrid/systemTopics", EVENT_GRID
    )
    return [each for each in listed if _reports_on(each, source)]


def _reports_on(topic: Mapping[str, Any], source: str) -> bool:
    properties = topic.get("properties") or {}
    kind, of = str(properties.get("topicType", "")), str(properties.get("source", ""))
    return (folded(kind), folded(of).rstrip("/")) == (folded(TOPIC_TYPE), source)


def principal_of(topic: Mapping[str, Any]) -> str:
    """The object id of its system-assigned identity, "" where it has none."""
    return str((topic.get("identity") or {}).get("principalId") or "")


@dataclass(frozen=True, slots=True)
class Given:
    """A role assignment that Lanyard makes for a topic: at a scope (id), of a role (GUID), under a
    name; `about` in words.
    """

    scope: str
    role: str
    name: str
    about: str


def dead_letters_of(app: Deployment, principal_id: str) -> Given:
    """By which a topic (principal) writes dead letters."""
    scope, what = app.dead_letters, f"Storage Blob Data Contributor on {CONTAINER}"
    name = dead_letters_name(scope, principal_id)
    return Given(scope, DEAD_LETTERS_WRITER, name, f"assignment of {what} to the topic")


def sender_of(app: Deployment, principal_id: str) -> Given:
    """By which it puts events into the queue."""
    scope, what = app.events_queue, f"Storage Queue Data Message Sender on {QUEUE}"
    name = sender_name(scope, principal_id)
    return Given(scope, EVENTS_SENDER, name, f"assignment of {what} to the topic")


async def ids_of(resources: Resources, given: Given, principal_id: str) -> list[str]:
    """The ids of such an assignment: one, or none where it is not there."""
    if not principal_id:
        return []
    return [
        str(each["id"])
        for each in await assignments_of(resources, given.scope, principal_id)
        if folded(str(each["name"])) == given.name and assigned_role(each) == given.role
    ]


def assigned_role(assignment: Mapping[str, Any]) -> str:
    """The GUID of the role of an assignment."""
    properties = assignment.get("properties") or {}
    return last_name(str(properties.get("roleDefinitionId") or ""))


def scope_of(assignment: Mapping[str, Any]) -> str:
    """Where an assignment gives its role."""
    return str((assignment.get("properties") or {}).get("scope") or "")


async def assignments_of(
    resources: Resources, scope: str, principal_id: str
) -> list[Mapping[str, Any]]:
    """The role assignments of a principal (object id) at, above and below a scope."""
    collection = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
    only = {"$filter": f"principalId eq '{principal_id}'"}
    return await resources.every(collection, AUTHORIZATION, only)
