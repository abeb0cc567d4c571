"""Rows that somebody or something damaged: told by table and keys, and never a reason to remove."""

import asyncio
import json
import math
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from enum import Enum
from functools import cache
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lanyard.desk.undo import Undo, Undoable
from lanyard.planning.orders import Paused, Refusal
from lanyard.ports.tables import Row, Tables
from lanyard.record.checkpoint import Checkpoint, Position
from lanyard.record.decisions import Decision
from lanyard.record.rows import MARK, DamagedRow, entries
from lanyard.sweep.sweep import Sweep
from lanyard.values.change import Change
from lanyard.values.errors import Because, Permanent
from lanyard.values.removed import RemovedAssignment
from lanyard.values.resource_id import ResourceId
from tests.support.estate import Estate
from tests.support.fuzz.strategies import DEEP_TEXT, IDS, any_json, mostly
from tests.support.handlers import started
from tests.support.memory_table import MemoryTable

POLICY = """
version: 1
mode: full
identities:
  regional: {name: "id-lanyard-{location}", resourceGroup: rg-identities}
rules:
  - name: machines read themselves
    match: {types: [Microsoft.Compute/virtualMachines]}
    attach: [regional]
    system: true
    imdsDefault: accept
    grant: [{role: Reader, scope: "{resource}", to: regional}]
orphans: {graceMinutes: 0}
"""
UNKNOWN = "aaaaaaaa-0000-0000-0000-000000000001"
TABLES = ("resources", "identities", "grants", "decisions", "held", "control")
NEARLY = ("", "nan", "inf", "-1", "1e999", "true", "null", "[]", "{}", '["x"]', "[1]", "9" * 40)
JUNK = st.one_of(
    st.none(),
    st.text(st.characters()),
    any_json().map(json.dumps),
    st.sampled_from(NEARLY),
    st.sampled_from([DEEP_TEXT, *IDS]),
)
type Keys = tuple[str, str]


class Kept:
    """An estate whose tables all have rows, and every way in which the product reads them."""

    def __init__(self, estate: Estate) -> None:
        self.estate = estate
        self.machine = estate.vm_id("vm1")

    def table(self, name: str) -> MemoryTable:
        found: MemoryTable = getattr(self.estate.tables, name)
        return found

    def columns(self) -> list[tuple[str, Keys, str]]:
        return [
            (name, keys, column)
            for name in TABLES
            for keys, row in sorted(self.table(name).content.items())
            for column in sorted(row.values)
        ]

    async def read_all(self) -> list[object]:
        services, ledger = self.estate.services, self.estate.ledger
        read: list[object] = [found async for found in ledger.records()]
        read += [found async for found in services.identity_ledger.identities()]
        read += [found async for found in services.identity_ledger.holders()]
        read += [found async for found in services.claims.standing()]
        read += [found async for found in services.held.all()]
        read += await self.estate.recorded()
        read += [
            await services.identity_ledger.unknown_since(UNKNOWN),
            await services.kill_switch.read(),
        ]
        return [*read, float(await services.budget.spent())]


async def made() -> Kept:
    """A machine with its identities and role, something held, a removal counted, a pause."""
    estate = Estate(POLICY)
    with pytest.MonkeyPatch.context() as patch:
        await started(estate, patch)
        await estate.create_vm("vm1")
        await estate.settle()
    kept, services = Kept(estate), estate.services
    await services.held.update(
        kept.machine,
        [
            Refusal(
                key="detach",
                because=Because.MODE,
                action="detach it",
                reason="no",
                release="release it",
                releasable=True,
            )
        ],
    )
    await services.identity_ledger.unknown_since(UNKNOWN)
    await services.budget.reserve()
    await services.kill_switch.pause(Paused.REMOVALS, "somebody", "a test")
    return kept


@cache
def kept() -> Kept:
    """Made once: what a test damages, it puts right again."""
    return asyncio.run(made())


def damaged(row: Row, column: str, value: str | None) -> Row:
    others = {name: text for name, text in row.values.items() if name != column}
    return replace(row, values=others if value is None else {**others, column: value})


