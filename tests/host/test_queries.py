"""What alerts and workbook ask for is looked for in what Microsoft's host really exports, with the
app's own telemetry on and off.
"""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from demo.hosts import microsoft_host
from demo.stack import LOCATION, Stack, running
from demo.timers import run_now
from simulator.faults import Fault
from simulator.functions_host.process import HostProcess
from tests.support.app_queues import put_raw
from tests.support.infra.queries import QUERIES, WORKBOOK, matching
from tests.support.unseen import unseen

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),
    pytest.mark.host_check,
]
GROUP = "rg-shop"
#: OpenTelemetry's own settings, in ms.
_OFTEN = {"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "500"}
#: What the story below leads to; the others are for what is wrong with an estate.
_ALERTS = ("poison", "failed", "nothing-heard", "no-sweep")
_PANELS = ("decisions", "held", "events", "verified", "sweeps")


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["true", "false"])
async def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    def host(settings: Mapping[str, str], directory: Path) -> HostProcess:
        own = {**settings, **_OFTEN, "LANYARD_TELEMETRY": request.param}
        return microsoft_host(own, directory)

    directory = tmp_path_factory.mktemp("queries")
    async with running(directory, unseen, operation_seconds=0.2, make_host=host) as started:
        yield started


def lines(stack: Stack) -> list[str]:
    taken = stack.azure.services.components.taken
    return [str(each.data["message"]) for each in taken if "message" in each.data]


def metrics(stack: Stack) -> set[str]:
    taken = stack.azure.services.components.taken
    return {str(one["name"]) for each in taken for one in each.data.get("metrics", ())}


async def test_each_query_finds_what_it_asks_for(stack: Stack) -> None:
    clock = stack.azure.clock
    await stack.operator.create_vm(GROUP, "vm-one", LOCATION)
    await stack.quiet()
    refusal = Fault(
        method="PUT", path="roleAssignments", status=403, code="AuthorizationFailed", times=None
    )
    stack.azure.faults.add(refusal)
    await stack.operator.delete_vm(GROUP, "vm-one")
    await stack.quiet()
    await stack.operator.create_vm(GROUP, "vm-two", LOCATION)
    await put_raw(stack, '{"of": "another version"}')
    await stack.quiet()
    assert await run_now(stack.host, "sweep", clock)
    wanted = [QUERIES[name] for name in _ALERTS] + [WORKBOOK[name] for name in _PANELS]
    while missing := [query for query in wanted if not matching(query, lines(stack))]:
        await clock.sleep_until(clock.now() + 0.5)
    assert not missing
    if stack.host.settings["LANYARD_TELEMETRY"] == "true":
        while "lanyard.calls" not in metrics(stack):
            await clock.sleep_until(clock.now() + 0.5)
