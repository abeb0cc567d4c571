"""The ledger's table on Azurite, and the claims protocol on it with workers truly side by side.

The in-memory table of other tests promises the same: both are held to it here.
"""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from azure.data.tables.aio import TableClient

from lanyard.azure.storage.tables import AzureTable
from lanyard.ports.tables import RowChanged, RowExists, Table, key_of
from lanyard.record.claims import Claims
from lanyard.record.grant_rows import GrantRows
from lanyard.record.revocation import Revocation
from lanyard.values.errors import Temporary
from tests.support.azurite.storage import Storage
from tests.support.examples import grant, vm_id
from tests.support.memory_assignments import FakeAssignments, unrecorded
from tests.support.memory_table import MemoryTable

pytestmark = pytest.mark.asyncio(loop_scope="module")


#: Azure takes these in the name of a resource.
ODD = '$web @ * ~1, a+b [x] (x) a&b=c it\'s "so" a|b é-я {0}!^`<>;:'


@pytest_asyncio.fixture(loop_scope="module", params=["azurite", "memory"])
async def table(storage: Storage, request: pytest.FixtureRequest) -> AsyncIterator[Table]:
    if request.param == "memory":
        yield MemoryTable()
        return
    name = f"t{uuid.uuid4().hex}"
    async with TableClient(
        storage.azurite.table_url,
        name,
        **storage.options,
    ) as client:
        yield AzureTable(client)


async def keys(table: Table, first: str = "", last: str = "") -> list[str]:
    return [row.key async for row in table.rows("p", first=first, last=last)]


async def test_case_C24_a_key_takes_what_a_name_may_have(table: Table) -> None:
    key, after = key_of(f"{vm_id('x').resource_group_id}/{ODD}"), key_of(vm_id("~").key)
    made = await table.insert("p", key, {"text": "1"})
    await table.insert("p", after, {})
    made = await table.replace(made, {"text": "2"})
    assert await table.get("p", key) == made
    assert await keys(table, first=key, last=after) == [key]
    await table.remove(made)
    assert await keys(table) == [after]


async def test_a_table_that_does_not_exist_yet_is_empty(table: Table) -> None:
    assert await table.get("p", "k") is None
    assert await keys(table) == []


async def test_a_row_is_inserted_once_and_read_back(table: Table) -> None:
    made = await table.insert("p", "k|1", {"text": "é / ü", "empty": ""})
    assert await table.get("p", "k|1") == made
    with pytest.raises(RowExists):
        await table.insert("p", "k|1", {"text": "other"})


async def test_a_row_is_replaced_only_as_it_was_read(table: Table) -> None:
    read = await table.insert("p", "k", {"a": "1", "b": "1"})
    newer = await table.replace(read, {"a": "2"})
    with pytest.raises(RowChanged):
        await table.replace(read, {"a": "3"})
    assert await table.get("p", "k") == newer
    assert newer.values == {"a": "2"}
    await table.delete("p", "k")
    with pytest.raises(RowChanged):
        await table.replace(newer, {"a": "4"})


async def test_a_row_is_removed_only_as_it_was_read_or_whatever_it_is(table: Table) -> None:
    read = await table.insert("p", "k", {"a": "1"})
    await table.put("p", "k", {"a": "2"})
    with pytest.raises(RowChanged):
        await table.remove(read)
    current = await table.get("p", "k")
    assert current is not None
    await table.remove(current)
    await table.remove(current)
    await table.delete("p", "k")
    assert await table.get("p", "k") is None


async def test_rows_come_in_order_within_their_range_and_partition(table: Table) -> None:
    for key in ("claim|b", "claim|a", "grant", "claim}", "budget"):
        await table.put("p", key, {"x": "1"})
    await table.put("q", "claim|c", {"x": "1"})
    assert await keys(table) == ["budget", "claim|a", "claim|b", "claim}", "grant"]
    assert await keys(table, "claim|", "claim}") == ["claim|a", "claim|b"]
    everything = [(row.partition, row.key) async for row in table.everything()]
    assert everything[-1] == ("q", "claim|c")
    assert len(everything) == 6


async def test_workers_side_by_side_leave_the_assignment_exactly_where_a_claim_is(
    table: Table,
) -> None:
    azure, dice = FakeAssignments(), random.Random(7)
    rows = GrantRows(table, time.time)
    claims, revocation = Claims(rows, azure), Revocation(rows, azure, time.time)

    async def worker(number: int) -> bool:
        """Claims come and go; returns whether the last thing was a claim."""
        wanted = False
        for _ in range(4):
            wanted = dice.random() < 0.5
            await settle(number, wanted)
        return wanted

    async def settle(number: int, wanted: bool) -> None:
        while True:
            try:
                if wanted:
                    await claims.add(grant(), vm_id(f"vm{number}"))
                else:
                    await revocation.drop(grant(), vm_id(f"vm{number}"), unrecorded, 0.0)
            except Temporary:
                continue  # a message would come back; its delay is not what is tested here
            return

    claimed = await asyncio.gather(*(worker(number) for number in range(6)))
    found = [row async for row in table.rows(grant().name, first="claim|", last="claim}")]
    assert len(found) == sum(claimed)
    assert bool(azure.existing) == any(claimed)
