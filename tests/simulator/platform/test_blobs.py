"""The real azure-storage-blob over TLS: what a role allows, and what is refused without it."""

import asyncio
import ssl
from typing import Any

import httpx
import pytest
from azure.core import MatchConditions
from azure.core.exceptions import (
    HttpResponseError,
    ResourceExistsError,
    ResourceModifiedError,
    ResourceNotFoundError,
    ServiceRequestError,
)
from azure.storage.blob import BlobClient, ContentSettings
from azure.storage.blob.aio import BlobClient as AsyncBlobClient
from azure.storage.blob.aio import BlobServiceClient as AsyncBlobServiceClient

from simulator.faults import Drop, Fault
from simulator.state import Principal
from simulator.tokens.credential import AsyncPrincipalCredential, PrincipalCredential
from tests.support.platform.served import World

pytestmark = pytest.mark.asyncio(loop_scope="module")
NO_RETRIES: dict[str, Any] = {"retry_total": 0}


class Storage:
    """One storage account with one container, and a principal who may do what a test gives it."""

    def __init__(self, world: World, account: str) -> None:
        self.world, self.account = world, account
        self.id = world.add_resource("Microsoft.Storage/storageAccounts", account)
        self.scope = f"{self.id}/blobServices/default/containers/data"
        world.azure.services.blobs.create_container(self.id, "data")
        self.principal: Principal = world.azure.state.add_principal(f"reader of {account}")

    @property
    def url(self) -> str:
        return f"{self.world.addresses.blob}/{self.account}"

    def give(self, role: str, scope: str = "") -> None:
        self.world.azure.assign(self.principal.object_id, role, scope or self.scope)

    def take_all(self) -> None:
        assignments = self.world.azure.state.role_assignments
        for key, each in list(assignments.items()):
            if each.principal_id == self.principal.object_id:
                del assignments[key]

    def put(self, name: str, content: bytes) -> None:
        self.world.azure.services.blobs.put(self.id, "data", name, content)

    def blob(self, name: str, container: str = "data", **options: Any) -> AsyncBlobClient:
        credential = AsyncPrincipalCredential(self.world.azure.tokens, self.principal)
        options |= self._trust() | NO_RETRIES
        return AsyncBlobClient(self.url, container, name, credential=credential, **options)

    def service(self) -> AsyncBlobServiceClient:
        credential = AsyncPrincipalCredential(self.world.azure.tokens, self.principal)
        return AsyncBlobServiceClient(self.url, credential, **self._trust(), **NO_RETRIES)

    def read_sync(self, name: str) -> bytes:
        credential = PrincipalCredential(self.world.azure.tokens, self.principal)
        with BlobClient(
            self.url, "data", name, credential=credential, **self._trust(), **NO_RETRIES
        ) as client:
            return client.download_blob().readall()

    def _trust(self) -> dict[str, Any]:
        return {"connection_verify": str(self.world.addresses.certificates.ca_file)}


async def read(client: AsyncBlobClient) -> bytes:
    async with client:
        return await (await client.download_blob()).readall()


async def refusal(client: AsyncBlobClient) -> tuple[int | None, str]:
    with pytest.raises(HttpResponseError) as refused:
        await read(client)
    assert refused.value.response is not None
    code = refused.value.response.headers["x-ms-error-code"]  # type: ignore[attr-defined]
    return refused.value.status_code, str(code)


async def test_a_reader_reads_until_the_role_is_taken(world: World) -> None:
    storage = Storage(world, "readable")
    storage.put("greeting.txt", b"hello")
    denied = (403, "AuthorizationPermissionMismatch")
    assert await refusal(storage.blob("greeting.txt")) == denied
    storage.give("Storage Blob Data Reader")
    assert await read(storage.blob("greeting.txt")) == b"hello"
    assert await asyncio.to_thread(storage.read_sync, "greeting.txt") == b"hello"
    storage.take_all()
    assert await refusal(storage.blob("greeting.txt")) == denied
    with pytest.raises(HttpResponseError) as refused:
        await asyncio.to_thread(storage.read_sync, "greeting.txt")
    assert refused.value.status_code == 403


async def test_owner_of_the_account_has_no_data_action(world: World) -> None:
    storage = Storage(world, "owned")
    storage.put("a", b"x")
    storage.give("Owner", storage.id)
    assert (await refusal(storage.blob("a")))[0] == 403


async def test_a_role_at_the_account_or_group_reaches_the_container(world: World) -> None:
    storage = Storage(world, "inherited")
    storage.put("a", b"x")
    for scope in (storage.id, world.group):
        storage.give("Storage Blob Data Reader", scope)
        assert await read(storage.blob("a")) == b"x"
        storage.take_all()
        assert (await refusal(storage.blob("a")))[0] == 403


async def test_a_role_at_another_container_does_not(world: World) -> None:
    storage = Storage(world, "othercontainer")
    storage.put("a", b"x")
    storage.give("Storage Blob Data Reader", storage.scope.replace("/data", "/data2"))
    assert (await refusal(storage.blob("a")))[0] == 403


