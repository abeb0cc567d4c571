"""HTTP face of Resource Graph: one POST, its paging, its own quota."""

import base64
import json
from dataclasses import dataclass

from simulator.arm.messages import ArmRequest, ArmResponse, Operation
from simulator.authorization.access import Access
from simulator.errors import AzureError
from simulator.resource_graph.index import Index
from simulator.resource_graph.query import Query, parse_query
from simulator.resource_graph.quota import QueryQuota
from simulator.resource_graph.tokens import InvalidQuery
from simulator.state import Json, State
from simulator.times import utc_z

VERSIONS = ("2019-04-01", "2021-03-01", "2022-10-01", "2024-04-01")
_PATH = "/providers/Microsoft.ResourceGraph/resources"
#: More than this a page is refused.
_MAX_PAGE = 1000


@dataclass(frozen=True)
class _Page:
    skip: int
    top: int


@dataclass(frozen=True)
class _Handlers:
    state: State
    access: Access
    index: Index
    quota: QueryQuota

    def query(self, request: ArmRequest) -> ArmResponse:
        headers = self.quota.take(request.caller.object_id, self._support(request))
        body = request.json()
        query, page = self._read(request, body)
        rows = self._visible(request, query, self._subscriptions(request, body))
        shaped = query.shape(rows)
        chosen = shaped[page.skip : page.skip + page.top]
        answer: Json = {
            "totalRecords": len(shaped),
            "count": len(chosen),
            "data": chosen,
            "facets": [],
            "resultTruncated": "false",
        }
        reached = page.skip + len(chosen)
        if reached < len(shaped):
            answer["$skipToken"] = _token(reached, page.top)
        return ArmResponse(200, answer, headers)

    def _read(self, request: ArmRequest, body: Json) -> tuple[Query, _Page]:
        options = body.get("options") or {}
        if not isinstance(options, dict):
            raise self._invalid(request, "'options' must be an object")
        if options.get("resultFormat", "objectArray") != "objectArray":
            raise self._invalid(request, "only resultFormat 'objectArray' is simulated")
        try:
            query = parse_query(str(body.get("query") or ""))
            return query, _page(options, self.state.behaviour.page_size)
        except InvalidQuery as error:
            raise self._invalid(request, str(error)) from None

    def _visible(
        self, request: ArmRequest, query: Query, subscriptions: frozenset[str]
    ) -> list[Json]:
        """Rows that the filters leave and the caller may read."""
        oid = request.caller.object_id
        rows = {id(row.columns): row for row in self.index.rows(query.table, subscriptions)}
        selected = query.select([row.columns for row in rows.values()])
        return [
            columns
            for columns in selected
            if self.access.allowed(oid, rows[id(columns)].action, rows[id(columns)].scope)
        ]

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
            raise AzureError(
                403,
                "AccessDenied",
                self._support(request),
                details=[{"code": "AccessDenied", "message": "Access is denied."}],
            )
        return chosen

    def _names(self, request: ArmRequest, body: Json, member: str) -> set[str]:
        value = body.get(member) or []
        if not isinstance(value, list):
            raise self._invalid(request, f"'{member}' must be a list")
        return {str(each).lower() for each in value}

    def _invalid(self, request: ArmRequest, reason: str) -> AzureError:
        text = (
            "Query is invalid. Please refer to the documentation for the Azure Resource Graph "
            "service and fix the error before retrying."
        )
        details = [
            {"code": "InvalidQuery", "message": text},
            {"code": "ParserFailure", "message": reason},
        ]
        return AzureError(400, "BadRequest", self._support(request), details=details)

    def _support(self, request: ArmRequest) -> str:
        now = utc_z(self.state.clock.now())
        return (
            f"Please provide below info when asking for support: timestamp = {now}, "
            f"correlationId = {request.correlation_id}."
        )


def operations(state: State, access: Access) -> list[Operation]:
    """The one operation. Signing in is enough: rows are what rights decide on."""
    handle = _Handlers(state, access, Index(state), QueryQuota(state))
    return [Operation("POST", _PATH, handle.query, None, versions=VERSIONS, counted=False)]


def _page(options: Json, size: int) -> _Page:
    top, skip = options.get("$top") or size, options.get("$skip") or 0
    if not isinstance(top, int) or not 1 <= top <= _MAX_PAGE:
        raise InvalidQuery(f"$top must be from 1 to {_MAX_PAGE}")
    if not isinstance(skip, int) or skip < 0:
        raise InvalidQuery("$skip must not be negative")
    token = options.get("$skipToken")
    if token is None:
        return _Page(skip, min(top, size))
    try:
        kept = json.loads(base64.b64decode(token, validate=True))
        return _Page(int(kept["skip"]), int(kept["top"]))
    except (ValueError, KeyError, TypeError):
        raise InvalidQuery("the $skipToken is not one of ours") from None


def _token(skip: int, top: int) -> str:
    return base64.b64encode(json.dumps({"skip": skip, "top": top}).encode()).decode()
