"""The Event Grid webhook, `/runtime/webhooks/eventgrid?functionName=NAME&code=KEY`.

Handshake, status codes and bodies are those of the Event Grid extension (3.3.0). Event Grid takes
200 to 204 as delivered and never retries 400, 401, 403 and 413; upon 500, which is also what a body
that cannot be read gets, the whole POST comes again.
"""

import asyncio
import codecs
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from simulator.functions_host import newtonsoft
from simulator.functions_host.bodies import BodyTooLarge, read_body
from simulator.functions_host.functions import Function
from simulator.functions_host.invocation import Invoke
from simulator.functions_host.keys import Keys
from simulator.functions_host.protocol import TypedData

MAX_BODY = 100 * 1024 * 1024
"""Bytes that the host takes. Event Grid sends no batch larger than 1 MB."""
_METHODS = ["GET", "POST", "PUT", "DELETE", "OPTIONS"]
#: The extension names its own service, whoever asks.
_ALLOWED = {"WebHook-Allowed-Origin": "eventgrid.azure.net"}


class NotAnEvent(Exception):
    """The body is not what Event Grid sends: an error within the extension."""


class EventGridWebhook:
    def __init__(self, functions: Mapping[str, Function], keys: Keys, invoke: Invoke) -> None:
        self._functions = functions
        self._keys = keys
        self._invoke = invoke
        path = "/runtime/webhooks/{extension}"
        self.routes = [
            Route(path, self._receive, methods=_METHODS),
            Route(path + "/{rest:path}", self._receive, methods=_METHODS),
        ]

    async def _receive(self, request: Request) -> Response:
        if request.path_params["extension"].lower() != "eventgrid":
            return Response(status_code=404)
        if refused := self._keys.refuse_event_grid(request):
            return Response(status_code=refused)
        name = _asked_function(request)
        function = self._functions.get(name)
        if function is None or not function.enabled or function.trigger.type != "eventGridTrigger":
            return PlainTextResponse(f"cannot find function: '{name}'", 404)
        if request.method == "OPTIONS":
            return Response(headers=_ALLOWED)
        try:
            return await self._dispatch(request, function)
        except BodyTooLarge:
            return Response(status_code=413)
        except (NotAnEvent, newtonsoft.NotJson, LookupError):
            return Response(status_code=500)

    async def _dispatch(self, request: Request, function: Function) -> Response:
        match request.headers.get("aeg-event-type", "").strip().lower():
            case "subscriptionvalidation":
                code = validation_code(await _read(request))
                return PlainTextResponse(json.dumps({"validationResponse": code}))
            case "notification":
                return await self._deliver(request, function, await _read(request))
            case "unsubscribe":
                return Response(status_code=202)
            case _:
                return Response(status_code=400)

    async def _deliver(self, request: Request, function: Function, parsed: Any) -> Response:
        """One invocation an event, side by side: the Python binding takes one event a call.

        What is no event fails the POST; those beside it run all the same.
        """
        events = _events(parsed)
        good = [event for event in events if isinstance(event, dict)]
        parent = request.headers.get("traceparent", "")
        results = await asyncio.gather(*(self._call(function, event, parent) for event in good))
        if not all(results):
            return PlainTextResponse(
                f"Exception while executing function: Functions.{function.name}", 500
            )
        return Response(status_code=202 if len(good) == len(events) else 500)

    async def _call(self, function: Function, event: dict[str, Any], parent: str) -> bool:
        data = TypedData(json=newtonsoft.compact(event))
        return (await self._invoke(function, data, parent=parent)).succeeded


def _asked_function(request: Request) -> str:
    """The name in the query, whose own case is free; given twice, both are one name."""
    asked = request.query_params.multi_items()
    return ",".join(value for name, value in asked if name.lower() == "functionname")


async def _read(request: Request) -> Any:
    body = await read_body(request, MAX_BODY)
    return newtonsoft.read(_decoded(body, request.headers.get("content-type", "")))


def _decoded(body: bytes, content_type: str) -> str:
    """By its mark of byte order, or else by the charset that it says. Raises LookupError."""
    for mark, encoding in ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le")):
        if body.startswith(mark):
            return body.removeprefix(mark).decode(encoding, "replace")
    _, _, charset = content_type.lower().partition("charset=")
    named = charset.partition(";")[0].strip(' "') or "utf-8"
    return body.decode("utf-16-le" if named == "utf-16" else named, "replace")


def _events(parsed: Any) -> list[Any]:
    """The items of an array, or the one object. Raises NotAnEvent."""
    if isinstance(parsed, list):
        return parsed
    if isinstance(parsed, dict):
        return [parsed]
    raise NotAnEvent("neither an array nor an object")


def validation_code(parsed: Any) -> str:
    """The code to answer with, of the first event alone. Raises NotAnEvent or NotJson.

    A single object's `data` may be a text of JSON (CloudEvents schema).
    """
    first = next(iter(_events(parsed)), None)
    data = first.get("data") if isinstance(first, dict) else None
    if isinstance(data, str) and isinstance(parsed, dict):
        data = newtonsoft.read(data)
    code = data.get("validationCode") if isinstance(data, dict) else None
    if isinstance(code, str):
        return newtonsoft.shown(code)
    if isinstance(code, int | float):
        return newtonsoft.compact(code)
    raise NotAnEvent("a validation event carries data.validationCode")
