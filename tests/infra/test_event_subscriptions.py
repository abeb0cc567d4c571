"""What Event Grid sends on: the filters of infra/modules/events.bicep, by the rules of Event Grid
that the local Azure has, on the events that it raises.
"""

from typing import Any

import pytest
from azure.mgmt.compute.models import VirtualMachineUpdate
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.azure.events import DELETED, WRITTEN
from lanyard.queue.messages import EVENTS
from lanyard.values.compute_types import COMPUTE_TYPES
from simulator.event_grid.filters import MAX_FILTERS, MAX_STRING, MAX_VALUES, wants
from tests.support.estate import Estate
from tests.support.handlers import started
from tests.support.infra.bicep import body, of, variable
from tests.support.infra.functions import event_function

FILE = "modules/events.bicep"
NAMES = ("written", "deleted")


def subscription(name: str) -> dict[str, Any]:
    properties: dict[str, Any] = body(of(FILE)["resources"][name])["properties"]
    return properties


def event_filter(name: str, client_id: str = "clientId") -> dict[str, Any]:
    """The filter with the values of the variables in it, for the app with this client id."""
    found = subscription(name)["filter"]
    values = {"writes": variable("writes", FILE), "deletes": variable("deletes", FILE)}
    advanced = [
        {
            **each,
            "values": values[each["values"]] if isinstance(each["values"], str) else [client_id],
        }
        for each in found["advancedFilters"]
    ]
    return {**found, "advancedFilters": advanced}


@pytest.mark.parametrize("name", NAMES)
def test_the_filters_are_within_the_limits_of_event_grid(name: str) -> None:
    filters = event_filter(name)["advancedFilters"]
    values = [value for each in filters for value in each["values"]]
    assert len(filters) <= MAX_FILTERS
    assert len(values) <= MAX_VALUES
    assert max(map(len, values)) <= MAX_STRING


def test_they_let_every_type_through_that_a_policy_can_name() -> None:
    types = {row.name for row in COMPUTE_TYPES.values() if row.api_version}
    types |= {"Microsoft.ManagedIdentity/userAssignedIdentities", "Microsoft.Resources/tags"}
    assert set(variable("writes", FILE)) == {f"{name}/write" for name in types}
    types |= {"Microsoft.Resources/subscriptions/resourceGroups"}
    assert set(variable("deletes", FILE)) == {f"{name}/delete" for name in types}


def test_they_take_the_kinds_of_event_that_the_app_reads() -> None:
    kinds = [kind for name in NAMES for kind in event_filter(name)["includedEventTypes"]]
    assert len(kinds) == 2
    assert kinds[0] in WRITTEN
    assert kinds[1] in DELETED


@pytest.mark.parametrize("name", NAMES)
def test_what_cannot_be_delivered_is_tried_for_a_day_and_then_kept(name: str) -> None:
    properties = subscription(name)
    retry = {"maxDeliveryAttempts": 30, "eventTimeToLiveInMinutes": 1440}
    assert properties["retryPolicy"] == retry
    kept = properties["deadLetterWithResourceIdentity"]["operator"]["operands"]
    assert (kept["condition"], kept["true_value"]) == ("keepsDeadLetters", "deadLetters")
    dead = variable("deadLetters", FILE)
    assert dead["identity"] == {"type": "SystemAssigned"}
    kept_in = dead["deadLetterDestination"]["properties"]["blobContainerName"]
    assert kept_in in variable("containers", "modules/storage.bicep")
    topic = body(of("modules/topic.bicep")["resources"]["topic"])
    assert topic["identity"]["operator"]["operands"]["true_value"] == {"type": "SystemAssigned"}
    assert of("watch.bicep")["parameters"]["topicIdentity"]["default"] is True


@pytest.mark.parametrize("name", NAMES)
def test_they_go_to_the_function_or_into_the_queue(name: str) -> None:
    either = [
        subscription(name)[member]["operator"]["operands"]
        for member in ("destination", "deliveryWithResourceIdentity")
    ]
    assert [each["condition"] for each in either] == ["byQueue"] * 2
    assert either[0]["false_value"] == "toFunction"
    assert either[1]["true_value"] == "toQueue"


