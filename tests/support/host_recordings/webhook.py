"""A recorded request to the webhook, sent to ours in this process."""

import base64
import json
from collections.abc import Mapping
from typing import Any

import httpx
from starlette.applications import Starlette

from simulator.functions_host.event_grid import EventGridWebhook
from simulator.functions_host.functions import Binding, Function
from simulator.functions_host.invocation import Result
from simulator.functions_host.keys import Keys
from simulator.functions_host.protocol import TypedData
from tests.support.host_recordings.rows import Row

_KEYS = Keys("master", "function", "KEY")
_PATH = "/runtime/webhooks/EventGrid"


class _Py:
    """What the recorded function `Py` is: it keeps what it is called with, and fails for an event
    of this id.
    """

    def __init__(self) -> None:
        self.calls: list[Any] = []

    async def __call__(
        self,
        _function: Function,
        data: TypedData,
        _metadata: Mapping[str, TypedData] | None = None,
        *,
        parent: str | None = None,
    ) -> Result:
        assert parent is not None, "an event comes with a trace"
        event = json.loads(data.value)
        self.calls.append(event)
        return Result(event.get("id") != "throw")


async def answer(row: Row) -> dict[str, Any]:
    """Status, body and calls of ours, in the shape of `expected`."""
    called = _Py()
    function = Function("Py", "1", Binding("event", "eventGridTrigger", {}), ())
    webhook = EventGridWebhook({"Py": function}, _KEYS, called)
    transport = httpx.ASGITransport(Starlette(routes=webhook.routes))
    request = row["request"]
    async with httpx.AsyncClient(transport=transport, base_url="http://host") as client:
        response = await client.request(
            request["method"],
            _PATH + request["query"],
            headers={**request["headers"], "x-functions-key": "KEY"},
            content=_content(request),
        )
    return _shape(response.status_code, response.text, called.calls)


def expected(row: Row) -> dict[str, Any]:
    """What the real one did."""
    calls = [json.loads(call["arg"]) for call in row["calls"]]
    return _shape(row["response"]["status"], row["response"]["body"], calls)


def _shape(status: int, body: str, calls: list[Any]) -> dict[str, Any]:
    said = json.loads(body) if body.startswith("{") else body
    # They ran side by side.
    return {"status": status, "body": said, "calls": sorted(calls, key=json.dumps)}


def _content(request: Row) -> bytes | None:
    if encoded := request.get("body_base64"):
        return base64.b64decode(encoded)
    return None if request["body"] is None else str(request["body"]).encode()
