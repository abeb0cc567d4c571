"""Every query of alerts and workbook finds what it asks for in what Microsoft's host exports,
with the app's own telemetry on and off.
"""

import base64
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from pathlib import Path

import pytest
import pytest_asyncio
from azure.storage.queue.aio import QueueClient

from demo.hosts import microsoft_host
from demo.stack import LOCATION, QUEUE, Stack, running
from demo.timers import run_now
from lanyard.queue.messages import encode
from lanyard.queue.retry import MAX_DELIVERIES
from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from simulator.functions_host.process import HostProcess
from tests.support.app_queues import put_raw
from tests.support.infra.queries import QUERIES, WORKBOOK, matching
from tests.support.installed_command import lanyard
from tests.support.unseen import unseen

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),
    pytest.mark.host_check,
]
GROUP = "rg-shop"
#: OpenTelemetry's own settings, in ms.
_OFTEN = {"OTEL_BSP_SCHEDULE_DELAY": "200", "OTEL_METRIC_EXPORT_INTERVAL": "500"}
#: The one panel of metrics: what the app itself sends.
_OF_METRICS = "calls"
#: The 4,000 of a subscription are near.
_MANY_ASSIGNMENTS = 3300


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=["true", "false"])
async def stack(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    """The host at hand exports without a token (4.1037; later ones show one)."""

    def host(settings: Mapping[str, str], directory: Path) -> HostProcess:
        own = {**settings, **_OFTEN, "LANYARD_TELEMETRY": request.param}
        return microsoft_host(own, directory)

    directory = tmp_path_factory.mktemp("queries")
    async with running(
        directory, unseen, operation_seconds=0.2, make_host=host, telemetry_by_key=True
    ) as started:
        yield started


def lines(stack: Stack) -> list[str]:
    """What AppTraces would have."""
    taken = stack.azure.services.components.taken
    return [str(each.data["message"]) for each in taken if "message" in each.data]


def metrics(stack: Stack) -> set[str]:
    """What AppMetrics would have."""
    taken = stack.azure.services.components.taken
    return {str(one["name"]) for each in taken for one in each.data.get("metrics", ())}


async def until(stack: Stack, reached: Callable[[], bool]) -> None:
    while not reached():
        await stack.azure.clock.sleep_until(stack.azure.clock.now() + 0.5)


def missed(stack: Stack, queries: Iterable[str]) -> list[str]:
    """Those that find nothing."""
    told = lines(stack)
    return [query for query in queries if not matching(query, told)]


async def test_each_query_finds_what_it_asks_for(stack: Stack) -> None:
    await what_azure_refuses(stack)
    await what_is_held(stack)
    await what_is_given_up(stack)
    nearly_as_many_assignments_as_may_be(stack)
    assert await run_now(stack.host, "sweep", stack.azure.clock)
    wanted = [*QUERIES.values(), *(q for name, q in WORKBOOK.items() if name != _OF_METRICS)]
    await until(stack, lambda: not missed(stack, wanted))
    if stack.host.settings["LANYARD_TELEMETRY"] == "true":
        assert '"lanyard.calls"' in WORKBOOK[_OF_METRICS]
        await until(stack, lambda: "lanyard.calls" in metrics(stack))


async def what_azure_refuses(stack: Stack) -> None:
    refusal = Fault(
        method="PUT", path="roleAssignments", status=403, code="AuthorizationFailed", times=None
    )
    stack.azure.faults.add(refusal)
    await stack.operator.create_vm(GROUP, "vm-refused", LOCATION)
    await stack.quiet()
    stack.azure.faults.clear()


async def what_is_held(stack: Stack) -> None:
    """A removal, by a pause."""
    await stack.operator.create_vm(GROUP, "vm-held", LOCATION)
    await stack.quiet()
    code, _, err = await lanyard(stack, "pause", "to look at it")
    assert code == 0, err
    await stack.operator.delete_vm(GROUP, "vm-held")
    await stack.quiet()


async def what_is_given_up(stack: Stack) -> None:
    """By the app, which cannot read it; by the host, which sees that it was taken too often."""
    await put_raw(stack, '{"of": "another version"}')
    await stack.quiet()
    await stack.host.stop()
    await taken_too_often(stack)
    await stack.host.start()


async def taken_too_often(stack: Stack) -> None:
    """A message as one that ended its process each time. It is seen once the host is well up: of
    its first second it exports not everything.
    """
    machine = f"{stack.operator.group(GROUP)}/providers/Microsoft.Compute/virtualMachines/vm-lost"
    body = encode(Change(ResourceId.parse(machine), "event"))
    operator = stack.operator
    async with QueueClient(
        stack.azurite.queue_url, QUEUE, credential=operator.credential, **operator.options
    ) as queue:
        await queue.send_message(base64.b64encode(body.encode()).decode())
        for left in reversed(range(MAX_DELIVERIES + 1)):
            message = await queue.receive_message(visibility_timeout=30)
            assert message is not None
            await queue.update_message(message, visibility_timeout=0 if left else 60)


def nearly_as_many_assignments_as_may_be(stack: Stack) -> None:
    for _ in range(_MANY_ASSIGNMENTS):
        principal = stack.azure.state.add_principal("other").object_id
        stack.azure.assign(principal, "Reader", stack.operator.scope)
