"""The alerts' queries and what the app really logs: a phrase that changes on one side fails."""

import json
import logging
import re
from typing import Any

import pytest

from handlers import sweep as sweep_handler
from lanyard.planning.orders import Paused
from lanyard.queue.messages import QUEUE
from simulator.faults import Fault
from tests.support.estate import POLICY, Estate, invocation
from tests.support.handlers import started
from tests.support.infra.bicep import INFRA, variable
from tests.support.infra.functions import event_function

QUERIES = {rule["name"]: rule["query"] for rule in variable("rules", "modules/alerts.bicep")}
_TERM = re.compile(r'Message (startswith|has|matches regex) "([^"]*)"')


def matching(query: str, lines: list[str]) -> list[str]:
    """The lines that a query over AppTraces finds: its terms on Message, all of which must hold."""
    terms = _TERM.findall(query)
    assert terms
    assert " or " not in query
    return [line for line in lines if all(_holds(how, text, line) for how, text in terms)]


def _holds(operator: str, text: str, line: str) -> bool:
    match operator:
        case "startswith":
            return line.lower().startswith(text.lower())
        case "has":
            return text.lower() in line.lower()
        case _:
            return re.search(text, line) is not None


@pytest.fixture
def lines(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What the app logs at the level of host.json; filled while the test runs."""
    host = json.loads((INFRA.parent / "host.json").read_text())
    assert host["logging"]["logLevel"]["default"] == "Information"
    caplog.set_level(logging.INFO, logger="lanyard")
    return _Lines(caplog)


class _Lines(list[str]):
    """Reads the log afresh each time it is gone through."""

    def __init__(self, caplog: pytest.LogCaptureFixture) -> None:
        super().__init__()
        self._caplog = caplog

    def __iter__(self) -> Any:
        return iter(record.getMessage() for record in self._caplog.records)


async def test_a_held_removal_is_found_and_what_is_held_besides_is_not(
    monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    estate = await started(Estate(), monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle()
    estate.change_policy(POLICY.replace("mode: full", "mode: observe"))
    await estate.create_vm("vm2")
    await estate.settle()
    assert matching(QUERIES["held-removals"], lines) == []
    await estate.delete_vm("vm1")
    await estate.settle()
    assert matching(QUERIES["held-removals"], lines)


async def test_a_pause_is_found_where_something_waits_for_it(
    monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    estate = await started(Estate(), monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle()
    assert matching(QUERIES["paused"], lines) == []
    await estate.services.kill_switch.pause(Paused.REMOVALS, "a person", "to look at it")
    await estate.delete_vm("vm1")
    await once(estate)
    assert matching(QUERIES["paused"], lines)


async def once(estate: Estate) -> None:
    for event in estate.new_events():
        if message := await estate.deliver(event):
            await estate.work(message)


async def test_what_azure_refuses_is_found(
    monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    estate = await started(Estate(), monkeypatch)
    refusal = Fault(method="PUT", path="roleAssignments", status=403, code="AuthorizationFailed")
    estate.azure.faults.add(refusal)
    await estate.create_vm("vm1")
    await estate.settle()
    assert matching(QUERIES["failed"], lines)


async def test_a_sweep_is_found_and_a_subscription_near_its_limit(
    monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    estate = await started(Estate(), monkeypatch)
    await sweep(past_due=False)
    query = QUERIES["no-sweep"]
    assert "where swept == 0" in query
    assert matching(query, lines)
    assert matching(QUERIES["assignment-limit"], lines) == []
    for _ in range(3300):
        principal = estate.azure.state.add_principal("other").object_id
        estate.azure.assign(principal, "Reader", estate.scope)
    await sweep(past_due=True)
    assert matching(QUERIES["assignment-limit"], lines)


async def sweep(*, past_due: bool) -> None:
    function = sweep_handler.sweep._function.get_user_function()
    await function(type("Timer", (), {"past_due": past_due})(), invocation())


def test_the_poison_queue_is_named_as_the_host_names_it() -> None:
    """The phrase is that of the Functions host (azure-functions-host, Azure Storage queues)."""
    name = f"{QUEUE}-poison"
    said = f"Message has reached MaxDequeueCount of 5. Moving message to queue '{name}'."
    assert matching(QUERIES["poison"], [said]) == [said]


def test_silence_is_measured_on_the_function_that_hears_events() -> None:
    query = QUERIES["nothing-heard"]
    # The host's span of the function, or the app's own of each event: either is enough.
    assert f'Name in ("{event_function()}", "lanyard.event")' in query
    assert "where heard == 0" in query


def test_the_workbook_asks_for_the_same_phrases() -> None:
    workbook = json.loads((INFRA / "modules" / "workbook.json").read_text())
    queries = " ".join(i["content"]["query"] for i in workbook["items"] if i["type"] == 3)
    for phrase in (
        '"decision held: "',
        '"decision failed: "',
        '"sweep: "',
        f'"{event_function()}"',
    ):
        assert phrase in queries


def test_the_workbook_asks_for_metrics_that_there_are() -> None:
    workbook = (INFRA / "modules" / "workbook.json").read_text()
    metrics = set(re.findall(r"lanyard\.[a-z_.]+", workbook))
    page = (INFRA.parent / "docs" / "telemetry.md").read_text("utf-8")
    assert metrics
    assert {name for name in metrics if f"| `{name}` |" not in page} == set()
