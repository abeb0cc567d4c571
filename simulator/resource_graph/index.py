"""What Resource Graph knows: the resources and role assignments of a moment ago."""

from collections.abc import Callable, Iterator
from operator import attrgetter

from simulator.authorization.access import Access
from simulator.resource_graph import rows
from simulator.resource_graph.past import Past
from simulator.resource_graph.rows import Row
from simulator.resources import GROUP_TYPE
from simulator.state import Resource, RoleAssignment, State


class _Rendered[Value: Resource | RoleAssignment]:
    """A table's rows by id, made anew only where a value was replaced: an estate is read page by
    page, and asked about each of its resources.
    """

    def __init__(
        self,
        past: Past[Value],
        make: Callable[[Value], Row],
        belongs: Callable[[Value], bool] = lambda _value: True,
    ) -> None:
        self._past = past
        self._make = make
        self._belongs = belongs
        self._known: dict[str, tuple[Value, Row]] = {}
        self._rows: list[Row] = []
        self._version = -1

    def rows(self) -> list[Row]:
        """Those of now; not to be changed."""
        if self._version != (version := self._past.version()):
            self._version, self._rows = version, self._render()
        return self._rows

    def _render(self) -> list[Row]:
        known, self._known = self._known, {}
        for value in filter(self._belongs, self._past.values()):
            kept = known.get(value.id)
            if kept is None or kept[0] is not value:
                kept = value, self._make(value)
            self._known[value.id] = kept
        return sorted((row for _, row in self._known.values()), key=attrgetter("key"))


class Index:
    """The rows of the tables, lagging as the switch says; role definitions do not lag."""

    def __init__(self, state: State, access: Access) -> None:
        self._state = state
        self._access = access
        self._resources = Past(state, state.resources)
        self._by_table: dict[str, _Rendered[Resource]] = {}
        self._assignments = _Rendered(Past(state, state.role_assignments), self._of_assignment)

    def rows(self, table: str, subscriptions: frozenset[str], *, above: bool) -> list[Row]:
        """The table's rows in these subscriptions (lower-case ids), by id; what lies above any
        subscription, where that is asked for.
        """
        places = subscriptions | ({""} if above else set())
        found = [row for row in self._of_table(table) if row.subscription in places]
        if table == "authorizationresources":
            found += self._definitions(subscriptions)
        return sorted(found, key=attrgetter("key"))

    def _of_table(self, table: str) -> list[Row]:
        match table:
            case "authorizationresources":
                return self._assignments.rows()
            case "resourcecontainers":
                return [*self._subscriptions(), *self._in_table(table)]
        return self._in_table(table)

    def _in_table(self, table: str) -> list[Row]:
        if table not in self._by_table:
            self._by_table[table] = _Rendered(
                self._resources, self._of_resource, lambda each: _table_of(each) == table
            )
        return self._by_table[table].rows()

    def _of_resource(self, resource: Resource) -> Row:
        return rows.of_resource(resource, self._state.tenant_id)

    def _of_assignment(self, assignment: RoleAssignment) -> Row:
        return rows.of_assignment(assignment, self._state.tenant_id)

    def _subscriptions(self) -> Iterator[Row]:
        for subscription in self._state.subscriptions.values():
            yield rows.of_subscription(subscription, self._state.tenant_id)

    def _definitions(self, subscriptions: frozenset[str]) -> Iterator[Row]:
        """Those that can be assigned in any of the subscriptions; readable from each of them."""
        for role in self._state.role_definitions.values():
            scopes = tuple(
                scope
                for scope in (f"/subscriptions/{each}" for each in sorted(subscriptions))
                if any(
                    self._access.covers(each, scope) or self._access.covers(scope, each)
                    for each in role.assignable_scopes
                )
            )
            if scopes:
                yield rows.of_definition(role, scopes, self._state.tenant_id)


def _table_of(resource: Resource) -> str:
    return "resourcecontainers" if resource.type == GROUP_TYPE else resource.graph_table
