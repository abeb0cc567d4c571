"""What reaches Application Insights: by Microsoft's exporter, over TLS, as the app's identity."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from demo.hosts import PROJECT
from demo.stack import LOCATION, POLLED_OFTEN, Stack, running
from simulator.functions_host.process import HostProcess
from simulator.insights.components import Taken
from tests.support.unseen import unseen

pytestmark = pytest.mark.asyncio(loop_scope="module")

GROUP = "rg-shop"
#: OpenTelemetry's own settings, in ms: as deployed it is 5 s and a minute.
OFTEN = {"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "500"}


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    def host(settings: Mapping[str, str], directory: Path) -> HostProcess:
        return HostProcess(PROJECT, {**settings, **OFTEN, **POLLED_OFTEN}, directory)

    directory = tmp_path_factory.mktemp("stack")
    async with running(directory, unseen, operation_seconds=0.2, make_host=host) as started:
        # What comes first begins the collecting, and may come before it.
        await started.operator.create_vm(GROUP, "vm-first", LOCATION)
        await arrived(started, spans("lanyard.reconcile"))
        yield started


async def arrived(stack: Stack, wanted: Callable[[Taken], bool]) -> list[Taken]:
    """Those that are wanted, once there is one."""
    async with asyncio.timeout(60):
        while not (found := [each for each in taken(stack) if wanted(each)]):
            await stack.azure.clock.sleep_until(stack.azure.clock.now() + 0.1)
    return found


def taken(stack: Stack) -> list[Taken]:
    return stack.azure.services.components.taken


def spans(name: str, **attributes: str) -> Callable[[Taken], bool]:
    """Of a name, with these attributes (lanyard.…, in lower case)."""

    def wanted(each: Taken) -> bool:
        told = each.data.get("properties") or {}
        return each.data.get("name") == name and all(
            str(told.get(f"lanyard.{key.replace('_', '.')}")).lower() == value
            for key, value in attributes.items()
        )

    return wanted


def points(name: str) -> Callable[[Taken], bool]:
    def wanted(each: Taken) -> bool:
        return any(point["name"] == name for point in each.data.get("metrics", ()))

    return wanted


def trace_of(each: Taken) -> str:
    return str(each.envelope["tags"]["ai.operation.id"])


async def test_one_trace_leads_from_the_event_to_the_verified_machine(stack: Stack) -> None:
    machine = await stack.operator.create_vm(GROUP, "vm-traced", LOCATION)
    verified = spans("lanyard.reconcile", resource_id=machine.lower(), outcome="verified")
    (reconcile, *_) = await arrived(stack, verified)
    of_it = spans("lanyard.event", resource_id=machine.lower(), outcome="queued")
    events = await arrived(stack, of_it)
    assert all(each.envelope["tags"]["ai.operation.parentId"] for each in events)  # the host's
    traces = {trace_of(each) for each in events}
    assert trace_of(reconcile) in traces
    below = f"{stack.addresses.arm}{machine}".lower()
    calls = await arrived(stack, lambda each: each.data.get("data", "").lower() == below)
    assert {each.data["name"].split()[0] for each in calls if trace_of(each) in traces} == {
        "GET",
        "PATCH",
    }
    assert {each.caller for each in taken(stack)} == {stack.app_principal}


async def test_metrics_arrive_and_nothing_that_lanyard_does_not_tell(stack: Stack) -> None:
    await arrived(stack, points("lanyard.reconciles"))
    sent = [each.data for each in taken(stack)]
    metrics = {point["name"] for data in sent for point in data.get("metrics", ())}
    assert {"lanyard.events", "lanyard.calls", "lanyard.reconciles"} <= metrics
    assert {name for name in metrics if not name.startswith("lanyard.")} == set()
    spans_told = {data["name"] for data in sent if "name" in data and "target" not in data}
    assert {"lanyard.event", "lanyard.reconcile", "lanyard.sweep"} >= spans_told


async def test_no_token_is_in_what_was_sent_nor_in_the_log(stack: Stack) -> None:
    """A JSON web token begins with `{"` in base64."""
    said = stack.host.log_file.read_text()
    assert "decision done" in said
    assert "eyJ" not in said + str(taken(stack))
    assert "ERROR" not in said
