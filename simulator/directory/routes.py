"""HTTP face of the directory: the part of Microsoft Graph v1.0 that is simulated."""

import json
from dataclasses import dataclass
from functools import partial
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.data_plane import Claims, DataPlane
from simulator.directory.errors import bad_request, unknown_segment
from simulator.directory.filters import service_principal_filter, user_filter
from simulator.directory.models import GROUP_PERMISSIONS, RESTORE_PERMISSIONS, Directory
from simulator.directory.recycle_bin import RecycleBin
from simulator.errors import AzureError
from simulator.faults import Faults
from simulator.state import Json, State
from simulator.times import utc_z
from simulator.tokens.jwt import GRAPH_AUDIENCES, TokenIssuer

_CONTEXT = "https://graph.microsoft.com/v1.0/$metadata"
_MOST_A_PAGE = 999
_CONTENT_TYPE = (
    "application/json;odata.metadata=minimal;odata.streaming=true;"
    "IEEE754Compatible=false;charset=utf-8"
)


def data_plane(state: State, tokens: TokenIssuer, faults: Faults) -> DataPlane:
    """The front of Graph: faults name it "graph"."""
    render = partial(_render_error, state)
    return DataPlane("graph", state, tokens, faults, GRAPH_AUDIENCES, render)


def routes(directory: Directory, recycle_bin: RecycleBin, front: DataPlane) -> list[Route]:
    """Relative to where Graph is mounted."""
    handle = _Handlers(directory, front)
    deleted = _DeletedItems(directory, recycle_bin, front)
    item = "/v1.0/directory/deletedItems/{id}"
    return [
        Route("/v1.0/directory/deletedItems/microsoft.graph.{type}", deleted.list, methods=["GET"]),
        Route(item, deleted.get, methods=["GET"]),
        Route(item, deleted.purge, methods=["DELETE"]),
        Route(f"{item}/restore", deleted.restore, methods=["POST"]),
        Route("/v1.0/directoryObjects/getByIds", handle.get_by_ids, methods=["POST"]),
        Route("/v1.0/groups/{id}/transitiveMembers", handle.transitive_members, methods=["GET"]),
        Route("/v1.0/servicePrincipals/{id}", handle.service_principal, methods=["GET"]),
        Route("/v1.0/servicePrincipals", handle.service_principals, methods=["GET"]),
        Route("/v1.0/users/{id}", handle.user, methods=["GET"]),
        Route("/v1.0/users", handle.users, methods=["GET"]),
        Route("/v1.0/me", handle.me, methods=["GET"]),
        Route("/{rest:path}", handle.unknown, methods=["GET", "POST", "PUT", "PATCH", "DELETE"]),
    ]


@dataclass(frozen=True)
class _Handlers:
    directory: Directory
    front: DataPlane

    async def get_by_ids(self, request: Request) -> Response:
        async def act(claims: Claims) -> Response:
            self.directory.admit(claims["oid"])
            ids, types = _asked(await request.body())
            found = self.directory.get_by_ids(ids, types)
            body = {"@odata.context": f"{_CONTEXT}#directoryObjects", "value": found}
            return _answer(body, "3", {"location": "https://graph.microsoft.com"})

        return await self.front.serve(request, act)

    async def transitive_members(self, request: Request) -> Response:
        async def act(claims: Claims) -> Response:
            self.directory.admit(claims["oid"], GROUP_PERMISSIONS)
            found = self.directory.transitive_members(request.path_params["id"])
            return _answer(_page_of(found, request), "3")

        return await self.front.serve(request, act)

    async def service_principal(self, request: Request) -> Response:
        async def act(claims: Claims) -> Response:
            self.directory.admit(claims["oid"])
            found = self.directory.service_principal(request.path_params["id"])
            return _answer(
                {"@odata.context": f"{_CONTEXT}#servicePrincipals/$entity", **found}, "1"
            )

        return await self.front.serve(request, act)

    async def service_principals(self, request: Request) -> Response:
        async def act(claims: Claims) -> Response:
            self.directory.admit(claims["oid"])
            wanted = service_principal_filter(request.query_params.get("$filter"))
            found = self.directory.service_principals(wanted)
            return _answer({"@odata.context": f"{_CONTEXT}#servicePrincipals", "value": found}, "2")

        return await self.front.serve(request, act)

    async def user(self, request: Request) -> Response:
        async def act(claims: Claims) -> Response:
            self.directory.admit(claims["oid"])
            found = self.directory.user(request.path_params["id"])
            return _answer({"@odata.context": f"{_CONTEXT}#users/$entity", **found}, "1")

        return await self.front.serve(request, act)

    async def users(self, request: Request) -> Response:
        async def act(claims: Claims) -> Response:
            self.directory.admit(claims["oid"])
            wanted = user_filter(request.query_params.get("$filter"))
            found = self.directory.users(wanted)
            return _answer({"@odata.context": f"{_CONTEXT}#users", "value": found}, "2")

        return await self.front.serve(request, act)

    async def me(self, request: Request) -> Response:
        async def act(claims: Claims) -> Response:
            found = self.directory.signed_in(claims["oid"])
            return _answer({"@odata.context": f"{_CONTEXT}#users/$entity", **found}, "1")

        return await self.front.serve(request, act)

    async def unknown(self, request: Request) -> Response:
        async def act(_claims: Claims) -> Response:
            raise unknown_segment(request.path_params["rest"].removeprefix("v1.0/"))

        return await self.front.serve(request, act)


