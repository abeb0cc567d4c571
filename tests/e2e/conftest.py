"""The whole stack once: worker library, Azurite, TLS, Event Grid's deliveries over the wire.

Each test runs in both Functions hosts: in ours with `make test`, in Microsoft's with
`make host-check`.
"""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from demo.hosts import MAKERS, MICROSOFT, OURS
from demo.stack import POLLED_OFTEN, Stack, running
from simulator.azurite import Azurite
from simulator.certificates import make_certificates
from simulator.functions_host.microsoft import missing
from tests.support.azurite.queues import SigningCredential
from tests.support.azurite.storage import Storage
from tests.support.unseen import unseen

#: Microsoft's is slower on a busy computer, and its log is loud.
_IN_MICROSOFTS = (pytest.mark.host_check, pytest.mark.timeout(600))
HOSTS = (OURS, pytest.param(MICROSOFT, marks=_IN_MICROSOFTS))


@pytest_asyncio.fixture(scope="module", loop_scope="module", params=HOSTS)
async def stack(
    tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest
) -> AsyncIterator[Stack]:
    if request.param == MICROSOFT and (reason := missing()):
        pytest.skip(reason)
    directory: Path = tmp_path_factory.mktemp("stack")
    async with running(
        directory,
        unseen,
        operation_seconds=0.2,
        make_host=MAKERS[request.param],
        more=POLLED_OFTEN,
    ) as started:
        yield started


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def storage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Storage]:
    """Azurite alone, once for all tests that need no app: what they make has names of its own."""
    certificates = make_certificates(tmp_path_factory.mktemp("storage"))
    verified = {"connection_verify": str(certificates.ca_file)}
    async with Azurite(certificates) as azurite:
        yield Storage(azurite, {"credential": SigningCredential(), **verified})
