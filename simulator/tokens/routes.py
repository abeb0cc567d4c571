"""HTTP face of the managed identity endpoints. Plain http, as on a machine and in App Service.

- `GET /imds{resource id}/metadata/identity/oauth2/token`: a client on that machine sets
  `AZURE_POD_IDENTITY_AUTHORITY_HOST` to `{metadata}/imds{resource id}`.
- `GET /msi/token`: `IDENTITY_ENDPOINT`; `IDENTITY_HEADER` says which app is asking.
"""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.faults import ConnectionDropped, Drop, Faults
from simulator.state import Json, State
from simulator.tokens.endpoints import ManagedIdentityEndpoints, TokenRefused

type Answer = Callable[[Request], Awaitable[Response]]


def routes(endpoints: ManagedIdentityEndpoints, state: State, faults: Faults) -> list[Route]:
    """The two endpoints; faults name them "imds" and "msi"."""
    imds, app_service = partial(_imds, endpoints), partial(_app_service, endpoints)
    return [
        Route(
            "/imds/{resource_id:path}/metadata/identity/oauth2/token",
            _breakable("imds", imds, state, faults),
        ),
        Route("/msi/token", _breakable("msi", app_service, state, faults)),
    ]


def _breakable(service: str, answer: Answer, state: State, faults: Faults) -> Answer:
    async def endpoint(request: Request) -> Response:
        fault = faults.strike(service, request.method, request.url.path)
        if fault is None:
            return await answer(request)
        if fault.delay:
            await state.clock.sleep_until(state.clock.now() + fault.delay)
        if fault.drop is not None:
            raise ConnectionDropped(acted=fault.drop is Drop.AFTER)
        if error := fault.error():
            return JSONResponse(error.body(), error.status, dict(error.headers))
        return await answer(request)

    return endpoint


async def _imds(endpoints: ManagedIdentityEndpoints, request: Request) -> Response:
    if request.headers.get("metadata", "").lower() != "true":
        description = "Required metadata header not specified"
        return JSONResponse(
            {"error": "invalid_request", "error_description": description}, status_code=400
        )
    if "api-version" not in request.query_params:
        error = "Bad request. api-version was not specified in the request."
        return JSONResponse({"error": error, "newest-versions": ["2018-02-01"]}, status_code=400)
    resource_id = "/" + request.path_params["resource_id"]
    return _answer(lambda: endpoints.imds_token(resource_id, request.query_params))


async def _app_service(endpoints: ManagedIdentityEndpoints, request: Request) -> Response:
    header = request.headers.get("x-identity-header", "")
    return _answer(lambda: endpoints.app_service_token(header, request.query_params))


def _answer(give: Callable[[], Json]) -> Response:
    try:
        return JSONResponse(give(), headers={"Cache-Control": "no-store"})
    except TokenRefused as refused:
        return JSONResponse(refused.body, status_code=refused.status)
