"""Cases of part A: what is taken away, when, and on whose word."""

import hashlib
from itertools import count

import pytest

from lanyard.desk.operator import Operator
from lanyard.planning.orders import Refusal
from lanyard.record.held import Answer, Entry, HeldActions
from lanyard.values.change import Change
from lanyard.values.errors import Because, Permanent
from lanyard.values.resource_id import ResourceId
from tests.support.estate import Estate
from tests.support.handlers import started
from tests.support.memory_table import MemoryTable

NAMESAKES = """
version: 1
mode: full
identities:
  first: {name: id-same, resourceGroup: rg-identities, per: [subscription]}
  second: {name: id-same, resourceGroup: rg-app, per: [subscription]}
rules:
  - name: machines
    match: {types: [Microsoft.Compute/virtualMachines]}
    attach: [first, second]
    imdsDefault: accept
orphans: {graceMinutes: 0}
"""
NOTHING_MORE = """
version: 1
mode: add-only
limits: {removals: {graceMinutes: 0}}
"""


async def held(estate: Estate) -> list[Entry]:
    return [entry async for entry in estate.services.held.all()]


async def test_case_A16_two_identities_of_one_name_are_two_entries(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(NAMESAKES), monkeypatch)
    vm = await estate.create_vm("vm1")
    await estate.settle()
    assert len(await estate.attached("vm1")) == 2
    estate.change_policy(NOTHING_MORE)
    await estate.sweeps.run()
    await estate.worker.process(Change(vm, "event"))
    first, second = await held(estate)
    assert first.refusal.action == second.refusal.action == "detach identity id-same"
    await Operator(estate.services, estate.queue.put, "ann").release(first.id)
    await estate.settle()
    (left,) = await estate.attached("vm1")
    assert left in second.refusal.key
    assert [(e.id, e.answer) for e in await held(estate)] == [(second.id, Answer.NONE)]


async def test_case_A16_an_id_that_fits_two_entries_is_refused_with_both_named() -> None:
    list_of_held = HeldActions(MemoryTable(), lambda: 0.0)
    machine = ResourceId.parse(
        "/subscriptions/11111111-1111-1111-1111-111111111111/resourceGroups/rg"
        "/providers/Microsoft.Compute/virtualMachines/vm1"
    )
    one, other = namesakes(machine)
    await list_of_held.update(machine, [one, other])
    first, second = [entry async for entry in list_of_held.all()]
    assert first.id == second.id
    with pytest.raises(Permanent, match=f"fits 2 entries.*{first.full_id}.*{second.full_id}"):
        await list_of_held.release(first.id, "ann")
    released = await list_of_held.release(second.full_id, "ann")
    assert (released.full_id, released.answer) == (second.full_id, Answer.RELEASED)


def namesakes(machine: ResourceId) -> tuple[Refusal, Refusal]:
    """Two refusals whose entries have the same first eight digits."""
    seen: dict[str, str] = {}
    for number in count():
        key = f"detach identity|{number}"
        digits = hashlib.sha256(f"{machine.key}||{key}".encode()).hexdigest()[:8]
        if digits in seen:
            return refusal(seen[digits]), refusal(key)
        seen[digits] = key
    raise AssertionError("never reached")


def refusal(key: str) -> Refusal:
    return Refusal(
        key=key,
        because=Because.MODE,
        action=key,
        reason="mode is add-only",
        release="release it",
        releasable=True,
    )
