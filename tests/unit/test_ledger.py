"""What a row of a resource's record holds."""

import json

import pytest

from lanyard.record.ledger import Ledger, ResourceRecord
from lanyard.record.rows import DamagedRow
from tests.support.examples import grant, vm_id
from tests.support.memory_table import MemoryTable


@pytest.fixture
async def table() -> MemoryTable:
    made = MemoryTable()
    pending = frozenset({grant(principal="p-2")})
    await Ledger(made).save(
        ResourceRecord(id=vm_id(), grants=frozenset({grant()}), pending=pending)
    )
    return made


@pytest.mark.parametrize("column", ["grants", "pending"])
async def test_each_grant_on_record_says_of_which_kind_it_is(
    table: MemoryTable, column: str
) -> None:
    (row,) = [row async for row in table.everything()]
    (written,) = json.loads(row.values[column])
    assert written["kind"] == "role assignment"
    read = await Ledger(table).resource(vm_id())
    assert read.grants == frozenset({grant()})
    assert read.pending == frozenset({grant(principal="p-2")})


@pytest.mark.parametrize("column", ["grants", "pending"])
@pytest.mark.parametrize("kind", ["group membership", "", 1, None])
async def test_a_grant_of_a_kind_that_nobody_knows_is_damage(
    table: MemoryTable, column: str, kind: object
) -> None:
    (row,) = [row async for row in table.everything()]
    (written,) = json.loads(row.values[column])
    values = {**row.values, column: json.dumps([{**written, "kind": kind}])}
    await table.replace(row, values)
    with pytest.raises(DamagedRow, match=column):
        await Ledger(table).resource(vm_id())
