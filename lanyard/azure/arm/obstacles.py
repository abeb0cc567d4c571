"""What stands in the way of writes in a subscription: locks and deny assignments. Neither is in a
table of Resource Graph.
"""

from lanyard.azure.arm.answers import text
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import translated
from lanyard.azure.arm.listing import listed
from lanyard.values.resource_id import folded

# *Management Locks - List At Subscription Level* and *Deny Assignments - List*.
_KINDS = {"locks": "2020-05-01", "denyAssignments": "2022-04-01"}


class Obstacles:
    """Reads them; it takes `Microsoft.Authorization/locks/read` and `denyAssignments/read`."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def in_subscription(self, subscription: str) -> frozenset[str]:
        """Their ids (lower case), at the subscription and below. Raises Temporary, Permanent."""
        found: set[str] = set()
        for kind, version in _KINDS.items():
            url = f"/subscriptions/{subscription}/providers/Microsoft.Authorization/{kind}"
            with translated(f"list the {kind} of subscription {subscription}"):
                each = listed(self._clients, url, {"api-version": version})
                found |= {folded(text(one, "id")) async for one in each}
        return frozenset(found)
