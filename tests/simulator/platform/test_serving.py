"""The served whole: real SDK clients over TLS, events to an endpoint, control from outside."""

import asyncio
import json
import os
import signal
import ssl
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from azure.core.exceptions import HttpResponseError, ServiceRequestError
from azure.core.rest import HttpRequest
from azure.identity.aio import ManagedIdentityCredential
from azure.mgmt.resource.resources.aio import ResourceManagementClient
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, Router

from simulator.event_grid.models import TOPIC_TYPE, TopicType
from simulator.listener import HOST, listen
from simulator.state import Json
from tests.support.platform.served import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
DEADLINE = 20


@dataclass
class Control:
    """The control as another process uses it."""

    http: httpx.AsyncClient

    async def ask(self, method: str, path: str, body: Json | None = None, status: int = 200) -> Any:
        answer = await self.http.request(method, path, json=body)
        assert answer.status_code == status, answer.text
        return answer.json()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def control(world: World) -> AsyncIterator[Control]:
    key = {"authorization": f"Bearer {world.addresses.operator.identity_header}"}
    async with httpx.AsyncClient(base_url=world.addresses.control, headers=key) as http:
        yield Control(http)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def arm(world: World) -> AsyncIterator[ResourceManagementClient]:
    """The operator at work, with a token from the App Service style endpoint."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("IDENTITY_ENDPOINT", world.addresses.identity_endpoint)
        environment.setenv("IDENTITY_HEADER", world.addresses.operator.identity_header)
        credential = ManagedIdentityCredential()
    client = ResourceManagementClient(
        credential,
        world.addresses.subscriptions[0],
        base_url=world.addresses.arm,
        credential_scopes=["https://management.azure.com/.default"],
        connection_verify=str(world.addresses.certificates.ca_file),
        retry_total=0,
    )
    async with client, credential:
        yield client


async def send(arm: ResourceManagementClient, method: str, path: str, body: Any = None) -> Json:
    version = "2025-01-01" if "/Microsoft.Storage/" in path else "2025-02-15"
    url = f"{arm._config.base_url}{path}?api-version={version}"
    response = await arm._client.send_request(HttpRequest(method, url, json=body))
    response.raise_for_status()
    return dict(response.json()) if response.content else {}


async def test_the_operator_makes_and_lists_groups_over_tls(
    arm: ResourceManagementClient,
) -> None:
    made = await arm.resource_groups.create_or_update("rg-served", {"location": "westeurope"})
    assert made.name == "rg-served"
    assert "rg-served" in [each.name async for each in arm.resource_groups.list()]


async def test_a_client_that_does_not_trust_the_ca_is_cut_off(world: World) -> None:
    async with httpx.AsyncClient() as http:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await http.get(world.addresses.arm)


@dataclass
class Webhook:
    """An endpoint on loopback: shakes hands, takes events with `status`."""

    url: str
    received: list[tuple[str, Any]]
    status: int = 202


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def webhook() -> AsyncIterator[Webhook]:
    hook = Webhook("", [])

    async def take(request: Request) -> Response:
        kind, body = request.headers["aeg-event-type"], await request.json()
        hook.received.append((kind, body))
        if kind == "SubscriptionValidation":
            return JSONResponse({"validationResponse": body[0]["data"]["validationCode"]})
        return Response(status_code=hook.status)

    async with listen(Router([Route("/hook", take, methods=["POST"])])) as port:
        hook.url = f"http://{HOST}:{port}/hook?code=secret"
        yield hook


def subscription_to(url: str) -> Json:
    return {
        "properties": {
            "destination": {"endpointType": "WebHook", "properties": {"endpointUrl": url}},
            "filter": {"subjectBeginsWith": "", "includedEventTypes": None},
        }
    }


async def test_a_change_reaches_a_webhook_subscribed_over_arm(
    world: World, arm: ResourceManagementClient, webhook: Webhook, control: Control
) -> None:
    topic = f"{world.group}/providers/{TOPIC_TYPE}/changes"
    source = world.group.partition("/resourceGroups")[0]
    body = {
        "location": "global",
        "properties": {"source": source, "topicType": "Microsoft.Resources.Subscriptions"},
    }
    made = await send(arm, "PUT", topic, body)
    assert made["properties"]["provisioningState"] == "Succeeded"
    with pytest.raises(HttpResponseError, match="Only one system topic"):
        await send(arm, "PUT", f"{topic}2", body)

    events = f"{topic}/eventSubscriptions"
    failing = webhook.url.replace("/hook", "/elsewhere")
    with pytest.raises(HttpResponseError, match="handshake failed") as refused:
        await send(arm, "PUT", f"{events}/broken", subscription_to(failing))
    assert refused.value.status_code == 400
    broken = await send(arm, "GET", f"{events}/broken")
    assert broken["properties"]["provisioningState"] == "Failed"

    accepted = await send(arm, "PUT", f"{events}/lanyard", subscription_to(webhook.url))
    assert accepted["properties"]["provisioningState"] == "Creating"
    shown = await send(arm, "GET", f"{events}/lanyard")
    assert shown["properties"]["provisioningState"] == "Succeeded"
    assert "secret" not in json.dumps(shown)
    full = await send(arm, "POST", f"{events}/lanyard/getFullUrl")
    assert full["endpointUrl"] == webhook.url
    names = [each["name"] for each in (await send(arm, "GET", events))["value"]]
    assert names == ["broken", "lanyard"]

    webhook.received.clear()
    await arm.resource_groups.create_or_update("rg-told", {"location": "westeurope"})
    done = await control.ask("POST", "/deliveries/settle")
    ((kind, (event,)),) = webhook.received
    assert kind == "Notification"
    assert event["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert event["subject"].endswith("/resourceGroups/rg-told")
    operator = world.addresses.operator.principal
    assert event["data"]["claims"]["appid"] == operator.client_id
    assert event["data"]["authorization"]["evidence"]["role"] == "Owner"
    assert (done["attempts"][-1]["eventId"], done["attempts"][-1]["status"]) == (event["id"], 202)

    webhook.received.clear()
    await send(arm, "DELETE", f"{events}/lanyard")
    await send(arm, "DELETE", topic)
    await control.ask("POST", "/deliveries/settle")
    assert ("SubscriptionDeletion", topic) in [
        (kind, body[0]["topic"]) for kind, body in webhook.received
    ]
    with pytest.raises(HttpResponseError):
        await send(arm, "GET", topic)


async def test_a_topic_needs_a_source_that_exists(
    world: World, arm: ResourceManagementClient
) -> None:
    topic = f"{world.group}/providers/{TOPIC_TYPE}/wrong"
    for source, kind in [
        ("/subscriptions/none", "Microsoft.Resources.Subscriptions"),
        (f"{world.group}-none", "Microsoft.Resources.ResourceGroups"),
        (world.group, "Microsoft.Storage.StorageAccounts"),
    ]:
        with pytest.raises(HttpResponseError) as refused:
            await send(arm, "PUT", topic, {"properties": {"source": source, "topicType": kind}})
        assert refused.value.status_code == 400


async def test_a_storage_account_is_made_and_its_blobs_have_an_address(
    world: World, arm: ResourceManagementClient
) -> None:
    path = f"{world.group}/providers/Microsoft.Storage/storageAccounts/madeoverarm"
    body = {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}}
    assert await send(arm, "PUT", path, body) == {}, "it is accepted"
    made = await send(arm, "GET", path)
    address = made["properties"]["primaryEndpoints"]["blob"]
    assert address == f"{world.addresses.blob}/madeoverarm/"
    elsewhere = path.replace("/rg/", "/rg-served/")
    with pytest.raises(HttpResponseError, match="already taken"):
        await send(arm, "PUT", elsewhere, body)
    with pytest.raises(HttpResponseError, match="not a valid storage account name"):
        await send(arm, "PUT", path.replace("madeoverarm", "Made_Over"), body)
    parent = path.rpartition("/")[0]
    listed = [each["name"] for each in (await send(arm, "GET", parent))["value"]]
    assert "madeoverarm" in listed
    await send(arm, "DELETE", path)
    with pytest.raises(HttpResponseError):
        await send(arm, "GET", path)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("another", None), ("takenalready", "AlreadyExists"), ("No", "AccountNameInvalid")],
)
async def test_whether_an_accounts_name_can_be_had_is_told(
    world: World, arm: ResourceManagementClient, name: str, reason: str | None
) -> None:
    taken = f"{world.group}/providers/Microsoft.Storage/storageAccounts/takenalready"
    await send(arm, "PUT", taken, {"location": "westeurope"})
    subscription = f"/subscriptions/{world.addresses.subscriptions[0]}"
    check = f"{subscription}/providers/Microsoft.Storage/checkNameAvailability"
    told = await send(arm, "POST", check, {"name": name})
    assert (told["nameAvailable"], told.get("reason")) == (reason is None, reason)


async def test_a_fault_set_over_control_breaks_the_connection(
    world: World, arm: ResourceManagementClient, control: Control
) -> None:
    # Twice: aiohttp itself repeats an idempotent request once when the connection breaks.
    fault = {"service": "arm", "path": "rg-dropped", "drop": "after", "times": 2}
    await control.ask("POST", "/faults", fault)
    with pytest.raises(ServiceRequestError):
        await arm.resource_groups.create_or_update("rg-dropped", {"location": "westeurope"})
    assert (await control.ask("GET", "/faults"))["value"][0]["hits"] == 2
    assert await arm.resource_groups.check_existence("rg-dropped")
    assert (await control.ask("DELETE", "/faults"))["value"] == []
    wrong = await control.ask("POST", "/faults", {"colour": "red"}, status=400)
    assert "no such fault" in wrong["error"]


async def test_control_needs_the_operators_header(world: World) -> None:
    async with httpx.AsyncClient(base_url=world.addresses.control) as http:
        for headers in ({}, {"authorization": "Bearer wrong"}):
            assert (await http.get("/clock", headers=headers)).status_code == 401


async def test_control_moves_the_clock(world: World, control: Control) -> None:
    before = (await control.ask("GET", "/clock"))["now"]
    after = await control.ask("POST", "/clock", {"advance": 90.5})
    assert after["now"] == before + 90.5 == world.azure.clock.now()
    wrongs: list[Json] = [{}, {"advance": -1}, {"advance": "1"}]
    for wrong in wrongs:
        await control.ask("POST", "/clock", wrong, status=400)


async def test_control_lets_replicas_be_late(world: World, control: Control) -> None:
    wanted = {"resourceId": world.group, "seconds": 0, "shows": "it"}
    assert await control.ask("POST", "/replicas", wanted) == wanted
    wrongs: list[Json] = [
        {"resourceId": world.group, "seconds": "1"},
        {"resourceId": world.group, "seconds": 1, "shows": "half"},
        {"resourceId": f"{world.group}-none", "seconds": 1, "shows": "it"},
    ]
    for wrong in wrongs:
        await control.ask("POST", "/replicas", wrong, status=400)


async def test_control_names_who_manages_something(world: World, control: Control) -> None:
    for manager in ("/providers/x", ""):
        wanted = {"resourceId": world.group.upper(), "managedBy": manager}
        assert await control.ask("PUT", "/managers", wanted) == wanted
        extra = world.azure.state.resources[world.group.lower()].extra
        assert extra.get("managedBy", "") == manager
    wrongs: list[Json] = [{"resourceId": world.group}, {"resourceId": "/x", "managedBy": "y"}]
    for wrong in wrongs:
        await control.ask("PUT", "/managers", wrong, status=400)


async def test_control_flips_switches(world: World, control: Control) -> None:
    changed = await control.ask(
        "PATCH",
        "/switches",
        {
            "behaviour": {
                "directory_lag_seconds": 3,
                "write_event": "both",
                "throttling": True,
                "denied_without_tag": {"a/b": "Owner"},
            },
            "eventGrid": {"duplicate_probability": 0.5},
            "directory": {"answer": "empty", "hidden": ["x"], "throttle_next": 2},
        },
    )
    assert changed == await control.ask("GET", "/switches")
    assert world.azure.behaviour.directory_lag_seconds == 3.0
    assert world.azure.behaviour.write_event == "both"
    assert world.azure.behaviour.denied_without_tag == {"a/b": "Owner"}
    assert world.azure.services.event_grid.behaviour.duplicate_probability == 0.5
    assert world.azure.services.directory.behaviour.hidden == {"x"}
    await control.ask(
        "PATCH",
        "/switches",
        {
            "behaviour": {
                "directory_lag_seconds": 0.0,
                "write_event": "completed",
                "throttling": False,
                "denied_without_tag": {},
            },
            "eventGrid": {"duplicate_probability": 0.0},
            "directory": {"answer": "full", "hidden": [], "throttle_next": 0},
        },
    )
    wrongs: list[Json] = [
        {"weather": {}},
        {"behaviour": {"colour": 1}},
        {"behaviour": {"throttling": 1}},
        {"behaviour": {"write_event": "never"}},
        {"directory": {"throttle_next": 0.5}},
    ]
    for wrong in wrongs:
        answer = await control.ask("PATCH", "/switches", wrong, status=400)
        assert answer["error"]
    await control.ask("PATCH", "/switches", [], status=400)  # type: ignore[arg-type]


async def test_control_makes_principals_and_their_permissions(
    world: World, control: Control
) -> None:
    made = await control.ask("POST", "/principals", {"displayName": "app of another process"})
    async with httpx.AsyncClient() as http:
        token = await http.get(
            world.addresses.identity_endpoint,
            params={"api-version": "2019-08-01", "resource": "https://graph.microsoft.com"},
            headers={"X-IDENTITY-HEADER": made["identityHeader"]},
        )
    trust = ssl.create_default_context(cafile=str(world.addresses.certificates.ca_file))
    key = {"authorization": f"Bearer {token.json()['access_token']}"}
    url = f"{world.addresses.graph}/v1.0/servicePrincipals/{made['objectId']}"
    async with httpx.AsyncClient(verify=trust, headers=key) as http:
        assert (await http.get(url)).status_code == 403
        await control.ask("POST", "/permissions", {"objectId": made["objectId"]})
        assert (await http.get(url)).json()["appId"] == made["clientId"]
        await control.ask("DELETE", f"/permissions/{made['objectId']}")
        assert (await http.get(url)).status_code == 403
    calls = await control.ask("GET", f"/calls?service=graph&caller={made['objectId']}")
    assert [call["status"] for call in calls["value"]] == [403, 200, 403]
    await control.ask("GET", "/calls?service=queue", status=400)
    await control.ask("POST", "/principals", {"displayName": "x", "kind": "Robot"}, status=400)
    await control.ask("POST", "/principals", {}, status=400)


async def test_control_tells_an_apps_header_and_where_a_function_is(
    world: World, control: Control
) -> None:
    site = world.resource_id("Microsoft.Web/sites", "lanyard")
    told = await control.ask("POST", "/identity-headers", {"resourceId": site})
    endpoints = world.azure.services.identity_endpoints
    assert told["identityHeader"] == endpoints.identity_header(site)
    function = f"{site}/functions/resource_events"
    await control.ask("PUT", "/addresses", {"resourceId": function, "url": "http://127.0.0.1:1/x"})
    assert world.azure.services.event_grid.addresses[function.lower()] == "http://127.0.0.1:1/x"


async def test_control_shows_what_was_published(
    world: World, arm: ResourceManagementClient, control: Control
) -> None:
    topic_id = f"{world.group}/providers/{TOPIC_TYPE}/shown"
    source = f"{world.group}-shown"
    world.azure.services.event_grid.add_topic(topic_id, source, TopicType.RESOURCE_GROUP)
    await arm.resource_groups.create_or_update("rg-shown", {"location": "westeurope"})
    events = (await control.ask("GET", "/events"))["value"]
    (event,) = [each["event"] for each in events if each["topicId"] == topic_id]
    assert (event["topic"], event["subject"]) == (source, source)


async def started(*arguments: str) -> tuple[asyncio.subprocess.Process, Json]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-W", "error", "-m", "simulator", *arguments),
        cwd=Path(__file__).parents[3],
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    line = await asyncio.wait_for(process.stdout.readline(), DEADLINE)
    return process, json.loads(line) if line else {}


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_the_program_prints_one_line_and_stops_with_0(
    tmp_path: Path, number: signal.Signals
) -> None:
    process, ready = await started("--subscriptions", "2", "--state-dir", str(tmp_path))
    try:
        assert len(ready["subscriptions"]) == 2
        header = ready["operator"]["identityHeader"]
        assert ready["caFile"] == str(tmp_path / "ca.pem")
        shell = await asyncio.create_subprocess_exec(
            "sh", "-c", ready["token"], stdout=asyncio.subprocess.PIPE, env=without_proxies()
        )
        token = json.loads((await shell.communicate())[0])["access_token"]
        trust = ssl.create_default_context(cafile=ready["caFile"])
        async with httpx.AsyncClient(verify=trust, trust_env=False) as http:
            answer = await http.get(
                f"{ready['arm']}/subscriptions?api-version=2022-12-01",
                headers={"authorization": f"Bearer {token}"},
            )
        listed = {each["subscriptionId"] for each in answer.json()["value"]}
        assert listed == set(ready["subscriptions"])
    finally:
        process.send_signal(number)
    out, err = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert (process.returncode, out) == (0, b"")
    assert (err, header in err.decode()) == (b"", False)


async def test_a_taken_port_is_told(world: World) -> None:
    port = world.addresses.arm.rpartition(":")[2]
    process, ready = await started("--port", port)
    _, err = await asyncio.wait_for(process.communicate(), DEADLINE)
    assert (process.returncode, ready) == (1, {})
    assert err.decode().startswith("cannot serve:")


def without_proxies() -> dict[str, str]:
    return {k: v for k, v in os.environ.items() if "proxy" not in k.lower()}
