"""Cases of conditions: one role assignment holds one, for all that share it."""

import asyncio
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from lanyard.policy import PolicyError
from lanyard.policy.load import parse_policy
from lanyard.policy.look_over import policy_warnings
from lanyard.values.change import Change
from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.cases import (
    HOUR,
    MACHINE_TYPE,
    NOTHING,
    adopt,
    attached,
    begun,
    held,
    hours,
    look,
    pass_time,
    patch,
    principal,
    sweep,
)
from tests.support.conditions import (
    GROUP,
    LITERAL,
    ONE,
    PAIRS,
    TWO,
    change_condition,
    conditions,
    refusals,
    rules,
)
from tests.support.estate import Estate
from tests.support.memory_table import MemoryTable

SOME = "11111111-1111-1111-1111-111111111111"


@pytest.fixture
async def estate(monkeypatch: pytest.MonkeyPatch) -> Estate:
    """An identity that the machines of both rules have."""
    return await begun(monkeypatch, NOTHING, "id-shared")


async def machine(estate: Estate, name: str, team: str) -> ResourceId:
    made = await estate.create_vm(name, tags={"team": team})
    await pass_time(estate)
    return made


@PAIRS
async def test_case_B06_what_stands_for_another_machine_keeps_its_condition(
    estate: Estate, first: str | None, second: str | None
) -> None:
    await adopt(estate, rules(estate.subscription, first, second))
    await machine(estate, "vm1", "a")
    await machine(estate, "vm2", "b")
    assert conditions(estate) == [first]
    (refusal,) = await refusals(estate, "vm2")
    assert refusal.because is Because.RULE
    assert "virtualMachines/vm1, by rule 'a', has it on another condition" in refusal.reason
    await look(estate, estate.vm_id("vm1"))
    await sweep(estate)
    assert conditions(estate) == [first]
    assert await refusals(estate, "vm1") == []


@PAIRS
async def test_case_B06_it_is_the_other_ones_when_the_first_is_gone(
    estate: Estate, first: str | None, second: str | None
) -> None:
    await adopt(estate, rules(estate.subscription, first, second))
    await machine(estate, "vm1", "a")
    await machine(estate, "vm2", "b")
    await estate.delete_vm("vm1")
    await pass_time(estate, 7200)
    await sweep(estate)
    assert conditions(estate) == [second]
    assert await refusals(estate, "vm2") == []


@PAIRS
async def test_case_B06_a_policy_that_changes_a_condition_for_all_changes_it(
    estate: Estate, first: str | None, second: str | None
) -> None:
    await adopt(estate, rules(estate.subscription, first, first))
    await machine(estate, "vm1", "a")
    await machine(estate, "vm2", "b")
    assert conditions(estate) == [first]
    await adopt(estate, rules(estate.subscription, second, second))
    assert conditions(estate) == [second]
    assert await held(estate) == {}


@PAIRS
async def test_case_B06_a_second_rule_takes_nothing_from_and_gives_nothing_to_what_stands(
    estate: Estate, first: str | None, second: str | None
) -> None:
    fits = ("tags: {team: a}", "tags: {env: prod}")
    await adopt(estate, rules(estate.subscription, first, first, fits))
    await estate.create_vm("vm1", tags={"team": "a", "env": "prod"})
    await pass_time(estate)
    assert conditions(estate) == [first]
    # Whichever of the two stands first in the file.
    for wanted in ((first, second), (second, first)):
        await adopt(estate, rules(estate.subscription, *wanted, fits))
        assert conditions(estate) == [first]
        assert {refusal.because for refusal in await refusals(estate, "vm1")} == {Because.RULE}


async def because(estate: Estate, vm: str) -> set[Because]:
    entries = [each async for each in estate.services.held.all()]
    return {each.refusal.because for each in entries if each.resource == estate.vm_id(vm)}


def change(estate: Estate, condition: str | None) -> None:
    """Whoever may changes what the one assignment of the identity is bound to."""
    of, assignments = principal(estate, "id-shared"), estate.azure.state.role_assignments
    ((key, found),) = [each for each in assignments.items() if each[1].principal_id == of]
    version = "2.0" if condition else None
    assignments[key] = replace(found, condition=condition, condition_version=version)


@PAIRS
async def test_case_B07_beside_a_contradiction_a_changed_condition_is_somebodys_doing(
    estate: Estate, first: str | None, second: str | None
) -> None:
    await adopt(estate, rules(estate.subscription, first, second))
    for name, team in (("vm1", "a"), ("vm2", "b"), ("vm3", "a")):
        await machine(estate, name, team)
    for _ in range(3):
        await pass_time(estate, HOUR)
        change(estate, second)
        await sweep(estate)
        assert conditions(estate) == [first]
        assert await because(estate, "vm2") == {Because.RULE}
    found = [each for each in await estate.recorded() if "changed its condition" in each.reason]
    assert [each.resource for each in found] == [
        estate.vm_id(name).text for name in ("vm1", "vm3") * 3
    ]
    change(estate, second)
    await sweep(estate)
    assert conditions(estate) == [second]
    assert await because(estate, "vm1") == await because(estate, "vm3") == {Because.CONFLICT}


