"""Real parts for the tests: Azurite, a token endpoint, and the host running the small app."""

from collections.abc import AsyncIterator, Callable

import httpx
import pytest
import pytest_asyncio

from simulator.azurite import Azurite
from simulator.certificates import make_certificates
from simulator.functions_host.process import HostProcess
from tests.support.azurite.queues import Queue, open_queues
from tests.support.azurite.token_endpoint import serve_tokens
from tests.support.functions_host import APP, Storage


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def storage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Storage]:
    certificates = make_certificates(tmp_path_factory.mktemp("certificates"))
    with serve_tokens() as tokens:
        async with (
            Azurite(certificates) as azurite,
            open_queues(azurite.queue_url, certificates.ca_file) as service,
        ):
            yield Storage(azurite, certificates, tokens, service)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def host(
    storage: Storage, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[HostProcess]:
    directory = tmp_path_factory.mktemp("host")
    async with HostProcess(APP, await storage.prepared("work"), directory) as host:
        yield host


@pytest_asyncio.fixture(loop_scope="session")
async def client(host: HostProcess) -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(base_url=host.url) as client:
        yield client


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def queue(storage: Storage) -> Callable[[str], Queue]:
    """Opens a queue by name; the same reader for all tests, as it remembers what it took."""
    readers: dict[str, Queue] = {}
    return lambda name: readers.setdefault(name, Queue(storage.service, name))
