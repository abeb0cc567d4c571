"""The app, unmodified, in Microsoft's own Functions host; skipped where that is not at hand.

What takes minutes runs in ours beside it: both have to come through in the same way.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from chaos.storage import StorageFront
from demo.stack import Stack, running
from simulator.azurite import Azurite
from simulator.certificates import Certificates
from simulator.functions_host.microsoft import missing
from tests.support.hosts import BOTH, HIDDEN_SECONDS
from tests.support.unseen import unseen


@pytest.fixture(autouse=True, scope="session")
def _at_hand() -> None:
    if reason := missing():
        pytest.skip(reason)


@asynccontextmanager
async def stack_in(directory: Path, host: str) -> AsyncIterator[tuple[Stack, StorageFront]]:
    """Everything, and what stands before the app's storage."""
    fronts: list[StorageFront] = []

    @asynccontextmanager
    async def front(azurite: Azurite, certificates: Certificates) -> AsyncIterator[StorageFront]:
        made = StorageFront(azurite, certificates, seed=1, hidden_seconds=HIDDEN_SECONDS)
        async with made:
            fronts.append(made)
            yield made

    async with running(
        directory, unseen, operation_seconds=0.2, make_host=BOTH[host], front=front
    ) as started:
        yield started, fronts[0]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def stack(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stack]:
    async with stack_in(tmp_path_factory.mktemp("microsoft"), "microsoft") as (started, _):
        yield started


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=BOTH)
async def either(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[tuple[Stack, StorageFront]]:
    """In each of both hosts."""
    async with stack_in(tmp_path_factory.mktemp(request.param), request.param) as made:
        yield made
