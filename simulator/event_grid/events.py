"""Activities as events: the payload that Azure's system topics send. Pure.

Sources: azure-facts §1; Microsoft's pages "Azure subscription as an Event Grid source" and
"Azure Resource Notifications - Resource Management events in Azure Event Grid".
"""

import json
import re

from simulator.event_grid.behaviour import EventGridBehaviour
from simulator.resource_ids import parse, subscription_of
from simulator.state import Activity, Json, Resource
from simulator.times import utc_z

_VERBS = {"write": "Write", "delete": "Delete"}
_STATUSES = {"Succeeded": "Success", "Failed": "Failure", "Canceled": "Cancel"}
_IDENTITY = "http://schemas.microsoft.com/identity/claims/"
_CLAIMS = "http://schemas.xmlsoap.org/ws/2005/05/identity/claims/"

#: Claims of a token under the long names that the activity log gives them.
_LONG_NAMES = {
    "oid": f"{_IDENTITY}objectidentifier",
    "tid": f"{_IDENTITY}tenantid",
    "sub": f"{_CLAIMS}nameidentifier",
    "upn": f"{_CLAIMS}upn",
}


def resource_event(
    activity: Activity,
    *,
    topic: str,
    event_id: str,
    tenant_id: str,
    evidence: Json,
    behaviour: EventGridBehaviour,
) -> Json:
    """`Microsoft.Resources.Resource…` in the Event Grid schema. `topic`: the topic's source."""
    verb = _VERBS.get(activity.action.rpartition("/")[2].lower(), "Action")
    resource_id = _cased(activity.resource_id, behaviour)
    data = _data(activity, resource_id, tenant_id, evidence, behaviour)
    if behaviour.strings_in_data:
        data |= {name: json.dumps(data[name]) for name in ("authorization", "claims")}
    return {
        "subject": resource_id,
        "eventType": f"Microsoft.Resources.Resource{verb}{_STATUSES[activity.status]}",
        "eventTime": utc_z(activity.at),
        "id": event_id,
        "data": data,
        "dataVersion": "" if behaviour.strings_in_data else "2",
        "metadataVersion": "1",
        "topic": topic,
    }


def _data(
    activity: Activity,
    resource_id: str,
    tenant_id: str,
    evidence: Json,
    behaviour: EventGridBehaviour,
) -> Json:
    data: Json = {
        "authorization": {"scope": resource_id, "action": activity.action, "evidence": evidence},
        "claims": {_LONG_NAMES.get(name, name): value for name, value in activity.caller.items()},
        "correlationId": activity.correlation_id,
        "resourceProvider": activity.action.partition("/")[0],
        "resourceUri": resource_id,
        "operationName": activity.action,
        "status": activity.status,
        "subscriptionId": subscription_of(activity.resource_id) or "",
        "tenantId": tenant_id,
    }
    if activity.method != "PUT" or behaviour.http_request_on_put:
        data["httpRequest"] = {
            "clientRequestId": activity.client_request_id,
            "clientIpAddress": "127.0.0.1",
            "method": activity.method,
            "url": activity.url,
        }
    return data


def notification_event(
    activity: Activity, resource: Resource | None, *, topic: str, event_id: str
) -> Json | None:
    """`Microsoft.ResourceNotifications.Resources.…`, or None: it tells of success alone.

    `resource` as it is now; one that is no longer there cannot be told of as created or updated.
    """
    kind = _notification_kind(activity)
    if kind is None or (kind == "CreatedOrUpdated" and resource is None):
        return None
    at = utc_z(activity.at)
    info: Json = {
        "id": activity.resource_id,
        "name": activity.resource_id.rpartition("/")[2],
        "type": _type_of(activity.resource_id),
    }
    data: Json = {"resourceInfo": info, "operationalInfo": {"resourceEventTime": at}}
    if resource is not None and kind == "CreatedOrUpdated":
        state = {"provisioningState": resource.provisioning_state}
        info |= {"location": resource.location, "tags": resource.tags}
        info["properties"] = resource.properties | state
        data["apiVersion"] = _api_version(activity.url)
    return {
        "id": event_id,
        "topic": topic,
        "subject": activity.resource_id,
        "data": data,
        "eventType": f"Microsoft.ResourceNotifications.Resources.{kind}",
        "dataVersion": "1",
        "metadataVersion": "1",
        "eventTime": at,
    }


def _notification_kind(activity: Activity) -> str | None:
    """It tells of Resource Graph's table `resources`: no groups, no role assignments."""
    tracked = parse(activity.resource_id) is not None
    if activity.status != "Succeeded" or not tracked or _is_extension(activity):
        return None
    last = activity.action.rpartition("/")[2].lower()
    return {"write": "CreatedOrUpdated", "delete": "Deleted"}.get(last)


def _is_extension(activity: Activity) -> bool:
    return activity.action.lower().startswith("microsoft.authorization/")


def as_cloud_event(event: Json) -> Json:
    """The same event in the CloudEvents 1.0 schema (azure-facts §1)."""
    return {
        "id": event["id"],
        "source": event["topic"],
        "subject": event["subject"],
        "type": event["eventType"],
        "time": event["eventTime"],
        "data": event["data"],
        "specversion": "1.0",
    }


def _type_of(resource_id: str) -> str:
    parsed = parse(resource_id)
    return parsed.type if parsed else "Microsoft.Resources/subscriptions/resourceGroups"


def _api_version(url: str) -> str:
    found = re.search(r"[?&]api-version=([^&]*)", url)
    return found[1] if found else ""


def _cased(resource_id: str, behaviour: EventGridBehaviour) -> str:
    if not behaviour.lower_case_resource_groups:
        return resource_id
    return re.sub("/resourcegroups/", "/resourcegroups/", resource_id, count=1, flags=re.IGNORECASE)
