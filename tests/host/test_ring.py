"""A machine's life, a kill and a wrong setting in Microsoft's own Functions host."""

import httpx
import pytest

from demo.stack import BLOB_READER, Stack
from simulator.faults import Fault
from simulator.functions_host.microsoft import MicrosoftHost
from tests.support.machines import GROUP, created, principals_of, roles_of, until_in_hand
from tests.support.not_configured import put_right, wait_until_named

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]


async def test_it_is_microsofts_and_serves_every_function(stack: Stack) -> None:
    host = stack.host
    assert isinstance(host, MicrosoftHost)
    assert (await host.version()).startswith("4.")
    names = sorted(function["name"] for function in host.functions)
    assert names == [
        *("dead_letters", "policy_changes", "queued_events"),
        *("reconcile", "resource_events", "sweep"),
    ]


async def test_a_machine_comes_and_goes(stack: Stack) -> None:
    await created(stack, "vm-one")
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
    await created(stack, "vm-killed")
    await until_in_hand(stack, slow, 1)
    assert await stack.host.kill() < 0
    stack.azure.faults.clear()
    await stack.host.start()
    await stack.quiet()
    (principal,) = await principals_of(stack, "vm-killed")
    assert await roles_of(stack, principal) == [BLOB_READER]


async def test_a_wrong_setting_is_named_and_uses_up_no_message(stack: Stack) -> None:
    right = dict(stack.host.settings)
    wrong = right | {"LANYARD_QUOTA_RESERVE": "lots"}
    await wait_until_named(stack, wrong, "vm-setting", "LANYARD_QUOTA_RESERVE")
    await put_right(stack, right, ["vm-setting"])
