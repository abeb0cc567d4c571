"""HTTP triggers: routes, methods, keys; the function's answer as an HTTP response."""

import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any, Literal

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from simulator.functions_host.bodies import BodyTooLarge, read_body
from simulator.functions_host.errors import StartError
from simulator.functions_host.functions import Function
from simulator.functions_host.invocation import Invoke
from simulator.functions_host.keys import Keys
from simulator.functions_host.protocol import PROTOS, TypedData

MAX_BODY = 100 * 1024 * 1024
"""Bytes: FUNCTIONS_REQUEST_BODY_SIZE_LIMIT of the real host."""

_PARAMETER = re.compile(r"\{(\*?)(\w+)\}")
_METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")


def http_routes(
    functions: Iterable[Function], prefix: str, keys: Keys, invoke: Invoke
) -> list[Route]:
    """One route an HTTP function, below `/<prefix>/`. Raises StartError for a bad one."""
    routes = [_route(f, prefix, keys, invoke) for f in functions if f.trigger.type == "httpTrigger"]
    # As ASP.NET does: what a route spells out goes before what it leaves open.
    return sorted(routes, key=lambda route: ["{" in part for part in route.path.split("/")])


def route_path(function: str, route: str, prefix: str) -> str:
    """`items/{id}` under `api` → `/api/items/{id}`; `{*rest}` takes the rest of the path."""
    rest = _PARAMETER.sub("", route)
    if "{" in rest or "}" in rest:
        raise StartError(f"function {function}: route {route!r}: use {{name}} or {{*name}}")
    path = _PARAMETER.sub(lambda m: f"{{{m[2]}:path}}" if m[1] else m[0], route)
    return "/" + "/".join(part for part in (prefix.strip("/"), path.strip("/")) if part)


def _route(function: Function, prefix: str, keys: Keys, invoke: Invoke) -> Route:
    values = function.trigger.values
    level = str(values.get("authLevel") or "function").lower()

    async def endpoint(request: Request) -> Response:
        if not _allowed(level, keys, request):
            return Response(status_code=401)
        return await _answer(request, function, invoke)

    path = route_path(function.name, values.get("route") or function.name, prefix)
    methods = [str(method) for method in values.get("methods") or _METHODS]
    return Route(path, endpoint, methods=methods)


def _allowed(level: str, keys: Keys, request: Request) -> bool:
    match level:
        case "anonymous":
            return True
        case "function":
            return keys.open_function(request)
        case _:
            return keys.open_master(request)


async def _answer(request: Request, function: Function, invoke: Invoke) -> Response:
    try:
        body = await read_body(request, MAX_BODY)
    except BodyTooLarge:
        return Response(status_code=413)
    parent = request.headers.get("traceparent", "")
    result = await invoke(function, _http_data(request, body), parent=parent)
    if not result.succeeded:
        return Response(status_code=500)
    output = next((b.name for b in function.outputs if b.type == "http"), "$return")
    return _response(result.output(output))


def _http_data(request: Request, body: bytes) -> TypedData:
    query = request.query_params
    return TypedData(
        http=PROTOS.RpcHttp(
            method=request.method,
            url=str(request.url),
            headers=dict(request.headers),
            params={name: str(value) for name, value in request.path_params.items()},
            query={name: ",".join(query.getlist(name)) for name in query},
            body=TypedData(bytes=body),
        )
    )


def _response(value: TypedData | None) -> Response:
    if value is None or value.kind is None:
        return Response(status_code=204)
    if value.kind != "http":
        return PlainTextResponse(str(value.value))
    answer = value.value
    response = Response(answer.body.value, int(answer.status_code), headers=answer.headers)
    for cookie in answer.cookies or ():
        _set_cookie(response, cookie)
    return response


def _set_cookie(response: Response, cookie: Any) -> None:
    same_site: dict[int, Literal["lax", "strict", "none"]] = {1: "lax", 2: "strict", 3: "none"}
    max_age, expires = _value(cookie.max_age), _value(cookie.expires)
    response.set_cookie(
        cookie.name,
        cookie.value,
        max_age=None if max_age is None else int(max_age),
        expires=None if expires is None else datetime.fromtimestamp(expires.seconds, UTC),
        path=_value(cookie.path) or "/",
        domain=_value(cookie.domain) or None,
        secure=bool(_value(cookie.secure)),
        httponly=bool(_value(cookie.http_only)),
        samesite=same_site.get(cookie.same_site),
    )


def _value(nullable: Any) -> Any:
    return None if nullable is None else nullable.value