@dataclass(frozen=True)
class _DeletedItems:
    directory: Directory
    recycle_bin: RecycleBin
    front: DataPlane

    async def get(self, request: Request) -> Response:
        async def act(claims: Claims) -> Response:
            self.directory.admit(claims["oid"])
            return _one_object(self.recycle_bin.get(request.path_params["id"]))

        return await self.front.serve(request, act)

    async def list(self, request: Request) -> Response:
        async def act(claims: Claims) -> Response:
            self.directory.admit(claims["oid"])
            found = self.recycle_bin.list_of(f"microsoft.graph.{request.path_params['type']}")
            return _answer({"@odata.context": f"{_CONTEXT}#directoryObjects", "value": found}, "2")

        return await self.front.serve(request, act)

    async def restore(self, request: Request) -> Response:
        async def act(claims: Claims) -> Response:
            self.directory.admit(claims["oid"], RESTORE_PERMISSIONS)
            return _one_object(self.recycle_bin.restore(request.path_params["id"]))

        return await self.front.serve(request, act)

    async def purge(self, request: Request) -> Response:
        async def act(claims: Claims) -> Response:
            self.directory.admit(claims["oid"], RESTORE_PERMISSIONS)
            self.recycle_bin.purge(request.path_params["id"])
            return Response(status_code=204, headers={"request-id": str(uuid4())})

        return await self.front.serve(request, act)


def _page_of(found: list[Json], request: Request) -> Json:
    """A page of a list, `$top` long (100 where it is not given, 999 at most), and the link to the
    next one.
    """
    size = min(int(request.query_params.get("$top", "100")), _MOST_A_PAGE)
    start = int(request.query_params.get("$skiptoken", "0"))
    body: Json = {"@odata.context": f"{_CONTEXT}#directoryObjects"}
    if start + size < len(found):
        more = request.url.include_query_params(**{"$skiptoken": str(start + size)})
        body["@odata.nextLink"] = str(more)
    return {**body, "value": found[start : start + size]}


def _one_object(found: Json) -> Response:
    return _answer({"@odata.context": f"{_CONTEXT}#directoryObjects/$entity", **found}, "1")


def _asked(content: bytes) -> tuple[list[str], list[str] | None]:
    try:
        body = json.loads(content)
    except ValueError:
        raise bad_request("Unable to read JSON request payload.") from None
    ids = body.get("ids") if isinstance(body, dict) else None
    if not isinstance(ids, list):
        raise bad_request("The ids collection is missing.")
    return ids, body.get("types")


def _answer(body: Json, units: str, headers: dict[str, str] | None = None) -> Response:
    common = {"odata-version": "4.0", "request-id": str(uuid4()), "x-ms-resource-unit": units}
    return JSONResponse(body, headers={**common, **(headers or {}), "content-type": _CONTENT_TYPE})


def _render_error(state: State, error: AzureError) -> Response:
    request_id = str(uuid4())
    inner = {
        "date": utc_z(state.clock.now())[:19],
        "request-id": request_id,
        "client-request-id": request_id,
    }
    body = {"error": {"code": error.code, "message": error.message, "innerError": inner}}
    headers = {**error.headers, "request-id": request_id}
    return JSONResponse(body, status_code=error.status, headers=headers)