def sound(value: object) -> bool:
    """Whether a value is what its type promises, down to the last part."""
    match value:
        case None | bool() | str() | Enum():
            return True
        case float():
            return math.isfinite(value)
        case datetime():
            return value.tzinfo is not None
        case ResourceId():
            return ResourceId.parse(value.text) == value
        case Mapping():
            return all(map(sound, [*value, *value.values()]))
        case tuple() | frozenset():
            return all(map(sound, value))
        case _ if is_dataclass(value):
            # A row is what was read; an assignment is whatever ARM once said.
            names = {field.name for field in fields(value)} - {"row", "raw"}
            return all(sound(getattr(value, name)) for name in names)
    return False


@settings(max_examples=150)
@given(st.data())
def test_a_damaged_row_is_named_or_what_is_read_is_sound(data: st.DataObject) -> None:
    name, keys, column = data.draw(st.sampled_from(kept().columns()))
    table, junk = kept().table(name), data.draw(JUNK)
    row = table.content[keys]
    table.content[keys] = damaged(row, column, junk)
    try:
        read, said = asyncio.run(kept().read_all()), ""
    except DamagedRow as error:
        read, said = [], str(error)
    finally:
        table.content[keys] = row
    assert all(map(sound, read))
    assert read or all(part in said for part in (f"lanyard{name}", *keys))


WHOLE = {
    "id": "/providers/Microsoft.Authorization/roleAssignments/r",
    "properties": {"scope": "/", "roleDefinitionId": "/x/r", "principalId": "p", "condition": None},
}


@given(
    st.fixed_dictionaries({"id": mostly(st.just("/a")), "properties": mostly(st.just({}))})
    | st.fixed_dictionaries({name: any_json() for name in WHOLE["properties"]}).map(
        lambda properties: {**WHOLE, "properties": properties}
    )
    | any_json()
)
@example(WHOLE)
def test_a_removal_whose_assignment_is_damaged_is_not_put_back(assignment: Any) -> None:
    async def found() -> Undoable | None:
        estate = Estate()
        undo = Undo(estate.services, "somebody")
        plain = Decision("r", "remove", "intended", removed=RemovedAssignment({}))
        day, _, key = (await estate.services.decisions.add(plain)).partition("T")
        row = estate.tables.decisions.content[day, key]
        estate.tables.decisions.content[day, key] = damaged(
            row, "removed", json.dumps({"kind": "assignment", "raw": assignment})
        )
        try:
            return await undo.find(f"{day}T{key}")
        except Permanent:
            return None

    undoable = asyncio.run(found())
    removed = undoable.removed if undoable is not None else None
    assert removed is None or isinstance(removed, RemovedAssignment)
    assert removed is None or sound((removed.id, removed.grant))
    assert removed is not None or assignment != WHOLE


@given(st.dictionaries(st.sampled_from(["after", "put", "at"]), JUNK.map(str), max_size=3))
@example({"after": "x", "put": "1", "at": "nan"})
def test_a_sweep_starts_anew_where_its_position_cannot_be_read(values: dict[str, str]) -> None:
    async def start() -> Position:
        table = MemoryTable()
        await table.put("sweep", "progress", values)
        return await Checkpoint(table, lambda: 1000.0).start()

    position = asyncio.run(start())
    assert position == Position() or (values["after"], values["put"]) == (
        position.after,
        str(position.put),
    )


async def test_a_damaged_pause_stops_everything_until_somebody_resumes() -> None:
    estate = Estate()
    kill_switch = estate.services.kill_switch
    await estate.tables.control.put("pause", "pause", {"what": "remov"})
    pause = await kill_switch.read()
    assert pause is not None
    assert pause.what is Paused.EVERYTHING
    assert "lanyardcontrol, partition pause, row pause" in str(pause)
    await kill_switch.resume()
    assert await kill_switch.read() is None


