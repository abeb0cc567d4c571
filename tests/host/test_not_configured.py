"""An app that cannot work, in both hosts: its functions are there, and nothing is lost."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from demo.stack import Stack, running
from tests.support.hosts import BOTH
from tests.support.not_configured import broken, waits_and_is_done
from tests.support.unseen import unseen

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(900),
    pytest.mark.host_check,
]


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BOTH)
async def host(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Stack]:
    directory = tmp_path_factory.mktemp("not-configured")
    async with running(
        directory, unseen, operation_seconds=0.2, make_host=BOTH[request.param]
    ) as started:
        yield started


WRONG = {
    "AZURE_CLIENT_ID": "<client id>",
    "LANYARD_PRINCIPAL_ID": "",
    "LANYARD_INSTALLATION": "ours",
    "LANYARD_IDENTITY_ID": "id-lanyard",
    "LANYARD_ARM_ENDPOINT": "management.azure.com",
    "LANYARD_QUOTA_RESERVE": "lots",
    "LANYARD_NOTICES_ENDPOINT": "nowhere",
    "LANYARD_TELEMETRY": "maybe",
    "LANYARD_POLICY": "/nowhere/lanyard.yaml",
}


@pytest.mark.parametrize("name", WRONG)
async def test_a_setting_that_is_missing_or_wrong_is_named(host: Stack, name: str) -> None:
    machine = f"vm-{list(WRONG).index(name)}"
    named = WRONG[name] if name == "LANYARD_POLICY" else name
    await waits_and_is_done(host, machine, {name: WRONG[name]}, named)


async def test_a_broken_policy_is_named(host: Stack, tmp_path: Path) -> None:
    named = "broken.yaml:2:1: 'mode' must be"
    await waits_and_is_done(host, "vm-broken", broken(tmp_path), named)
