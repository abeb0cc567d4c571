"""The real azure-eventgrid against a custom topic: what it takes, and from whom."""

import json
from typing import Any

import pytest
from azure.core.exceptions import ClientAuthenticationError, HttpResponseError
from azure.core.messaging import CloudEvent

from simulator.faults import Fault
from tests.support.platform.custom_topic import Town

EVENT = {"id": "1", "source": "urn:test", "specversion": "1.0", "type": "Test.Happened"}


@pytest.fixture
async def town() -> Town:
    made = Town()
    await made.make(inputSchema="CloudEventSchemaV1_0")
    return made


def event(**more: Any) -> CloudEvent[Any]:
    return CloudEvent(source="urn:test", type="Test.Happened", data={"n": 1}, **more)


async def test_a_topic_tells_where_it_takes_events(town: Town) -> None:
    made = json.loads((await town.make(inputSchema="CloudEventSchemaV1_0")).content)
    assert made["properties"]["provisioningState"] in ("Creating", "Updating")
    read = await town.arm("GET", town.path)
    listed = await town.arm("GET", f"{town.group}/providers/Microsoft.EventGrid/topics")
    (row,) = json.loads(listed.content)["value"]
    for body in (json.loads(read.content), row):
        assert body["properties"]["endpoint"] == town.endpoint
        assert body["properties"]["provisioningState"] == "Succeeded"


async def test_whoever_holds_the_role_can_send_a_batch(town: Town) -> None:
    town.let_send()
    async with town.client(town.sender) as client:
        await client.send(
            [event(subject="/a"), event(subject="/b", extensions={"traceparent": "x"})]
        )
    assert [each["subject"] for each in town.received] == ["/a", "/b"]
    assert town.received[1]["traceparent"] == "x"
    assert town.received[0]["data"] == {"n": 1}


async def test_an_owner_without_the_data_action_cannot_send(town: Town) -> None:
    async with town.client(town.owner) as client:
        with pytest.raises(ClientAuthenticationError) as refused:
            await client.send(event())
    assert refused.value.status_code == 401
    assert "does not have permission to send data" in str(refused.value)
    assert town.received == []


async def test_a_token_for_something_else_is_refused(town: Town) -> None:
    town.let_send()
    answer = await town.post(json.dumps([EVENT]).encode(), audience="https://management.azure.com")
    assert answer.status == 401
    assert json.loads(answer.content)["error"]["code"] == "Unauthorized"


@pytest.mark.parametrize(
    "content",
    [
        b"{",
        json.dumps(EVENT).encode(),
        json.dumps([{**EVENT, "id": ""}]).encode(),
        json.dumps([{key: EVENT[key] for key in ("id", "source", "specversion")}]).encode(),
        json.dumps([{**EVENT, "specversion": "0.3"}]).encode(),
        json.dumps([{**EVENT, "traceParent": "x"}]).encode(),
        json.dumps(["event"]).encode(),
    ],
    ids=["no JSON", "no list", "no id", "no type", "old version", "upper case", "no object"],
)
async def test_what_is_no_batch_of_cloud_events_is_refused_whole(
    town: Town, content: bytes
) -> None:
    town.let_send()
    assert (await town.post(content)).status == 400
    assert town.received == []


async def test_more_than_a_megabyte_is_refused(town: Town) -> None:
    town.let_send()
    large = json.dumps([{**EVENT, "data": "x" * 1024 * 1024}]).encode()
    assert (await town.post(large)).status == 413


async def test_a_single_event_is_taken_under_its_own_content_type(town: Town) -> None:
    town.let_send()
    answer = await town.post(json.dumps(EVENT).encode(), "application/cloudevents+json")
    assert (answer.status, town.received) == (200, [EVENT])


async def test_a_topic_of_another_schema_refuses_cloud_events(town: Town) -> None:
    await town.make()
    town.let_send()
    assert (await town.post(json.dumps([EVENT]).encode())).status == 400


async def test_a_topic_that_was_deleted_takes_nothing(town: Town) -> None:
    town.let_send()
    assert (await town.arm("DELETE", town.path)).status == 202
    assert (await town.post(json.dumps([EVENT]).encode())).status == 404


@pytest.mark.parametrize(
    ("name", "schema"),
    [("a", "CloudEventSchemaV1_0"), ("town-news", "Own")],
    ids=["name", "schema"],
)
async def test_a_topic_that_cannot_be_is_refused(town: Town, name: str, schema: str) -> None:
    path = town.path.replace("town-news", name)
    body = {"location": "westeurope", "properties": {"inputSchema": schema}}
    assert (await town.arm("PUT", path, body)).status == 400


async def test_faults_and_calls_of_the_topic_have_a_name_of_their_own(town: Town) -> None:
    town.let_send()
    town.azure.faults.add(Fault(service="eventgrid", status=503))
    async with town.client(town.sender) as client:
        with pytest.raises(HttpResponseError):
            await client.send(event())
        await client.send(event())
    assert [call.status for call in town.azure.services.publishing.calls] == [503, 200]
    assert len(town.received) == 1


async def test_every_write_goes_on_after_its_answer(town: Town) -> None:
    town.azure.behaviour.operation_seconds = 60
    for method, body in (("PUT", {"location": "westeurope"}), ("PATCH", {"tags": {"a": "b"}})):
        answer = await town.arm(method, town.path, body)
        assert (answer.status, "azure-asyncoperation" in answer.headers) == (201, True)
        assert json.loads(answer.content)["properties"]["provisioningState"] == "Updating"
        town.azure.clock.advance(60)