async def test_a_reader_cannot_write_and_a_contributor_can(world: World) -> None:
    storage = Storage(world, "writable")
    storage.give("Storage Blob Data Reader")
    async with storage.blob("new") as client:
        with pytest.raises(HttpResponseError) as refused:
            await client.upload_blob(b"1")
        assert refused.value.status_code == 403
        storage.give("Storage Blob Data Contributor")
        settings = ContentSettings(content_type="text/plain")
        await client.upload_blob(b"1", content_settings=settings, metadata={"why": "test"})
        with pytest.raises(ResourceExistsError):
            await client.upload_blob(b"2")
        await client.upload_blob(b"three", overwrite=True)
        properties = await client.get_blob_properties()
        assert (properties.size, properties.metadata) == (5, {})
        with pytest.raises(ResourceModifiedError):
            await client.upload_blob(
                b"4", overwrite=True, etag='"0x1"', match_condition=MatchConditions.IfNotModified
            )
        assert await (await client.download_blob(offset=1, length=3)).readall() == b"hre"
        await client.delete_blob()
        with pytest.raises(ResourceNotFoundError) as gone:
            await client.get_blob_properties()
    assert gone.value.status_code == 404


async def test_blobs_come_back_whole_in_one_piece_or_in_many(world: World) -> None:
    storage = Storage(world, "sizes")
    storage.give("Storage Blob Data Contributor")
    large = bytes(range(256)) * 3000
    for name, content in (("empty", b""), ("a folder/läng.bin", large)):
        async with storage.blob(name, max_single_get_size=200_000) as client:
            await client.upload_blob(content)
            assert await (await client.download_blob()).readall() == content


async def test_missing_blob_container_and_account_are_told_apart(world: World) -> None:
    storage = Storage(world, "missing")
    storage.give("Storage Blob Data Reader", world.group)
    assert await refusal(storage.blob("none")) == (404, "BlobNotFound")
    assert await refusal(storage.blob("none", "elsewhere")) == (404, "ContainerNotFound")
    storage.account = "nosuchaccount"
    assert (await refusal(storage.blob("none")))[0] == 404


async def test_containers_and_blobs_are_listed_page_by_page(world: World) -> None:
    storage = Storage(world, "listed")
    storage.give("Storage Blob Data Contributor", storage.id)
    async with storage.service() as service:
        await service.create_container("more")
        with pytest.raises(ResourceExistsError):
            await service.create_container("more")
        assert [each.name async for each in service.list_containers()] == ["data", "more"]
        async with service.get_container_client("data") as container:
            assert await container.exists()
            for name in ("a/1", "a/2", "b/1"):
                await container.upload_blob(name, name.encode())
            pages = container.list_blobs(results_per_page=2).by_page()
            names = [[blob.name async for blob in page] async for page in pages]
            assert names == [["a/1", "a/2"], ["b/1"]]
            found = [blob async for blob in container.list_blobs(name_starts_with="b/")]
            assert [(blob.name, blob.size) for blob in found] == [("b/1", 3)]
        await service.delete_container("more")
        assert [each.name async for each in service.list_containers()] == ["data"]


async def test_the_data_goes_with_the_account(world: World) -> None:
    storage = Storage(world, "shortlived")
    storage.put("a", b"x")
    storage.give("Storage Blob Data Reader", world.group)
    del world.azure.state.resources[storage.id.lower()]
    world.add_resource("Microsoft.Storage/storageAccounts", "shortlived")
    assert await refusal(storage.blob("a")) == (404, "ContainerNotFound")


async def test_a_token_for_another_audience_is_challenged(world: World) -> None:
    storage = Storage(world, "challenged")
    arm = world.azure.tokens.issue(storage.principal, "https://management.azure.com/")
    verify = str(world.addresses.certificates.ca_file)
    headers = {"authorization": f"Bearer {arm.access_token}"}
    trust = ssl.create_default_context(cafile=verify)
    async with httpx.AsyncClient(verify=trust) as http:
        for sent in (headers, {}):
            answer = await http.get(f"{storage.url}/data/a", headers=sent)
            assert answer.status_code == 401
            assert answer.headers["x-ms-error-code"] == "InvalidAuthenticationInfo"
            assert "resource_id=https://storage.azure.com" in answer.headers["www-authenticate"]
            assert b"<Code>InvalidAuthenticationInfo</Code>" in answer.content


async def test_faults_strike_the_blob_service(world: World) -> None:
    storage = Storage(world, "faulty")
    storage.put("a", b"x")
    storage.give("Storage Blob Data Reader")
    world.azure.faults.add(Fault(service="blob", status=503, code="ServerBusy"))
    assert await refusal(storage.blob("a")) == (503, "ServerBusy")
    # aiohttp itself repeats a GET once when the connection breaks.
    dropped = world.azure.faults.add(Fault(service="blob", drop=Drop.AFTER, times=2))
    with pytest.raises(ServiceRequestError):
        await read(storage.blob("a"))
    assert dropped.hits == 2
    assert await read(storage.blob("a")) == b"x"


async def test_requests_are_recorded_with_caller_and_status(world: World) -> None:
    storage = Storage(world, "recorded")
    storage.put("a", b"x")
    await refusal(storage.blob("a"))
    storage.give("Storage Blob Data Reader")
    await read(storage.blob("a"))
    calls = [
        call
        for call in world.azure.services.blob.calls
        if call.caller == storage.principal.object_id
    ]
    assert [(call.method, call.status) for call in calls] == [("GET", 403), ("GET", 206)]
    assert calls[0].path == "/blob/recorded/data/a"
