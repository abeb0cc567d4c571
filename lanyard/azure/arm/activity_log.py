"""The activity log of a subscription: who did what to which resource (Microsoft.Insights,
api-version 2015-04-01, *Activity Logs - List*). Azure keeps it for 90 days, and shows an event some
minutes after it.
"""

from datetime import UTC, datetime

from lanyard.azure.arm.answers import Json, part, text
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import translated
from lanyard.azure.arm.listing import listed
from lanyard.values.resource_id import folded

_VERSION = "2015-04-01"


class ActivityLog:
    """Reads it; it takes `Microsoft.Insights/eventtypes/values/read` at the subscription."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def deleted(
        self, resource_id: str, subscription: str, since: float, until: float
    ) -> bool:
        """Whether somebody deleted it between two moments (seconds since the epoch), as far as the
        log shows by now. `resource_id`: of a resource, a group or a role assignment.

        What goes with what it lies in is no operation of its own. Raises Temporary, Permanent.
        """
        url = f"/subscriptions/{subscription}/providers/Microsoft.Insights/eventtypes/management"
        between = f"eventTimestamp ge '{_moment(since)}' and eventTimestamp le '{_moment(until)}'"
        params = {
            "api-version": _VERSION,
            "$filter": f"{between} and resourceUri eq '{_quoted(resource_id)}'",
        }
        with translated(f"read the activity log of {resource_id}"):
            found = listed(self._clients, f"{url}/values", params)
            return any([_is_deletion(event, resource_id) async for event in found])


def _is_deletion(event: Json, resource_id: str) -> bool:
    operation, status = part(event, "operationName"), part(event, "status")
    return (
        folded(text(event, "resourceId")) == folded(resource_id)
        and folded(text(operation, "value")).endswith("/delete")
        and folded(text(status, "value")) == "succeeded"
    )


def _quoted(value: str) -> str:
    """Within the quotes of a text: one in it is written twice (OData 4.01, URL Conventions,
    5.1.1.6.1).
    """
    return value.replace("'", "''")


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
