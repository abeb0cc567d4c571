"""An app that cannot work says what to do, and loses nothing meanwhile."""

from collections.abc import AsyncIterator, Mapping
from pathlib import Path

import pytest
import pytest_asyncio

from demo.hosts import PROJECT
from demo.stack import Stack, running
from simulator.functions_host.microsoft import free_port
from simulator.functions_host.process import HostProcess
from tests.support.not_configured import broken, waits_and_is_done
from tests.support.unseen import unseen

pytestmark = pytest.mark.asyncio(loop_scope="module")


def _host(settings: Mapping[str, str], directory: Path) -> HostProcess:
    """Its address stays when it is started again."""
    return HostProcess(PROJECT, settings, directory, port=free_port())


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    directory: Path = tmp_path_factory.mktemp("stack")
    async with running(directory, unseen, operation_seconds=0.2, make_host=_host) as started:
        yield started


async def test_a_missing_setting_is_named_and_uses_up_no_message(stack: Stack) -> None:
    wrong = {"LANYARD_PRINCIPAL_ID": ""}
    await waits_and_is_done(stack, "vm-setting", wrong, "LANYARD_PRINCIPAL_ID is missing")


async def test_a_broken_policy_is_named_and_uses_up_no_message(
    stack: Stack, tmp_path: Path
) -> None:
    named = "broken.yaml:2:1: 'mode' must be"
    await waits_and_is_done(stack, "vm-policy", broken(tmp_path), named)
