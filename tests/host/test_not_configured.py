"""An app that cannot work, in both hosts: its functions are there, log and `doctor` name what is
wrong, nothing is poisoned; put right and started again, it does all that waited.
"""

from pathlib import Path

import pytest

from chaos.storage import StorageFront
from demo.stack import SHOP, Stack
from lanyard.cli.findings import State
from lanyard.cli.host_findings import settings_read
from tests.support.installed_command import lanyard
from tests.support.machines import created
from tests.support.not_configured import (
    broken,
    put_right,
    unreadable,
    wait_until_named,
)

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.timeout(1500),
    pytest.mark.host_check,
]

#: Without the storage's addresses of blobs and queues the host itself has nothing to begin with.
NEEDED = (
    "AZURE_CLIENT_ID",
    "LANYARD_PRINCIPAL_ID",
    "LANYARD_INSTALLATION",
    "AzureWebJobsStorage__tableServiceUri",
    "APPLICATIONINSIGHTS_CONNECTION_STRING",
)
WRONG = {
    "AZURE_CLIENT_ID": "<client id>",
    "LANYARD_PRINCIPAL_ID": "<object id>",
    "LANYARD_INSTALLATION": "ours",
    "LANYARD_IDENTITY_ID": "id-lanyard",
    "LANYARD_CREDENTIAL": "password",
    "LANYARD_CLOUD": "AzureMoon",
    "LANYARD_ARM_ENDPOINT": "management.azure.com",
    "LANYARD_GRAPH_ENDPOINT": "graph.microsoft.com",
    "LANYARD_QUOTA_RESERVE": "lots",
    "LANYARD_SETTLE_SECONDS": "soon",
    "LANYARD_LONGEST_DELAY_SECONDS": "-1",
    "LANYARD_NOTICES_ENDPOINT": "nowhere",
    "LANYARD_TELEMETRY": "maybe",
    "LANYARD_POLICY": "http://policies/lanyard.yaml",
}
CASES = [*((name, None) for name in NEEDED), *WRONG.items()]

type Either = tuple[Stack, StorageFront]


async def test_each_setting_that_is_missing_or_wrong_is_named_and_uses_up_no_message(
    either: Either,
) -> None:
    stack, _ = either
    right = dict(stack.host.settings)
    await created(stack, "vm-before")
    for number, (name, value) in enumerate(CASES):
        settings = {key: kept for key, kept in right.items() if key != name}
        settings |= {} if value is None else {name: value}
        await wait_until_named(stack, settings, f"vm-set-{number}", name)
        found = settings_read(settings)
        assert (found.state, name in found.message) == (State.PROBLEM, True), found
    await put_right(stack, right, [f"vm-set-{number}" for number in range(len(CASES))])


async def test_a_policy_that_is_missing_broken_or_unreadable_is_named_and_uses_up_no_message(
    either: Either, tmp_path: Path
) -> None:
    stack, _ = either
    right = dict(stack.host.settings)
    policies = {
        tmp_path / "missing.yaml": "missing.yaml",
        broken(tmp_path): "broken.yaml:2:1: 'mode' must be",
        unreadable(tmp_path): "unreadable.yaml",
    }
    for policy, named in policies.items():
        settings = right | {"LANYARD_POLICY": str(policy)}
        await wait_until_named(stack, settings, f"vm-{policy.stem}", named)
        _, said, _ = await lanyard(stack, "doctor", "--watch", stack.operator.group(SHOP))
        assert named in said
    await put_right(stack, right, [f"vm-{policy.stem}" for policy in policies])
