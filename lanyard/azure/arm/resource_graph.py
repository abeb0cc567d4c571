"""Azure Resource Graph: the whole estate in pages of 1,000. Eventually consistent, so only a hint
of where to look: whatever it names is read again before anything is done to it."""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from azure.core.rest import HttpRequest

from lanyard.azure.arm.answers import (
    Json,
    Unreadable,
    as_object,
    body_of,
    definition_of,
    entries,
    member,
    needed,
    part,
    permission_of,
    principal,
    text,
)
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import translated
from lanyard.azure.arm.questions import Question, Questions
from lanyard.azure.arm.resource_body import read_resource
from lanyard.values.compute import ComputeResource
from lanyard.values.compute_types import ComputeType, compute_type
from lanyard.values.errors import Temporary
from lanyard.values.grants import condition_of
from lanyard.values.listed import Listed, ListedAssignment, ListedRole
from lanyard.values.permissions import Permission
from lanyard.values.resource_id import ResourceId, folded, last_name, names_of

_PATH = "/providers/Microsoft.ResourceGraph/resources?api-version=2021-03-01"
_PAGE = 1000
#: Most types are in the first; Batch pools are in a table of their own.
_TABLES = ("resources", "batchresources")
_POOLS = "microsoft.batch/batchaccounts/pools"
_SUBSCRIPTION = "microsoft.resources/subscriptions"
_ASSIGNMENT = "microsoft.authorization/roleassignments"
_DEFINITION = "microsoft.authorization/roledefinitions"
_IDENTITY = "microsoft.managedidentity/userassignedidentities"
#: What a resource is read from.
_COLUMNS = "id, type, location, tags, identity, kind, properties"
_RIGHTS = "authorizationresources"
_PARTIAL_DELAY = 60.0
_QUERY = "query Resource Graph"


