"""Leases on the blobs of Azurite: what the locks rely on. Those in memory promise the same."""

import asyncio
import time
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from azure.storage.blob.aio import BlobLeaseClient, ContainerClient

from lanyard.azure.storage.leases import BlobLeases
from lanyard.ports.leases import MARGIN_SECONDS, End, LeaseLost, Leases
from lanyard.values.errors import NotYet
from tests.support.azurite.storage import Storage
from tests.support.memory_leases import MemoryLeases

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(loop_scope="module")
async def container(storage: Storage) -> AsyncIterator[ContainerClient]:
    async with ContainerClient(
        storage.azurite.blob_url,
        f"c{uuid.uuid4().hex}",
        **storage.options,
    ) as client:
        yield client


@pytest.fixture(params=["azurite", "memory"])
def leases(container: ContainerClient, request: pytest.FixtureRequest) -> Leases:
    return MemoryLeases(time.time) if request.param == "memory" else BlobLeases(container)


async def test_one_holds_a_lease_until_it_is_released(leases: Leases) -> None:
    first = await leases.take("vm")
    with pytest.raises(NotYet):
        await leases.take("vm")
    await (await leases.take("another")).release(end=End.WELL)
    await first.renew()
    await first.release(end=End.WELL)
    await (await leases.take("vm")).release(end=End.OPEN)


async def test_of_many_at_once_one_gets_it_also_where_nothing_is_there_yet(leases: Leases) -> None:
    taken = await asyncio.gather(*(leases.take("vm") for _ in range(8)), return_exceptions=True)
    assert sum(isinstance(one, NotYet) for one in taken) == 7


async def test_when_the_last_turn_that_ended_well_began_is_known(leases: Leases) -> None:
    before = time.time() - 60
    failed = await leases.take("vm")
    assert not await failed.begun_since(before), "that its blob was made says nothing"
    await failed.release(end=End.OPEN)
    done = await leases.take("vm")
    assert not await done.begun_since(before)
    await done.release(end=End.WELL)
    then = await leases.take("vm")
    assert await then.begun_since(before)
    assert not await then.begun_since(time.time() - MARGIN_SECONDS + 1.1)
    await then.release(end=End.OPEN)


async def test_one_that_only_waits_serves_what_only_waits(leases: Leases) -> None:
    before = time.time() - 60
    await (await leases.take("vm")).release(end=End.WAITS)
    then = await leases.take("vm")
    assert await then.begun_since(before, waits=True)
    assert not await then.begun_since(before)
    await then.release(end=End.OPEN)


async def test_a_lease_that_was_broken_is_lost(container: ContainerClient) -> None:
    lease = await BlobLeases(container).take("vm")
    (blob,) = [found async for found in container.list_blob_names()]
    await BlobLeaseClient(container.get_blob_client(blob)).break_lease(lease_break_period=0)
    with pytest.raises(LeaseLost):
        await lease.renew()
    with pytest.raises(LeaseLost):
        await lease.release(end=End.WELL)
    again = await BlobLeases(container).take("vm")
    assert not await again.begun_since(0)
