"""Where a timer remembers, and its lock, on Azurite."""

from datetime import UTC, datetime

import pytest
from azure.storage.blob.aio import BlobServiceClient

from simulator.functions_host.timer_state import BlobState, Status
from tests.support.azurite.queues import SigningCredential
from tests.support.functions_host import Storage

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_one_instance_has_the_lock_until_it_lets_go_and_the_status_stays(
    storage: Storage,
) -> None:
    async with BlobServiceClient(
        storage.azurite.blob_url,
        credential=SigningCredential(),
        connection_verify=str(storage.certificates.ca_file),
    ) as service:
        container = service.get_container_client("azure-webjobs-hosts")
        one, other = (BlobState(container, "timer-state", "sweep") for _ in range(2))
        assert await one.acquire()
        assert not await other.acquire()
        await one.renew()
        assert await one.read() is None
        moment = datetime(2026, 11, 28, 10, tzinfo=UTC)
        status = Status(moment, moment.replace(hour=11), moment)
        await one.write(status)
        await one.release()
        assert await other.acquire()
        assert await other.read() == status
        await other.release()
