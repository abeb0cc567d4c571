"""An app that cannot work, in Microsoft's host: its functions are there, and nothing is lost."""

from pathlib import Path

import pytest

from demo.stack import Stack
from tests.support.not_configured import broken, waits_and_is_done

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(300),
    pytest.mark.host_check,
]
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
async def test_a_setting_that_is_missing_or_wrong_is_named(stack: Stack, name: str) -> None:
    machine = f"vm-{list(WRONG).index(name)}"
    named = WRONG[name] if name == "LANYARD_POLICY" else name
    await waits_and_is_done(stack, machine, {name: WRONG[name]}, named)


async def test_a_broken_policy_is_named(stack: Stack, tmp_path: Path) -> None:
    named = "broken.yaml:2:1: 'mode' must be"
    await waits_and_is_done(stack, "vm-broken", broken(tmp_path), named)
