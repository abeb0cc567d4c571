"""HTTP triggers and the admin API of the running host."""

import json
from collections.abc import Callable
from uuid import uuid4

import httpx
import pytest

from simulator.functions_host.process import HostProcess
from tests.support.azurite.queues import Queue

pytestmark = pytest.mark.asyncio(loop_scope="session")

type Open = Callable[[str], Queue]


async def test_gives_route_query_and_body_to_the_function_and_its_answer_back(
    client: httpx.AsyncClient, host: HostProcess
) -> None:
    query = {"q": "1", "code": host.keys["function"]}
    answer = await client.post("/api/items/a%20b", params=query, content=b"sent")
    assert answer.status_code == 201
    assert answer.json() == {"id": "a b", "query": "1", "method": "POST", "body": "sent"}
    assert answer.headers["x-app"] == "yes"
    assert answer.cookies["a"] == "b"


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("/api/open", None, 200),
        ("/api/items/1", None, 401),
        ("/api/items/1", "eventgrid_extension", 401),
        ("/api/items/1", "function", 201),
        ("/api/items/1", "master", 201),
        ("/api/closed", "function", 401),
        ("/api/closed", "master", 200),
        ("/api/nothing", "master", 404),
        ("/open", None, 404),
        ("/admin/host/ping", None, 200),
        ("/admin/host/status", "function", 403),
        ("/admin/host/status", "master", 200),
        ("/admin/functions", None, 401),
    ],
)
async def test_opens_a_route_with_the_right_key_only(
    client: httpx.AsyncClient, host: HostProcess, path: str, key: str | None, status: int
) -> None:
    headers = {"X-Functions-Key": host.keys[key]} if key else {}
    assert (await client.get(path, headers=headers)).status_code == status


async def test_does_not_know_a_method_that_is_not_declared(
    client: httpx.AsyncClient, host: HostProcess
) -> None:
    answer = await client.patch("/api/items/1", params={"code": host.keys["function"]})
    assert answer.status_code == 404


async def test_chooses_the_function_by_method_and_by_the_more_literal_route(
    client: httpx.AsyncClient, host: HostProcess
) -> None:
    query = {"code": host.keys["function"]}
    assert (await client.delete("/api/items/1", params=query)).text == "deleted 1"
    assert (await client.get("/api/items/newest", params=query)).text == "newest"


async def test_keeps_an_exception_from_the_caller_and_puts_it_into_the_log(
    client: httpx.AsyncClient, host: HostProcess
) -> None:
    answer = await client.get("/api/broken", params={"code": host.keys["function"]})
    assert (answer.status_code, answer.content) == (500, b"")
    record = next(line for line in log_lines(host) if "a secret detail" in line)
    assert "Executed 'Functions.broken' (Failed" in record
    assert "Traceback" in record


async def test_writes_a_queue_output_beside_the_answer(
    client: httpx.AsyncClient, host: HostProcess, queue: Open
) -> None:
    mark = str(uuid4())
    query = {"code": host.keys["function"]}
    answer = await client.post("/api/enqueue", params=query, json={"mark": mark})
    assert (answer.status_code, answer.text) == (200, "queued")
    await queue("seen").wait_for_json(mark=mark)


async def test_lists_the_functions(client: httpx.AsyncClient, host: HostProcess) -> None:
    listed = (await client.get("/admin/functions", params={"code": host.keys["master"]})).json()
    assert [found["name"] for found in listed] == [known["name"] for known in host.functions]
    work = next(found for found in listed if found["name"] == "take_work")
    assert work["config"]["bindings"][0]["queueName"] == "work"


async def test_fires_a_timer_by_its_schedule(queue: Open) -> None:
    assert await queue("ticks").wait_for_json(tick=True) == {"tick": True, "past_due": False}


async def test_runs_a_timer_on_startup_where_it_says_so(queue: Open) -> None:
    await queue("starts").wait_for(lambda _: True)


async def test_runs_a_timer_by_hand(
    client: httpx.AsyncClient, host: HostProcess, queue: Open
) -> None:
    answer = await by_hand(client, host, "yearly", b"{}")
    assert answer.status_code == 202
    await queue("seen").wait_for_json(by_hand=True)


async def test_runs_a_queue_function_by_hand(
    client: httpx.AsyncClient, host: HostProcess, queue: Open
) -> None:
    text = f"by hand {uuid4()}"
    body = json.dumps({"input": text}).encode()
    assert (await by_hand(client, host, "take_work", body)).status_code == 202
    await queue("seen").wait_for_json(body=text)


@pytest.mark.parametrize(
    ("name", "body", "status"),
    [
        ("nobody", b"{}", 404),
        ("items", b"{}", 400),
        ("yearly", b"[", 400),
        ("yearly", b"[]", 400),
        ("yearly", b"", 400),
        ("yearly", b'{"input": {}}', 400),
        ("YEARLY", b'{"input": 1}', 202),
    ],
)
async def test_takes_by_hand_what_the_real_host_takes(
    client: httpx.AsyncClient, host: HostProcess, name: str, body: bytes, status: int
) -> None:
    assert (await by_hand(client, host, name, body)).status_code == status


async def by_hand(
    client: httpx.AsyncClient, host: HostProcess, name: str, body: bytes
) -> httpx.Response:
    headers = {"x-functions-key": host.keys["master"], "content-type": "application/json"}
    return await client.post(f"/admin/functions/{name}", headers=headers, content=body)


async def test_what_does_not_say_that_it_is_json_is_refused(
    client: httpx.AsyncClient, host: HostProcess
) -> None:
    answer = await client.post(
        "/admin/functions/yearly",
        headers={"x-functions-key": host.keys["master"]},
        content=b"{}",
    )
    assert answer.status_code == 415


async def test_logs_an_invocation_under_its_id_and_never_a_key(
    client: httpx.AsyncClient, host: HostProcess
) -> None:
    mark = str(uuid4())
    await client.post(
        "/runtime/webhooks/eventgrid",
        params={"functionName": "take_event", "code": host.keys["eventgrid_extension"]},
        headers={"aeg-event-type": "Notification"},
        json={"id": mark, "data": {}},
    )
    said = next(line for line in log_lines(host) if f"event {mark}" in line)
    invocation = said.partition("[")[2].partition("]")[0]
    records = [line for line in log_lines(host) if f"[{invocation}]" in line]
    assert [record.partition(": ")[2].split(" ")[0] for record in records] == [
        "Executing",
        "event",
        "Executed",
    ]
    for key in host.keys.values():
        assert key not in host.log_file.read_text()


def log_lines(host: HostProcess) -> list[str]:
    return host.log_file.read_text().splitlines()
