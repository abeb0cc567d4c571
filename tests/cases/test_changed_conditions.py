"""A condition is part of a grant: somebody who takes it off our assignment, changes it or adds one
is put right by the next sweep, on record, and in a conflict of owners at the fourth time.
"""

from dataclasses import replace

import pytest

from lanyard.desk.operator import Operator
from lanyard.planning.orders import Kind
from simulator.state import RoleAssignment
from tests.support.cases import HOUR, Rules, adopt, begun, held, pass_time, principal, sweep
from tests.support.estate import Estate

SHOP = "@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'shop'"
BANK = "@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'bank'"
CHANGES = {
    "taken off": (SHOP, None),
    "changed": (SHOP, BANK),
    "added": (None, BANK),
}
each_change = pytest.mark.parametrize(
    ("given", "changed"), [pytest.param(*each, id=name) for name, each in CHANGES.items()]
)


def conditioned(condition: str | None) -> Rules:
    more = "" if condition is None else f', condition: "{condition}"'
    return Rules(role=f"Reader{more}")


async def served(monkeypatch: pytest.MonkeyPatch, condition: str | None) -> Estate:
    """Two machines whose identity has a role under this condition."""
    estate = await begun(monkeypatch, conditioned(condition), "id-old")
    for name in ("vm1", "vm2"):
        await estate.create_vm(name)
    await pass_time(estate)
    assert standing(estate).condition == condition
    return estate


def standing(estate: Estate) -> RoleAssignment:
    who = principal(estate, "id-old")
    assignments = estate.azure.state.role_assignments.values()
    (found,) = [each for each in assignments if each.principal_id == who]
    return found


def change(estate: Estate, condition: str | None) -> None:
    """Whoever may changes what an assignment is bound to; its stamp stays."""
    before, version = standing(estate), "2.0" if condition else None
    changed = replace(before, condition=condition, condition_version=version)
    estate.azure.state.role_assignments[before.id.lower()] = changed


def writes(estate: Estate) -> list[str]:
    """The app's writes of role assignments since it was asked last."""
    return [each for each in estate.app_calls() if each.startswith("PUT roleAssignments")]


@each_change
async def test_case_B07_a_condition_that_somebody_changed_is_put_back_on_record(
    monkeypatch: pytest.MonkeyPatch, given: str | None, changed: str | None
) -> None:
    estate = await served(monkeypatch, given)
    change(estate, changed)
    writes(estate)
    report = await estate.sweeps.run()
    await pass_time(estate)
    assert report.deleted_grants == 1
    assert standing(estate).condition == given
    assert len(writes(estate)) == 1
    found = [each for each in await estate.recorded() if "changed its condition" in each.reason]
    assert {each.resource for each in found} == {estate.vm_id(n).text for n in ("vm1", "vm2")}
    quoted = "none" if given is None else f"'{given}'"
    assert all(f"from {quoted} to " in each.reason for each in found)
    assert await held(estate) == {}
    assert (await estate.sweeps.run()).deleted_grants == 0
    assert estate.queue.messages == []


async def test_case_B07_it_is_published_that_it_was_given_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch, SHOP)
    estate.open_topic()
    change(estate, None)
    await sweep(estate)
    published = [each.event["type"] for each in estate.platform.custom_topics.received]
    assert "Lanyard.RoleAssigned" in published


@each_change
async def test_case_B07_a_fight_over_a_condition_is_a_conflict_at_the_fourth_time(
    monkeypatch: pytest.MonkeyPatch, given: str | None, changed: str | None
) -> None:
    estate = await served(monkeypatch, given)
    for _ in range(3):
        await pass_time(estate, HOUR)
        change(estate, changed)
        await sweep(estate)
        assert standing(estate).condition == given
        assert await held(estate) == {}
    change(estate, changed)
    await sweep(estate)
    assert standing(estate).condition == changed
    entries = [each async for each in estate.services.held.all()]
    assert {each.refusal.kind for each in entries} == {Kind.CONFLICT}
    await sweep(estate)
    assert standing(estate).condition == changed
    for entry in entries:
        await Operator(estate.services, estate.queue.put, "ann").release(entry.id)
    await pass_time(estate)
    assert standing(estate).condition == given


async def test_case_B07_what_the_other_owner_puts_right_is_no_conflict_any_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch, SHOP)
    for _ in range(4):
        await pass_time(estate, HOUR)
        change(estate, None)
        await sweep(estate)
    assert {each.refusal.kind for each in (await held(estate)).values()} == {Kind.CONFLICT}
    change(estate, SHOP)
    await sweep(estate)
    assert await held(estate) == {}
    assert standing(estate).condition == SHOP


@pytest.mark.parametrize(
    ("given", "shown"),
    [(f"{SHOP}\\n", SHOP), (SHOP, f"{SHOP}\n"), (f"  {SHOP}", f"\t{SHOP} \r\n"), (None, " ")],
    ids=["in the policy", "in Azure", "in both", "and nothing else"],
)
async def test_case_B07_what_is_blank_around_a_condition_is_nobodys_doing(
    monkeypatch: pytest.MonkeyPatch, given: str | None, shown: str
) -> None:
    estate = await begun(monkeypatch, conditioned(given), "id-old")
    await estate.create_vm("vm1")
    await pass_time(estate)
    change(estate, shown)
    writes(estate)
    assert (await estate.sweeps.run()).deleted_grants == 0
    assert (estate.queue.messages, writes(estate)) == ([], [])
    await estate.create_vm("vm2")
    await adopt(estate, conditioned(SHOP if given else None))
    assert (writes(estate), await held(estate)) == ([], {})
    assert not [each for each in await estate.recorded() if "its condition" in each.reason]


async def test_case_B07_what_the_index_shows_late_is_nobodys_doing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch, SHOP)
    await pass_time(estate, HOUR)
    estate.azure.behaviour.resource_graph_lag_seconds = 600
    estate.change_policy(conditioned(BANK).text(estate.subscription))
    await sweep(estate)
    assert standing(estate).condition == BANK
    writes(estate)
    for _ in range(4):
        assert (await estate.sweeps.run()).deleted_grants == 0
        await pass_time(estate, 60)
    assert writes(estate) == []


async def test_case_B07_a_condition_that_the_policy_wants_by_then_is_nobodys_doing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch, SHOP)
    for condition in (BANK, SHOP) * 3:
        change(estate, condition)
        await adopt(estate, conditioned(condition))
        assert standing(estate).condition == condition
        assert await held(estate) == {}
    assert not [each for each in await estate.recorded() if "its condition" in each.reason]


async def test_case_B07_what_the_policy_wants_now_is_put_back_not_what_it_wanted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch, SHOP)
    change(estate, None)
    await adopt(estate, conditioned(BANK))
    assert standing(estate).condition == BANK


async def test_case_B07_one_of_another_owner_is_left_to_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """With its stamp it is theirs: Lanyard writes over nothing of theirs."""
    estate = await served(monkeypatch, SHOP)
    before = standing(estate)
    theirs = replace(before, description="by Terraform", condition=None, condition_version=None)
    estate.azure.state.role_assignments[before.id.lower()] = theirs
    await sweep(estate)
    assert standing(estate) == theirs
    assert await held(estate)
