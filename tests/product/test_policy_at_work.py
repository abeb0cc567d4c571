"""The policy is read with the first work: what is wrong with it fails that work, and is told with
file, line and reason. Events are taken in meanwhile.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import azure.functions as func
import pytest

from handlers import reconcile as reconcile_handler
from handlers import sweep as sweep_handler
from lanyard import settings as app_settings
from lanyard.app import composition
from lanyard.policy.problems import PolicyError
from lanyard.queue.messages import encode
from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId
from tests.support.estate import Estate, invocation
from tests.support.examples import vm_id


@pytest.fixture(autouse=True)
def deployed(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Path]:
    """The settings of an app whose policy file is what the test makes of it."""
    policy = tmp_path / "lanyard.yaml"
    for name, value in {
        "AZURE_CLIENT_ID": "11111111-1111-1111-1111-111111111111",
        "LANYARD_PRINCIPAL_ID": "22222222-2222-2222-2222-222222222222",
        "LANYARD_INSTALLATION": "1a57a11a-0000-4000-8000-000000000001",
        "AzureWebJobsStorage__accountName": "nowhere",
        "LANYARD_POLICY": str(policy),
    }.items():
        monkeypatch.setenv(name, value)
    cached = (app_settings.settings, composition.policies, composition.connected)
    for read in cached:
        read.cache_clear()
    yield policy
    for read in cached:
        read.cache_clear()


@pytest.fixture
def invalid(deployed: Path) -> Path:
    deployed.write_text("version: 1\nmode: ful\n")
    return deployed


class Taken(func.QueueMessage):
    """A message that is taken for the first time: the last time would be recorded."""

    dequeue_count = 1


async def work() -> None:
    message = Taken(id="m", body=encode(Change(vm_id("vm"), "event")))
    await function(reconcile_handler.reconcile)(message, invocation())


async def sweep() -> None:
    await function(sweep_handler.sweep)(None, invocation())


def function(builder: Any) -> Any:
    return builder._function.get_user_function()


@pytest.mark.parametrize("start", [work, sweep])
async def test_an_invalid_policy_fails_the_work(invalid: Path, start: Any) -> None:
    for _ in range(2):  # each time, not the first one alone
        with pytest.raises(PolicyError) as raised:
            await start()
        expected = f"{invalid}:2:1: 'mode' must be 'observe', 'add-only' or 'full', not 'ful'"
        assert expected in str(raised.value)


async def test_a_missing_policy_fails_the_work() -> None:
    with pytest.raises(PolicyError, match="cannot be read: No such file or directory"):
        await work()


async def test_events_are_taken_in_without_a_policy() -> None:
    estate = Estate()
    await estate.create_groups()
    vm = await estate.create_vm("vm1")
    taken = [message for event in estate.new_events() if (message := await estate.deliver(event))]
    assert any(vm.text in message for message in taken)


async def test_an_event_of_a_type_that_no_rule_is_for_costs_no_call_to_arm() -> None:
    estate = Estate()
    await estate.create_groups()
    site = ResourceId.parse(f"{estate.scope}/resourceGroups/rg-app/providers/Microsoft.Web/sites/s")
    estate.app_calls()
    await estate.worker.process(Change(site, "event"))
    assert estate.app_calls() == []
    assert estate.queue.messages == []
