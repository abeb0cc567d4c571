"""A machine's life, a kill and a wrong setting in Microsoft's own Functions host."""

from pathlib import Path

import httpx
import pytest

from demo.hosts import microsoft_host
from demo.stack import BLOB_READER, LOCATION, Stack
from simulator.faults import Fault
from simulator.functions_host.microsoft import MicrosoftHost
from simulator.functions_host.process import HostStartError

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]

GROUP = "rg-shop"


async def principals_of(stack: Stack, name: str) -> list[str]:
    machine = await stack.operator.vm(GROUP, name)
    assert machine is not None
    attached = (machine.identity and machine.identity.user_assigned_identities) or {}
    return [str(value.principal_id) for value in attached.values()]


async def roles_of(stack: Stack, principal: str) -> list[str]:
    found = await stack.operator.assignments(principal)
    return [str(one.role_definition_id).rpartition("/")[2] for one in found]


async def test_it_is_microsofts_and_serves_every_function(stack: Stack) -> None:
    host = stack.host
    assert isinstance(host, MicrosoftHost)
    assert (await host.version()).startswith("4.")
    names = sorted(function["name"] for function in host.functions)
    assert names == ["dead_letters", "policy_changes", "reconcile", "resource_events", "sweep"]


async def test_a_machine_comes_and_goes(stack: Stack) -> None:
    await stack.operator.create_vm(GROUP, "vm-one", LOCATION)
    await stack.quiet()
    (principal,) = await principals_of(stack, "vm-one")
    assert await roles_of(stack, principal) == [BLOB_READER]
    await stack.operator.delete_vm(GROUP, "vm-one")
    await stack.quiet()
    assert await roles_of(stack, principal) == []


async def test_an_address_without_the_key_is_refused(stack: Stack) -> None:
    key = stack.host.keys["eventgrid_extension"]
    async with httpx.AsyncClient(trust_env=False) as client:
        answer = await client.post(
            stack.webhook.replace(key, "wrong"), json=[], headers={"aeg-event-type": "Notification"}
        )
    assert answer.status_code == 401


async def test_what_a_killed_host_had_in_hand_is_done_by_the_next_one(stack: Stack) -> None:
    slow = Fault(method="GET", path="/vm-killed$", delay=60, caller=stack.app_principal)
    stack.azure.faults.add(slow)
    await stack.operator.create_vm(GROUP, "vm-killed", LOCATION)
    while not slow.hits:
        await stack.azure.clock.sleep_until(stack.azure.clock.now() + 0.1)
    assert await stack.host.kill() < 0
    stack.azure.faults.clear()
    await stack.host.start()
    await stack.quiet()
    (principal,) = await principals_of(stack, "vm-killed")
    assert await roles_of(stack, principal) == [BLOB_READER]


@pytest.mark.host_check
async def test_a_wrong_setting_keeps_it_from_serving_anything(stack: Stack, tmp_path: Path) -> None:
    settings = {**stack.host.settings, "LANYARD_QUOTA_RESERVE": "lots"}
    host = microsoft_host(settings, tmp_path)
    with pytest.raises(HostStartError):
        await host.start()
