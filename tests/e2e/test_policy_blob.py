"""The policy in a blob of Azurite: read whole, asked for again by its ETag, refused where it is no
text.
"""

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from azure.storage.blob.aio import BlobClient, ContainerClient

from lanyard.azure.storage.policy_blob import PolicyBlob
from lanyard.ports.policy import Fetched
from lanyard.values.errors import Permanent, Temporary
from tests.support.azurite.storage import Storage

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def blob(storage: Storage) -> AsyncIterator[BlobClient]:
    async with ContainerClient(
        storage.azurite.blob_url,
        f"c{uuid.uuid4().hex}",
        **storage.options,
    ) as container:
        await container.create_container()
        yield container.get_blob_client("lanyard.yaml")


async def test_a_version_is_fetched_once(blob: BlobClient) -> None:
    await blob.upload_blob("version: 1\n# ä\n".encode())
    policy = PolicyBlob(blob)
    first = await policy.fetch("")
    assert isinstance(first, Fetched)
    assert first.text == "version: 1\n# ä\n"
    assert await policy.fetch(first.version) is None
    await blob.upload_blob(b"version: 1\nmode: full\n", overwrite=True)
    second = await policy.fetch(first.version)
    assert isinstance(second, Fetched)
    assert (second.text, second.version != first.version) == ("version: 1\nmode: full\n", True)


async def test_what_is_no_text_or_not_there_says_so(blob: BlobClient) -> None:
    policy = PolicyBlob(blob)
    with pytest.raises((Permanent, Temporary), match=r"lanyard\.yaml"):
        await policy.fetch("")
    await blob.upload_blob(b"\xff\xfe\x00")
    with pytest.raises(Permanent, match="no UTF-8 text"):
        await policy.fetch("")
