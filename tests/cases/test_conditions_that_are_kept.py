"""Cases of conditions: `exclude` never takes, and so changes no condition of what stands either,
whatever another rule gives the same resource.
"""

import pytest

from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from tests.support.cases import (
    HOUR,
    NOTHING,
    adopt,
    attached,
    begun,
    hours,
    look,
    pass_time,
    sweep,
)
from tests.support.conditions import (
    GROUP,
    ONE,
    PAIRS,
    TWO,
    change_condition,
    conditions,
    refusals,
    rules,
)
from tests.support.estate import Estate

#: Rule a is for team a but what is ignored, rule b for what is ignored.
FITS = ("tags: {team: a}, exclude: {tags: {lanyard: ignore}}", "tags: {lanyard: ignore}")
VAULT = (
    "/subscriptions/{subscription}/resourceGroups/rg-app/providers/Microsoft.KeyVault/vaults/"
    "kv-{tags.team}"
)


@pytest.fixture
async def estate(monkeypatch: pytest.MonkeyPatch) -> Estate:
    return await begun(monkeypatch, NOTHING, "id-shared")


async def ignored(
    estate: Estate, first: str | None, second: str | None, scope: str = GROUP
) -> ResourceId:
    """A machine that rule a served, and that it excludes now, while rule b is for it."""
    await adopt(estate, rules(estate.subscription, first, second, FITS, scope))
    vm = await estate.create_vm("vm1", tags={"team": "a"})
    await pass_time(estate)
    assert conditions(estate) == [first]
    await tag(estate, vm, team="a", lanyard="ignore")
    return vm


async def tag(estate: Estate, vm: ResourceId, **tags: str) -> None:
    estate.azure.state.resources[vm.key].tags = tags
    await look(estate, vm)
    await hours(estate, 2)


@PAIRS
async def test_case_B06_what_a_rule_excludes_keeps_its_condition_beside_another_rule(
    estate: Estate, first: str | None, second: str | None
) -> None:
    """And gets what the other one gives once the first is not about it any more."""
    vm = await ignored(estate, first, second)
    assert conditions(estate) == [first]
    (refusal,) = await refusals(estate, "vm1")
    assert refusal.because is Because.RULE
    assert "rule 'a', which excludes it, has it keep the same on another" in refusal.reason
    assert (await estate.sweeps.run()).drifted == 0
    await tag(estate, vm, lanyard="ignore")
    assert (conditions(estate), await refusals(estate, "vm1")) == ([second], [])
    assert attached(estate, vm) == ["id-shared"]


@PAIRS
async def test_case_B06_what_it_never_had_of_that_rule_it_does_not_keep(
    estate: Estate, first: str | None, second: str | None
) -> None:
    await adopt(estate, rules(estate.subscription, first, second, FITS))
    await estate.create_vm("vm1", tags={"team": "a", "lanyard": "ignore"})
    await hours(estate, 1)
    assert (conditions(estate), await refusals(estate, "vm1")) == ([second], [])
    # What the rule that is for it says by then is given, though it is what the other one has kept.
    await adopt(estate, rules(estate.subscription, first, TWO, FITS))
    assert conditions(estate) == [TWO]


@PAIRS
async def test_case_B06_what_was_refused_before_it_was_excluded_it_does_not_keep_either(
    estate: Estate, first: str | None, second: str | None
) -> None:
    """Another machine had it as rule b says, so rule a was held for this one."""
    await adopt(estate, rules(estate.subscription, first, second, FITS))
    await estate.create_vm("vm2", tags={"lanyard": "ignore"})
    await pass_time(estate)
    vm = await estate.create_vm("vm1", tags={"team": "a"})
    await pass_time(estate)
    assert len(await refusals(estate, "vm1")) == 1
    await tag(estate, vm, team="a", lanyard="ignore")
    assert (conditions(estate), await refusals(estate, "vm1")) == ([second], [])
    await estate.delete_vm("vm2")
    await hours(estate, 2)
    assert (conditions(estate), await refusals(estate, "vm1")) == ([second], [])


@PAIRS
async def test_case_B07_what_is_kept_beside_another_rule_is_put_back_as_it_stood(
    estate: Estate, first: str | None, second: str | None
) -> None:
    await ignored(estate, first, second)
    for _ in range(3):
        await pass_time(estate, HOUR)
        change_condition(estate, second)
        await sweep(estate)
        assert conditions(estate) == [first]
    change_condition(estate, second)
    await sweep(estate)
    assert conditions(estate) == [second]
    found = {refusal.because for refusal in await refusals(estate, "vm1")}
    assert found == {Because.RULE, Because.CONFLICT}


@PAIRS
async def test_case_B06_a_rule_that_cannot_be_filled_in_any_more_keeps_its_condition(
    estate: Estate, first: str | None, second: str | None
) -> None:
    text = rules(estate.subscription, first, second, FITS, VAULT)
    before, _, after = text.rpartition(VAULT)
    literal = VAULT.replace("{subscription}", estate.subscription).replace("{tags.team}", "a")
    await adopt(estate, f"{before}{literal}{after}".replace("tags: {team: a}, ", ""))
    vm = await estate.create_vm("vm1", tags={"team": "a"})
    await pass_time(estate)
    assert conditions(estate) == [first]
    await tag(estate, vm, lanyard="ignore")
    assert conditions(estate) == [first]
    await tag(estate, vm, team="a", lanyard="ignore")
    assert conditions(estate) == [first]


async def test_case_B06_with_the_rule_that_excludes_goes_its_condition(estate: Estate) -> None:
    await ignored(estate, ONE, None)
    text = rules(estate.subscription, ONE, None, FITS)
    start, end = text.index("  - name: a"), text.index("  - name: b")
    await adopt(estate, text[:start] + text[end:])
    assert (conditions(estate), await refusals(estate, "vm1")) == ([None], [])
