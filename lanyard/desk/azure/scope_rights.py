"""The role assignments at, above and below a scope, as ARM has them now."""

from collections.abc import AsyncIterator

from lanyard.azure.arm import listing
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import translated
from lanyard.azure.arm.graph_rows import listed_right
from lanyard.values.listed import ListedAssignment, ListedRole
from lanyard.values.resource_id import ResourceId

_RIGHTS = "{}/providers/Microsoft.Authorization/{}"
_API_VERSION = {"api-version": "2022-04-01"}


class ScopeRights:
    """Every call raises Temporary or Permanent."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def assignments(self, scope: ResourceId) -> tuple[ListedAssignment, ...]:
        """Those at it, at what it is in up to the tenant's root, and below it. Without a filter
        ARM lists all of these (REST, "Role Assignments - List For Scope").
        """
        found = [each async for each in self._listed(scope, "roleAssignments")]
        return tuple(each for each in found if isinstance(each, ListedAssignment))

    async def roles(self, scope: ResourceId) -> dict[str, ListedRole]:
        """The roles that can be assigned there, custom ones too, by GUID (lower case)."""
        found = [each async for each in self._listed(scope, "roleDefinitions")]
        return {each.role_id: each for each in found if isinstance(each, ListedRole)}

    async def _listed(
        self, scope: ResourceId, what: str
    ) -> AsyncIterator[ListedAssignment | ListedRole]:
        url = _RIGHTS.format(scope, what)
        with translated(f"list {url}"):
            async for entry in listing.listed(self._clients, url, _API_VERSION):
                yield listed_right(entry)
