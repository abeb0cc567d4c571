"""Automation accounts: synchronous, both kinds of identity."""

from simulator.state import Json
from simulator.times import utc_offset
from simulator.tracked.kind import Kind
from simulator.tracked.models import TrackedResources

ACCOUNTS = Kind("Microsoft.Automation/automationAccounts", read_only=("state", "creationTime"))


class AutomationAccounts(TrackedResources):
    """The Automation accounts of all subscriptions."""

    def born(self, resource_id: str, body: Json) -> Json:  # noqa: ARG002
        """`state` "Ok", where others have a provisioning state."""
        return {"state": "Ok", "creationTime": utc_offset(self.state.clock.now())}