@PAIRS
async def test_case_B07_an_excluded_machine_keeps_it_as_somebody_left_it(
    estate: Estate, first: str | None, second: str | None
) -> None:
    """On record once, no conflict of owners, and as the rule has it once that is for it again."""
    fits = ("tags: {team: a}, exclude: {tags: {lanyard: ignore}}", "tags: {team: b}")
    await adopt(estate, rules(estate.subscription, first, first, fits))
    vm1 = await machine(estate, "vm1", "a")
    estate.azure.state.resources[vm1.key].tags = {"team": "a", "lanyard": "ignore"}
    await look(estate, vm1)
    change(estate, second)
    await hours(estate, 6)
    assert conditions(estate) == [second]
    found = [each for each in await estate.recorded() if "changed its condition" in each.reason]
    assert [each.action.partition(" ")[0] for each in found] == ["keep"]
    assert await because(estate, "vm1") == set()
    estate.azure.state.resources[vm1.key].tags = {"team": "a"}
    await look(estate, vm1)
    assert conditions(estate) == [first]


@pytest.mark.parametrize("order", [1, -1])
@PAIRS
async def test_case_B07_what_stands_beside_a_second_rule_is_put_back_as_it_stood(
    estate: Estate, first: str | None, second: str | None, order: int
) -> None:
    fits = ("tags: {team: a}", "tags: {env: prod}")
    await adopt(estate, rules(estate.subscription, first, first, fits))
    await estate.create_vm("vm1", tags={"team": "a", "env": "prod"})
    await pass_time(estate)
    before, after = (first, second)[::order]
    await adopt(estate, rules(estate.subscription, before, after, fits))
    for _ in range(3):
        await pass_time(estate, HOUR)
        change(estate, second)
        await sweep(estate)
        assert conditions(estate) == [first]
        assert await because(estate, "vm1") == {Because.RULE}
    change(estate, second)
    await sweep(estate)
    assert conditions(estate) == [second]
    assert await because(estate, "vm1") == {Because.RULE, Because.CONFLICT}


async def test_case_B06_two_rules_for_a_new_machine_give_neither(
    estate: Estate,
) -> None:
    fits = ("tags: {team: a}", "tags: {env: prod}")
    await adopt(estate, rules(estate.subscription, None, ONE, fits))
    await estate.create_vm("vm1", tags={"team": "a", "env": "prod"})
    await pass_time(estate)
    assert conditions(estate) == []
    assert {refusal.because for refusal in await refusals(estate, "vm1")} == {Because.RULE}


@PAIRS
async def test_case_B06_what_was_refused_before_two_rules_met_is_not_given_by_them(
    estate: Estate, first: str | None, second: str | None
) -> None:
    """Another machine had it as rule b says, so rule a was held for this one; then both are."""
    fits = ("tags: {team: a}", "tags: {env: prod}")
    await adopt(estate, rules(estate.subscription, first, second, fits))
    await estate.create_vm("vm2", tags={"env": "prod"})
    await pass_time(estate)
    vm = await machine(estate, "vm1", "a")
    assert len(await refusals(estate, "vm1")) == 1
    await patch(estate, vm, tags={"team": "a", "env": "prod"})
    await pass_time(estate)
    await estate.delete_vm("vm2")
    await hours(estate, 2)
    assert conditions(estate) == [second]
    assert {refusal.because for refusal in await refusals(estate, "vm1")} == {Because.RULE}
    assert (await estate.sweeps.run()).drifted == 0


@pytest.mark.parametrize("first", [None, ONE], ids=["wide", "narrow"])
async def test_case_B06_nor_is_what_azure_refused_before_they_met(
    estate: Estate, first: str | None
) -> None:
    fits = ("tags: {team: a}", "tags: {env: prod}")
    await adopt(estate, rules(estate.subscription, first, TWO, fits))
    fault = Fault(method="PUT", path="roleAssignments", status=403, code="Refused", times=None)
    estate.azure.faults.add(fault)
    vm = await machine(estate, "vm1", "a")
    fault.times = fault.hits
    await patch(estate, vm, tags={"team": "a", "env": "prod"})
    await hours(estate, 2)
    assert (fault.hits > 0, conditions(estate)) == (True, [])
    assert {refusal.because for refusal in await refusals(estate, "vm1")} == {Because.RULE}