class ResourceGraph:
    """Queries over every subscription that the app can read."""

    def __init__(self, clients: Clients) -> None:
        self._clients = clients
        columns = {**dict.fromkeys(_TABLES, _COLUMNS), _RIGHTS: "id, type, properties"}
        self._questions = Questions(self.rows, columns)

    async def assignments(self) -> AsyncIterator[ListedAssignment | ListedRole]:
        """All role assignments that the app can read, and all role definitions, as they come."""
        query = (
            f"{_RIGHTS} "
            f"| where type =~ '{_ASSIGNMENT}' or type =~ '{_DEFINITION}' "
            "| project id, type, properties | order by id asc"
        )
        async for row in self.rows(query):
            with translated(_QUERY):
                listed = _listed_right(row)
            yield listed

    async def assignments_of(self, principal_id: str) -> list[str]:
        """The ids of the role assignments of a principal (object id), at any scope."""
        where = f"type =~ '{_ASSIGNMENT}' and properties.principalId =~ {_quoted(principal_id)}"

        def holds(row: Json) -> bool:
            kind, whose = _text(row, "type"), _text(_object(row, "properties"), "principalId")
            return folded(kind) == _ASSIGNMENT and folded(whose) == folded(principal_id)

        found = await self._questions.rows(Question(_RIGHTS, where, holds))
        return [needed(row, "id") for row in found]

    async def resources(self, types: Iterable[str]) -> AsyncIterator[Listed]:
        """Every resource of these types (any case), and every other one that has an identity, that
        the app can read, in the order of its id. Batch pools are in a table of their own.
        """
        wanted = sorted({folded(name) for name in types})
        for table in _TABLES if _POOLS in wanted else _TABLES[:1]:
            async for row in self.rows(_listing(table, wanted)):
                with translated(_QUERY):
                    listed = _listed(row)
                yield listed

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
        return {last_name(needed(row, "id")): text(row, "name") async for row in self.rows(query)}

    async def shows(self, resource: ResourceId) -> bool:
        """Whether a resource or identity is listed, in the table of its type."""
        where = f"id =~ {_quoted(resource.text)}"
        tables = [_table_of(resource.type)]
        found = await self._found(where, lambda row: _id(row) == resource.key, tables)
        return any(folded(listed.id) == resource.key for listed in found)

    async def resources_with(self, identity: ResourceId) -> list[str]:
        """The ids (lower case) of the resources that the app can read and that have a user-assigned
        identity attached: of any type, whatever is in their names.

        The identity's own row is asked for with them: a listing that does not show what is known to
        be there is not whole. Batch pools are in a table of their own. Raises Temporary, Permanent.
        """
        key = identity.key
        where = (
            f"tostring(identity.userAssignedIdentities) contains {_quoted(key)} "
            f"or id =~ {_quoted(key)}"
        )

        def holds(row: Json) -> bool:
            attached = member(_object(row, "identity"), "userAssignedIdentities")
            return key in _as_text(attached) or _id(row) == key

        found = await self._found(where, holds)
        if key not in {folded(listed.id) for listed in found}:
            raise _incomplete(f"no row of {identity.name} itself")
        # `contains` finds longer names, too.
        return [folded(listed.id) for listed in found if key in listed.attached]

    async def showing(self, principal_id: str) -> list[Listed]:
        """The resources whose identity block, or own properties, show a principal."""
        where = (
            f"tostring(identity) contains {_quoted(principal_id)} "
            f"or tostring(properties.principalId) =~ {_quoted(principal_id)}"
        )
        wanted = folded(principal_id)

        def holds(row: Json) -> bool:
            own = _text(_object(row, "properties"), "principalId")
            return wanted in _as_text(member(row, "identity")) or folded(own) == wanted

        return await self._found(where, holds)

    async def named(self, resource_type: str, names: str) -> list[Listed]:
        """The resources of a type that have all these names, wherever they are; in any case."""
        ending = "/" + last_name(names)
        where = f"type =~ {_quoted(resource_type)} and id endswith {_quoted(ending)}"

        def holds(row: Json) -> bool:
            kind = folded(_text(row, "type"))
            return kind == folded(resource_type) and _id(row).endswith(folded(ending))

        found = await self._found(where, holds, [_table_of(resource_type)])
        return [listed for listed in found if names_of(listed.id) == folded(names)]

    async def _found(
        self, where: str, holds: Callable[[Json], bool], tables: Iterable[str] = _TABLES
    ) -> list[Listed]:
        """The rows of these tables that a condition holds of."""
        found: list[Listed] = []
        for table in tables:
            rows = await self._questions.rows(Question(table, where, holds))
            with translated(_QUERY):
                found += map(_listed, rows)
        return found

    async def rows(self, query: str) -> AsyncIterator[Json]:
        """The rows of a query, page by page; it must order them. Raises Temporary, Permanent."""
        options: dict[str, Any] = {"resultFormat": "objectArray", "$top": _PAGE}
        seen = 0
        while True:
            page = await self._page({"query": query, "options": options})
            for row in page.rows:
                yield row
            seen += len(page.rows)
            if not page.token:
                break
            if not page.rows:
                raise _incomplete("a page without rows and with a next one")
            options = {**options, "$skipToken": page.token}
        if seen < page.total:
            raise _incomplete(f"{seen} of {page.total} rows")

    async def _page(self, body: Json) -> "_Page":
        with translated(_QUERY):
            request = HttpRequest("POST", _PATH, json=body)
            response = await self._clients.resources.send_request(request)
            response.raise_for_status()
            page = _page(body_of(response))
        if page.truncated and not page.token:
            raise _incomplete("a part of the rows")
        return page


@dataclass(frozen=True, slots=True)
class _Page:
    """One answer. `total`: the rows of all pages; `token`: of the next page, "" for none."""

    rows: list[Json]
    total: int
    truncated: bool
    token: str


def _table_of(resource_type: str) -> str:
    """The one that holds the resources of a type (any case): queries are few."""
    return _TABLES[1] if folded(resource_type) == _POOLS else _TABLES[0]


def _page(body: Json) -> _Page:
    total = member(body, "totalRecords")
    if not isinstance(total, int):
        raise Unreadable("'totalRecords' is no number")
    return _Page(
        [as_object(row, "a row") for row in entries(body, "data")],
        total,
        str(member(body, "resultTruncated")).lower() == "true",
        text(body, "$skipToken"),
    )


