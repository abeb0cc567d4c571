"""HTTP face of Resource Graph: one POST, its paging, its own quota."""

import json
from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.authorization.access import Access
from simulator.errors import AzureError
from simulator.resource_graph.answers import (
    Page,
    access_denied,
    answer,
    invalid,
    no_table,
    read_page,
    refuse,
    spoiled,
    too_large,
)
from simulator.resource_graph.index import Index
from simulator.resource_graph.query import Query, parse_query
from simulator.resource_graph.quota import QueryQuota
from simulator.resource_graph.rights import Rights
from simulator.resource_graph.tokens import InvalidQuery
from simulator.state import Json, State
from simulator.times import utc_z

VERSIONS = ("2019-04-01", "2021-03-01", "2022-10-01", "2024-04-01")
_PATH = "/providers/Microsoft.ResourceGraph/resources"


@dataclass(frozen=True)
class _Handlers:
    state: State
    access: Access
    index: Index
    quota: QueryQuota

    def query(self, request: ArmRequest) -> ArmResponse:
        support = self._support(request)
        headers = self.quota.take(request.caller.object_id, support)
        body = request.json()
        query, page = self._read(request, body)
        how = spoiled(self.state.behaviour, query.table)
        refuse(how, page, support)
        if query.table in self.state.behaviour.resource_graph_lacks:
            raise no_table(query.table, support)
        # Of named subscriptions what is at them and below (authorizationScopeFilter's default).
        above = not body.get("subscriptions")
        rows = self._visible(request, query, self._subscriptions(request, body), above=above)
        found = answer(query, query.shape(rows), page, how)
        self._weigh(found, support)
        return ArmResponse(200, found, headers)

    def _weigh(self, found: Json, support: str) -> None:
        limit = self.state.behaviour.resource_graph_most_bytes
        if limit and (size := len(json.dumps(found))) > limit:
            raise too_large(size, limit, support)

    def _read(self, request: ArmRequest, body: Json) -> tuple[Query, Page]:
        options = body.get("options") or {}
        if not isinstance(options, dict):
            raise self._invalid(request, "'options' must be an object")
        if options.get("resultFormat", "objectArray") != "objectArray":
            raise self._invalid(request, "only resultFormat 'objectArray' is simulated")
        try:
            query = parse_query(str(body.get("query") or ""))
            return query, read_page(options, self.state.behaviour.page_size)
        except InvalidQuery as error:
            raise self._invalid(request, str(error)) from None

    def _visible(
        self, request: ArmRequest, query: Query, subscriptions: frozenset[str], *, above: bool
    ) -> list[Json]:
        """Rows that the filters leave and the caller may read."""
        found = self.index.rows(query.table, subscriptions, above=above)
        rows = {id(row.columns): row for row in found}
        selected = query.select([row.columns for row in rows.values()])
        rights = Rights(self.access, request.caller.object_id)
        return [columns for columns in selected if rights.reads(rows[id(columns)])]

    def _subscriptions(self, request: ArmRequest, body: Json) -> frozenset[str]:
        """Those named, or all of the tenant. Raises AzureError 403 where none can be read."""
        named = self._names(request, body, "subscriptions")
        groups = self._names(request, body, "managementGroups")
        chosen = frozenset(
            each.id
            for each in self.state.subscriptions.values()
            if (not named and not groups)
            or each.id in named
            or groups & {name.lower() for name in each.management_groups}
        )
        oid = request.caller.object_id
        if named and not any(self.access.sees(oid, f"/subscriptions/{each}") for each in chosen):
            raise access_denied(self._support(request))
        return chosen

    def _names(self, request: ArmRequest, body: Json, member: str) -> set[str]:
        value = body.get(member) or []
        if not isinstance(value, list):
            raise self._invalid(request, f"'{member}' must be a list")
        return {str(each).lower() for each in value}

    def _invalid(self, request: ArmRequest, reason: str) -> AzureError:
        return invalid(reason, self._support(request))

    def _support(self, request: ArmRequest) -> str:
        now = utc_z(self.state.clock.now())
        return (
            f"Please provide below info when asking for support: timestamp = {now}, "
            f"correlationId = {request.correlation_id}."
        )


def operations(state: State, access: Access) -> list[Operation]:
    """The one operation. Signing in is enough: rows are what rights decide on."""
    handle = _Handlers(state, access, Index(state, access), QueryQuota(state))
    return [Operation("POST", _PATH, handle.query, None, versions=VERSIONS, counted=False)]
