"""The two recorded exchanges with Microsoft Graph, replayed; the two with ARM are replayed in
tests/simulator/conformance."""

import json
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest

from simulator.azure import Azure
from simulator.transport import ask

RECORDING = (
    Path(__file__).parents[4]
    / "shared"
    / "recordings"
    / "role-assignment-create-for-user-with-graph-lookup.json"
)
#: Headers that tell about this one request: presence counts, the value does not.
VARYING = {"content-length", "request-id"}


def exchanges() -> list[dict[str, Any]]:
    if not RECORDING.exists():
        pytest.skip("recordings absent")
    every = json.loads(RECORDING.read_text())["exchanges"]
    return [each for each in every if "graph.microsoft.com" in each["request"]["uri"]]


def shape(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: shape(each) for key, each in value.items()}
    if isinstance(value, list):
        return [shape(each) for each in value]
    return type(value).__name__


def recorded_user(exchange: dict[str, Any]) -> dict[str, Any]:
    (user,) = exchange["response"]["body"]["value"]
    return dict(user)


def azure_with(user: dict[str, Any]) -> Azure:
    azure = Azure()
    known = azure.state.add_principal(user["displayName"], "User", [user["userPrincipalName"]])
    del azure.state.principals[known.object_id]
    known.object_id = user["id"]
    azure.state.principals[known.object_id] = known
    return azure


async def replay(azure: Azure, request: dict[str, Any]) -> Any:
    caller = azure.state.add_principal("cli")
    azure.services.directory.grant_permission(caller.object_id)
    token = azure.tokens.issue(caller, "https://graph.microsoft.com/")
    headers = {**request["headers"], "authorization": f"Bearer {token.access_token}"}
    parts = urlsplit(request["uri"])
    url = f"https://graph.local/graph{parts.path}" + (f"?{parts.query}" if parts.query else "")
    body = json.dumps(request["body"]) if request["body"] else ""
    return await ask(azure.app, request["method"], url, headers, body.encode())


def test_the_recording_has_both_exchanges() -> None:
    methods = [each["request"]["method"] for each in exchanges()]
    assert methods == ["GET", "POST"]


@pytest.mark.parametrize("position", [0, 1], ids=["users by name", "getByIds"])
async def test_graph_answers_as_recorded(position: int) -> None:
    exchange = exchanges()[position]
    recorded = exchange["response"]
    answer = await replay(azure_with(recorded_user(exchange)), exchange["request"])
    body = json.loads(answer.content)
    assert answer.status == recorded["status"]
    assert body == recorded["body"]
    assert shape(body) == shape(recorded["body"])
    for name, value in recorded["headers"].items():
        assert name in answer.headers
        assert name in VARYING or answer.headers[name] == value
