"""How long a message may wait at most: Azure's limit, or what the app is told."""

import pytest
from azure.core.exceptions import ServiceRequestError, ServiceResponseError

from lanyard.azure.storage.queue import WorkQueue
from lanyard.settings import MAX_DELAY, SettingsError, read_settings
from lanyard.values.change import Change
from lanyard.values.errors import Temporary
from lanyard.values.resource_id import ResourceId

NAME = "LANYARD_LONGEST_DELAY_SECONDS"
ENVIRONMENT = {
    "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
    "LANYARD_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222",
    "LANYARD_INSTALLATION": "1a57a11a-0000-4000-8000-000000000001",
    "AzureWebJobsStorage__accountName": "somewhere",
}
CHANGE = Change(
    ResourceId.parse("/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"), "t"
)


class Client:
    """Remembers with which delays messages were sent."""

    def __init__(self, *failures: Exception) -> None:
        self.delays: list[int] = []
        self.failures = [*failures]

    async def send_message(self, _text: str, *, visibility_timeout: int, time_to_live: int) -> None:
        assert time_to_live == -1
        if self.failures:
            raise self.failures.pop()
        self.delays.append(visibility_timeout)


@pytest.mark.parametrize(("asked", "given"), [(3.2, 4), (20, 12), (float("inf"), 12)])
async def test_no_message_waits_longer_than_the_app_is_told(asked: float, given: int) -> None:
    client = Client()
    await WorkQueue(client, 12).put(CHANGE, asked)  # type: ignore[arg-type]
    assert client.delays == [given]


async def test_azures_own_limit_holds_where_nothing_is_told() -> None:
    client = Client()
    await WorkQueue(client).put(CHANGE, 1e9)  # type: ignore[arg-type]
    assert client.delays == [MAX_DELAY]
    assert read_settings(ENVIRONMENT).longest_delay == MAX_DELAY


def test_the_setting_is_seconds() -> None:
    assert read_settings({**ENVIRONMENT, NAME: "12"}).longest_delay == 12
    with pytest.raises(SettingsError, match=NAME):
        read_settings({**ENVIRONMENT, NAME: "soon"})


async def test_a_connection_that_was_closed_meanwhile_loses_no_message() -> None:
    client = Client(ServiceRequestError("closed"), ServiceResponseError("closed"))
    await WorkQueue(client).put(CHANGE)  # type: ignore[arg-type]
    assert client.delays == [0]


async def test_a_queue_that_stays_away_is_no_endless_wait() -> None:
    client = Client(*[ServiceRequestError("away")] * 3)
    with pytest.raises(Temporary, match="away"):
        await WorkQueue(client).put(CHANGE)  # type: ignore[arg-type]
    assert client.delays == []
