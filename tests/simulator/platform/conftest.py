"""A served local Azure, started once a module: real sockets, real TLS, real clients."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from simulator.azure import Azure
from simulator.certificates import make_certificates
from simulator.serve import serve
from simulator.state import Resource
from tests.support.platform.served import LOCATION, World


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    directory: Path = tmp_path_factory.mktemp("certificates")
    azure = Azure(seed=1)
    subscription = azure.state.add_subscription("one")
    group = f"/subscriptions/{subscription.id}/resourceGroups/rg"
    azure.state.resources[group.lower()] = Resource(
        group, "Microsoft.Resources/resourceGroups", "rg", LOCATION, {}, {}
    )
    async with serve(azure, make_certificates(directory)) as addresses:
        yield World(azure, addresses, group)
