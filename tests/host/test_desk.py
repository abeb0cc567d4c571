"""What `make local` writes for Core Tools: the same values start Microsoft's host at a desk."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from demo.desk import local_settings
from demo.hosts import PROJECT
from demo.stack import BLOB_READER, Stack, running
from lanyard.cli.host_findings import FUNCTIONS
from simulator.functions_host.microsoft import MicrosoftHost
from tests.support.hosts import our_host
from tests.support.installed_command import lanyard
from tests.support.machines import GROUP, created, principals_of, roles_of
from tests.support.unseen import unseen

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(600),
    pytest.mark.host_check,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def local(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    """As `make local` has it."""
    directory = tmp_path_factory.mktemp("local")
    async with running(
        directory, unseen, operation_seconds=0.2, make_host=our_host, timers=True
    ) as started:
        yield started


async def test_the_written_settings_start_the_app_and_it_works(
    local: Stack, tmp_path: Path
) -> None:
    values = json.loads(local_settings(local.host.settings))["Values"]
    async with MicrosoftHost(PROJECT, values, tmp_path) as desk:
        assert {function["name"] for function in desk.functions} == FUNCTIONS
        await local.host.stop()
        await created(local, "vm-desk")
        machine = f"{local.operator.group(GROUP)}/providers/Microsoft.Compute/virtualMachines"
        code, _, err = await lanyard(local, "apply", f"{machine}/vm-desk")
        assert code in (0, 2), err
        while await local.waiting("lanyard-reconcile"):
            await local.azure.clock.sleep_until(local.azure.clock.now() + 0.2)
        (principal,) = await principals_of(local, "vm-desk")
        assert await roles_of(local, principal) == [BLOB_READER]
