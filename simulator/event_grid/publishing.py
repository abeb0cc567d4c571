"""Where custom topics take events: `POST /eventgrid/{name}.{region}-1/api/events`, CloudEvents.

Sources: Microsoft's pages "Publish events to custom topics" (statuses, the error's shape, 1 MB a
request) and "Authenticate publishing clients using Microsoft Entra ID" (audience and data action);
Azure/azure-sdk-for-net#22831 for what Azure answers a principal without the right. Only Entra
tokens are taken, no access keys.
"""

import json
import re
from dataclasses import dataclass
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from simulator.authorization.access import Access
from simulator.data_plane import Claims, DataPlane
from simulator.errors import AzureError
from simulator.event_grid.custom_topics import CLOUD_EVENTS, CustomTopics
from simulator.faults import Faults
from simulator.state import Json, Resource, State
from simulator.tokens.jwt import EVENT_GRID_AUDIENCES, TokenIssuer

SEND = "Microsoft.EventGrid/events/send/action"
MAX_BYTES = 1024 * 1024
_BATCH, _SINGLE = "application/cloudevents-batch+json", "application/cloudevents+json"
_REQUIRED = ("id", "source", "specversion", "type")
# What CloudEvents 1.0 allows as the name of an attribute; `data_base64` is the format's own.
_ATTRIBUTE = re.compile("[a-z0-9]+|data_base64")


def data_plane(state: State, tokens: TokenIssuer, faults: Faults) -> DataPlane:
    """The front of the topics: faults name it "eventgrid"."""
    return DataPlane("eventgrid", state, tokens, faults, EVENT_GRID_AUDIENCES, _render_error)


def routes(topics: CustomTopics, access: Access, front: DataPlane) -> list[Route]:
    """Relative to where the topics are mounted."""
    publishing = _Publishing(topics, access, front)
    return [Route("/{host}/api/events", publishing.publish, methods=["POST"])]


@dataclass(frozen=True)
class _Publishing:
    topics: CustomTopics
    access: Access
    front: DataPlane

    async def publish(self, request: Request) -> Response:
        content = await request.body()

        async def act(claims: Claims) -> Response:
            topic = self.topics.by_host(request.path_params["host"])
            if topic is None:
                raise AzureError(404, "NotFound", "The topic does not exist.")
            if not self.access.allowed(claims["oid"], SEND, topic.id, data=True):
                raise _no_permission(topic)
            self.topics.receive(topic, _events(topic, request, content))
            return Response(status_code=200)

        return await self.front.serve(request, act)


def _events(topic: Resource, request: Request, content: bytes) -> list[Json]:
    """The events of a request. Raises AzureError 400 or 413."""
    if topic.properties["inputSchema"] != CLOUD_EVENTS:
        raise _bad_request(f"This topic takes {topic.properties['inputSchema']}: not simulated.")
    if request.query_params.get("api-version") != "2018-01-01":
        raise _bad_request("The api-version must be 2018-01-01.")
    if len(content) > MAX_BYTES:
        raise AzureError(413, "RequestEntityTooLarge", f"The limit is {MAX_BYTES} bytes.")
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = _json(content)
    if kind == _BATCH and isinstance(body, list):
        return [_checked(event) for event in body]
    if kind == _SINGLE:
        return [_checked(body)]
    raise _bad_request(f"The content type '{kind}' does not fit the topic's schema and the body.")


def _json(content: bytes) -> Any:
    try:
        return json.loads(content)
    except ValueError:
        raise _bad_request("The body is no JSON.") from None


def _checked(event: Any) -> Json:
    if not isinstance(event, dict):
        raise _bad_request("An event is an object.")
    for name in _REQUIRED:
        if not isinstance(event.get(name), str) or not event[name]:
            raise _bad_request(f"The attribute '{name}' is missing.")
    if event["specversion"] != "1.0":
        raise _bad_request(f"The specversion '{event['specversion']}' is not supported.")
    for name in event:
        if not _ATTRIBUTE.fullmatch(name):
            raise _bad_request(f"'{name}' cannot be the name of an attribute.")
    return event


def _bad_request(message: str) -> AzureError:
    return AzureError(400, "BadRequest", message)


def _no_permission(topic: Resource) -> AzureError:
    """401, not 403: so Azure answered (azure-sdk-for-net#22831)."""
    return AzureError(
        401,
        "Unauthorized",
        "The principal associated with access token presented with the incoming request does not "
        f"have permission to send data to {topic.id}.",
    )


def _render_error(error: AzureError) -> Response:
    code = "Unauthorized" if error.status == 401 else error.code
    detail = {"code": code, "message": error.message}
    return JSONResponse({"error": {**detail, "details": [detail]}}, error.status, error.headers)
