"""HTTP face of the blob service: `/blob/{account}[/{container}[/{blob}]]`, as Azurite's paths.

Source: the Blob service REST API; which right each operation needs: Microsoft's page "Authorize
access to blobs using Microsoft Entra ID". Enough for `azure.storage.blob` up to its single-put
limit: no staged blocks, leases, snapshots or SAS.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from functools import partial
from uuid import uuid4

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from simulator.authorization.access import Access
from simulator.blobs import errors, listing
from simulator.blobs.models import Blob, BlobStore, Container
from simulator.blobs.target import Target
from simulator.data_plane import Claims, DataPlane
from simulator.errors import AzureError
from simulator.faults import Faults
from simulator.state import State
from simulator.storage.models import StorageAccounts
from simulator.tokens.jwt import STORAGE_AUDIENCES, TokenIssuer

_CONTAINERS = "Microsoft.Storage/storageAccounts/blobServices/containers"


@dataclass(frozen=True)
class Right:
    """An action, or a data action, that an operation needs."""

    action: str
    data: bool


_LIST_CONTAINERS = Right(f"{_CONTAINERS}/read", data=False)
_WRITE_CONTAINER = Right(f"{_CONTAINERS}/write", data=False)
_DELETE_CONTAINER = Right(f"{_CONTAINERS}/delete", data=False)
_READ = Right(f"{_CONTAINERS}/blobs/read", data=True)
_WRITE = Right(f"{_CONTAINERS}/blobs/write", data=True)
_DELETE = Right(f"{_CONTAINERS}/blobs/delete", data=True)


def data_plane(state: State, tokens: TokenIssuer, faults: Faults) -> DataPlane:
    """The front of the blob services: faults name it "blob"."""
    render = partial(_render_error, state)
    return DataPlane("blob", state, tokens, faults, STORAGE_AUDIENCES, render)


def _render_error(state: State, error: AzureError) -> Response:
    return errors.render(errors.unauthenticated(state.tenant_id) if error.status == 401 else error)


def routes(
    store: BlobStore, accounts: StorageAccounts, access: Access, front: DataPlane
) -> list[Route]:
    """Relative to where the blob services are mounted."""
    service = BlobService(store, accounts, access, front)
    methods = ["GET", "HEAD", "PUT", "DELETE", "POST", "OPTIONS"]
    return [
        Route(path, service.serve, methods=methods)
        for path in ("/{account}", "/{account}/{container}", "/{account}/{container}/{blob:path}")
    ]


@dataclass(frozen=True)
class BlobService:
    """Finds the operation that a request means, checks the caller's right, and does it."""

    store: BlobStore
    accounts: StorageAccounts
    access: Access
    front: DataPlane

    async def serve(self, request: Request) -> Response:
        """Answer one request."""
        content = await request.body()

        async def act(claims: Claims) -> Response:
            target = self._target(request, content)
            right, operation = self._operation(target)
            if not self.access.allowed(claims["oid"], right.action, target.scope, data=right.data):
                raise errors.permission_mismatch()
            response = operation(target)
            response.headers["x-ms-request-id"] = str(uuid4())
            response.headers["x-ms-version"] = request.headers.get("x-ms-version", "2021-12-02")
            return response

        return await self.front.serve(request, act)

    def _target(self, request: Request, content: bytes) -> Target:
        names = request.path_params
        account = self.accounts.by_name(names["account"])
        if account is None:
            raise errors.account_not_found()
        return Target(account, names.get("container", ""), names.get("blob", ""), request, content)

    def _operation(self, target: Target) -> tuple[Right, Callable[[Target], Response]]:
        query, method = target.request.query_params, target.request.method
        level = "blob" if target.blob else "container" if target.container else "account"
        key = (level, method, query.get("restype", ""), query.get("comp", ""))
        table: dict[tuple[str, str, str, str], tuple[Right, Callable[[Target], Response]]] = {
            ("account", "GET", "", "list"): (_LIST_CONTAINERS, self._list_containers),
            ("container", "PUT", "container", ""): (_WRITE_CONTAINER, self._create_container),
            ("container", "GET", "container", ""): (_LIST_CONTAINERS, self._get_container),
            ("container", "HEAD", "container", ""): (_LIST_CONTAINERS, self._get_container),
            ("container", "DELETE", "container", ""): (_DELETE_CONTAINER, self._delete_container),
            ("container", "GET", "container", "list"): (_READ, self._list_blobs),
            ("blob", "PUT", "", ""): (_WRITE, self._put_blob),
            ("blob", "GET", "", ""): (_READ, self._get_blob),
            ("blob", "HEAD", "", ""): (_READ, self._head_blob),
            ("blob", "DELETE", "", ""): (_DELETE, self._delete_blob),
        }
        if key not in table:
            raise errors.not_simulated(f"{method} on a {level} with comp='{key[3]}'")
        return table[key]

    def _list_containers(self, target: Target) -> Response:
        return listing.containers(target, self.store.containers(target.account.id))

    def _create_container(self, target: Target) -> Response:
        created = self.store.create_container(target.account.id, target.container)
        return Response(status_code=201, headers=_container_headers(created))

    def _get_container(self, target: Target) -> Response:
        found = self.store.container(target.account.id, target.container)
        return Response(headers=_container_headers(found))

    def _delete_container(self, target: Target) -> Response:
        self.store.delete_container(target.account.id, target.container)
        return Response(status_code=202)

    def _list_blobs(self, target: Target) -> Response:
        container = self.store.container(target.account.id, target.container)
        return listing.blobs(target, list(container.blobs.values()))

    def _put_blob(self, target: Target) -> Response:
        headers = target.request.headers
        if headers.get("x-ms-blob-type", "BlockBlob") != "BlockBlob":
            raise errors.not_simulated("page and append blobs")
        metadata = {
            name.removeprefix("x-ms-meta-"): value
            for name, value in headers.items()
            if name.startswith("x-ms-meta-")
        }
        blob = self.store.put(
            target.account.id,
            target.container,
            target.blob,
            target.content,
            content_type=headers.get("x-ms-blob-content-type", "application/octet-stream"),
            metadata=metadata,
            if_match=_etag(headers.get("if-match")),
            if_none_match=_etag(headers.get("if-none-match")),
        )
        marks = {
            "etag": f'"{blob.etag}"',
            "last-modified": formatdate(blob.modified_at, usegmt=True),
        }
        return Response(status_code=201, headers={**marks, "x-ms-request-server-encrypted": "true"})

    def _get_blob(self, target: Target) -> Response:
        blob = self.store.get(target.account.id, target.container, target.blob)
        headers = target.request.headers
        asked = headers.get("x-ms-range") or headers.get("range")
        if asked is None:
            return Response(blob.content, headers=_blob_headers(blob))
        part, position = _slice(blob.content, asked)
        return Response(part, 206, _blob_headers(blob) | {"content-range": position})

    def _head_blob(self, target: Target) -> Response:
        blob = self.store.get(target.account.id, target.container, target.blob)
        return Response(headers=_blob_headers(blob) | {"content-length": str(len(blob.content))})

    def _delete_blob(self, target: Target) -> Response:
        self.store.delete(target.account.id, target.container, target.blob)
        return Response(status_code=202)


def _container_headers(container: Container) -> dict[str, str]:
    return {
        "etag": f'"{container.etag}"',
        "last-modified": formatdate(container.modified_at, usegmt=True),
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
    }


def _blob_headers(blob: Blob) -> dict[str, str]:
    return {
        "etag": f'"{blob.etag}"',
        "last-modified": formatdate(blob.modified_at, usegmt=True),
        "x-ms-creation-time": formatdate(blob.created_at, usegmt=True),
        "content-type": blob.content_type,
        "accept-ranges": "bytes",
        "x-ms-blob-type": "BlockBlob",
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "x-ms-server-encrypted": "true",
        **{f"x-ms-meta-{name}": value for name, value in blob.metadata.items()},
    }


def _etag(header: str | None) -> str | None:
    return header.strip('"') if header is not None else None


def _slice(content: bytes, asked: str) -> tuple[bytes, str]:
    """The part of a `bytes=first-[last]` range, and its `Content-Range`."""
    found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked.strip())
    if found is None or int(found[1]) >= len(content):
        raise errors.invalid_range()
    first = int(found[1])
    last = min(int(found[2]) if found[2] else len(content) - 1, len(content) - 1)
    return content[first : last + 1], f"bytes {first}-{last}/{len(content)}"
