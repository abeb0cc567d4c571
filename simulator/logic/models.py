"""Consumption workflows: the system-assigned identity or one other, never both; written by PUT.

That a PATCH changes tags alone is U: the REST reference shows no body for it.
"""

from simulator.identity import IdentityRules
from simulator.state import Json
from simulator.times import utc_z
from simulator.tracked.kind import Kind, Untagged
from simulator.tracked.models import TrackedResources

WORKFLOWS = Kind(
    "Microsoft.Logic/workflows",
    rules=IdentityRules(combined=False, most=1),
    read_only=("createdTime", "version"),
    lasting=("state",),
    shows_state=True,
    patches_tags_only=True,
    untagged=Untagged.ABSENT,
)


class Workflows(TrackedResources):
    """The workflows of all subscriptions."""

    def born(self, resource_id: str, body: Json) -> Json:  # noqa: ARG002
        """When it was made; nothing runs here, enabled as it is."""
        made = {"createdTime": utc_z(self.state.clock.now()), "version": self.state.ids.uuid()}
        return {"state": "Enabled", **made}