async def departed(monkeypatch: pytest.MonkeyPatch) -> Estate:
    """A machine was deleted and nothing was done about it yet; someone had given it a role, too."""
    estate = await started(Estate(POLICY), monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle()
    machine = await estate.compute.virtual_machines.get("rg-app", "vm1")
    assert machine.identity is not None
    estate.azure.assign(str(machine.identity.principal_id), "Reader", estate.scope)
    hour = str(int(estate.azure.clock.now() // 3600))
    await estate.tables.control.put("budget", hour, {"spent": "0", "byRule": "{}"})
    await estate.delete_vm("vm1")
    estate.new_events()
    return estate


def rows_of(tables: Tables[MemoryTable], name: str, start: str) -> Iterable[tuple[Keys, Row]]:
    """The rows of a table whose partition or key begins so."""
    found: MemoryTable = getattr(tables, name)
    rows = [(keys, row) for keys, row in found.content.items() if keys[0] != MARK]
    return [(k, r) for k, r in rows if k[0].startswith(start) or start in k[1]]


OTHER_MACHINE = "virtualmachines/vm2"


@pytest.mark.parametrize(
    ("name", "where", "column", "value"),
    [
        ("resources", "", "grants", "["),
        ("resources", "", "systemPrincipals", '"abc"'),
        ("resources", "", "goneAt", '{"p": NaN}'),
        ("resources", "", "id", OTHER_MACHINE),
        ("resources", "", "confirmed", None),
        ("grants", "grant", "until", "nan"),
        ("grants", "grant", "state", "activ"),
        ("grants", "grant", "ours", "1"),
        ("grants", "grant", "scope", OTHER_MACHINE),
        ("control", "budget", "spent", "-5"),
        ("control", "budget", "spent", "many"),
    ],
    ids=lambda value: str(value)[:20],
)
async def test_nothing_is_removed_on_a_damaged_row_and_everything_once_it_is_put_right(
    monkeypatch: pytest.MonkeyPatch, name: str, where: str, column: str, value: str | None
) -> None:
    estate = await departed(monkeypatch)
    before = estate.assignments()
    table: MemoryTable = getattr(estate.tables, name)
    ((keys, row),) = rows_of(estate.tables, name, where)
    if value == OTHER_MACHINE:
        value = row.values[column].replace("virtualMachines/vm1", "virtualMachines/vm2")
    table.content[keys] = damaged(row, column, value)
    change = Change(estate.vm_id("vm1"), "event", deleted=estate.azure.clock.now())
    await estate.worker.process(change)
    # What someone else gave the machine's own principal is no matter of the grant's row.
    stays = before if name != "grants" else [one for one in before if one[1] != estate.scope]
    assert estate.assignments() == stays
    reasons = [reason for _, outcome, reason in await estate.decisions() if outcome == "failed"]
    assert any(f"lanyard{name}, partition {keys[0]}, row {keys[1]}" in one for one in reasons)

    if name != "control":
        report = await Sweep(estate.policy, estate.services, estate.queue.put).run()
        (named,) = report.damaged
        assert f"lanyard{name}, partition {keys[0]}, row {keys[1]}" in named
        await estate.settle()
        assert estate.assignments() == stays

    table.content[keys] = replace(table.content[keys], values=row.values)
    await estate.worker.process(change)
    await estate.settle()
    assert estate.assignments() == []


async def test_a_dismissal_that_cannot_be_read_is_not_taken_for_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await departed(monkeypatch)
    before = estate.assignments()
    held, machine = estate.services.held, estate.vm_id("vm1")
    await held.update(
        machine,
        [
            Refusal(
                key="remove",
                because=Because.MODE,
                action="remove it",
                reason="no",
                release="release it",
                releasable=True,
            )
        ],
    )
    record = await estate.ledger.resource(machine)
    await estate.ledger.save(replace(record, held="something"))
    (entry,) = (await held.of(machine)).values()
    await held.dismiss(entry.id, "somebody")
    (row,) = [row async for row in entries(estate.tables.held)]
    keys = row.partition, row.key
    estate.tables.held.content[keys] = damaged(row, "answer", "dismissd")
    await estate.worker.process(Change(machine, "event"))
    assert estate.assignments() == before
