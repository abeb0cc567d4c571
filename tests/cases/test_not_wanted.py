"""Cases of part A: what no rule asks for any more waits before it goes; what is back stays."""

from dataclasses import replace

import pytest

from lanyard.values.resource_id import ResourceId
from tests.support.cases import (
    HOUR,
    JITTER,
    MINUTE,
    Rules,
    adopt,
    attached,
    begun,
    create,
    exists,
    held,
    hours,
    identity_id,
    own,
    pass_time,
    patch,
    principal,
    removals,
    roles,
    sweep,
)
from tests.support.compute_examples import SITE
from tests.support.estate import Estate

GRACE = 10 * MINUTE
#: The defaults: ten minutes for what is attached and given, a day for an identity of its own.
DEDICATED = Rules(identity=own(), match="tags: {env: prod}", grace_minutes=10)
SHARED = replace(DEDICATED, identity="id-old")
BOTH = pytest.mark.parametrize("policy", [DEDICATED, SHARED], ids=["own", "shared"])

type Stands = tuple[list[str], list[tuple[str, str, str]]]


async def served(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> tuple[Estate, ResourceId, str, Stands]:
    """A machine by its tag, the name of its identity, and what stands."""
    estate = await begun(monkeypatch, policy, "id-old")
    vm = await estate.create_vm("vm1", tags={"env": "prod"})
    await pass_time(estate)
    (identity,) = attached(estate, vm)
    assert roles(estate, identity) == ["Reader"]
    return estate, vm, identity, stands(estate, vm)


def stands(estate: Estate, vm: ResourceId) -> Stands:
    """Attached with which principals, and assigned to them."""
    block = estate.azure.state.resources[vm.key].identity or {}
    shown = block.get("userAssignedIdentities") or {}
    return sorted(str(one.get("principalId")) for one in shown.values()), estate.assignments()


async def assert_as_if_nothing_was(estate: Estate, vm: ResourceId, before: Stands) -> None:
    assert stands(estate, vm) == before
    assert await held(estate) == {}
    assert await removals(estate) == []


@BOTH
async def test_case_A25_a_tag_that_is_back_in_two_minutes_was_never_gone(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, vm, _, before = await served(monkeypatch, policy)
    await patch(estate, vm, tags={})
    await pass_time(estate, 2 * MINUTE)
    assert stands(estate, vm) == before
    await patch(estate, vm, tags={"env": "prod"})
    await hours(estate, 30)
    await assert_as_if_nothing_was(estate, vm, before)


@BOTH
async def test_case_A25_a_sweep_within_the_grace_takes_nothing_either(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, vm, _, before = await served(monkeypatch, policy)
    await patch(estate, vm, tags={})
    estate.new_events()  # lost
    await sweep(estate)
    await pass_time(estate, 8 * MINUTE)
    await sweep(estate)
    assert stands(estate, vm) == before
    await patch(estate, vm, tags={"env": "prod"})
    await hours(estate, 2)
    await assert_as_if_nothing_was(estate, vm, before)


@BOTH
async def test_case_A25_events_meanwhile_neither_shorten_nor_lengthen_the_grace(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, vm, identity, before = await served(monkeypatch, policy)
    await patch(estate, vm, tags={})
    for number in range(3):
        await pass_time(estate, 3 * MINUTE)
        assert stands(estate, vm) == before
        await patch(estate, vm, tags={"number": str(number)})
    await pass_time(estate, GRACE * JITTER - 9 * MINUTE + MINUTE)
    assert (attached(estate, vm), roles(estate, identity)) == ([], [])


@BOTH
async def test_case_A25_each_time_it_is_gone_counts_from_its_own_beginning(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, vm, _, before = await served(monkeypatch, policy)
    for _ in range(3):
        await patch(estate, vm, tags={})
        await pass_time(estate, 6 * MINUTE)
        assert stands(estate, vm) == before
        await patch(estate, vm, tags={"env": "prod"})
        await pass_time(estate, MINUTE)
    await hours(estate, 30)
    await assert_as_if_nothing_was(estate, vm, before)


async def test_case_A25_after_the_grace_the_role_and_the_identity_go_and_its_deletion_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm, identity, _ = await served(monkeypatch, DEDICATED)
    await patch(estate, vm, tags={})
    await pass_time(estate, GRACE * JITTER + MINUTE)
    assert (attached(estate, vm), roles(estate, identity)) == ([], [])
    assert exists(estate, identity)
    await hours(estate, 22)
    assert exists(estate, identity)
    await hours(estate, 8)
    assert not exists(estate, identity)
    assert estate.assignments() == []


async def test_case_A25_after_the_grace_a_shared_identity_leaves_the_machine_and_stays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm, identity, _ = await served(monkeypatch, SHARED)
    await patch(estate, vm, tags={})
    await pass_time(estate, GRACE * JITTER + MINUTE)
    assert (attached(estate, vm), roles(estate, identity)) == ([], [])
    await hours(estate, 30)
    assert exists(estate, identity)


@BOTH
async def test_case_A25_back_after_the_grace_it_gets_the_same_identity_again(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, vm, identity, before = await served(monkeypatch, policy)
    known = principal(estate, identity)
    await patch(estate, vm, tags={})
    await hours(estate, 5)
    assert attached(estate, vm) == []
    await patch(estate, vm, tags={"env": "prod"})
    await hours(estate, 30)
    assert principal(estate, identity) == known
    assert stands(estate, vm) == before


@BOTH
async def test_case_A25_a_rule_that_is_back_within_the_grace_was_never_gone(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, vm, _, before = await served(monkeypatch, policy)
    await adopt(estate, replace(policy, match="tags: {env: porduction}"))
    await pass_time(estate, 4 * MINUTE)
    assert stands(estate, vm) == before
    await adopt(estate, policy)
    await hours(estate, 30)
    await assert_as_if_nothing_was(estate, vm, before)


async def test_case_A25_a_role_that_the_rule_drops_waits_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm, identity, before = await served(monkeypatch, SHARED)
    await adopt(estate, replace(SHARED, role="Monitoring Metrics Publisher"))
    assert roles(estate, identity) == ["Monitoring Metrics Publisher", "Reader"]
    await adopt(estate, SHARED)
    assert "Reader" in roles(estate, identity)
    await pass_time(estate, GRACE * JITTER + MINUTE)
    assert stands(estate, vm) == before


async def test_case_A25_two_templates_that_write_an_app_in_turn_cost_it_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One knows of the tags, the other does not."""
    estate = await begun(monkeypatch, replace(DEDICATED, type=SITE.type))
    app = await create(estate, SITE, tags={"env": "prod"})
    await pass_time(estate)
    before = stands(estate, app)
    for _ in range(4):
        await create(estate, SITE)
        await pass_time(estate, 2 * MINUTE)
        await create(estate, SITE, tags={"env": "prod"})
        await pass_time(estate, 5 * MINUTE)
    assert stands(estate, app) == before
    assert await removals(estate) == []


async def test_case_A25_without_a_grace_it_goes_as_soon_as_nothing_can_use_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = replace(DEDICATED, identity=own(0), grace_minutes=0)
    estate, vm, identity, _ = await served(monkeypatch, policy)
    await patch(estate, vm, tags={})
    await pass_time(estate, 2 * MINUTE)
    assert (attached(estate, vm), roles(estate, identity)) == ([], ["Reader"])
    await pass_time(estate, 5 * MINUTE)
    assert roles(estate, identity) == []
    await pass_time(estate, 2 * JITTER * HOUR)
    assert not exists(estate, identity)


@BOTH
async def test_case_A25_a_machine_that_is_made_again_under_its_name_keeps_its_access(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, vm, identity, before = await served(monkeypatch, policy)
    names = set(estate.azure.state.role_assignments)
    await estate.delete_vm("vm1")
    await pass_time(estate, 2 * MINUTE)
    assert roles(estate, identity) == ["Reader"]
    await estate.create_vm("vm1", tags={"env": "prod"})
    await pass_time(estate, MINUTE)
    assert stands(estate, vm) == before
    await hours(estate, 30)
    assert stands(estate, vm) == before
    assert set(estate.azure.state.role_assignments) == names


@BOTH
async def test_case_A25_a_machine_that_stays_away_leaves_its_access_after_the_grace(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    estate, _, identity, _ = await served(monkeypatch, policy)
    await estate.delete_vm("vm1")
    await pass_time(estate, GRACE - MINUTE)
    assert roles(estate, identity) == ["Reader"]
    await pass_time(estate, HOUR)
    await sweep(estate)
    await pass_time(estate, GRACE)
    assert estate.assignments() == []


@pytest.mark.parametrize("end", ["typo", "deleted", "unseen"])
async def test_case_A25_an_own_identity_that_the_policy_names_as_an_existing_one_stays(
    monkeypatch: pytest.MonkeyPatch, end: str
) -> None:
    """It was made for one machine; then the policy names that very one by its id."""
    estate, vm, identity, _ = await served(monkeypatch, replace(DEDICATED, match=""))
    by_id = f"{{id: {identity_id(estate.subscription, identity, 'rg-app')}}}"
    named = replace(SHARED, match="", identity=by_id)
    await adopt(estate, named)
    if end == "typo":
        await adopt(estate, replace(named, match="tags: {env: prd}"))
    elif end == "deleted":
        await estate.delete_vm("vm1")
    else:
        estate.azure.state.resources.pop(vm.key)
    await hours(estate, 30)
    assert exists(estate, identity)


async def test_case_A25_one_that_only_another_rule_names_by_its_id_stays_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, _, identity, _ = await served(monkeypatch, DEDICATED)
    by_id = f"{{id: {identity_id(estate.subscription, identity, 'rg-app')}}}"
    await adopt(estate, replace(SHARED, match="names: [other]", identity=by_id))
    await hours(estate, 30)
    assert exists(estate, identity)


async def test_case_A25_an_own_identity_goes_after_the_time_that_the_policy_says_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm, identity, _ = await served(monkeypatch, DEDICATED)
    await adopt(estate, replace(DEDICATED, identity=own(2)))
    await patch(estate, vm, tags={})
    await hours(estate, 4)
    assert not exists(estate, identity)


@BOTH
async def test_case_A25_a_look_that_was_lost_does_not_count_weeks_later(
    monkeypatch: pytest.MonkeyPatch, policy: Rules
) -> None:
    """The message of the second look, and the event of the tag that is back, came to nothing."""
    estate, vm, _, before = await served(monkeypatch, policy)
    await patch(estate, vm, tags={})
    await pass_time(estate, MINUTE)
    await patch(estate, vm, tags={"env": "prod"})
    estate.new_events()
    estate.queue.messages.clear()
    await hours(estate, 24)
    await patch(estate, vm, tags={})
    await pass_time(estate, 2 * MINUTE)
    assert stands(estate, vm) == before
    await patch(estate, vm, tags={"env": "prod"})
    await hours(estate, 30)
    await assert_as_if_nothing_was(estate, vm, before)