async def test_case_B06_after_the_tables_are_lost_the_estate_is_asked(
    estate: Estate,
) -> None:
    await adopt(estate, rules(estate.subscription, ONE, None))
    await machine(estate, "vm1", "a")
    table = estate.tables.grants
    assert isinstance(table, MemoryTable)
    table.content.clear()
    await machine(estate, "vm2", "b")
    assert conditions(estate) == [ONE]


async def test_case_B06_what_an_excluded_machine_keeps_keeps_its_condition(
    estate: Estate,
) -> None:
    out = "exclude: {tags: {lanyard: ignore}}"
    fits = (f"tags: {{team: a}}, {out}", "tags: {team: b}")
    await adopt(estate, rules(estate.subscription, ONE, None, fits))
    vm1 = await machine(estate, "vm1", "a")
    resource = estate.azure.state.resources[vm1.key]
    resource.tags = {"team": "a", "lanyard": "ignore"}
    await look(estate, vm1)
    await machine(estate, "vm2", "b")
    assert conditions(estate) == [ONE]


def test_case_B06_validate_names_what_is_certain() -> None:
    text = rules(SOME, ONE, None, scope=LITERAL)
    with pytest.raises(PolicyError, match="rule 'a' gives the same role under another condition"):
        parse_policy("lanyard.yaml", text)


def test_case_B06_validate_warns_of_what_only_the_estate_shows(
    tmp_path: Path,
) -> None:
    file = tmp_path / "lanyard.yaml"
    file.write_text(rules(SOME, ONE, None))
    (warning,) = policy_warnings(file)
    assert "rule 'a' gives the same role on another condition" in warning.message
    assert warning.line == 12


GROUPS = f"/subscriptions/{SOME}/resourceGroups"
VAULTS = "/providers/Microsoft.KeyVault/vaults"
MACHINES = f"{GROUPS}/rg-app/providers/{MACHINE_TYPE}"


@pytest.mark.parametrize(
    ("first", "second", "match", "warned"),
    [
        (GROUP, f"{GROUPS}/rg-app", "names: ['*']", True),
        (GROUP, f"{GROUPS}/rg-app", "resourceGroups: [rg-b, rg-a*]", True),
        (GROUP, f"{GROUPS}/rg-app", "resourceGroups: [rg-b]", False),
        (GROUP, f"{GROUPS}/rg-app", f"scopes: [{GROUPS}/rg-b]", False),
        (GROUP, f"{GROUPS}/rg-app", f"scopes: [{GROUPS}/rg-b, /subscriptions/{SOME}]", True),
        ("{subscription}", f"/subscriptions/{SOME}", "names: ['*']", True),
        ("{subscription}", f"{GROUPS}/rg-app", "names: ['*']", False),
        ("{resource}", f"{MACHINES}/vm1", "names: ['*']", True),
        ("{resource}", f"{GROUPS}/rg-app{VAULTS}/kv", "names: ['*']", False),
        (f"{GROUPS}/rg-app{VAULTS}/kv-{{tags.kv}}", f"{GROUPS}/rg-app{VAULTS}/KV-a", "", True),
        (f"{GROUPS}/rg-app{VAULTS}/kv-{{tags.kv}}", f"{GROUPS}/rg-app{VAULTS}/other", "", False),
        (
            f"{GROUPS}/rg-app{VAULTS}/kv-{{tags.kv}}",
            f"{GROUPS}/rg-app{VAULTS}/{{tags.x}}",
            "",
            True,
        ),
    ],
)
@pytest.mark.parametrize("turned", [False, True])
def test_case_B06_validate_warns_of_scopes_that_may_come_to_one(
    tmp_path: Path, first: str, second: str, match: str, warned: bool, turned: bool
) -> None:
    """Whichever of the two rules stands first."""
    scopes = (second, first) if turned else (first, second)
    fits = (match or "names: ['*']", "tags: {team: b}")
    text = rules(SOME, ONE, None, fits[::-1] if turned else fits, scope="SCOPE")
    for scope in scopes:
        text = text.replace('"SCOPE"', f'"{scope}"', 1)
    file = tmp_path / "lanyard.yaml"
    file.write_text(text)
    found = [each for each in policy_warnings(file) if "on another condition" in each.message]
    assert bool(found) is warned


