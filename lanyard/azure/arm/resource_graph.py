"""Azure Resource Graph: the whole estate in pages. Eventually consistent, so only a hint of where
to look: whatever it names is read again before anything is done to it.
"""

import json
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from typing import Any

from lanyard.azure.arm.answers import Json, member, needed, text
from lanyard.azure.arm.arm_lists import POOLS, ArmLists
from lanyard.azure.arm.clients import Clients
from lanyard.azure.arm.failures import translated
from lanyard.azure.arm.graph_pages import QUERY, NoTable, Pages, incomplete
from lanyard.azure.arm.graph_rows import (
    ASSIGNMENT,
    DEFINITION,
    IDENTITY,
    SHOWN_PROPERTIES,
    listed_resource,
    listed_right,
    listed_subscription,
    object_of,
    text_of,
)
from lanyard.azure.arm.questions import Question, Questions
from lanyard.values.errors import Permanent
from lanyard.values.listed import Listed, ListedAssignment, ListedRole
from lanyard.values.resource_id import ResourceId, folded, last_name, names_of
from lanyard.values.subscriptions import Subscriptions, listing_of

#: Most types are in the first; Batch pools are in a table of their own.
_TABLES = ("resources", "batchresources")
_ACCOUNTS = "microsoft.batch/batchaccounts"
_GROUP = "microsoft.resources/subscriptions/resourcegroups"
_SUBSCRIPTION = "microsoft.resources/subscriptions"
_RIGHTS = "authorizationresources"


class ResourceGraph:
    """Queries over every subscription that the app can read. What a cloud has no table for comes
    from ARM's lists.
    """

    def __init__(self, clients: Clients) -> None:
        self._pages = Pages(clients)
        self._lists = ArmLists(clients)
        columns = dict.fromkeys(_TABLES, _columns("isnotempty(identity)"))
        columns[_RIGHTS] = "id, type, properties"
        self._questions = Questions(self.rows, columns)

    async def assignments(self) -> AsyncIterator[ListedAssignment | ListedRole]:
        """All role assignments that the app can read, and all role definitions, as they come."""
        async for row in self._rights():
            with translated(QUERY):
                listed = listed_right(row)
            yield listed

    async def _rights(self) -> AsyncIterator[Json]:
        query = (
            f"{_RIGHTS} "
            f"| where type =~ '{ASSIGNMENT}' or type =~ '{DEFINITION}' "
            "| project id, type, properties | order by id asc"
        )
        try:
            async for row in self.rows(query):
                yield row
        except NoTable:
            for row in await self._lists.rights(await self._readable()):
                yield row

    async def assignments_of(self, principal_id: str) -> list[str]:
        """The ids of the role assignments of a principal (object id), at any scope."""
        where = f"type =~ '{ASSIGNMENT}' and properties.principalId =~ {quoted(principal_id)}"

        def holds(row: Json) -> bool:
            kind, principal = text_of(row, "type"), text_of(_properties(row), "principalId")
            return folded(kind) == ASSIGNMENT and folded(principal) == folded(principal_id)

        try:
            found = await self._questions.rows(Question(_RIGHTS, where, holds))
        except NoTable:
            listed = await self._lists.assignments_of(principal_id, await self._readable())
            found = list(filter(holds, listed))
        return [needed(row, "id") for row in found]

    async def resources(self, types: Iterable[str]) -> AsyncIterator[Listed]:
        """Every resource of these types (any case), and every other one that has an identity, that
        the app can read, in the order of its id. Batch pools are in a table of their own.
        """
        wanted, managed = sorted({folded(name) for name in types}), await self._managed_groups()
        for table in _TABLES if POOLS in wanted else _TABLES[:1]:
            async for row in self._all(table, wanted):
                with translated(QUERY):
                    listed = listed_resource(row, managed.get(_group_of(_id(row)), ""))
                yield listed

    async def _managed_groups(self) -> Mapping[str, str]:
        """What manages each resource group that something does manage, by its id (folded)."""
        query = (
            f"resourcecontainers | where type =~ '{_GROUP}' and isnotempty(managedBy) "
            "| project id, managedBy | order by id asc"
        )
        return {_id(row): text(row, "managedBy") async for row in self.rows(query)}

    async def batch_pools(self) -> AsyncIterator[Listed]:
        """Every Batch pool that the app can read, in the order of its id."""
        async for row in self._all(_TABLES[1], [POOLS]):
            yield listed_resource(row)

    async def _all(self, table: str, types: Iterable[str]) -> AsyncIterator[Json]:
        try:
            async for row in self.rows(_listing(table, types)):
                yield row
        except NoTable:
            for row in await self._listed_pools(table):
                yield row

    async def subscriptions(self) -> Subscriptions:
        """The subscriptions that the app can read, by id (lower case). Raises Temporary, Permanent
        where they cannot be listed whole.
        """
        query = (
            f"resourcecontainers | where type =~ '{_SUBSCRIPTION}' | project id, name, tenantId, "
            "groups = properties.managementGroupAncestorsChain | order by id asc"
        )
        with translated(QUERY):
            rows = {last_name(needed(row, "id")): row async for row in self.rows(query)}
        return listing_of({id_: listed_subscription(row) for id_, row in rows.items()})

    async def _readable(self) -> Iterable[str]:
        """Where ARM is asked instead. Raises Permanent where that is nowhere: no list is empty."""
        if found := await self.subscriptions():
            return found
        raise Permanent(
            f"Resource Graph has no table {_RIGHTS!r} here and lists no subscription to ask: the "
            "app needs Microsoft.Resources/subscriptions/read"
        )

    async def shows(self, resource: ResourceId) -> bool:
        """Whether a resource or identity is listed, in the table of its type."""
        where = f"id =~ {quoted(resource.text)}"
        tables = [_table_of(resource.type)]
        found = await self._found(where, lambda row: _id(row) == resource.key, tables)
        return any(folded(listed.id) == resource.key for listed in found)

    async def resources_with(self, identity: ResourceId) -> list[str]:
        """The ids, as they are listed, of the resources that the app can read and that have a
        user-assigned identity attached: of any type, whatever is in their names.

        The identity's own row is asked for with them: a listing that does not show what is known to
        be there is not whole. Batch pools are in a table of their own. Raises Temporary, Permanent.
        """
        key = identity.key
        where = (
            f"tostring(identity.userAssignedIdentities) contains {quoted(key)} "
            f"or id =~ {quoted(key)}"
        )

        def holds(row: Json) -> bool:
            attached = member(object_of(row, "identity"), "userAssignedIdentities")
            return key in _as_text(attached) or _id(row) == key

        found = await self._found(where, holds)
        if key not in {folded(listed.id) for listed in found}:
            raise incomplete(f"no row of {identity.name} itself")
        # `contains` finds longer names, too.
        return [listed.id for listed in found if key in listed.attached]

    async def showing(self, principal_id: str) -> list[Listed]:
        """The resources whose identity block, or own properties, show a principal."""
        where = (
            f"tostring(identity) contains {quoted(principal_id)} "
            f"or tostring(properties.principalId) =~ {quoted(principal_id)}"
        )
        wanted = folded(principal_id)

        def holds(row: Json) -> bool:
            own = text_of(_properties(row), "principalId")
            return wanted in _as_text(member(row, "identity")) or folded(own) == wanted

        return await self._found(where, holds)

    async def named(self, resource_type: str, names: str) -> list[Listed]:
        """The resources of a type that have all these names, wherever they are; in any case."""
        ending = "/" + last_name(names)
        where = f"type =~ {quoted(resource_type)} and id endswith {quoted(ending)}"

        def holds(row: Json) -> bool:
            kind = folded(text_of(row, "type"))
            return kind == folded(resource_type) and _id(row).endswith(folded(ending))

        found = await self._found(where, holds, [_table_of(resource_type)])
        return [listed for listed in found if names_of(listed.id) == folded(names)]

    async def _found(
        self, where: str, holds: Callable[[Json], bool], tables: Iterable[str] = _TABLES
    ) -> list[Listed]:
        """The rows of these tables that a condition holds of."""
        found: list[Listed] = []
        for table in tables:
            try:
                rows = await self._questions.rows(Question(table, where, holds))
            except NoTable:
                rows = list(filter(holds, await self._listed_pools(table)))
            with translated(QUERY):
                found += map(listed_resource, rows)
        return found

    async def _listed_pools(self, table: str) -> list[Json]:
        """Where there is no table for them. Raises NoTable for another table, Temporary."""
        if table != _TABLES[1]:
            raise NoTable(f"Resource Graph has no table {table!r} here")
        query = f"{_TABLES[0]} | where type =~ '{_ACCOUNTS}' | project id, location"
        accounts = [row async for row in self.rows(f"{query} | order by id asc")]
        return await self._lists.pools(accounts)

    def rows(self, query: str) -> AsyncIterator[Json]:
        """The rows of a query, which must order them. Raises NoTable, Temporary, Permanent."""
        return self._pages.rows(query)


