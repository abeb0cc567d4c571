"""Containers and block blobs in memory. No HTTP, no rights."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from simulator.blobs.errors import (
    blob_exists,
    blob_not_found,
    condition_not_met,
    container_exists,
    container_not_found,
)
from simulator.state import Resource, State
from simulator.storage.models import TYPE as ACCOUNT_TYPE


@dataclass(frozen=True)
class Blob:
    """A block blob. `etag` without quotes; times in seconds since the epoch."""

    name: str
    content: bytes
    content_type: str
    metadata: Mapping[str, str]
    etag: str
    created_at: float
    modified_at: float


@dataclass
class Container:
    """`blobs` by name."""

    name: str
    etag: str
    modified_at: float
    blobs: dict[str, Blob] = field(default_factory=dict)


class BlobStore:
    """The blob services of all storage accounts; what is in one goes when the account goes."""

    def __init__(self, state: State) -> None:
        self._state = state
        self._accounts: dict[str, dict[str, Container]] = {}  # lower-case id → by name
        self._versions = 0
        state.resources.observe(self._watch)

    def containers(self, account_id: str) -> list[Container]:
        """In the order of their names."""
        found = self._accounts.get(account_id.lower(), {})
        return [found[name] for name in sorted(found)]

    def create_container(self, account_id: str, name: str) -> Container:
        """Raises AzureError 409."""
        containers = self._accounts.setdefault(account_id.lower(), {})
        if name in containers:
            raise container_exists()
        containers[name] = Container(name, self._next_etag(), self._state.clock.now())
        return containers[name]

    def container(self, account_id: str, name: str) -> Container:
        """Raises AzureError 404."""
        container = self._accounts.get(account_id.lower(), {}).get(name)
        if container is None:
            raise container_not_found()
        return container

    def delete_container(self, account_id: str, name: str) -> None:
        """With its blobs. Raises AzureError 404."""
        self.container(account_id, name)
        del self._accounts[account_id.lower()][name]

    def put(
        self,
        account_id: str,
        container: str,
        name: str,
        content: bytes,
        *,
        content_type: str = "application/octet-stream",
        metadata: Mapping[str, str] | None = None,
        if_match: str | None = None,
        if_none_match: str | None = None,
    ) -> Blob:
        """Create or replace. ETags of conditions come without quotes; `*` is any.

        Raises AzureError 404, 409 `BlobAlreadyExists` or 412.
        """
        blobs = self.container(account_id, container).blobs
        before = blobs.get(name)
        if if_none_match == "*" and before is not None:
            raise blob_exists()
        if if_match is not None and (before is None or if_match not in ("*", before.etag)):
            raise condition_not_met()
        now = self._state.clock.now()
        created_at = before.created_at if before else now
        etag = self._next_etag()
        blobs[name] = Blob(name, content, content_type, metadata or {}, etag, created_at, now)
        return blobs[name]

    def get(self, account_id: str, container: str, name: str) -> Blob:
        """Raises AzureError 404."""
        blob = self.container(account_id, container).blobs.get(name)
        if blob is None:
            raise blob_not_found()
        return blob

    def delete(self, account_id: str, container: str, name: str) -> None:
        """Raises AzureError 404."""
        self.get(account_id, container, name)
        del self.container(account_id, container).blobs[name]

    def _next_etag(self) -> str:
        self._versions += 1
        return f"0x8DE{self._versions:012X}"

    def _watch(self, key: str, before: Resource | None, after: Resource | None) -> None:
        gone = after is None and before is not None
        if gone and before is not None and before.type.lower() == ACCOUNT_TYPE.lower():
            self._accounts.pop(key, None)