def test_the_endpoint_is_the_function_without_any_key() -> None:
    destination = variable("toFunction", FILE)
    assert destination["endpointType"] == "AzureFunction"
    assert destination["properties"]["resourceId"].endswith(f"/functions/{event_function()}")


def test_what_waits_in_the_queue_comes_as_the_topics_own_identity() -> None:
    queue = variable("toQueue", FILE)
    assert queue["identity"] == {"type": "SystemAssigned"}
    assert queue["destination"]["endpointType"] == "StorageQueue"
    assert queue["destination"]["properties"]["queueName"] == EVENTS


@pytest.fixture
async def estate(monkeypatch: pytest.MonkeyPatch) -> Estate:
    made = await started(Estate(), monkeypatch)
    made.new_events()
    return made


def sent_on(estate: Estate) -> list[str]:
    """The operations of the new events that pass either filter."""
    filters = [event_filter(name, estate.app.client_id) for name in NAMES]
    return [
        event["data"]["operationName"]
        for event in estate.new_events()
        if any(wants(each, event) for each in filters)
    ]


async def test_a_machine_that_comes_and_goes_is_heard_of(estate: Estate) -> None:
    await estate.create_vm("vm1")
    assert sent_on(estate) == ["Microsoft.Compute/virtualMachines/write"]
    await estate.delete_vm("vm1")
    assert sent_on(estate) == ["Microsoft.Compute/virtualMachines/delete"]


async def test_a_deleted_group_is_heard_of_and_a_written_one_is_not(estate: Estate) -> None:
    await estate.delete_group()
    operations = [each.lower() for each in sent_on(estate)]
    assert operations == ["microsoft.resources/subscriptions/resourcegroups/delete"]
    await estate.create_groups()
    assert sent_on(estate) == []


async def test_our_own_writes_do_not_come_back(estate: Estate) -> None:
    await estate.create_vm("vm1")
    for event in estate.new_events():
        if message := await estate.deliver(event):
            await estate.work(message)
    # The identity, the attachment, the role assignment.
    assert len(estate.platform.event_grid.published) >= 3
    assert sent_on(estate) == []


async def test_what_others_write_to_it_does_come(estate: Estate) -> None:
    await estate.create_vm("vm1")
    estate.new_events()
    tags: dict[str, Any] = {"tags": {"env": "prod"}}
    poller = await estate.compute.virtual_machines.begin_update(
        "rg-app", "vm1", VirtualMachineUpdate(tags), polling_interval=1
    )
    await poller.result()
    assert sent_on(estate) == ["Microsoft.Compute/virtualMachines/write"]


async def test_a_change_of_tags_alone_is_heard_of(estate: Estate) -> None:
    machine = await estate.create_vm("vm1")
    estate.new_events()
    client = ResourceManagementClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    tags: dict[str, Any] = {"operation": "Merge", "properties": {"tags": {"env": "prod"}}}
    poller = await client.tags.begin_update_at_scope(
        machine.text.lstrip("/"), tags, polling_interval=1
    )
    await poller.result()
    assert sent_on(estate) == ["Microsoft.Resources/tags/write"]


async def test_what_is_no_compute_is_not_heard_of(estate: Estate) -> None:
    client = ResourceManagementClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    account = (
        f"{estate.scope}/resourceGroups/rg-app/providers/Microsoft.Storage/storageAccounts/a1b"
    )
    poller = await client.resources.begin_create_or_update_by_id(
        account,
        {"location": "westeurope", "sku": {"name": "Standard_LRS"}, "kind": "StorageV2"},
        api_version="2024-01-01",
    )
    await poller.result()
    estate.azure.assign(
        estate.operator.object_id, "Reader", f"{estate.scope}/resourceGroups/rg-app"
    )
    assert len(estate.platform.event_grid.published) >= 1
    assert sent_on(estate) == []
