"""A conflict of owners is somebody's taking away, four times in a week: of a grant, an identity,
the system-assigned one. What went with its scope, its resource or its identity was taken by nobody.
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import Any

import pytest
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.desk.operator import Operator
from lanyard.record.held import Entry
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.any_resource import client
from tests.support.cases import (
    HOUR,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    create,
    delete,
    delete_identity,
    held,
    identity_id,
    look,
    make_identity,
    pass_time,
    patch,
    principal,
    roles,
    sweep,
)
from tests.support.compute_examples import CLUSTER, CONTAINER_APP, SITE, Example
from tests.support.estate import Estate

DAY = 24 * HOUR
GROUP = "/resourceGroups/rg-data"
ACCOUNT = f"{GROUP}/providers/Microsoft.Storage/storageAccounts/stdata"
CONTAINER = f"{ACCOUNT}/blobServices/default/containers/files"
SCOPES = {"group": GROUP, "account": ACCOUNT, "container": CONTAINER}
#: What may stand in names (C24) and means something in a filter, or in the query of a URL.
QUOTED = {
    "a quote": f"{CONTAINER}'s",
    "quotes": f"{CONTAINER}/blobs/''it's'",
    "&": f"{CONTAINER}&a+b=",
}
STORAGE_VERSION = "2023-05-01"
CONFLICT = "conflict of owners: it was put back 3 times, and taken away again"


async def make_scope(estate: Estate) -> None:
    options = estate.azure.client_options(estate.operator)
    groups = ResourceManagementClient(subscription_id=estate.subscription, **options)
    await groups.resource_groups.create_or_update("rg-data", {"location": "westeurope"})
    poller = await client(estate).resources.begin_create_or_update_by_id(
        f"{estate.scope}{ACCOUNT}",
        {"location": "westeurope", "kind": "StorageV2", "sku": {"name": "Standard_LRS"}},
        api_version=STORAGE_VERSION,
        polling_interval=1,
    )
    await poller.result()


async def tear_down_group(estate: Estate) -> None:
    await estate.delete_group("rg-data")


async def tear_down_account(estate: Estate) -> None:
    poller = await client(estate).resources.begin_delete_by_id(
        f"{estate.scope}{ACCOUNT}", api_version=STORAGE_VERSION, polling_interval=1
    )
    await poller.result()


def take_grant(estate: Estate) -> None:
    """Somebody deletes our assignment; its scope stays."""
    assignments = estate.azure.state.role_assignments
    (ours,) = [key for key, each in assignments.items() if each.description]
    del assignments[ours]


async def served(monkeypatch: pytest.MonkeyPatch, scope: str = GROUP) -> Estate:
    """A machine whose identity has a role at a scope that goes with all at it."""
    estate = await begun(monkeypatch, "version: 1\nmode: full\n", "id-old")
    estate.azure.behaviour.scope_deletion_removes_assignments = True
    await make_scope(estate)
    policy = Rules(scope=f"{estate.scope}{scope}")
    estate.change_policy(policy.text(estate.subscription))
    await estate.create_vm("vm1")
    await pass_time(estate)
    assert roles(estate, "id-old") == ["Reader"]
    return estate


async def conflict(estate: Estate) -> Entry:
    (entry,) = (await held(estate)).values()
    assert entry.refusal.reason == CONFLICT
    return entry


TEARING_DOWN = [
    pytest.param(scope, tear_down, id=f"{name} torn down with its {what}")
    for name, scope in SCOPES.items()
    for what, tear_down in (("group", tear_down_group), ("account", tear_down_account))
    if name != "group" or what == "group"
]


@pytest.mark.parametrize("at_night", [True, False], ids=["swept at night", "swept by day"])
@pytest.mark.parametrize(("scope", "tear_down"), TEARING_DOWN)
async def test_case_B13_what_goes_with_its_scope_is_granted_again_each_morning(
    monkeypatch: pytest.MonkeyPatch,
    scope: str,
    tear_down: Callable[[Estate], Awaitable[None]],
    at_night: bool,
) -> None:
    estate = await served(monkeypatch, scope)
    for _ in range(6):
        await pass_time(estate, DAY / 2)
        await tear_down(estate)
        await pass_time(estate, HOUR)
        if at_night:
            await sweep(estate)
        await pass_time(estate, HOUR)
        await make_scope(estate)
        await pass_time(estate, HOUR)
        await sweep(estate)
        await pass_time(estate, HOUR)
        assert roles(estate, "id-old") == ["Reader"]
        assert await held(estate) == {}


@pytest.mark.parametrize("scope", [*SCOPES.values(), *QUOTED.values()], ids=[*SCOPES, *QUOTED])
async def test_case_B13_what_somebody_takes_from_a_scope_that_stays_is_a_conflict(
    monkeypatch: pytest.MonkeyPatch, scope: str
) -> None:
    estate = await served(monkeypatch, scope)
    for _ in range(3):
        await pass_time(estate, DAY)
        take_grant(estate)
        await sweep(estate)
        assert roles(estate, "id-old") == ["Reader"]
        assert await held(estate) == {}
    await pass_time(estate, DAY)
    take_grant(estate)
    await sweep(estate)
    assert roles(estate, "id-old") == []
    entry = await conflict(estate)
    await pass_time(estate, 30 * DAY)
    await sweep(estate)
    assert roles(estate, "id-old") == []
    await Operator(estate.services, estate.queue.put, "ann").release(entry.id)
    await pass_time(estate)
    assert roles(estate, "id-old") == ["Reader"]
    assert await held(estate) == {}


async def test_case_B13_a_fight_counts_beside_a_scope_that_is_torn_down(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch, ACCOUNT)
    for _ in range(3):
        await pass_time(estate, DAY / 2)
        await tear_down_account(estate)
        await pass_time(estate, HOUR)
        await make_scope(estate)
        await sweep(estate)
        await pass_time(estate, DAY / 2)
        take_grant(estate)
        await sweep(estate)
        assert roles(estate, "id-old") == ["Reader"]
    await pass_time(estate, DAY / 2)
    take_grant(estate)
    await sweep(estate)
    await conflict(estate)


async def fought_over(monkeypatch: pytest.MonkeyPatch, *more: str) -> Estate:
    """A grant that somebody took away for the fourth time, of these machines beside vm1."""
    estate = await served(monkeypatch)
    for name in more:
        await estate.create_vm(name)
    await pass_time(estate)
    for number in range(4):
        await pass_time(estate, HOUR)
        assert roles(estate, "id-old") == ["Reader"], f"taken away {number} times"
        take_grant(estate)
        await sweep(estate)
    assert roles(estate, "id-old") == []
    return estate


async def test_case_B13_one_taking_of_what_machines_share_counts_once_and_is_released_for_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await fought_over(monkeypatch, "vm2")
    first, second = [each async for each in estate.services.held.all()]
    assert {first.refusal.reason, second.refusal.reason} == {CONFLICT}
    await Operator(estate.services, estate.queue.put, "ann").release(first.id)
    await pass_time(estate)
    assert roles(estate, "id-old") == ["Reader"]
    await sweep(estate)
    assert await held(estate) == {}
    for _ in range(3):
        take_grant(estate)
        await pass_time(estate, HOUR)
        await sweep(estate)
        assert roles(estate, "id-old") == ["Reader"]


async def test_case_B13_a_machine_that_comes_later_is_held_like_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await fought_over(monkeypatch)
    await estate.create_vm("vm2")
    await pass_time(estate)
    assert roles(estate, "id-old") == []
    entries = [each async for each in estate.services.held.all()]
    assert [each.refusal.reason for each in entries] == [CONFLICT] * 2
    assert (await estate.sweeps.run()).drifted == 0
    (late,) = [each for each in entries if each.resource == estate.vm_id("vm2")]
    await Operator(estate.services, estate.queue.put, "ann").release(late.id)
    await pass_time(estate)
    await sweep(estate)
    assert roles(estate, "id-old") == ["Reader"]
    assert await held(estate) == {}


async def test_case_B13_a_machine_that_takes_the_place_of_the_last_one_is_held_as_it_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await fought_over(monkeypatch)
    await estate.delete_vm("vm1")
    await pass_time(estate, HOUR)
    assert await held(estate) == {}
    await estate.create_vm("vm2")
    await pass_time(estate, HOUR)
    assert roles(estate, "id-old") == []
    await conflict(estate)


@pytest.mark.parametrize("late", [None, "before", "after"], ids=["vm1", "vm2", "vm2 later"])
async def test_case_B13_what_another_owner_gives_by_then_is_no_conflict_any_more(
    monkeypatch: pytest.MonkeyPatch, late: str | None
) -> None:
    estate = await fought_over(monkeypatch)
    if late == "before":
        await estate.delete_vm("vm1")
        await pass_time(estate, HOUR)
        await estate.create_vm("vm2")
        await pass_time(estate)
        await conflict(estate)
    theirs = estate.azure.assign(principal(estate, "id-old"), "Reader", f"{estate.scope}{GROUP}")
    if late == "after":
        await estate.create_vm("vm2")
        await pass_time(estate)
        assert [
            each async for each in estate.services.held.all() if "vm2" in each.resource.text
        ] == []
    await sweep(estate)
    assert await held(estate) == {}
    del estate.azure.state.role_assignments[theirs.id.lower()]
    await sweep(estate)
    assert roles(estate, "id-old") == ["Reader"], "what they do with theirs counts for nothing"


async def test_case_B13_where_nobody_can_say_whether_it_is_there_again_it_stays_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await fought_over(monkeypatch)
    estate.azure.assign(principal(estate, "id-old"), "Reader", f"{estate.scope}{GROUP}")
    estate.azure.faults.add(
        Fault(method="GET", path="/roleAssignments$", status=403, code="AuthorizationFailed")
    )
    await look(estate, estate.vm_id("vm1"))
    await conflict(estate)
    await look(estate, estate.vm_id("vm1"))
    assert await held(estate) == {}


async def test_case_B13_what_somebody_takes_from_one_machine_after_the_other_is_a_conflict(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch)
    for number in range(1, 5):
        await pass_time(estate, HOUR)
        assert roles(estate, "id-old") == ["Reader"]
        take_grant(estate)
        await sweep(estate)
        await estate.create_vm(f"vm{number + 1}")
        await pass_time(estate)
        await estate.delete_vm(f"vm{number}")
        await pass_time(estate, HOUR)
    assert roles(estate, "id-old") == []
    await conflict(estate)


@pytest.mark.parametrize("gone_first", [True, False], ids=["gone before", "gone after"])
async def test_case_B13_the_end_of_another_claim_hides_nothing_that_somebody_took(
    monkeypatch: pytest.MonkeyPatch, gone_first: bool
) -> None:
    estate = await served(monkeypatch)
    await adopt(estate, Rules(scope=f"{estate.scope}{GROUP}", grace_minutes=10))

    async def end(name: str) -> None:
        await estate.delete_vm(name)
        await pass_time(estate, HOUR / 2)

    for number in range(4):
        assert roles(estate, "id-old") == ["Reader"]
        await estate.create_vm(f"tmp{number}")
        await pass_time(estate, DAY)
        if gone_first:
            await end(f"tmp{number}")
        take_grant(estate)
        await pass_time(estate, 600)
        if not gone_first:
            await end(f"tmp{number}")
        await sweep(estate)
    assert roles(estate, "id-old") == []
    await conflict(estate)


async def test_case_B13_what_is_taken_away_each_third_day_is_put_back_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch)
    for _ in range(6):
        await pass_time(estate, 3 * DAY)
        take_grant(estate)
        await sweep(estate)
        assert roles(estate, "id-old") == ["Reader"]


async def test_case_B13_where_the_activity_log_may_not_be_read_nobody_took_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch)
    refused = Fault(status=403, code="AuthorizationFailed", path="/eventtypes/management/values$")
    estate.azure.faults.add(replace(refused, times=100))
    for _ in range(6):
        await pass_time(estate, HOUR)
        take_grant(estate)
        await sweep(estate)
        assert roles(estate, "id-old") == ["Reader"]


SYSTEM = """
version: 1
mode: full
rules:
  - name: all
    match: {types: [Microsoft.Compute/virtualMachines]}
    system: true
    grant: [{role: Reader, scope: "{resourceGroup}", to: system}]