async def test_case_B06_a_machine_that_comes_meanwhile_changes_nothing(
    monkeypatch: pytest.MonkeyPatch,
    estate: Estate,
) -> None:
    await adopt(estate, rules(estate.subscription, ONE, None))
    vm1 = await estate.create_vm("vm1", tags={"team": "a"})
    vm2 = await estate.create_vm("vm2", tags={"team": "b"})
    under_way, ended = asyncio.Event(), asyncio.Event()
    kind = type(estate.services.assignments)
    give = kind.ensure

    async def slow(self: Any, grant: Any) -> Any:
        if not under_way.is_set():
            under_way.set()
            await ended.wait()
        return await give(self, grant)

    monkeypatch.setattr(kind, "ensure", slow)
    first = asyncio.create_task(estate.worker.process(Change(vm1, "event")))
    await under_way.wait()
    second = asyncio.create_task(estate.worker.process(Change(vm2, "event")))
    for _ in range(5000):
        await asyncio.sleep(0)
    ended.set()
    await asyncio.gather(first, second)
    await hours(estate, 3)
    assert attached(estate, vm1) == attached(estate, vm2) == ["id-shared"]
    assert conditions(estate) == [ONE]


async def test_case_B06_nor_one_that_comes_before_the_first_is_given(
    estate: Estate,
) -> None:
    await adopt(estate, rules(estate.subscription, ONE, None))
    estate.azure.faults.add(
        Fault(method="PUT", path="roleAssignments/", status=503, code="ServiceUnavailable")
    )
    await estate.create_vm("vm1", tags={"team": "a"})
    await pass_time(estate)
    assert conditions(estate) == []
    await estate.create_vm("vm2", tags={"team": "b"})
    await pass_time(estate)
    await hours(estate, 2)
    assert conditions(estate) == [ONE]


@PAIRS
async def test_case_B06_another_casing_of_an_id_changes_nothing(
    estate: Estate, first: str | None, second: str | None
) -> None:
    await adopt(estate, rules(estate.subscription, first, second))
    vm1 = await machine(estate, "vm1", "a")
    shown = estate.azure.state.resources[vm1.key]
    shown.id = shown.id.replace("rg-app", "RG-APP")
    await machine(estate, "vm2", "b")
    assert conditions(estate) == [first]


@PAIRS
async def test_case_B06_what_stood_stands_after_the_tables_were_lost(
    estate: Estate, first: str | None, second: str | None
) -> None:
    await adopt(estate, rules(estate.subscription, first, second))
    await machine(estate, "vm2", "a")
    await machine(estate, "vm1", "b")
    assert conditions(estate) == [first]
    table = estate.tables.grants
    assert isinstance(table, MemoryTable)
    table.content.clear()
    await hours(estate, 3)
    assert conditions(estate) == [first]


async def test_case_B07_after_a_condition_that_azure_refused_drift_is_noticed(
    estate: Estate,
) -> None:
    await adopt(estate, rules(estate.subscription, ONE, ONE))
    await machine(estate, "vm1", "a")
    fault = estate.azure.faults.add(
        Fault(
            method="PUT", path="roleAssignments/", status=400, code="InvalidCondition", times=None
        )
    )
    typo = "@Resorce[x] StringEquals 'y'"
    await adopt(estate, rules(estate.subscription, typo, typo))
    assert fault.hits
    estate.azure.faults.clear()
    await adopt(estate, rules(estate.subscription, ONE, ONE))
    await hours(estate, 2)
    assert conditions(estate) == [ONE]
    change_condition(estate, None)
    await hours(estate, 3)
    assert conditions(estate) == [ONE]


async def test_case_B06_one_404_proves_nothing(estate: Estate) -> None:
    await adopt(estate, rules(estate.subscription, ONE, None))
    estate.azure.behaviour.resource_graph_lag_seconds = 300
    await machine(estate, "vm1", "a")
    await pass_time(estate, 30)
    estate.azure.faults.add(
        Fault(method="GET", path="virtualMachines/vm1$", status=404, code="ResourceNotFound")
    )
    await machine(estate, "vm2", "b")
    assert conditions(estate) == [ONE]


async def test_case_B06_what_cannot_be_filled_in_any_more_keeps_its_condition(
    estate: Estate,
) -> None:
    vault = (
        f"{estate.scope}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/kv-{{tags.kv}}"
    )
    fits = ("tags: {team: a}, exclude: {tags: {lanyard: ignore}}", "tags: {team: b}")
    await adopt(estate, rules(estate.subscription, ONE, None, fits, scope=vault))
    vm1 = await estate.create_vm("vm1", tags={"team": "a", "kv": "x"})
    await pass_time(estate)
    estate.azure.state.resources[vm1.key].tags = {"team": "a", "lanyard": "ignore"}
    await look(estate, vm1)
    await estate.create_vm("vm2", tags={"team": "b", "kv": "x"})
    await pass_time(estate)
    assert conditions(estate) == [ONE]


def test_case_B06_a_slash_at_the_end_makes_no_other_scope() -> None:
    literal = f"/subscriptions/{SOME}/resourceGroups/rg-app"
    text = rules(SOME, ONE, None, scope=literal)
    first, _, last = text.rpartition(literal)
    with pytest.raises(PolicyError):
        parse_policy("lanyard.yaml", f"{first}{literal}/{last}")
