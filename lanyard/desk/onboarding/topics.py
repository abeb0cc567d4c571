"""What there is beside the parts: the topics of a subscription, a principal's role assignments."""

from collections.abc import Mapping
from typing import Any

from lanyard.desk.onboarding.parts import AUTHORIZATION, EVENT_GRID, TOPIC_TYPE
from lanyard.desk.onboarding.steps import Resources
from lanyard.values.resource_id import folded


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


async def assignments_of(
    resources: Resources, scope: str, principal_id: str
) -> list[Mapping[str, Any]]:
    """The role assignments of a principal (object id) at, above and below a scope."""
    collection = f"{scope}/providers/Microsoft.Authorization/roleAssignments"
    only = {"$filter": f"principalId eq '{principal_id}'"}
    return await resources.every(collection, AUTHORIZATION, only)
