"""The alerts' queries and what the app really logs: a phrase that changes on one side fails."""

import json
import logging
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest

from handlers import sweep as sweep_handler
from lanyard.planning.orders import Paused
from lanyard.queue.messages import QUEUE
from simulator.faults import Fault
from tests.support.estate import POLICY, Estate, invocation
from tests.support.handlers import started
from tests.support.infra.bicep import INFRA
from tests.support.infra.queries import QUERIES, WORKBOOK, matching

_PROJECT = Path(__file__).parents[2]
KUSTO = _PROJECT / "tests" / "kusto" / "node_modules" / "@kusto"
NODE = _PROJECT / ".venv" / "node" / "node"
#: As the reference of Azure Monitor Logs has them, without what no query of ours asks for.
_OF_ALL = "TimeGenerated: datetime, ItemCount: int, OperationName: string, Properties: dynamic"
TABLES = {
    "AppTraces": f"({_OF_ALL}, Message: string, SeverityLevel: int)",
    "AppRequests": f"({_OF_ALL}, Name: string, DurationMs: real, Success: bool)",
    "AppMetrics": f"({_OF_ALL}, Name: string, Sum: real, Min: real, Max: real)",
}


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


async def test_what_is_given_up_is_found(monkeypatch: pytest.MonkeyPatch, lines: list[str]) -> None:
    estate = await started(Estate(), monkeypatch)
    assert matching(QUERIES["poison"], lines) == []
    await estate.work('{"of": "another version"}')
    assert matching(QUERIES["poison"], lines)


def test_the_poison_queue_is_named_as_the_host_names_it() -> None:
    """The phrase is that of the Functions host (azure-functions-host, Azure Storage queues)."""
    name = f"{QUEUE}-poison"
    said = f"Message has reached MaxDequeueCount of 5. Moving message to queue '{name}'."
    assert matching(QUERIES["lost"], [said]) == [said]


async def test_silence_is_measured_by_the_line_of_each_event_whoever_collects(
    monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    estate = await started(Estate(), monkeypatch)
    assert not estate.settings.collected
    query = QUERIES["nothing-heard"]
    assert "where heard == 0" in query
    assert matching(query, lines) == []
    await estate.create_vm("vm1")
    events = estate.new_events()
    for event in events:
        await estate.deliver(event)
    assert len(matching(query, lines)) == len(events)


async def test_how_long_it_took_is_in_a_line_of_its_own(
    monkeypatch: pytest.MonkeyPatch, lines: list[str]
) -> None:
    estate = await started(Estate(), monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle()
    query = WORKBOOK["verified"]
    (line, *_) = matching(query, lines)
    (pattern,) = re.findall(r'extract\("([^"]+)"', query)
    found = re.search(pattern, line)
    assert found is not None
    assert float(found[1]) >= 0


def test_the_workbook_asks_for_the_same_phrases() -> None:
    queries = " ".join(WORKBOOK.values())
    for phrase in ('"decision held: "', '"decision failed: "', '"sweep: "', '"event "'):
        assert phrase in queries


@pytest.mark.skipif(not KUSTO.is_dir(), reason="Microsoft's parser is not installed: make test")
def test_microsofts_own_parser_has_nothing_against_any_query() -> None:
    queries = {f"alert {k}": v for k, v in QUERIES.items()}
    queries |= {f"workbook {k}": v for k, v in WORKBOOK.items()}
    wrong = {
        "a column": "AppTraces | where Massage has 'x'",
        "a table": "AppRequest | count",
        "no query": "AppTraces | were Message has 'x'",
    }
    found = _against(queries | wrong)
    assert {name: texts for name, texts in found.items() if name in queries and texts} == {}
    assert all(found[name] for name in wrong), "and it would have"


def _against(queries: dict[str, str]) -> dict[str, list[str]]:
    ran = subprocess.run(
        [NODE, KUSTO.parents[1] / "parse.cjs"],
        input=json.dumps({"tables": TABLES, "queries": queries}),
        capture_output=True,
        text=True,
        check=True,
    )
    result: dict[str, list[str]] = json.loads(ran.stdout)
    return result


def test_the_workbook_asks_for_metrics_that_there_are() -> None:
    workbook = (INFRA / "modules" / "workbook.json").read_text()
    metrics = set(re.findall(r"lanyard\.[a-z_.]+", workbook))
    page = (INFRA.parent / "docs" / "telemetry.md").read_text("utf-8")
    assert metrics
    assert {name for name in metrics if f"| `{name}` |" not in page} == set()
