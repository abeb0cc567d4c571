"""The Event Grid webhook, `POST /runtime/webhooks/eventgrid?functionName=NAME&code=KEY`.

The handshake and the status codes are those of the Event Grid extension: Event Grid takes 200 to
204 as delivered and never retries 400, 401, 403 and 413; a failed function answers 500, upon which
the whole POST comes again.
"""

import asyncio
import json
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from simulator.functions_host.bodies import BodyTooLarge, read_body
from simulator.functions_host.functions import Function
from simulator.functions_host.invocation import Invoke
from simulator.functions_host.keys import Keys
from simulator.functions_host.protocol import TypedData

MAX_BODY = 1024 * 1024
"""Bytes. Event Grid sends no batch larger than 1 MB."""


class NotAnEvent(ValueError):
    """The body is not what Event Grid sends."""


class EventGridWebhook:
    def __init__(self, functions: Mapping[str, Function], keys: Keys, invoke: Invoke) -> None:
        self._functions = functions
        self._keys = keys
        self._invoke = invoke
        path = "/runtime/webhooks/eventgrid"
        self.routes = [Route(path, self._receive, methods=["POST", "OPTIONS"])]

    async def _receive(self, request: Request) -> Response:
        if not self._keys.open_event_grid(request):
            return Response(status_code=401)
        name = request.query_params.get("functionName", "")
        function = self._functions.get(name)
        if function is None or function.trigger.type != "eventGridTrigger":
            return PlainTextResponse(f"cannot find function: {name!r}", 404)
        if request.method == "OPTIONS":
            return _allow_origin(request)
        try:
            return await self._dispatch(request, function)
        except BodyTooLarge:
            return PlainTextResponse(f"the body is over {MAX_BODY} bytes", 413)
        except NotAnEvent as error:
            return PlainTextResponse(str(error), 400)

    async def _dispatch(self, request: Request, function: Function) -> Response:
        body = await read_body(request, MAX_BODY)
        match request.headers.get("aeg-event-type", "").lower():
            case "subscriptionvalidation":
                return JSONResponse({"validationResponse": validation_code(parse_events(body))})
            case "notification":
                return await self._deliver(function, parse_events(body))
            case "subscriptiondeletion":
                return Response(status_code=200)
            case unknown:
                return PlainTextResponse(f"unknown aeg-event-type: {unknown!r}", 400)

    async def _deliver(self, function: Function, events: list[dict[str, Any]]) -> Response:
        """One invocation an event, side by side: the Python binding takes one event a call."""
        results = await asyncio.gather(
            *(self._invoke(function, TypedData(json=json.dumps(event))) for event in events)
        )
        succeeded = all(result.succeeded for result in results)
        return Response(status_code=202 if succeeded else 500)


def _allow_origin(request: Request) -> Response:
    """The CloudEvents handshake (HTTP 1.1 Web Hooks for Event Delivery, section 4)."""
    origin = request.headers.get("webhook-request-origin")
    if not origin:
        return PlainTextResponse("WebHook-Request-Origin is missing", 400)
    return Response(headers={"WebHook-Allowed-Origin": origin})


def parse_events(body: bytes) -> list[dict[str, Any]]:
    """The events of a body: an array, or a single object. Raises NotAnEvent."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise NotAnEvent("the body is no JSON") from None
    events = parsed if isinstance(parsed, list) else [parsed]
    if not all(isinstance(event, dict) for event in events):
        raise NotAnEvent("an event is a JSON object")
    return events


def validation_code(events: list[dict[str, Any]]) -> str:
    """The code to answer with. `data` is an object, or a string of JSON in CloudEvents schema."""
    data = events[0].get("data") if events else None
    if isinstance(data, str):
        data = next(iter(parse_events(data.encode())), None)
    code = data.get("validationCode") if isinstance(data, dict) else None
    if not isinstance(code, str):
        raise NotAnEvent("a validation event carries data.validationCode")
    return code
