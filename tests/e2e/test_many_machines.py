"""Many new machines at once that need the same new identity and grant: real tables, real hosts."""

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
from azure.storage.queue import TextBase64EncodePolicy
from azure.storage.queue.aio import QueueClient

from demo.events import EVENTS, make_queues
from demo.hosts import PROJECT
from demo.operator import Operator
from demo.stack import LOCATION, POLICY, QUEUE, SHOP, TIMERS_OFF, deploy, settings_of
from demo.timers import run_now
from lanyard.queue.messages import encode
from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId
from simulator.azure import Azure
from simulator.azurite import Azurite
from simulator.behaviour import Behaviour
from simulator.certificates import make_certificates
from simulator.clock import Clock
from simulator.functions_host.process import HostProcess
from simulator.serve import serve

MACHINES = 100
# A look, a write and the look after it.
CALLS = 3
# The identity and the grant, made once, and the looks while they are on their way: as many for any
# number of machines, so that 200 of them have at most 3.2 calls each.
SHARED = 40
VERSION = "2025-04-01"


async def create_machines(operator: Operator) -> list[ResourceId]:
    async def create(number: int) -> ResourceId:
        made = await operator.create(
            f"{SHOP}/Microsoft.Compute/virtualMachines/vm{number:02}",
            VERSION,
            {"location": LOCATION, "properties": {"hardwareProfile": {"vmSize": "Standard_B1s"}}},
        )
        return ResourceId.parse(made["id"])

    return await asyncio.gather(*(create(number) for number in range(MACHINES)))


async def emptied(queue: QueueClient, azure: Azure) -> None:
    while (await queue.get_queue_properties()).approximate_message_count:
        await azure.clock.sleep_until(azure.clock.now() + 0.5)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("hosts", [1, 3])
async def test_case_C26_many_machines_of_a_new_region_make_its_identity_once(
    tmp_path: Path, hosts: int
) -> None:
    certificates = make_certificates(tmp_path / "tls")
    async with AsyncExitStack() as stack:
        azurite = await stack.enter_async_context(Azurite(certificates))
        behaviour = Behaviour(operation_seconds=0.2)
        azure = Azure(clock=Clock(running=True), behaviour=behaviour)
        azure.state.add_subscription("a new landing zone")
        addresses = await stack.enter_async_context(serve(azure, certificates))
        operator = await stack.enter_async_context(Operator(addresses))
        app = await deploy(azure, operator, POLICY)
        await make_queues(operator, azurite.queue_url, QUEUE, EVENTS)
        settings = settings_of(azure, addresses, azurite, app, POLICY) | TIMERS_OFF
        settings |= {"LANYARD_QUOTA_RESERVE": "0"}
        running = [
            await stack.enter_async_context(
                HostProcess(PROJECT, settings, tmp_path / f"host{number}")
            )
            for number in range(hosts)
        ]
        assert await run_now(running[0], "policy_changes", azure.clock), running[0].log_file
        queue = await stack.enter_async_context(
            QueueClient(
                azurite.queue_url,
                QUEUE,
                credential=operator.credential,
                message_encode_policy=TextBase64EncodePolicy(),
                **operator.options,
            )
        )
        machines = await create_machines(operator)
        azure.calls.clear()
        await asyncio.gather(
            *(queue.send_message(encode(Change(one, "event"))) for one in machines)
        )
        await emptied(queue, azure)
        calls = azure.calls_of(app["principalId"])
    puts = [call.path.lower() for call in calls if call.method == "PUT"]
    assert len([path for path in puts if "/userassignedidentities/" in path]) <= hosts
    assert len([path for path in puts if "/roleassignments/" in path]) <= hosts
    served = [one for one in azure.state.resources.values() if one.identity and SHOP in one.id]
    assert len(served) == MACHINES
    assert len(calls) <= CALLS * MACHINES + SHARED
