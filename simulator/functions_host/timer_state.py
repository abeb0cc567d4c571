"""What a timer remembers, in the blobs where the real host keeps it, and who may run it.

`azure-webjobs-hosts/timers/HOST/Host.Functions.NAME/status` is written at the first start and after
each run; `locks/HOST/Host.Functions.NAME.Listener` is held by the one instance that runs it.
"""

import asyncio
import json
import logging
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

from azure.core.exceptions import AzureError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient, ContainerClient

log = logging.getLogger("host.timers")

LEASE_SECONDS = 60
"""For so long after it was killed an instance keeps its timers from running elsewhere."""
NEVER = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Status:
    """When it ran last (NEVER: it did not), when it runs next, and when that was written."""

    last: datetime
    next: datetime
    updated: datetime

    def as_json(self) -> dict[str, str]:
        """Under the names of the host and of `func.TimerRequest.schedule_status`."""
        return {
            "Last": self.last.isoformat(),
            "Next": self.next.isoformat(),
            "LastUpdated": self.updated.isoformat(),
        }


class TimerState(Protocol):
    """Of one function. Its members raise AzureError."""

    async def acquire(self) -> bool: ...
    async def renew(self) -> None: ...
    async def release(self) -> None: ...
    async def read(self) -> Status | None: ...
    async def write(self, status: Status) -> None: ...


class BlobState:
    """In `container`, for the host of this id."""

    def __init__(self, container: ContainerClient, host_id: str, function: str) -> None:
        self._container = container
        name = f"Host.Functions.{function}"
        self._status = container.get_blob_client(f"timers/{host_id}/{name}/status")
        self._lock = container.get_blob_client(f"locks/{host_id}/{name}.Listener")
        self._lease: BlobLeaseClient | None = None

    async def acquire(self) -> bool:
        """Whether this instance runs the function from now on."""
        await _made(self._container, self._lock)
        lease = BlobLeaseClient(self._lock)
        try:
            await lease.acquire(LEASE_SECONDS)
        except ResourceExistsError:
            return False
        self._lease = lease
        return True

    async def renew(self) -> None:
        """Keep the lock for another minute."""
        if self._lease is not None:
            await self._lease.renew()

    async def release(self) -> None:
        """Let another instance have it at once."""
        lease, self._lease = self._lease, None
        if lease is not None:
            await lease.release()

    async def read(self) -> Status | None:
        try:
            content = await (await self._status.download_blob()).readall()
        except ResourceNotFoundError:
            return None
        kept = json.loads(content)
        moments = (datetime.fromisoformat(kept[key]) for key in ("Last", "Next", "LastUpdated"))
        return Status(*moments)

    async def write(self, status: Status) -> None:
        await self._status.upload_blob(json.dumps(status.as_json()), overwrite=True)


async def _made(container: ContainerClient, blob: BlobClient) -> None:
    try:
        await blob.upload_blob(b"", overwrite=False)
    except ResourceExistsError:
        return
    except ResourceNotFoundError:
        try:
            await container.create_container()
        except ResourceExistsError:
            log.debug("another instance made %s", container.container_name)
        await _made(container, blob)


async def keep(state: TimerState) -> None:
    """Renew the lock for as long as this runs."""
    while True:
        await asyncio.sleep(LEASE_SECONDS / 2)
        try:
            await state.renew()
        except AzureError as error:
            log.warning("the lock of a timer is not renewed: %s", error)
