"""Azure Resource Graph: the whole estate in pages of 1,000. Eventually consistent, so only a hint
of where to look: whatever it names is read again before anything is done to it."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from azure.core.rest import HttpRequest

from lanyard.azure.clients import Clients
from lanyard.azure.compute_types import compute_type
from lanyard.azure.failures import translated
from lanyard.azure.resource_body import read_resource
from lanyard.errors import Temporary
from lanyard.model import ComputeResource, ResourceId

_PATH = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
_PAGE = 1000
_PARTIAL_DELAY = 60.0


class ResourceGraph:
    """Queries over every subscription that the app can read."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def assignments(self) -> frozenset[str]:
        """The ids (lower case) of all role assignments that the app can read."""
        query = (
            "authorizationresources "
            "| where type =~ 'microsoft.authorization/roleassignments' "
            "| project id | order by id asc"
        )
        return frozenset([str(row["id"]).lower() async for row in self.rows(query)])

    async def assignments_of(self, principal_id: str) -> list[str]:
        """The ids of the role assignments of a principal (object id), at any scope."""
        query = (
            "authorizationresources "
            "| where type =~ 'microsoft.authorization/roleassignments' "
            f"| where properties.principalId =~ '{principal_id}' "
            "| project id | order by id asc"
        )
        return [str(row["id"]) async for row in self.rows(query)]

    async def resources(self, types: Iterable[str]) -> AsyncIterator[ComputeResource]:
        """Every resource of these types (any case) that the app can read, in the order of its id.

        Batch pools are in a table of their own.
        """
        names = ", ".join(f"'{name.lower()}'" for name in sorted(types))
        for table in ("resources", "batchresources"):
            query = (
                f"{table} | where type in~ ({names}) | order by id asc "
                "| project id, type, location, tags, identity, kind, properties"
            )
            async for row in self.rows(query):
                kind = compute_type(str(row["type"]))
                if kind is not None:
                    yield read_resource(row, kind)

    async def resources_with(self, identity: ResourceId) -> list[ResourceId]:
        """The resources that the app can read and that have a user-assigned identity attached.

        Batch pools are in a table of their own.
        """
        found: list[ResourceId] = []
        for table in ("resources", "batchresources"):
            query = (
                f"{table} | where tostring(identity.userAssignedIdentities) "
                f"contains '{identity.key}' | project id | order by id asc"
            )
            found += [ResourceId.parse(str(row["id"])) async for row in self.rows(query)]
        return found

    async def rows(self, query: str) -> AsyncIterator[Mapping[str, Any]]:
        """The rows of a query, page by page; it must order them. Raises Temporary, Permanent."""
        options: dict[str, Any] = {"resultFormat": "objectArray", "$top": _PAGE}
        while True:
            page = await self._page({"query": query, "options": options})
            for row in page["data"]:
                yield row
            if not page.get("$skipToken"):
                return
            options = {**options, "$skipToken": page["$skipToken"]}

    async def _page(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        with translated("query Resource Graph"):
            request = HttpRequest("POST", _PATH, json=body)
            response = await self._clients.resources.send_request(request)
            response.raise_for_status()
            page: Mapping[str, Any] = response.json()
        if page.get("resultTruncated") == "true" and not page.get("$skipToken"):
            raise Temporary("Resource Graph answered a part of the rows only", _PARTIAL_DELAY)
        return page
