"""`limits.additions`: a rule that matches too much does not reach all within the hour."""

from dataclasses import replace

import pytest

from lanyard.desk.operator import Operator
from lanyard.values.errors import Because
from simulator.faults import Fault
from tests.support.cases import (
    HOUR,
    Rules,
    adopt,
    attached,
    begun,
    held,
    own,
    pass_time,
    roles,
    sweep,
)
from tests.support.estate import Estate

TWO = Rules(additions=2)
NAMES = ("vm1", "vm2", "vm3", "vm4", "vm5")


async def made(estate: Estate) -> None:
    for name in NAMES:
        await estate.create_vm(name)
    await pass_time(estate)


def with_identity(estate: Estate) -> int:
    return sum(bool(attached(estate, estate.vm_id(name))) for name in NAMES)


async def test_each_hour_gives_to_as_many_as_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, TWO, "id-old")
    await made(estate)
    assert with_identity(estate) == 2
    entries = (await held(estate)).values()
    assert {entry.refusal.because for entry in entries} == {Because.BUDGET}
    await pass_time(estate, HOUR * 1.25)
    assert with_identity(estate) == 4
    await pass_time(estate, HOUR * 1.25)
    assert with_identity(estate) == 5
    assert not await held(estate)


async def test_without_it_all_are_given_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    await made(estate)
    assert with_identity(estate) == 5


async def test_a_release_is_of_the_resource(monkeypatch: pytest.MonkeyPatch) -> None:
    """With an identity of its own, which is made, attached, and given a role."""
    policy = Rules(identity=own(), additions=0)
    estate = await begun(monkeypatch, policy)
    await estate.create_vm("vm1")
    await pass_time(estate)
    assert attached(estate, estate.vm_id("vm1")) == []
    entries = [e for e in (await held(estate)).values() if "attach" in e.refusal.action]
    await Operator(estate.services, estate.queue.put, "ann").release(entries[0].id)
    await pass_time(estate)
    (identity,) = attached(estate, estate.vm_id("vm1"))
    assert roles(estate, identity) == ["Reader"]
    assert not await held(estate)


async def test_what_goes_waits_for_what_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make before break holds past the budget, too."""
    accepting = Rules(options={"imdsDefault": "accept"})
    estate = await begun(monkeypatch, accepting, "id-old", "id-new")
    await made(estate)
    await adopt(estate, replace(accepting, identity="id-new", additions=2))
    await pass_time(estate)
    both = [attached(estate, estate.vm_id(name)) for name in NAMES]
    assert sorted(both) == [["id-new"]] * 2 + [["id-old"]] * 3
    assert len(roles(estate, "id-old")) == 1


async def test_what_is_there_already_is_not_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, TWO, "id-old")
    await made(estate)
    await pass_time(estate, 3 * HOUR)
    assert with_identity(estate) == 5
    await sweep(estate)
    assert await estate.services.additions.spent() == 0


async def test_what_azure_refuses_gives_its_place_back(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, replace(TWO, additions=1), "id-old")
    estate.azure.faults.add(Fault(method="PATCH", path="/virtualMachines/vm1", status=403))
    await estate.create_vm("vm1")
    await pass_time(estate)
    assert await estate.services.additions.spent() == 0
    await estate.create_vm("vm2")
    await pass_time(estate)
    assert attached(estate, estate.vm_id("vm2")) == ["id-old"]
