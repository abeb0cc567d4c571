"""Resource events, in each of the schemas that Event Grid delivers them in. Pure.

System topics of a subscription or resource group (Microsoft.Resources.Resource…Success) and Azure
Resource Notifications (Microsoft.ResourceNotifications.Resources.…); Event Grid and CloudEvents
schema differ only in the envelope.
"""

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from lanyard.values.change import Change, Ignored
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded

WRITTEN = {
    "Microsoft.Resources.ResourceWriteSuccess",
    "Microsoft.ResourceNotifications.Resources.CreatedOrUpdated",
}
DELETED = {
    "Microsoft.Resources.ResourceDeleteSuccess",
    "Microsoft.ResourceNotifications.Resources.Deleted",
}
_OBJECT_ID = "http://schemas.microsoft.com/identity/claims/objectidentifier"
#: So much of what an event says of itself goes on record; Azure's own ids are far shorter.
MAX_NOTE = 128
# A change of tags may come as one of the tags, an extension resource of the one that matters.
_TAGS = "/providers/microsoft.resources/tags/default"


@dataclass(frozen=True, slots=True)
class Event:
    """The envelope, whichever schema it came in, as it came: nothing in it is sure to be text.
    `origin` is `topic` or `source`.
    """

    id: Any
    type: Any
    origin: Any
    subject: Any
    data: Any
    #: When the change was made, by Azure's clock; None where it does not say.
    at: datetime | None = None


def change_of(
    event: Event, *, types: Collection[str], own_ids: Collection[str]
) -> Change | Ignored:
    """The change an event hints at, or why it is none of ours. Never raises, whatever is in it.

    `types` are the resource types that matter, `own_ids` the client and object id of the
    app's own identity; both lower case.
    """
    if not isinstance(event.type, str) or event.type not in WRITTEN | DELETED:
        return Ignored("not an event of a resource written or deleted")
    if not isinstance(event.data, Mapping):
        return Ignored("the event has no data")
    try:
        resource = ResourceId.parse(_resource_text(event.subject, event.data))
    except InvalidResourceId:
        return Ignored("no usable resource id")
    if reason := _foreign(event, resource) or _not_ours_to_handle(event, resource, types):
        return Ignored(reason)
    if event.type in WRITTEN and _caller(event.data) & set(own_ids):
        return Ignored("our own write")
    return Change(
        resource,
        "event",
        event_id=_note(event.id),
        event_type=event.type,
        correlation_id=_note(event.data.get("correlationId")),
    )


def dated(change: Change, happened: float) -> Change:
    """The change of an event, with the moment (seconds since the epoch) that the event names."""
    if change.event_type in DELETED:
        return replace(change, happened=happened, deleted=happened)
    return replace(change, happened=happened, written=happened)


def _resource_text(subject: Any, data: Mapping[str, Any]) -> str:
    """The subject. Azure names the resource in the data once more: there it is the same."""
    info = data.get("resourceInfo")
    named = info.get("id") if isinstance(info, Mapping) else data.get("resourceUri")
    text = subject or named
    if not isinstance(text, str) or not isinstance(named, str | None):
        raise InvalidResourceId("the id is no text")
    if named and _bare(named) != _bare(text):
        raise InvalidResourceId("two resources are named")
    return text[: -len(_TAGS)] if folded(text).endswith(_TAGS) else text


def _bare(text: str) -> str:
    return folded(text).rstrip("/")


def _note(value: Any) -> str:
    """For the record only, and a message has no room for more."""
    return value[:MAX_NOTE] if isinstance(value, str) else ""


def _foreign(event: Event, resource: ResourceId) -> str:
    """A topic has the events of its own subscription only; anything else was not made by Azure."""
    if not isinstance(event.origin, str):
        return "it does not show where it comes from"
    origin = folded(event.origin).split("/")
    if origin[:2] == ["", "subscriptions"] and origin[2:3] != [resource.subscription]:
        return "a resource of another subscription than the topic's"
    return ""


def _not_ours_to_handle(event: Event, resource: ResourceId, types: Collection[str]) -> str:
    if resource.is_resource_group:
        return "" if event.type in DELETED else "a resource group was written"
    if folded(resource.type) not in types or resource.extends:
        return "a type that is not watched"
    return ""


def _caller(data: Mapping[str, Any]) -> set[str]:
    """The client and object id of who made the change, lower case; empty where it is not shown."""
    claims = data.get("claims")
    if isinstance(claims, str):  # dataVersion ""
        try:
            claims = json.loads(claims)
        except (ValueError, RecursionError):
            return set()
    if not isinstance(claims, Mapping):
        return set()
    ids = (claims.get(key) for key in ("appid", _OBJECT_ID))
    return {folded(value) for value in ids if isinstance(value, str)}
