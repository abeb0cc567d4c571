"""A claim goes with its assignment, not before: what held the one keeps the other, whatever becomes
of the resource, its policy and its entry meanwhile; and the grace is counted from the last claim.
"""

from dataclasses import replace

import pytest

from lanyard.desk.operator import Operator
from lanyard.planning.orders import Paused
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.cases import (
    MACHINE_TYPE,
    MINUTE,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    create,
    held,
    hours,
    identity_id,
    pass_time,
    patch,
    roles,
)
from tests.support.compute_examples import SITE
from tests.support.estate import Estate

PROD = {"env": "prod"}
TAGGED = Rules(match="tags: {env: prod}")
#: No removal has a place: what would go is held.
HELD = replace(TAGGED, per_hour=0)
BOTH = ["Monitoring Metrics Publisher", "Reader"]


async def begun_with(monkeypatch: pytest.MonkeyPatch, policy: Rules) -> tuple[Estate, ResourceId]:
    estate = await begun(monkeypatch, policy, "id-old")
    vm = await estate.create_vm("vm1", tags=PROD)
    await pass_time(estate)
    assert (attached(estate, vm), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    return estate, vm


async def dismiss_all(estate: Estate) -> None:
    operator = Operator(estate.services, estate.queue.put, "ann")
    for entry in (await held(estate)).values():
        await operator.dismiss(entry.id)
    await pass_time(estate)


@pytest.mark.parametrize("gone", [False, True], ids=["tag taken off", "machine gone"])
async def test_case_A17_what_a_person_dismissed_is_not_revoked_by_a_sweep(
    monkeypatch: pytest.MonkeyPatch, gone: bool
) -> None:
    estate, vm = await begun_with(monkeypatch, HELD)
    if gone:
        await estate.delete_vm("vm1")
    else:
        await patch(estate, vm, tags={})
    await pass_time(estate)
    await dismiss_all(estate)
    await adopt(estate, TAGGED)
    await hours(estate, 3)
    assert roles(estate, "id-old") == ["Reader"]


async def test_case_A17_one_assignment_is_one_entry(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, _ = await begun_with(monkeypatch, HELD)
    await estate.delete_vm("vm1")
    await pass_time(estate)
    await hours(estate, 2)
    (action,) = await held(estate)
    assert action.startswith("unassign Reader at ")


async def test_case_A02_what_waited_for_the_budget_waits_for_a_typo(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = replace(HELD, options={"imdsDefault": "accept"})
    estate, vm = await begun_with(monkeypatch, policy)
    await adopt(estate, replace(policy, role="Monitoring Metrics Publisher"))
    assert roles(estate, "id-old") == BOTH
    await adopt(estate, replace(policy, identity="id-typo", per_hour=50))
    await hours(estate, 3)
    assert (attached(estate, vm), roles(estate, "id-old")) == (["id-old"], BOTH)


async def test_case_A02_what_a_lock_kept_waits_for_a_typo(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = replace(TAGGED, options={"imdsDefault": "accept"})
    estate, _ = await begun_with(monkeypatch, policy)
    estate.azure.faults.add(
        Fault(
            caller=estate.app.object_id,
            method="DELETE",
            path="roleAssignments",
            status=409,
            code="ScopeLocked",
        )
    )
    await adopt(estate, replace(policy, role="Monitoring Metrics Publisher"))
    assert roles(estate, "id-old") == BOTH
    await adopt(estate, replace(policy, identity="id-typo"))
    await hours(estate, 2)
    assert roles(estate, "id-old") == BOTH


async def test_case_A27_what_waited_for_the_budget_is_in_use_by_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = replace(HELD, type=SITE.type)
    estate = await begun(monkeypatch, policy, "id-old")
    site = await create(estate, SITE, tags=PROD)
    await pass_time(estate)
    await patch(estate, site, tags={})
    await pass_time(estate)
    named = identity_id(estate.subscription, "id-old")
    await patch(estate, site, properties={"keyVaultReferenceIdentity": named})
    await pass_time(estate)
    await adopt(estate, replace(policy, per_hour=50))
    await hours(estate, 2)
    assert (attached(estate, site), roles(estate, "id-old")) == (["id-old"], ["Reader"])


async def test_case_A28_what_waited_for_the_budget_is_excluded_by_then(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = replace(HELD, match=f"{TAGGED.match}, exclude: {{tags: {{lanyard: ignore}}}}")
    estate, vm = await begun_with(monkeypatch, policy)
    await patch(estate, vm, tags={})
    await pass_time(estate)
    await patch(estate, vm, tags={**PROD, "lanyard": "ignore"})
    await pass_time(estate)
    await adopt(estate, replace(policy, per_hour=50))
    await hours(estate, 2)
    assert (attached(estate, vm), roles(estate, "id-old")) == (["id-old"], ["Reader"])


async def test_case_A28_an_excluded_machine_is_made_again_within_the_grace(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = replace(
        TAGGED, match=f"{TAGGED.match}, exclude: {{tags: {{lanyard: ignore}}}}", grace_minutes=10
    )
    estate, vm = await begun_with(monkeypatch, policy)
    ignored = {**PROD, "lanyard": "ignore"}
    await patch(estate, vm, tags=ignored)
    await pass_time(estate)
    await estate.delete_vm("vm1")
    await pass_time(estate, 2 * MINUTE)
    shared = identity_id(estate.subscription, "id-old")
    block = {"type": "UserAssigned", "userAssignedIdentities": {shared: {}}}
    await estate.create_vm("vm1", tags=ignored, identity=block)
    await pass_time(estate, 30 * MINUTE)
    await hours(estate, 3)
    assert (attached(estate, vm), roles(estate, "id-old")) == (["id-old"], ["Reader"])


async def test_case_A06_wanted_again_during_a_pause_and_the_message_of_a_sweep_comes_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await begun_with(monkeypatch, HELD)
    await patch(estate, vm, tags={})
    await pass_time(estate)
    operator = Operator(estate.services, estate.queue.put, "ann")
    await operator.pause(Paused.EVERYTHING, "audit")
    await patch(estate, vm, tags=PROD)
    await adopt(estate, TAGGED)
    await estate.services.kill_switch.resume()
    await estate.sweeps.run()
    estate.queue.messages.reverse()
    await pass_time(estate)
    assert [each.action for each in await estate.recorded() if each.removed] == []


GRACE = replace(TAGGED, grace_minutes=10)


async def test_case_A25_the_grace_begins_with_the_end_of_whichever_claim_is_last(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """vm1 lost its tag ten minutes ago; vm2 ended since, and may be made again."""
    estate, one = await begun_with(monkeypatch, GRACE)
    await estate.create_vm("vm2", tags=PROD)
    await pass_time(estate)
    await patch(estate, one, tags={})
    await pass_time(estate, 8 * MINUTE)
    await estate.delete_vm("vm2")
    await pass_time(estate, 6 * MINUTE)
    assert roles(estate, "id-old") == ["Reader"]
    await pass_time(estate, 10 * MINUTE)
    assert roles(estate, "id-old") == []


async def test_case_A25_a_machine_that_lost_its_tag_and_then_ended(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, one = await begun_with(monkeypatch, GRACE)
    await patch(estate, one, tags={})
    await pass_time(estate, 8 * MINUTE)
    await estate.delete_vm("vm1")
    await pass_time(estate, 6 * MINUTE)
    assert roles(estate, "id-old") == ["Reader"]
    await pass_time(estate, 10 * MINUTE)
    assert roles(estate, "id-old") == []


async def test_case_A25_resources_of_two_rules_share_a_grant(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The site's rule goes with a policy; the machine's end comes nine minutes later."""
    estate = await begun(monkeypatch, NOTHING, "id-old")
    machines = GRACE.text(estate.subscription)
    rule = machines.split("rules:\n")[1].split("orphans:")[0]
    sites = rule.replace("name: all", "name: sites").replace(MACHINE_TYPE, SITE.type)
    await adopt(estate, machines.replace("orphans:", f"{sites}orphans:"))
    await estate.create_vm("vm1", tags=PROD)
    await create(estate, SITE, tags=PROD)
    await pass_time(estate)
    await adopt(estate, machines)
    await pass_time(estate, 9 * MINUTE)
    await estate.delete_vm("vm1")
    await pass_time(estate, 4 * MINUTE)
    assert roles(estate, "id-old") == ["Reader"]
    await pass_time(estate, 12 * MINUTE)
    assert roles(estate, "id-old") == []


async def test_case_A24_an_assignment_that_one_replica_does_not_show_is_revoked_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await begun_with(monkeypatch, TAGGED)
    await patch(estate, vm, tags={})
    estate.azure.faults.add(
        Fault(
            caller=estate.app.object_id,
            method="GET",
            path="roleAssignments/",
            status=404,
            code="RoleAssignmentNotFound",
        )
    )
    await pass_time(estate, 5 * MINUTE)
    assert roles(estate, "id-old") == []
    taken = [each.removed for each in await estate.recorded() if each.removed]
    assert [each.kind for each in taken] == ["attachment", "assignment"], "both are on record"
