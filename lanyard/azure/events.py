"""Resource events, in each of the schemas that Event Grid delivers them in. Pure.

System topics of a subscription or resource group (Microsoft.Resources.Resource…Success) and Azure
Resource Notifications (Microsoft.ResourceNotifications.Resources.…); Event Grid and CloudEvents
schema differ only in the envelope.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from lanyard.model import Change, InvalidResourceId, ResourceId

WRITTEN = {
    "Microsoft.Resources.ResourceWriteSuccess",
    "Microsoft.ResourceNotifications.Resources.CreatedOrUpdated",
}
DELETED = {
    "Microsoft.Resources.ResourceDeleteSuccess",
    "Microsoft.ResourceNotifications.Resources.Deleted",
}
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
# A change of tags may be told of the tags, an extension resource of the one that matters.
_TAGS = "/providers/microsoft.resources/tags/default"


@dataclass(frozen=True, slots=True)
class Event:
    """The envelope, whichever schema it came in. `origin` is `topic` or `source`."""

    id: str
    type: str
    origin: str
    subject: str
    data: Any


@dataclass(frozen=True, slots=True)
class Ignored:
    """An event that is not worked on. `reason` is a short fixed text: it is counted by it."""

    reason: str


def change_of(
    event: Event, *, types: Collection[str], own_ids: Collection[str]
) -> Change | Ignored:
    """The change an event hints at, or why it is none of ours. Never raises, whatever is in it.

    `types` are the resource types the policy names, `own_ids` the client and object id of the
    app's own identity; both lower case.
    """
    if event.type not in WRITTEN | DELETED:
        return Ignored("not an event of a resource written or deleted")
    if not isinstance(event.data, Mapping):
        return Ignored("the event has no data")
    try:
        resource = ResourceId.parse(_resource_text(event))
    except InvalidResourceId:
        return Ignored("no usable resource id")
    if reason := _foreign(event, resource) or _not_ours_to_handle(event, resource, types):
        return Ignored(reason)
    if event.type in WRITTEN and _caller(event.data) & set(own_ids):
        return Ignored("our own write")
    correlation = str(event.data.get("correlationId") or "")
    return Change(resource, "event", str(event.id or ""), event.type, correlation)


def _resource_text(event: Event) -> str:
    info = event.data.get("resourceInfo")
    named = info.get("id") if isinstance(info, Mapping) else event.data.get("resourceUri")
    text = named or event.subject
    if not isinstance(text, str):
        raise InvalidResourceId("the id is no text")
    return text[: -len(_TAGS)] if text.lower().endswith(_TAGS) else text


def _foreign(event: Event, resource: ResourceId) -> str:
    """A topic tells of its own subscription only; anything else was not made by Azure."""
    origin = str(event.origin or "").lower().split("/")
    if origin[:2] == ["", "subscriptions"] and origin[2:3] != [resource.subscription]:
        return "a resource of another subscription than the topic's"
    return ""


def _not_ours_to_handle(event: Event, resource: ResourceId, types: Collection[str]) -> str:
    if resource.is_resource_group:
        return "" if event.type in DELETED else "a resource group was written"
    if resource.type.lower() not in types:
        return "a type that the policy does not name"
    return ""


def _caller(data: Mapping[str, Any]) -> set[str]:
    """The client and object id of who made the change, lower case; empty where it is not told."""
    claims = data.get("claims")
    if isinstance(claims, str):  # dataVersion ""
        try:
            claims = json.loads(claims)
        except ValueError:
            return set()
    if not isinstance(claims, Mapping):
        return set()
    return {str(claims[key]).lower() for key in ("appid", _OBJECT_ID) if claims.get(key)}
