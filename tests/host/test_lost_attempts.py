"""Case C25 in both hosts: killed again and again with the same messages in hand, hidden for longer
than a lease lasts. Minutes of waiting: `make host-check` alone.
"""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from chaos.storage import StorageFront
from demo.stack import BLOB_READER, LOCATION, Stack, running
from simulator.azurite import Azurite
from simulator.certificates import Certificates
from simulator.faults import Fault
from tests.support.app_queues import poisoned
from tests.support.hosts import BOTH, HIDDEN_SECONDS
from tests.support.unseen import unseen

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),
    pytest.mark.host_check,
]
GROUP = "rg-shop"
KILLS = 6


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BOTH)
async def host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    def front(azurite: Azurite, certificates: Certificates) -> StorageFront:
        return StorageFront(azurite, certificates, seed=1, hidden_seconds=HIDDEN_SECONDS)

    directory = tmp_path_factory.mktemp("lost")
    async with running(
        directory, unseen, operation_seconds=0.2, make_host=BOTH[request.param], front=front
    ) as started:
        yield started


async def test_case_C25_killed_six_times_with_eight_messages_in_hand_none_is_given_up(
    host: Stack,
) -> None:
    clock, azure = host.azure.clock, host.azure
    names = [f"vm-{number}" for number in range(8)]
    slow = Fault(method="GET", path="/vm-[0-9]$", delay=3600, caller=host.app_principal, times=None)
    azure.faults.add(slow)
    for name in names:
        await host.operator.create_vm(GROUP, name, LOCATION)
    for number in range(1, KILLS + 1):
        while slow.hits < len(names) * number:
            await clock.sleep_until(clock.now() + 0.2)
        assert await host.host.kill() < 0
        await host.host.start()
    azure.faults.clear()
    await host.quiet()
    assert await poisoned(host) == 0
    for name in names:
        machine = await host.operator.vm(GROUP, name)
        assert machine is not None
        identities = (machine.identity and machine.identity.user_assigned_identities) or {}
        (found,) = identities.values()
        roles = await host.operator.assignments(str(found.principal_id))
        assert [str(role.role_definition_id).rpartition("/")[2] for role in roles] == [BLOB_READER]
