"""Real parts for the tests: Azurite, a token endpoint, and the host running the small app."""

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
import pytest_asyncio
from azure.storage.queue.aio import QueueServiceClient

from simulator.azurite import Azurite
from simulator.certificates import Certificates, make_certificates
from simulator.functions_host.process import HostProcess
from tests.simulator.azurite.storage import Queue, open_queues
from tests.simulator.azurite.token_endpoint import TokenEndpoint, serve_tokens

APP = Path(__file__).parents[2] / "fixtures" / "functions_app"
CLIENT_ID = "00000000-0000-0000-0000-00000000c11e"


@dataclass(frozen=True)
class Storage:
    """Azurite with what clients need to reach it."""

    azurite: Azurite
    certificates: Certificates
    tokens: TokenEndpoint
    service: QueueServiceClient

    def settings(self, work_queue: str) -> dict[str, str]:
        """The environment of the small app; `work_queue` keeps tests out of each other's way."""
        return {
            **self.tokens.environment,
            "SSL_CERT_FILE": str(self.certificates.ca_file),
            "Storage__queueServiceUri": self.azurite.queue_url,
            "Storage__credential": "managedidentity",
            "Storage__clientId": CLIENT_ID,
            "WORK_QUEUE": work_queue,
            "TICK": "* * * * * *",
        }


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
    async with HostProcess(APP, storage.settings("work"), directory) as host:
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
