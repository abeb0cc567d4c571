"""Leases on blobs: who has the lock of a resource, and when the last reconcile that ended well
began.

A lock costs three calls: take, note when it began, give up. The first lock of a resource makes its
blob. All moments are those of the storage's own clock, so that the instances' clocks do not matter.
"""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from email.utils import parsedate_to_datetime
from typing import Any

from azure.core.exceptions import HttpResponseError, ResourceExistsError, ResourceNotFoundError
from azure.storage.blob.aio import BlobClient, BlobLeaseClient, ContainerClient

from lanyard.azure.arm.failures import code_of, stored
from lanyard.ports.leases import MARGIN_SECONDS, RENEW_SECONDS, End, LeaseLost, held_by_another

#: The container, made on first use.
CONTAINER = "lanyard-leases"
#: Azure takes 15 to 60 s.
LEASE_SECONDS = int(3 * RENEW_SECONDS)
# A reconcile takes seconds: who has to wait looks again well before a dead holder's lease is over.
_HELD_DELAY = 5.0
_HELD_CODES = {"LeaseAlreadyPresent", "LeaseIdMissing"}


class BlobLeases:
    """A blob for each name, in one container."""

    def __init__(self, container: ContainerClient, seconds: int = LEASE_SECONDS) -> None:
        self._container = container
        self._seconds = seconds

    async def take(self, name: str) -> "BlobLease":
        """Raises NotYet where another holds the lease, Temporary where the storage fails."""
        blob = self._container.get_blob_client(hashlib.sha256(name.encode()).hexdigest())
        with stored(f"take the lease of {name}"):
            try:
                try:
                    return await self._take(blob)
                except ResourceNotFoundError:
                    await self._make(blob)
                return await self._take(blob)
            except HttpResponseError as error:
                if code_of(error) not in _HELD_CODES:
                    raise
        raise held_by_another(name, _HELD_DELAY)

    async def _take(self, blob: BlobClient) -> "BlobLease":
        headers: dict[str, str] = {}

        def note(response: Any) -> None:
            headers.update(response.http_response.headers)

        lease = BlobLeaseClient(blob)
        await lease.acquire(lease_duration=self._seconds, raw_response_hook=note)
        return BlobLease(blob, lease, _moment(headers["Date"]), lease.last_modified)

    async def _make(self, blob: BlobClient) -> None:
        try:
            await blob.upload_blob(b"", overwrite=False)
        except ResourceNotFoundError:
            await self._make_container()
            await blob.upload_blob(b"", overwrite=True)
        except ResourceExistsError:
            return  # another instance made it at the same moment

    async def _make_container(self) -> None:
        try:
            await self._container.create_container()
        except ResourceExistsError:
            return


class BlobLease:
    """A lease that is held. `taken_at` and `changed`: by the storage's clock."""

    def __init__(
        self, blob: BlobClient, lease: BlobLeaseClient, taken_at: float, changed: datetime | None
    ) -> None:
        self._blob = blob
        self._lease = lease
        self._taken_at = taken_at
        self._changed = changed

    async def begun_since(self, moment: float, *, waits: bool = False) -> bool:
        """Whether a reconcile that ended well, or so that a message is served that only `waits`,
        began after `moment` (seconds since the epoch).
        """
        latest = moment + MARGIN_SECONDS
        if self._changed is not None and self._changed.timestamp() < latest:
            return False  # nothing was noted since: that is known without another call
        with stored("read when it was last worked on"):
            properties = await self._blob.get_blob_properties()
        metadata: Mapping[str, str] = properties.metadata
        ends = (End.WELL, End.WAITS) if waits else (End.WELL,)
        return any(float(metadata.get(end, "-inf")) >= latest for end in ends)

    async def renew(self) -> None:
        """Raises LeaseLost, Temporary."""
        with stored("renew a lease"):
            try:
                await self._lease.renew()
            except HttpResponseError as error:
                if error.status_code in (404, 409, 412):
                    raise LeaseLost from error
                raise

    async def release(self, *, end: End) -> None:
        """Raises LeaseLost, Temporary; then the lease ends by itself."""
        with stored("give up a lease"):
            try:
                if end is not End.OPEN:
                    note = {end.value: str(self._taken_at)}
                    await self._blob.set_blob_metadata(note, lease=self._lease)
                await self._lease.release()
            except HttpResponseError as error:
                if error.status_code in (404, 409, 412):
                    raise LeaseLost from error
                raise


def _moment(date: str) -> float:
    return parsedate_to_datetime(date).timestamp()
