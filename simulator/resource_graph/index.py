"""What Resource Graph knows: the resources and role assignments of a moment ago."""

from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from simulator.resource_graph.query import RESOURCE_TABLES
from simulator.resource_ids import parse, subscription_of
from simulator.resources import GROUP_TYPE, render
from simulator.state import Json, Observed, Resource, RoleAssignment, State
from simulator.times import utc_z


@dataclass(frozen=True)
class _Change[Value]:
    at: float
    key: str
    before: Value | None


class _Past[Value]:
    """A dictionary as it was, kept as far back as the lag reaches."""

    def __init__(self, state: State, live: Observed[Value]) -> None:
        self._state = state
        self._live = live
        self._changes: deque[_Change[Value]] = deque()
        live.observe(self._note)

    def values(self) -> Iterable[Value]:
        """As of `Behaviour.resource_graph_lag_seconds` ago."""
        self._forget()
        if not self._changes:
            return list(self._live.values())
        past = dict(self._live)
        for change in reversed(self._changes):
            if change.before is None:
                past.pop(change.key, None)
            else:
                past[change.key] = change.before
        return past.values()

    def _note(self, key: str, before: Value | None, _after: Value | None) -> None:
        if self._state.behaviour.resource_graph_lag_seconds > 0:
            self._changes.append(_Change(self._state.clock.now(), key, before))

    def _forget(self) -> None:
        lag = self._state.behaviour.resource_graph_lag_seconds
        seen = self._state.clock.now() - lag
        while self._changes and self._changes[0].at <= seen:
            self._changes.popleft()


@dataclass(frozen=True)
class Row:
    """A row, and what one must be allowed to read to see it."""

    columns: Json
    action: str
    scope: str


class Index:
    """The rows of the tables, lagging as the switch says."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._resources = _Past(state, state.resources)
        self._assignments = _Past(state, state.role_assignments)
        self._tables: dict[str, Callable[[], Iterable[Row]]] = {
            **{table: partial(self._resource_rows, table) for table in RESOURCE_TABLES},
            "resourcecontainers": self._container_rows,
            "authorizationresources": self._assignment_rows,
        }

    def rows(self, table: str, subscriptions: frozenset[str]) -> list[Row]:
        """The table's rows in these subscriptions (lower-case ids), by id."""
        found = [
            row for row in self._tables[table]() if row.columns["subscriptionId"] in subscriptions
        ]
        return sorted(found, key=lambda row: str(row.columns["id"]).lower())

    def _resource_rows(self, table: str) -> Iterable[Row]:
        for resource in self._resources.values():
            if resource.type != GROUP_TYPE and resource.graph_table == table:
                yield Row(
                    _resource_row(resource, self._state.tenant_id),
                    f"{resource.type}/read",
                    resource.id,
                )

    def _container_rows(self) -> Iterable[Row]:
        for subscription in self._state.subscriptions.values():
            scope = f"/subscriptions/{subscription.id}"
            columns = _container_row(
                scope, subscription.display_name, "microsoft.resources/subscriptions", self._state
            )
            yield Row(columns, "Microsoft.Resources/subscriptions/read", scope)
        for group in self._resources.values():
            if group.type == GROUP_TYPE:
                kind = "microsoft.resources/subscriptions/resourcegroups"
                columns = _container_row(group.id, group.name, kind, self._state)
                columns |= {
                    "location": group.location,
                    "tags": group.tags,
                    "resourceGroup": group.name.lower(),
                    "properties": {"provisioningState": group.provisioning_state},
                }
                action = "Microsoft.Resources/subscriptions/resourceGroups/read"
                yield Row(columns, action, group.id)

    def _assignment_rows(self) -> Iterable[Row]:
        for assignment in self._assignments.values():
            columns = _assignment_row(assignment, self._state.tenant_id)
            yield Row(columns, "Microsoft.Authorization/roleAssignments/read", assignment.scope)


def _resource_row(resource: Resource, tenant_id: str) -> Json:
    """Types come in lower case, as does the resource group; other ids keep theirs."""
    parsed = parse(resource.id)
    return {
        **dict.fromkeys(("kind", "sku", "plan", "zones", "identity", "extendedLocation")),
        **render(resource),
        "type": resource.type.lower(),
        "tenantId": tenant_id,
        "managedBy": "",
        "resourceGroup": parsed.group.lower() if parsed else "",
        "subscriptionId": subscription_of(resource.id),
    }


def _container_row(scope: str, name: str, kind: str, state: State) -> Json:
    return {
        "id": scope,
        "name": name,
        "type": kind,
        "tenantId": state.tenant_id,
        "location": "",
        "tags": {},
        "resourceGroup": "",
        "properties": {"state": "Enabled"},
        "subscriptionId": subscription_of(scope),
    }


def _assignment_row(assignment: RoleAssignment, tenant_id: str) -> Json:
    """The casing "RoleAssignments" is Resource Graph's own (its documentation's sample)."""
    return {
        "id": assignment.id.replace("/roleAssignments/", "/RoleAssignments/"),
        "name": assignment.name,
        "type": "microsoft.authorization/roleassignments",
        "tenantId": tenant_id,
        "location": "global",
        "resourceGroup": "",
        "subscriptionId": subscription_of(assignment.scope) or "",
        "properties": {
            "principalId": assignment.principal_id,
            "principalType": assignment.principal_type,
            "roleDefinitionId": assignment.role_definition_id.replace(
                "/roleDefinitions/", "/RoleDefinitions/"
            ),
            "scope": assignment.scope,
            "description": assignment.description,
            "condition": assignment.condition,
            "conditionVersion": assignment.condition_version,
            "createdOn": utc_z(assignment.created_at),
            "updatedOn": utc_z(assignment.updated_at),
            "createdBy": assignment.created_by,
            "updatedBy": assignment.updated_by,
        },
    }
