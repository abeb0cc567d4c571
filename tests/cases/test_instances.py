"""Cases of part A: nothing is taken from a scale set before its instances have what it was given.

With manual upgrades they take a change of the model when they are upgraded, as documented; users
saw identities reach them without it.
"""

from dataclasses import replace

import pytest

from lanyard.desk.operator import Operator
from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.cases import (
    MINUTE,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    create,
    delete,
    held,
    hours,
    look,
    pass_time,
    patch,
    removals,
    roles,
    waits_for,
)
from tests.support.compute_examples import SCALE_SET
from tests.support.estate import Estate

ACCEPT = {"imdsDefault": "accept"}
UPGRADED = Rules(type=SCALE_SET.type, options={**ACCEPT, "upgradeInstances": "true"})
LEFT = replace(UPGRADED, options=ACCEPT)
UPGRADE = "bring all instances up to date"


async def served(
    monkeypatch: pytest.MonkeyPatch, policy: Rules = UPGRADED
) -> tuple[Estate, ResourceId]:
    """A scale set with manual upgrades whose instances have `id-old`."""
    estate = await begun(monkeypatch, UPGRADED, "id-old", "id-new", "id-third")
    scale_set = await create(estate, SCALE_SET)
    await pass_time(estate)
    assert instances(estate, scale_set) == [["id-old"]]
    await adopt(estate, policy)
    return estate, scale_set


def instances(estate: Estate, scale_set: ResourceId) -> list[list[str]]:
    """The names of the identities of each, once for those that have the same."""
    below = f"{scale_set.key}/virtualmachines/"
    found = [one for key, one in estate.azure.state.resources.items() if key.startswith(below)]
    blocks = [(one.identity or {}).get("userAssignedIdentities") or {} for one in found]
    named = {tuple(sorted(key.rpartition("/")[2] for key in block)) for block in blocks}
    return [list(names) for names in sorted(named)]


def upgrades(estate: Estate) -> int:
    """How often Lanyard had instances upgraded since this was last asked."""
    return len([call for call in estate.app_calls() if "manualupgrade" in call.lower()])


def person(estate: Estate) -> Operator:
    return Operator(estate.services, estate.queue.put, "ann")


@pytest.mark.parametrize("grace", [0, 10])
async def test_case_A01_a_swap_waits_where_no_rule_upgrades_the_instances(
    monkeypatch: pytest.MonkeyPatch, grace: int
) -> None:
    estate, scale_set = await served(monkeypatch, replace(LEFT, grace_minutes=grace))
    await adopt(estate, replace(LEFT, identity="id-new", grace_minutes=grace))
    await hours(estate, 3)
    assert attached(estate, scale_set) == ["id-new", "id-old"]
    assert (roles(estate, "id-old"), roles(estate, "id-new")) == (["Reader"], ["Reader"])
    assert await removals(estate) == []
    await look(estate, scale_set)
    for action in (
        "detach identity id-old",
        f"unassign Reader at {estate.scope}/resourceGroups/rg-app",
    ):
        assert UPGRADE in await waits_for(estate, action)
    refusal = (await held(estate))[UPGRADE].refusal
    assert (refusal.because, refusal.releasable) == (Because.INSTANCES, False)
    assert "upgradeInstances: true" in refusal.release


async def test_case_A01_a_person_who_upgraded_them_dismisses_it_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, scale_set = await served(monkeypatch, LEFT)
    await adopt(estate, replace(LEFT, identity="id-new"))
    await person(estate).dismiss((await held(estate))[UPGRADE].id)
    await pass_time(estate, MINUTE)
    assert attached(estate, scale_set) == ["id-new"]
    assert roles(estate, "id-old") == []
    await hours(estate, 1)
    assert await held(estate) == {}
    await adopt(estate, replace(LEFT, identity="id-third"))
    await hours(estate, 1)
    assert attached(estate, scale_set) == ["id-new", "id-third"]
    assert (await held(estate))[UPGRADE].answer == ""


