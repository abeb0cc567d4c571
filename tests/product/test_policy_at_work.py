"""The policy is read with the first work: what is wrong with it fails that work, and is told with
file, line and reason. Events are taken in meanwhile.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from handlers import reconcile as reconcile_handler
from handlers import sweep as sweep_handler
from lanyard import settings as app_settings
from lanyard.app import composition
from lanyard.policy.problems import PolicyError
from lanyard.queue.messages import encode
from lanyard.queue.retry import PUT_ANEW
from lanyard.record.decisions import REFUSED, Decision
from lanyard.values.change import Change
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import ResourceId
from tests.support.estate import Estate, Out, Taken, invocation
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


@pytest.fixture(autouse=True)
def recorded(monkeypatch: pytest.MonkeyPatch) -> list[Decision]:
    """What is put on record."""
    record: list[Decision] = []

    class Record:
        async def add(self, decision: Decision) -> None:
            record.append(decision)

    monkeypatch.setattr(composition, "decisions", Record)
    return record


async def work(dequeue_count: int = 1) -> str | None:
    message, anew = Taken(encode(Change(vm_id("vm"), "event")), dequeue_count), Out()
    await function(reconcile_handler.reconcile)(message, anew, invocation())
    return anew.value


async def sweep() -> None:
    await function(sweep_handler.sweep)(None, invocation())


def function(builder: Any) -> Any:
    return builder._function.get_user_function()


@pytest.mark.parametrize("start", [work, sweep])
async def test_an_invalid_policy_fails_the_work(
    invalid: Path, start: Any, recorded: list[Decision]
) -> None:
    expected = f"{invalid}:2:1: 'mode' must be 'observe', 'add-only' or 'full', not 'ful'"
    for _ in range(2):  # each time, not the first one alone
        with pytest.raises(PolicyError) as raised:
            await start()
        assert expected in str(raised.value)
    (decision,) = recorded
    assert (decision.action, decision.outcome) == (REFUSED, "failed")
    assert expected in decision.reason, "what a person sees from outside"


async def test_a_missing_policy_fails_the_work() -> None:
    with pytest.raises(PolicyError, match="cannot be read: No such file or directory"):
        await work()


@pytest.mark.parametrize("name", ["AZURE_CLIENT_ID", "LANYARD_INSTALLATION", "LANYARD_POLICY"])
async def test_what_is_missing_is_told_at_each_call_and_uses_up_no_message(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    monkeypatch.delenv(name, raising=name != "LANYARD_POLICY")
    monkeypatch.setenv(name, "/nowhere/lanyard.yaml" if name == "LANYARD_POLICY" else "")
    told = "/nowhere/lanyard.yaml" if name == "LANYARD_POLICY" else name
    assert told in app_settings.unusable()
    for count in range(1, PUT_ANEW):
        with pytest.raises(LanyardError, match=told):
            await work(count)
    caplog.clear()
    anew = await work(PUT_ANEW)
    assert anew is not None
    assert told in caplog.text


async def test_an_event_waits_on_the_queue_until_the_settings_are_there(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    estate = Estate()
    await estate.create_groups()
    vm = await estate.create_vm("vm1")
    monkeypatch.setenv("LANYARD_PRINCIPAL_ID", "")
    taken = [message for event in estate.new_events() if (message := await estate.deliver(event))]
    assert any(vm.text in message for message in taken)
    assert "the app setting LANYARD_PRINCIPAL_ID is missing" in caplog.text


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
