"""The whole stack once: worker library, Azurite, TLS, Event Grid's deliveries over the wire."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from demo.stack import Stack, running
from tests.support.unseen import unseen


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    directory: Path = tmp_path_factory.mktemp("stack")
    async with running(directory, unseen, operation_seconds=0.2) as started:
        yield started