def _incomplete(what: str) -> Temporary:
    return Temporary(f"Resource Graph answered {what} only: nothing is concluded", _PARTIAL_DELAY)


def _quoted(value: str) -> str:
    """A string of Kusto's, in which a backslash takes its meaning from a quote."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _listing(table: str, types: Iterable[str]) -> str:
    names = ", ".join(map(_quoted, [*types, _IDENTITY]))
    return (
        f"{table} | where type in~ ({names}) or isnotempty(identity) | order by id asc "
        f"| project {_COLUMNS}"
    )


def _listed(row: Json) -> Listed:
    row_id, row_type = needed(row, "id"), needed(row, "type")
    block, own = _object(row, "identity"), ""
    tenant = _text(block, "tenantId")
    if folded(row_type) == _IDENTITY:
        own = principal(part(row, "properties"))
        tenant = _text(part(row, "properties"), "tenantId")
    system = folded(_text(block, "principalId"))
    attached = _object(block, "userAssignedIdentities")
    shown = {
        own,
        system,
        *(folded(_text(_object(attached, name), "principalId")) for name in attached),
    }
    compute, whole = _compute(row, compute_type(row_type))
    return Listed(
        id=row_id,
        compute=compute,
        unread=not whole,
        tags=_tags(row),
        attached=_attached(row),
        principals=frozenset(shown - {""}),
        own_principal=own or None,
        system_principal=system or None,
        tenant=folded(tenant),
    )


def _id(row: Json) -> str:
    return folded(_text(row, "id"))


def _as_text(value: Any) -> str:
    """As Kusto's `tostring` has an object, folded."""
    return folded(json.dumps(value, ensure_ascii=False))


def _attached(row: Json) -> frozenset[str]:
    """The ids (lower case) of the user-assigned identities in its identity block."""
    return frozenset(map(folded, _object(_object(row, "identity"), "userAssignedIdentities")))


def _tags(row: Json) -> dict[str, str]:
    tags = _object(row, "tags")
    return {name: value for name, value in tags.items() if isinstance(value, str)}


def _compute(row: Json, kind: ComputeType | None) -> tuple[ComputeResource | None, bool]:
    """As far as the row shows it, and whether that is all of it: that its identity cannot be read
    is for who reads it afresh.
    """
    if kind is None:
        return None, True
    for shown in (row, {**row, "identity": None, "properties": None}):
        with suppress(Unreadable):
            return read_resource(shown, kind), shown is row
    return None, False


def _object(body: Json, name: str) -> Json:
    """Of resources of any type, whose identities are as their services like them."""
    value = member(body, name)
    return value if isinstance(value, Mapping) else {}


def _text(body: Json, name: str) -> str:
    value = member(body, name)
    return value if isinstance(value, str) else ""


def _listed_right(row: Json) -> ListedAssignment | ListedRole:
    read = _listed_role if folded(needed(row, "type")) == _DEFINITION else _listed_assignment
    return read(needed(row, "id"), part(row, "properties"))


def _listed_role(role_id: str, properties: Json) -> ListedRole:
    shown, name = member(properties, "permissions"), text(properties, "roleName")
    permissions = map(_permission, shown) if isinstance(shown, list) else [None]
    id_ = last_name(role_id)
    return ListedRole(id_, name, definition_of(id_, name, permissions))


def _permission(shown: Any) -> Permission | None:
    """None for what cannot be read: nobody knows what it allows."""
    if not isinstance(shown, Mapping):
        return None
    names = ("actions", "notActions", "dataActions", "notDataActions")
    return permission_of(*(member(shown, name) for name in names))


def _listed_assignment(assignment_id: str, properties: Json) -> ListedAssignment:
    return ListedAssignment(
        id=assignment_id,
        scope=needed(properties, "scope"),
        role_id=last_name(needed(properties, "roleDefinitionId")),
        principal_id=folded(needed(properties, "principalId")),
        principal_type=text(properties, "principalType"),
        description=text(properties, "description"),
        condition=condition_of(text(properties, "condition")),
        created=text(properties, "createdOn"),
    )
