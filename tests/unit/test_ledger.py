"""What a row of a resource's record holds."""

import json
from collections.abc import Mapping
from dataclasses import replace

import pytest

from lanyard.ports.tables import Row, RowChanged
from lanyard.record.ledger import Conflict, Ledger, ResourceRecord
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


async def test_a_change_is_made_to_the_record_as_it_is_by_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = MemoryTable()
    ledger, replaced = Ledger(table), table.replace
    await ledger.save(ResourceRecord(id=vm_id(), held="a"))
    attempts: list[str] = []

    def change(record: ResourceRecord) -> ResourceRecord:
        attempts.append(record.held)
        return replace(record, held_under="policy")

    async def beaten(row: Row, values: Mapping[str, str]) -> Row:
        monkeypatch.setattr(table, "replace", replaced)
        await ledger.save(replace(await ledger.resource(vm_id()), held="b"))
        return await replaced(row, values)

    monkeypatch.setattr(table, "replace", beaten)
    await ledger.update(vm_id(), change)
    assert attempts == ["a", "b"]
    record = await ledger.resource(vm_id())
    assert (record.held, record.held_under) == ("b", "policy")


async def test_a_record_that_goes_on_changing_is_left_for_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    table = MemoryTable()
    ledger = Ledger(table)
    await ledger.save(ResourceRecord(id=vm_id()))

    async def changed(*_row: object) -> Row:
        raise RowChanged("again")

    monkeypatch.setattr(table, "replace", changed)
    with pytest.raises(Conflict):
        await ledger.update(vm_id(), lambda record: replace(record, held="a"))