async def test_case_A01_once_the_rule_upgrades_them_everything_moves(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, scale_set = await served(monkeypatch, LEFT)
    await adopt(estate, replace(LEFT, identity="id-new"))
    await adopt(estate, replace(UPGRADED, identity="id-new"))
    await pass_time(estate, 5 * MINUTE)
    assert instances(estate, scale_set) == [["id-new"]]
    assert (attached(estate, scale_set), roles(estate, "id-old")) == (["id-new"], [])
    assert await held(estate) == {}


async def test_case_A01_a_role_waits_for_instances_that_lag_since_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, LEFT, "id-old")
    scale_set = await create(estate, SCALE_SET)
    await hours(estate, 2)
    assert await held(estate) == {}, "nothing waits for them yet"
    await adopt(estate, replace(LEFT, role="Monitoring Metrics Publisher"))
    await hours(estate, 1)
    assert roles(estate, "id-old") == ["Monitoring Metrics Publisher", "Reader"]
    await look(estate, scale_set)
    assert UPGRADE in await held(estate)


async def test_case_A01_with_the_rule_everything_goes_whatever_the_instances_have(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, LEFT, "id-old")
    scale_set = await create(estate, SCALE_SET)
    await pass_time(estate)
    assert attached(estate, scale_set) == ["id-old"]
    await adopt(estate, f"{NOTHING}limits: {{removals: {{graceMinutes: 0}}}}\n")
    await hours(estate, 1)
    assert (attached(estate, scale_set), estate.assignments()) == ([], [])
    assert await held(estate) == {}


async def test_case_A01_another_upgrade_policy_needs_no_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, scale_set = await served(monkeypatch, LEFT)
    await patch(estate, scale_set, properties={"upgradePolicy": {"mode": "Automatic"}})
    await adopt(estate, replace(LEFT, identity="id-new"))
    await hours(estate, 1)
    assert instances(estate, scale_set) == [["id-new"]]
    assert roles(estate, "id-old") == []


async def test_case_A01_where_the_rule_upgrades_them_instances_lose_what_was_detached(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, scale_set = await served(monkeypatch)
    await adopt(estate, replace(UPGRADED, identity="id-new"))
    await hours(estate, 1)
    assert instances(estate, scale_set) == [["id-new"]]
    assert (attached(estate, scale_set), roles(estate, "id-old")) == (["id-new"], [])


async def test_case_A01_instances_are_upgraded_for_what_is_done_and_for_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, scale_set = await served(monkeypatch)
    assert upgrades(estate) == 1
    await adopt(estate, replace(UPGRADED, identity="id-new", grace_minutes=10))
    assert instances(estate, scale_set) == [["id-new", "id-old"]]
    for _ in range(4):
        await look(estate, scale_set)
    assert upgrades(estate) == 1
    await hours(estate, 3)
    assert instances(estate, scale_set) == [["id-new"]]
    assert upgrades(estate) == 1


@pytest.mark.parametrize("after", [0, 1], ids=["of what is given", "of what is detached"])
async def test_case_A01_an_upgrade_that_failed_is_made_up_for(
    monkeypatch: pytest.MonkeyPatch, after: int
) -> None:
    estate, scale_set = await served(monkeypatch)
    failing = Fault(method="POST", path="manualupgrade", status=409, code="OperationFailed")
    estate.azure.faults.add(replace(failing, after=after, times=None))
    await adopt(estate, replace(UPGRADED, identity="id-new"))
    await hours(estate, 2)
    if after == 0:
        assert attached(estate, scale_set) == ["id-new", "id-old"]
        assert roles(estate, "id-old") == ["Reader"]
    else:
        assert instances(estate, scale_set) == [["id-new", "id-old"]]
    estate.azure.faults.clear()
    await hours(estate, 2)
    assert instances(estate, scale_set) == [["id-new"]]
    assert (attached(estate, scale_set), roles(estate, "id-old")) == (["id-new"], [])


async def test_case_A01_a_scale_set_that_is_gone_leaves_no_record(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, LEFT, "id-old")
    scale_set = await create(estate, SCALE_SET)
    await pass_time(estate)
    assert (await estate.ledger.resource(scale_set)).instances_lag
    await delete(estate, scale_set)
    await hours(estate, 2)
    assert (await estate.ledger.resource(scale_set)).row is None
    assert estate.assignments() == []
