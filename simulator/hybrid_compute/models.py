"""Arc machines: an agent on a machine elsewhere puts them, with a system-assigned identity.

That they take no user-assigned one is U in azure-facts; here they refuse it.
"""

from simulator.identity import IdentityRules
from simulator.state import Json
from simulator.tracked.kind import Kind
from simulator.tracked.models import TrackedResources

MACHINES = Kind(
    "Microsoft.HybridCompute/machines",
    rules=IdentityRules(user_assigned=False),
    top_level=("kind",),
    read_only=("status", "vmId"),
    shows_state=True,
)


class ArcMachines(TrackedResources):
    """The Arc machines of all subscriptions."""

    def born(self, resource_id: str, body: Json) -> Json:  # noqa: ARG002
        """Connected, as long as it is there."""
        return {"status": "Connected", "vmId": self.state.ids.uuid()}
