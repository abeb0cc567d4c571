"""Cases of Resource Graph: pages that are too large, and clouds that lack a table."""

import pytest

from simulator.state import Resource
from tests.support.cases import (
    MINUTE,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    create,
    held,
    hours,
    make_identity,
    own,
    pass_time,
    patch,
    removals,
    roles,
    sweep,
)
from tests.support.compute_examples import POOL
from tests.support.estate import Estate
from tests.support.handlers import started

_TABLES = ("authorizationresources", "batchresources")
_PAGE = 16_777_216


def _machine(estate: Estate, name: str, **more: object) -> Resource:
    """One whose event was lost."""
    vm = estate.vm_id(name)
    properties = {"hardwareProfile": {"vmSize": "Standard_B1s"}, **more}
    made = Resource(
        vm.text, "Microsoft.Compute/virtualMachines", name, "westeurope", {}, properties
    )
    estate.azure.state.resources[vm.key] = made
    return made


async def _begun(monkeypatch: pytest.MonkeyPatch, *, mode: str = "full") -> Estate:
    estate = await started(Estate(NOTHING), monkeypatch)
    await make_identity(estate, "id-old")
    policy = Rules().text(estate.subscription).replace("mode: full", f"mode: {mode}")
    await adopt(estate, policy)
    return estate


async def test_case_C04_machines_of_24_KB_are_swept(monkeypatch: pytest.MonkeyPatch) -> None:
    """A thousand of them are 24 MB, with an identity or without one."""
    estate = await _begun(monkeypatch)
    estate.azure.behaviour.resource_graph_most_bytes = _PAGE // 20
    for number in range(60):
        _machine(estate, f"vm{number:02d}", extra="x" * 24_000)
    estate.azure.calls.clear()
    await estate.sweeps.run()
    asked = [one for one in estate.azure.calls if "ResourceGraph" in one.path]
    assert {one.status for one in asked} == {200}, "of no more members than are needed"
    await pass_time(estate)
    assert all(attached(estate, estate.vm_id(f"vm{at:02d}")) == ["id-old"] for at in range(60))
    _machine(estate, "vm99", extra="x" * 24_000)
    await sweep(estate)
    assert attached(estate, estate.vm_id("vm99")) == ["id-old"]


async def test_case_C04_one_large_row_makes_no_page_small_for_good(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What is read a row at a time around it is read in large pages again after it."""
    estate = await _begun(monkeypatch)
    behaviour = estate.azure.behaviour
    behaviour.page_size = 64
    for number in range(400):
        _machine(estate, f"vm{number:03d}").tags["text"] = "x" * 100
    _machine(estate, "vm100").tags["text"] = "x" * 200_000
    behaviour.resource_graph_most_bytes = 201_000
    estate.azure.calls.clear()
    await estate.sweeps.run()
    asked = [one for one in estate.azure.calls if "ResourceGraph" in one.path]
    assert {change.resource.name for change, _ in estate.queue.messages} >= {"vm100", "vm399"}
    assert len(asked) < 120, len(asked)


async def test_case_C04_a_question_about_many_is_answered_in_smaller_pages(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who uses an identity that is to be deleted: several, whose rows are large."""
    estate = await begun(monkeypatch, Rules(identity=own(0), match='tags: {served: "yes"}'))
    vm = await estate.create_vm("vm1", tags={"served": "yes"})
    await pass_time(estate)
    assert attached(estate, vm) == ["id-vm1"]
    block = estate.azure.state.resources[vm.key].identity
    for number in range(8):
        _machine(estate, f"user{number}", extra="x" * 24_000).identity = block
    estate.azure.behaviour.resource_graph_most_bytes = 60_000
    await patch(estate, vm, tags={})
    await hours(estate, 2)
    assert attached(estate, vm) == []
    listed = await held(estate)
    assert not [each for each in listed if "too large" in each], listed


async def test_case_C05_a_cloud_without_the_tables_is_swept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await _begun(monkeypatch)
    estate.azure.behaviour.resource_graph_lacks = set(_TABLES)
    _machine(estate, "vm1")
    await sweep(estate)
    assert attached(estate, estate.vm_id("vm1")) == ["id-old"]
    assert roles(estate, "id-old") == ["Reader"]
    granted = estate.azure.state.role_assignments
    ours = [key for key, one in granted.items() if "Lanyard" in (one.description or "")]
    assert ours
    for key in ours:
        del granted[key]
    await hours(estate, 2)
    assert roles(estate, "id-old") == ["Reader"], "what is gone is seen by ARM's lists"


async def test_case_C05_orphans_of_such_a_cloud_go(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, Rules(identity=own(0)))
    estate.azure.behaviour.resource_graph_lacks = set(_TABLES)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    assert attached(estate, vm) == ["id-vm1"]
    await estate.delete_vm("vm1")
    estate.new_events()
    await hours(estate, 3)
    await pass_time(estate, 10 * MINUTE)
    listed = [each.split(" ")[0] for each in await removals(estate)]
    assert listed == ["unassign", "delete", "remove"]


async def test_case_C05_batch_pools_are_listed_by_their_accounts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(type=POOL.type), "id-old")
    estate.azure.behaviour.resource_graph_lacks = {"batchresources"}
    pool = await create(estate, POOL)
    estate.new_events()
    await sweep(estate)
    assert attached(estate, pool) == ["id-old"]
