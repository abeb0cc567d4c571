"""Which compute resources there are in a scope. By Resource Graph, which lags a little behind:
each is read afresh before anything is shown of it.
"""

from collections.abc import AsyncIterator, Iterable

from lanyard.azure.arm import listing
from lanyard.azure.arm.answers import needed, resource_id
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import translated
from lanyard.azure.arm.resource_graph import ResourceGraph, quoted
from lanyard.values.compute_types import compute_type
from lanyard.values.resource_id import ResourceId, folded, is_plain_name
from lanyard.values.subscriptions import Subscriptions

#: Types that Resource Graph does not hold, with the parents they are listed from.
_CHILDREN = {"microsoft.batch/batchaccounts/pools": "microsoft.batch/batchaccounts"}
_ASSIGNMENT = "microsoft.authorization/roleassignments"
_GROUP = "microsoft.resources/subscriptions/resourcegroups"
_SUBSCRIPTION = "microsoft.resources/subscriptions"
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
        await self.check(scope)
        wanted = {folded(name) for name in types}
        found = set(await self._query(scope, wanted - _CHILDREN.keys()))
        for child in wanted & _CHILDREN.keys():
            for parent in await self._query(scope, [_CHILDREN[child]]):
                found |= {each async for each in self._below(parent, child)}
        return sorted(found)

    async def subscriptions(self) -> Subscriptions:
        """Every subscription that can be read, with the management groups that it is in."""
        return await self._graph.subscriptions()

    async def resource_groups(self) -> list[ResourceId]:
        """Every resource group that can be read, in the order of their ids: ⌈n/1000⌉ calls."""
        return await self._ids(f"resourcecontainers | where type =~ '{_GROUP}'")

    async def called(self, name: str) -> list[ResourceId]:
        """The resources that have this name, or are shown so (`group/type/name`, `group/name`), and
        the groups and subscriptions of this name, or id, in the order of their ids.
        """
        if not all(map(is_plain_name, name.split("/"))):
            return []
        group, _, rest = name.partition("/")
        if rest:
            where = f"resourceGroup =~ {quoted(group)} and id endswith {quoted(f'/{rest}')}"
            return await self._ids(f"resources | where {where}")
        scope = quoted(f"/subscriptions/{name}")
        of_containers = f"type in~ ('{_SUBSCRIPTION}', '{_GROUP}')"
        named = f"(name =~ {quoted(name)} or id =~ {scope})"
        scopes = await self._ids(f"resourcecontainers | where {of_containers} and {named}")
        return scopes + await self._ids(f"resources | where name =~ {quoted(name)}")

    async def assignments_named(self, name: str) -> list[str]:
        """The ids of the role assignments of this name, a GUID: one at each scope at most."""
        where = f"type =~ '{_ASSIGNMENT}' and name =~ {quoted(name)}"
        rows = self._graph.rows(f"authorizationresources | where {where} | project id")
        return sorted([needed(row, "id") async for row in rows])

    async def _ids(self, query: str) -> list[ResourceId]:
        rows = self._graph.rows(f"{query} | project id | order by id asc")
        return [resource_id(row.get("id"), "a row") async for row in rows]

    async def check(self, scope: ResourceId) -> None:
        """Raises Permanent for a group or subscription that does not exist: Resource Graph answers
        for a misspelt one too, with no rows.
        """
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
        return await self._ids(query)

    async def _below(self, parent: ResourceId, child: str) -> AsyncIterator[ResourceId]:
        kind = compute_type(child)
        version = kind.api_version if kind is not None else ""
        url = f"{parent}/{child.rpartition('/')[2]}"
        with translated(f"list {url}"):
            async for entry in listing.listed(self._clients, url, {"api-version": version}):
                yield resource_id(entry.get("id"), "an entry")
