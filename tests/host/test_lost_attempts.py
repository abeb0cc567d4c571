"""Case C25 in both hosts: killed again and again with the same messages in hand, hidden for longer
than a lease lasts. Minutes of waiting: `make host-check` alone.
"""

import pytest

from chaos.storage import StorageFront
from demo.stack import BLOB_READER, Stack
from simulator.faults import Fault
from tests.support.app_queues import poisoned
from tests.support.machines import created, principals_of, roles_of, until_in_hand

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),
    pytest.mark.host_check,
]
KILLS = 6


async def test_case_C25_killed_six_times_with_eight_messages_in_hand_none_is_given_up(
    either: tuple[Stack, StorageFront],
) -> None:
    stack, _ = either
    names = [f"vm-{number}" for number in range(8)]
    slow = Fault(
        method="GET", path="/vm-[0-9]$", delay=3600, caller=stack.app_principal, times=None
    )
    stack.azure.faults.add(slow)
    await created(stack, *names)
    for number in range(1, KILLS + 1):
        await until_in_hand(stack, slow, len(names) * number)
        assert await stack.host.kill() < 0
        await stack.host.start()
    stack.azure.faults.clear()
    await stack.quiet()
    assert await poisoned(stack) == 0
    for name in names:
        (principal,) = await principals_of(stack, name)
        assert await roles_of(stack, principal) == [BLOB_READER], name
