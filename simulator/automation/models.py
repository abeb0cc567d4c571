"""Automation accounts: synchronous, both kinds of identity."""

from dataclasses import replace

from simulator.state import Json, Resource
from simulator.times import utc_offset
from simulator.tracked.kind import Casing, Kind
from simulator.tracked.models import TrackedResources

ACCOUNTS = Kind(
    "Microsoft.Automation/automationAccounts",
    read_only=("state", "creationTime", "lastModifiedTime"),
    casing=Casing(type="Microsoft.Automation/AutomationAccounts"),
)


class AutomationAccounts(TrackedResources):
    """The Automation accounts of all subscriptions."""

    def born(self, resource_id: str, body: Json) -> Json:  # noqa: ARG002
        """`state` "Ok", where others have a provisioning state."""
        now = utc_offset(self.state.clock.now())
        return {"state": "Ok", "creationTime": now, "lastModifiedTime": now}

    def written(self, before: Resource, after: Resource, body: Json) -> Resource:  # noqa: ARG002
        """When it was changed last."""
        now = utc_offset(self.state.clock.now())
        return replace(after, properties={**after.properties, "lastModifiedTime": now})
