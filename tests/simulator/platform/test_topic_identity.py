"""A system topic with an identity, and dead letters that are written as that identity."""

import json
from typing import Any

import pytest

from simulator.azure import Azure
from simulator.event_grid.models import EventSubscription
from simulator.transport import Answer
from tests.support.platform.custom_topic import Town

VERSION = "2022-06-15"
WRITER = "Storage Blob Data Contributor"
FUNCTION = "Microsoft.Web/sites/app/functions/events"


class Place(Town):
    """The same town, and a system topic of its subscription."""

    def __init__(self) -> None:
        super().__init__()
        self.source = self.group.partition("/resourceG")[0]
        self.topic = f"{self.group}/providers/Microsoft.EventGrid/systemTopics/all"
        self.account = f"{self.group}/providers/Microsoft.Storage/storageAccounts/letters"
        self.container = f"{self.account}/blobServices/default/containers/dead"

    async def put_topic(self, kind: str) -> dict[str, Any]:
        properties = {"source": self.source, "topicType": "Microsoft.Resources.Subscriptions"}
        body = {"location": "global", "identity": {"type": kind}, "properties": properties}
        return _body(await self.arm("PUT", self.topic, body, VERSION))

    async def subscribe(self) -> Answer:
        letters = {
            "endpointType": "StorageBlob",
            "properties": {"resourceId": self.account, "blobContainerName": "dead"},
        }
        function = {"resourceId": f"{self.group}/providers/{FUNCTION}"}
        properties = {
            "destination": {"endpointType": "AzureFunction", "properties": function},
            "deadLetterWithResourceIdentity": {
                "identity": {"type": "SystemAssigned"},
                "deadLetterDestination": letters,
            },
        }
        path = f"{self.topic}/eventSubscriptions/one"
        return await self.arm("PUT", path, {"properties": properties}, VERSION)


@pytest.fixture
async def place() -> Place:
    made = Place()
    await made.arm("PUT", made.group, {"location": "westeurope"}, "2024-11-01")
    made.azure.services.event_grid.validate = _agreed
    return made


async def _agreed(_subscription: EventSubscription) -> None:
    pass


def _body(answer: Answer) -> dict[str, Any]:
    body: dict[str, Any] = json.loads(answer.content)
    return body


def _principals(azure: Azure) -> set[str]:
    return {each.object_id for each in azure.state.principals.values() if each.deleted_at is None}


async def test_a_topic_gets_a_principal_keeps_it_and_takes_it_along(place: Place) -> None:
    made = await place.put_topic("SystemAssigned")
    principal = made["identity"]["principalId"]
    assert principal in _principals(place.azure)
    again = await place.put_topic("SystemAssigned")
    assert again["identity"]["principalId"] == principal
    assert (await place.arm("DELETE", place.topic, version=VERSION)).status == 202
    assert principal not in _principals(place.azure)


async def test_dead_letters_need_an_identity_that_may_write_them(place: Place) -> None:
    await place.put_topic("None")
    refused = await place.subscribe()
    assert (refused.status, b"no system-assigned identity" in refused.content) == (400, True)
    made = await place.put_topic("SystemAssigned")
    refused = await place.subscribe()
    assert (refused.status, b"cannot write" in refused.content) == (400, True)
    place.azure.assign(made["identity"]["principalId"], WRITER, place.container)
    assert (await place.subscribe()).status == 201
    (kept,) = place.azure.services.event_grid.subscriptions.values()
    assert kept.dead_letter is not None
    assert kept.dead_letter.scope == place.container


async def test_an_alert_rule_is_kept_as_it_is_sent(place: Place) -> None:
    path = f"{place.group}/providers/Microsoft.Insights/metricAlerts/letters"
    body = {"location": "global", "properties": {"severity": 1, "scopes": [place.topic]}}
    assert (await place.arm("PUT", path, body, "2018-03-01")).status == 200
    found = _body(await place.arm("GET", path, version="2018-03-01"))
    assert found["properties"] == body["properties"]
    assert (await place.arm("DELETE", path, version="2018-03-01")).status == 200
    assert (await place.arm("GET", path, version="2018-03-01")).status == 404


async def test_a_topic_that_is_told_to_have_no_identity_takes_its_time() -> None:
    place = Place()
    await place.make()
    place.azure.behaviour.operation_seconds = 60
    made = await place.put_topic("None")
    assert made["properties"]["provisioningState"] == "Creating"


async def test_work_on_a_topic_of_the_whole_world_is_followed_without_a_place() -> None:
    place = Place()
    await place.make()
    body = {
        "location": "global",
        "properties": {
            "source": place.source,
            "topicType": "Microsoft.PolicyInsights.PolicyStates",
        },
    }
    assert (await place.arm("PUT", place.topic, body, VERSION)).status == 200
    answer = await place.arm("DELETE", place.topic, None, VERSION)
    for name, kind in (
        ("azure-asyncoperation", "operationsStatus"),
        ("location", "operationResults"),
    ):
        path = answer.headers[name].partition("?")[0].partition("/subscriptions")[2]
        assert f"/providers/Microsoft.EventGrid/{kind}/" in path
        followed = await place.arm("GET", f"/subscriptions{path}", None, VERSION)
        assert followed.status in (200, 204)
