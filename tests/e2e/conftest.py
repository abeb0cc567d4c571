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
from simulator.functions_host.microsoft import missing
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