orphans: {graceMinutes: 0}
limits: {removals: {perHour: 50, graceMinutes: 0}}
"""


def system_of(estate: Estate, resource: ResourceId) -> str:
    block = estate.azure.state.resources[resource.key].identity or {}
    return str(block.get("principalId") or "")


@pytest.mark.parametrize("by_event", [True, False], ids=["event", "sweep"])
async def test_case_B14_a_system_assigned_identity_switched_off_four_times_is_a_conflict(
    monkeypatch: pytest.MonkeyPatch, by_event: bool
) -> None:
    estate = await begun(monkeypatch, SYSTEM)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)

    async def switch_off() -> None:
        await pass_time(estate, HOUR)
        await patch(estate, vm, identity={"type": "None"})
        if not by_event:
            estate.new_events()
            await sweep(estate)
        await pass_time(estate)

    seen = {system_of(estate, vm)}
    for _ in range(3):
        await switch_off()
        seen.add(system_of(estate, vm))
        assert await held(estate) == {}
    assert "" not in seen
    assert len(seen) == 4
    await switch_off()
    assert system_of(estate, vm) == ""
    reasons = {action: entry.refusal.reason for action, entry in (await held(estate)).items()}
    assert CONFLICT in reasons.values()
    (entry,) = [e for e in (await held(estate)).values() if e.refusal.reason == CONFLICT]
    await sweep(estate)
    assert system_of(estate, vm) == ""
    await Operator(estate.services, estate.queue.put, "ann").release(entry.id)
    await pass_time(estate)
    assert system_of(estate, vm) not in seen
    await switch_off()
    assert system_of(estate, vm) != ""


async def test_case_B14_one_that_is_switched_off_each_third_day_is_put_back_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, SYSTEM)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    for _ in range(6):
        await pass_time(estate, 3 * DAY)
        await patch(estate, vm, identity={"type": "None"})
        await pass_time(estate)
        assert system_of(estate, vm) != ""


@pytest.mark.parametrize("system", [True, False], ids=["system", "user-assigned"])
async def test_case_B14_a_cluster_whose_one_identity_is_changed_back_is_a_conflict(
    monkeypatch: pytest.MonkeyPatch, system: bool
) -> None:
    """What another owner puts back takes the place of what the rule gives."""
    theirs: dict[str, Any] = {"type": "SystemAssigned"}
    ours = "UserAssigned"
    policy: Rules | str = Rules(type=CLUSTER.type, options={"replace": "accept"})
    if system:
        policy = SYSTEM.replace("Microsoft.Compute/virtualMachines", CLUSTER.type)
        policy = policy.replace("system: true", "system: true\n    replace: accept")
        grant = policy.index("    grant:")
        policy = policy[:grant] + policy[policy.index("orphans:") :]
    estate = await begun(monkeypatch, policy, "id-old", "id-theirs")
    if system:
        other = identity_id(estate.subscription, "id-theirs")
        theirs = {"type": "UserAssigned", "userAssignedIdentities": {other: {}}}
        ours = "SystemAssigned"
    cluster = await create(estate, CLUSTER, identity=theirs)
    await pass_time(estate, HOUR)

    def kind() -> str:
        return str((estate.azure.state.resources[cluster.key].identity or {})["type"])

    for _ in range(3):
        assert kind() == ours
        await create(estate, CLUSTER, identity=theirs)
        await pass_time(estate, HOUR)
        assert await held(estate) == {}
    assert kind() == ours
    await create(estate, CLUSTER, identity=theirs)
    await pass_time(estate, HOUR)
    assert kind() == theirs["type"]
    await conflict(estate)


@pytest.mark.parametrize("example", [SITE, CONTAINER_APP], ids=lambda each: each.type)
async def test_case_B14_a_resource_that_is_made_again_each_night_was_robbed_by_nobody(
    monkeypatch: pytest.MonkeyPatch, example: Example
) -> None:
    """Within the grace, so that its claims and its record outlive it."""
    estate = await begun(monkeypatch, Rules(type=example.type, grace_minutes=60), "id-old")
    for _ in range(6):
        made = await create(estate, example)
        await pass_time(estate)
        assert attached(estate, made) == ["id-old"]
        assert await held(estate) == {}
        await pass_time(estate, DAY)
        await delete(estate, made)
        await pass_time(estate, 600)


@pytest.mark.parametrize("seen_gone", [True, False])
async def test_case_B14_an_identity_that_is_made_again_each_night_was_taken_by_nobody(
    monkeypatch: pytest.MonkeyPatch, seen_gone: bool
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    for _ in range(6):
        await pass_time(estate, DAY / 2)
        await patch(estate, vm, identity={"type": "None"})
        await delete_identity(estate, "id-old")
        if seen_gone:
            await pass_time(estate, 600)
        await make_identity(estate, "id-old")
        estate.new_events()
        await sweep(estate)
        await pass_time(estate, HOUR)
        assert attached(estate, vm) == ["id-old"]
        assert await held(estate) == {}


async def test_case_B14_one_answer_that_misses_an_identity_takes_nothing_off_the_count(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old")
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    late = Fault(
        method="GET", path="userAssignedIdentities/id-old$", status=404, code="ResourceNotFound"
    )
    for missed in (False, False, True, False, False):
        await pass_time(estate, DAY / 2)
        assert attached(estate, vm) == ["id-old"]
        await patch(estate, vm, identity={"type": "None"})
        if missed:
            estate.azure.faults.add(late)
        await pass_time(estate, HOUR)
    assert attached(estate, vm) == []
    await conflict(estate)


@pytest.mark.parametrize(("status", "code"), [(403, "AuthorizationFailed"), (503, "Busy")])
async def test_case_B14_a_lost_identity_that_cannot_be_read_stops_nothing_else(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str
) -> None:
    estate = await begun(monkeypatch, NOTHING, "id-old", "id-new")
    text = Rules(options={"imdsDefault": "accept"}).text(estate.subscription)
    await adopt(estate, text)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    await patch(estate, vm, identity={"type": "None"})
    estate.new_events()
    path = "userAssignedIdentities/id-old$"
    refused = estate.azure.faults.add(
        Fault(method="GET", path=path, status=status, code=code, times=None)
    )
    new = f"identities:\n  two: {{id: {identity_id(estate.subscription, 'id-new')}}}\n"
    text = text.replace("identities:\n", new).replace("attach: [main]", "attach: [main, two]")
    await adopt(estate, text)
    assert refused.hits
    assert attached(estate, vm) == ["id-new", "id-old"]
    assert roles(estate, "id-old") == ["Reader"]
    assert await held(estate) == {}


@pytest.mark.parametrize("lost", [True, False], ids=["events lost", "events heard"])
@pytest.mark.parametrize("policy", [Rules(grace_minutes=60), SYSTEM], ids=["attached", "system"])
async def test_case_B13_a_group_that_is_made_again_each_night_with_its_machine(
    monkeypatch: pytest.MonkeyPatch, policy: Rules | str, lost: bool
) -> None:
    """What it has goes with it, and so does the scope of what is granted there."""
    estate = await begun(monkeypatch, policy, "id-old")
    estate.azure.behaviour.scope_deletion_removes_assignments = True
    for _ in range(6):
        await estate.create_groups()
        vm = await estate.create_vm("vm1")
        await pass_time(estate)
        await sweep(estate)
        block = estate.azure.state.resources[vm.key].identity or {}
        assert block.get("principalId") or attached(estate, vm) == ["id-old"]
        assert len(estate.assignments()) == 1
        assert await held(estate) == {}
        await pass_time(estate, DAY)
        await estate.delete_group("rg-app")
        if lost:
            estate.new_events()
        await pass_time(estate, 600)
