"""The host's admin API, opened by the master key: status, functions, and running one by hand."""

import asyncio
import json
import os
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
from simulator.functions_host.timers import TimerListener, timer_data


class Admin:
    def __init__(
        self,
        functions: Mapping[str, Function],
        keys: Keys,
        invoke: Invoke,
        timers: Mapping[str, TimerListener],
    ) -> None:
        self._functions = functions
        self._keys = keys
        self._invoke = invoke
        self._timers = timers
        self._running: set[asyncio.Task[Result]] = set()
        self.routes = [
            Route("/admin/host/ping", _ping, methods=["GET"]),
            Route("/admin/host/status", self._guard(self._status), methods=["GET"]),
            Route("/admin/functions", self._guard(self._list), methods=["GET"]),
            Route("/admin/functions/{name}", self._guard(self._run), methods=["POST"]),
        ]

    def _guard(
        self, endpoint: Callable[[Request], Awaitable[Response]]
    ) -> Callable[[Request], Awaitable[Response]]:
        async def guarded(request: Request) -> Response:
            if refused := self._keys.refuse_admin(request):
                return Response(status_code=refused)
            return await endpoint(request)

        return guarded

    async def _status(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "state": "Running",
                "version": version("azure-functions-runtime"),
                "instanceId": str(os.getpid()),
            }
        )

    async def _list(self, _request: Request) -> Response:
        return JSONResponse([_listed(function) for function in self._functions.values()])

    async def _run(self, request: Request) -> Response:
        """202 once it is started, as in Azure: how it went is in the log."""
        function = self._named(request.path_params["name"])
        if function is None:
            return Response(status_code=404)
        if function.trigger.type == "httpTrigger":
            return PlainTextResponse("call an HTTP function by its own address", 400)
        if "json" not in request.headers.get("content-type", ""):
            return Response(status_code=415)
        try:
            given = _input(await read_body(request, MAX_BODY))
        except BodyTooLarge:
            return Response(status_code=413)
        except ValueError as error:
            return PlainTextResponse(str(error), 400)
        task = asyncio.create_task(self._invoke(function, self._data(function, given)))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return Response(status_code=202)

    def _named(self, name: str) -> Function | None:
        """By its name without case."""
        return next((f for f in self._functions.values() if f.name.lower() == name.lower()), None)

    def _data(self, function: Function, given: str) -> TypedData:
        match function.trigger.type:
            case "timerTrigger":
                timer = self._timers.get(function.name)
                return timer_data(status=None if timer is None else timer.status)
            case "eventGridTrigger":
                return TypedData(json=given)
            case _:
                return TypedData(string=given)


async def _ping(_request: Request) -> Response:
    """It says that there is a process, not that it serves anything."""
    return Response()


def _listed(function: Function) -> dict[str, object]:
    bindings = (function.trigger, *function.outputs)
    return {
        "name": function.name,
        "language": "python",
        "isDisabled": not function.enabled,
        "config": {"bindings": [dict(binding.values) for binding in bindings]},
    }


def _input(body: bytes) -> str:
    """What a function is to be given. Raises ValueError for what the host refuses."""
    wrong = ValueError('the body is {"input": "…"}')
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise wrong from None
    given = parsed.get("input", "") if isinstance(parsed, dict) else None
    if given is None or isinstance(given, dict | list):
        raise wrong
    return given if isinstance(given, str) else json.dumps(given)