def _table_of(resource_type: str) -> str:
    """The one that holds the resources of a type (any case): queries are few."""
    return _TABLES[1] if folded(resource_type) == POOLS else _TABLES[0]


def quoted(value: str) -> str:
    """A text as a string of Kusto's, in which a backslash takes its meaning from a quote."""
    escaped = value.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _listing(table: str, types: Iterable[str]) -> str:
    """Of a type that was asked for all is read that its settings name; others are looked through
    for whom they have.
    """
    names = ", ".join(map(quoted, [*types, IDENTITY]))
    return (
        f"{table} | where type in~ ({names}) or isnotempty(identity) | order by id asc "
        f"| project {_columns(f'isnotempty(identity) and type in~ ({names})')}"
    )


def _columns(whole: str) -> str:
    """What a row is read from: all of its properties where a condition of Kusto says so, as its
    settings may name an identity that it has; of others the few that are read. Machines are seen
    with 24 KB of them.
    """
    few = ", ".join(f"'{name}', properties.{name}" for name in SHOWN_PROPERTIES)
    properties = f"iff({whole}, properties, bag_pack({few}))"
    return f"id, type, location, tags, identity, kind, managedBy, properties = {properties}"


def _properties(row: Json) -> Json:
    return object_of(row, "properties")


def _id(row: Json) -> str:
    return folded(text_of(row, "id"))


def _group_of(resource: str) -> str:
    return "/".join(resource.split("/")[:5])


def _as_text(value: Any) -> str:
    """As Kusto's `tostring` has an object, folded."""
    return folded(json.dumps(value, ensure_ascii=False))
