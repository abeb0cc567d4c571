"""An app that cannot work says what to do, and loses nothing meanwhile."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from demo.stack import Stack, running
from tests.support.hosts import our_host
from tests.support.not_configured import put_right, wait_until_named
from tests.support.unseen import unseen

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    directory: Path = tmp_path_factory.mktemp("stack")
    async with running(directory, unseen, operation_seconds=0.2, make_host=our_host) as started:
        yield started


async def test_a_missing_setting_is_named_and_uses_up_no_message(stack: Stack) -> None:
    right = dict(stack.host.settings)
    wrong = right | {"LANYARD_PRINCIPAL_ID": ""}
    await wait_until_named(stack, wrong, "vm-setting", "LANYARD_PRINCIPAL_ID is missing")
    await put_right(stack, right, ["vm-setting"])
