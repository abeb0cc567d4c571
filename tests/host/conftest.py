"""The app, unmodified, in Microsoft's own Functions host; skipped where that is not at hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from chaos.storage import StorageFront
from demo.hosts import microsoft_host
from demo.stack import Stack, running
from simulator.azurite import Azurite
from simulator.certificates import Certificates
from simulator.functions_host.microsoft import missing
from tests.support.unseen import unseen

#: Instead of ten minutes: longer than a lease of Lanyard's lasts, or the case is another one.
HIDDEN_SECONDS = 36


@pytest.fixture(autouse=True, scope="session")
def _at_hand() -> None:
    if reason := missing():
        pytest.skip(reason)


@asynccontextmanager
async def _front(azurite: Azurite, certificates: Certificates) -> AsyncIterator[StorageFront]:
    front = StorageFront(azurite, certificates, seed=1, hidden_seconds=HIDDEN_SECONDS)
    async with front:
        yield front


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    directory: Path = tmp_path_factory.mktemp("microsoft")
    async with running(
        directory, unseen, operation_seconds=0.2, make_host=microsoft_host, front=_front
    ) as started:
        yield started
