"""Azure Resource Graph: the whole estate in pages of 1,000. Eventually consistent, so only a hint
of where to look: whatever it names is read again before anything is done to it."""

from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

from azure.core.rest import HttpRequest

from lanyard.azure.clients import Clients
from lanyard.azure.compute_types import compute_type
from lanyard.azure.failures import translated
from lanyard.azure.resource_body import read_identity, read_resource
from lanyard.errors import Temporary
from lanyard.model import ResourceId
from lanyard.ports import Listed, ListedAssignment, ListedRole
from lanyard.roles import allows_assigning

_PATH = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
_PAGE = 1000
#: Most types are in the first; Batch pools are in a table of their own.
_TABLES = ("resources", "batchresources")
_POOLS = "microsoft.batch/batchaccounts/pools"
_SUBSCRIPTION = "microsoft.resources/subscriptions"
_ASSIGNMENT = "microsoft.authorization/roleassignments"
_DEFINITION = "microsoft.authorization/roledefinitions"
_IDENTITY = "microsoft.managedidentity/userassignedidentities"
_PARTIAL_DELAY = 60.0


class ResourceGraph:
    """Queries over every subscription that the app can read."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients

    async def assignments(self) -> AsyncIterator[ListedAssignment | ListedRole]:
        """All role assignments that the app can read, and all role definitions, as they come."""
        query = (
            "authorizationresources "
            f"| where type =~ '{_ASSIGNMENT}' or type =~ '{_DEFINITION}' "
            "| project id, type, properties | order by id asc"
        )
        async for row in self.rows(query):
            properties = row["properties"]
            if str(row["type"]).lower() == _DEFINITION:
                yield _listed_role(str(row["id"]), properties)
            else:
                yield _listed_assignment(str(row["id"]), properties)

    async def assignments_of(self, principal_id: str) -> list[str]:
        """The ids of the role assignments of a principal (object id), at any scope."""
        query = (
            "authorizationresources "
            f"| where type =~ '{_ASSIGNMENT}' "
            f"| where properties.principalId =~ '{principal_id}' "
            "| project id | order by id asc"
        )
        return [str(row["id"]) async for row in self.rows(query)]

    async def resources(self, types: Iterable[str]) -> AsyncIterator[Listed]:
        """Every resource of these types (any case), and every other one that has an identity, that
        the app can read, in the order of its id. Batch pools are in a table of their own.
        """
        wanted = sorted({name.lower() for name in types})
        for table in _TABLES if _POOLS in wanted else _TABLES[:1]:
            async for row in self.rows(_listing(table, wanted)):
                yield _listed(row)

    async def batch_pools(self) -> AsyncIterator[Listed]:
        """Every Batch pool that the app can read, in the order of its id."""
        async for row in self.rows(_listing(_TABLES[1], [_POOLS])):
            yield _listed(row)

    async def subscriptions(self) -> Mapping[str, str]:
        """The display names of the subscriptions that the app can read, by id (lower case)."""
        query = (
            f"resourcecontainers | where type =~ '{_SUBSCRIPTION}' "
            "| project id, name | order by id asc"
        )
        return {_last(str(row["id"])): str(row["name"]) async for row in self.rows(query)}

    async def resources_with(self, identity: ResourceId) -> list[ResourceId]:
        """The resources that the app can read and that have a user-assigned identity attached.

        Batch pools are in a table of their own.
        """
        found: list[ResourceId] = []
        for table in _TABLES:
            query = (
                f"{table} | where tostring(identity.userAssignedIdentities) "
                f"contains '{identity.key}' | project id | order by id asc"
            )
            found += [ResourceId.parse(str(row["id"])) async for row in self.rows(query)]
        return found

    async def resources_showing(self, principal_id: str) -> list[str]:
        """The ids of the resources whose identity block, or own properties, show a principal."""
        found: list[str] = []
        for table in _TABLES:
            query = (
                f"{table} | where tostring(identity) contains '{principal_id}' "
                f"or tostring(properties.principalId) =~ '{principal_id}' "
                "| project id | order by id asc"
            )
            found += [str(row["id"]) async for row in self.rows(query)]
        return found

    async def rows(self, query: str) -> AsyncIterator[Mapping[str, Any]]:
        """The rows of a query, page by page; it must order them. Raises Temporary, Permanent."""
        options: dict[str, Any] = {"resultFormat": "objectArray", "$top": _PAGE}
        seen = 0
        while True:
            page = await self._page({"query": query, "options": options})
            for row in page["data"]:
                yield row
            seen += len(page["data"])
            if not page.get("$skipToken"):
                break
            options = {**options, "$skipToken": page["$skipToken"]}
        if seen < int(page.get("totalRecords", seen)):
            raise _incomplete(f"{seen} of {page['totalRecords']} rows")

    async def _page(self, body: Mapping[str, Any]) -> Mapping[str, Any]:
        with translated("query Resource Graph"):
            request = HttpRequest("POST", _PATH, json=body)
            response = await self._clients.resources.send_request(request)
            response.raise_for_status()
            page: Mapping[str, Any] = response.json()
        if page.get("resultTruncated") == "true" and not page.get("$skipToken"):
            raise _incomplete("a part of the rows")
        return page


def _incomplete(what: str) -> Temporary:
    return Temporary(f"Resource Graph answered {what} only: nothing is concluded", _PARTIAL_DELAY)


def _listing(table: str, types: Iterable[str]) -> str:
    names = ", ".join(f"'{name}'" for name in [*types, _IDENTITY])
    return (
        f"{table} | where type in~ ({names}) or isnotempty(identity) | order by id asc "
        "| project id, type, location, tags, identity, kind, properties"
    )


def _listed(row: Mapping[str, Any]) -> Listed:
    identity, own = read_identity(row.get("identity") or {}), None
    if str(row["type"]).lower() == _IDENTITY:
        own = str((row.get("properties") or {}).get("principalId") or "").lower() or None
    shown = {own, identity.system_principal_id, *identity.user_assigned.values()}
    kind = compute_type(str(row["type"]))
    return Listed(
        str(row["id"]),
        read_resource(row, kind) if kind is not None else None,
        frozenset(attached.key for attached in identity.user_assigned),
        frozenset(principal for principal in shown if principal),
        own,
        identity.system_principal_id,
    )


def _listed_role(role_id: str, properties: Mapping[str, Any]) -> ListedRole:
    permissions = properties.get("permissions")
    assigns = permissions is None or any(
        allows_assigning(each.get("actions") or (), each.get("notActions") or ())
        for each in permissions
    )
    return ListedRole(_last(role_id), str(properties.get("roleName", "")), assigns)


def _listed_assignment(assignment_id: str, properties: Mapping[str, Any]) -> ListedAssignment:
    return ListedAssignment(
        assignment_id,
        str(properties["scope"]),
        _last(str(properties["roleDefinitionId"])),
        str(properties["principalId"]).lower(),
        str(properties.get("principalType") or ""),
        str(properties.get("description") or ""),
        str(properties.get("createdOn") or ""),
    )


def _last(resource_id: str) -> str:
    return resource_id.rpartition("/")[2].lower()
