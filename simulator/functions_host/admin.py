"""The host's admin API, opened by the master key: status, functions, and running one by hand."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping
from importlib.metadata import version

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulator.functions_host.bodies import BodyTooLarge, read_body
from simulator.functions_host.event_grid import MAX_BODY
from simulator.functions_host.functions import Function
from simulator.functions_host.invocation import Invoke, Result
from simulator.functions_host.keys import Keys
from simulator.functions_host.protocol import TypedData
from simulator.functions_host.timers import timer_data


class Admin:
    def __init__(self, functions: Mapping[str, Function], keys: Keys, invoke: Invoke) -> None:
        self._functions = functions
        self._keys = keys
        self._invoke = invoke
        self._running: set[asyncio.Task[Result]] = set()
        self.routes = [
            Route("/admin/host/status", self._guard(self._status), methods=["GET"]),
            Route("/admin/functions", self._guard(self._list), methods=["GET"]),
            Route("/admin/functions/{name}", self._guard(self._run), methods=["POST"]),
        ]

    async def finish(self) -> None:
        """Wait for what was started by hand."""
        if self._running:
            await asyncio.wait(self._running)

    def _guard(
        self, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            if not self._keys.open_admin(request):
                return Response(status_code=401)
            return await endpoint(request)

        return guarded

    async def _status(self, _request: Request) -> Response:
        return JSONResponse(
            {"state": "Running", "workerVersion": version("azure-functions-runtime")}
        )

    async def _list(self, _request: Request) -> Response:
        return JSONResponse(
            [
                {"name": f.name, "language": "python", "config": {"bindings": _bindings(f)}}
                for f in self._functions.values()
            ]
        )

    async def _run(self, request: Request) -> Response:
        """202 once it is started, as in Azure: how it went is in the log."""
        function = self._functions.get(request.path_params["name"])
        if function is None:
            return Response(status_code=404)
        if function.trigger.type == "httpTrigger":
            return PlainTextResponse("call an HTTP function by its own address", 400)
        try:
            given = _input(await read_body(request, MAX_BODY))
        except BodyTooLarge:
            return Response(status_code=413)
        except ValueError as error:
            return PlainTextResponse(str(error), 400)
        task = asyncio.create_task(self._invoke(function, _data(function, given)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return Response(status_code=202)


def _bindings(function: Function) -> list[dict[str, object]]:
    return [dict(binding.values) for binding in (function.trigger, *function.outputs)]


def _input(body: bytes) -> str:
    wrong = ValueError('the body is {"input": "…"}')
    try:
        parsed = json.loads(body or b"{}")
    except (ValueError, RecursionError):
        raise wrong from None
    given = parsed.get("input", "") if isinstance(parsed, dict) else None
    if not isinstance(given, str):
        raise wrong
    return given


def _data(function: Function, given: str) -> TypedData:
    match function.trigger.type:
        case "timerTrigger":
            return timer_data()
        case "eventGridTrigger":
            return TypedData(json=given)
        case _:
            return TypedData(string=given)
