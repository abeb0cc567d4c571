"""Which compute resources there are in a scope. By Resource Graph, which lags a little behind:
each is read afresh before anything is shown of it.
"""

from collections.abc import AsyncIterator, Iterable

from lanyard.azure.arm import listing
from lanyard.azure.arm.answers import resource_id
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import translated
from lanyard.azure.arm.resource_graph import ResourceGraph
from lanyard.values.compute_types import compute_type
from lanyard.values.resource_id import ResourceId, folded

#: Types that Resource Graph does not hold, with the parents they are listed from.
_CHILDREN = {"microsoft.batch/batchaccounts/pools": "microsoft.batch/batchaccounts"}
#: Of resource groups and of subscriptions.
_SCOPE_API_VERSION = "2022-09-01"


class Inventory:
    """Lists the resources of a subscription or resource group."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        self._graph = ResourceGraph(clients)

    async def resources(self, scope: ResourceId, types: Iterable[str]) -> list[ResourceId]:
        """The resources of these types (any case), in the order of their ids.

        Raises Permanent for a scope that does not exist, and as every call does.
        """
        await self._check(scope)
        wanted = {folded(name) for name in types}
        found = set(await self._query(scope, wanted - _CHILDREN.keys()))
        for child in wanted & _CHILDREN.keys():
            for parent in await self._query(scope, [_CHILDREN[child]]):
                found |= {each async for each in self._below(parent, child)}
        return sorted(found)

    async def _check(self, scope: ResourceId) -> None:
        """Resource Graph answers for a misspelt scope too: with no rows."""
        with translated(f"read {scope}"):
            await listing.get(self._clients, scope.text, {"api-version": _SCOPE_API_VERSION})

    async def _query(self, scope: ResourceId, types: Iterable[str]) -> list[ResourceId]:
        names = ", ".join(f"'{name}'" for name in sorted(types))
        if not names:
            return []
        query = f"resources | where type in~ ({names})"
        query += f" | where subscriptionId =~ '{scope.subscription}'"
        if scope.is_resource_group:
            query += f" | where resourceGroup =~ '{scope.resource_group}'"
        rows = self._graph.rows(f"{query} | project id | order by id asc")
        return [resource_id(row.get("id"), "a row") async for row in rows]

    async def _below(self, parent: ResourceId, child: str) -> AsyncIterator[ResourceId]:
        kind = compute_type(child)
        version = kind.api_version if kind is not None else ""
        url = f"{parent}/{child.rpartition('/')[2]}"
        with translated(f"list {url}"):
            async for entry in listing.listed(self._clients, url, {"api-version": version}):
                yield resource_id(entry.get("id"), "an entry")
