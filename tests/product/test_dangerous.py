"""What went wrong elsewhere: each case has cost somebody's access, in a script or a tool. Named for
it. `orphans: {remove: all}` and no grace, so that only the evidence stands between.
"""

from collections.abc import Callable

import pytest
from azure.mgmt.compute.models import VirtualMachineUpdate
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity

from lanyard.planning.orphans import OrphanKind
from lanyard.values.errors import Permanent, Temporary
from simulator.behaviour import ResourceGraphAnswer
from simulator.directory.models import Answer
from simulator.faults import Fault
from simulator.state import Principal
from tests.support.estate import POLICY, Estate
from tests.support.handlers import started

DAY = 86400.0
ALL = POLICY.replace("{graceMinutes: 0}", "{graceMinutes: 0, remove: all}")
IDENTITY = "id-lanyard-westeurope"


@pytest.fixture
async def estate(monkeypatch: pytest.MonkeyPatch) -> Estate:
    return await started(Estate(ALL), monkeypatch)


def pipeline(estate: Estate) -> Principal:
    """A live service principal that no resource shows: an application's."""
    principal = estate.azure.state.add_principal("pipeline")
    estate.azure.assign(principal.object_id, "Contributor", f"{estate.scope}/resourceGroups/rg-app")
    return principal


async def unheard(estate: Estate) -> str:
    """A machine with access, and an application with some; both are a day old; the machine is
    deleted, and nobody tells.
    """
    principal = pipeline(estate)
    await estate.create_vm("vm1", identity={"type": "SystemAssigned"})
    await estate.create_vm("vm2")
    await estate.settle()
    machine = await estate.compute.virtual_machines.get("rg-app", "vm1")
    assert machine.identity is not None
    estate.azure.assign(str(machine.identity.principal_id), "Reader", estate.scope)
    estate.azure.clock.advance(DAY)
    await estate.delete_vm("vm1")
    estate.new_events()  # lost
    return principal.object_id


async def sweep(estate: Estate) -> None:
    """One sweep and what it puts on the queue; what is missing is looked at twice."""
    try:
        await estate.sweeps.run()
    except (Temporary, Permanent):
        return
    for _ in range(2):
        messages, estate.queue.messages = estate.queue.messages, []
        for change, _ in messages:
            await estate.worker.process(change)
        estate.azure.clock.advance(61)


def denied(estate: Estate) -> None:
    estate.platform.directory.revoke_permissions(estate.app.object_id)


def empty(estate: Estate) -> None:
    estate.platform.directory.behaviour.answer = Answer.EMPTY


def half(estate: Estate) -> None:
    estate.platform.directory.behaviour.answer = Answer.HALF


def no_canary(estate: Estate) -> None:
    estate.platform.directory.behaviour.hidden.add(estate.app.object_id)


def unavailable(estate: Estate) -> None:
    estate.azure.faults.add(Fault(service="graph", status=503, times=None))


UNREADABLE = [denied, empty, no_canary, unavailable]


@pytest.mark.parametrize("broken", UNREADABLE)
async def test_directory_unreadable_so_everything_looked_orphaned(
    estate: Estate, broken: Callable[[Estate], None]
) -> None:
    await unheard(estate)
    before = estate.assignments()
    broken(estate)
    await sweep(estate)
    assert [a for a in before if a not in estate.assignments()] == []
    reasons = [reason for _, outcome, reason in await estate.decisions() if outcome != "done"]
    assert reasons


PARTS = [
    ResourceGraphAnswer.TRUNCATED,
    ResourceGraphAnswer.HALF,
    ResourceGraphAnswer.EXPIRED_TOKEN,
    ResourceGraphAnswer.TIMEOUT,
    ResourceGraphAnswer.DENIED,
]


@pytest.mark.parametrize("answer", PARTS)
async def test_half_a_page_was_taken_for_all_there_is(
    estate: Estate, answer: ResourceGraphAnswer
) -> None:
    await unheard(estate)
    estate.azure.behaviour.page_size = 2
    before = estate.assignments()
    estate.azure.behaviour.resource_graph_answer = answer
    await sweep(estate)
    assert estate.assignments() == before
    assert ("sweep", "failed") in [(a, o) for a, o, _ in await estate.decisions()]
    (reason,) = [r for a, _, r in await estate.decisions() if a == "sweep"]
    assert "removes nothing" in reason


def half_a_listing(estate: Estate) -> None:
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.HALF_UNTOLD


def an_empty_listing(estate: Estate) -> None:
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.EMPTY


@pytest.mark.parametrize("lying", [half, half_a_listing, an_empty_listing])
async def test_an_answer_that_lies_without_a_sign_costs_no_living_thing_its_access(
    estate: Estate, lying: Callable[[Estate], None]
) -> None:
    application = await unheard(estate)
    needed = estate.assignments(of=(await estate.identity_of("vm2"))[IDENTITY])
    theirs = estate.assignments(of=application)
    lying(estate)
    await sweep(estate)
    assert set(needed + theirs) <= set(estate.assignments())


async def test_a_directory_that_misses_what_arm_shows_is_not_believed(estate: Estate) -> None:
    await unheard(estate)
    for number in range(20):
        name = f"live{number}"
        await estate.create_vm(name, identity={"type": "SystemAssigned"})
        machine = await estate.compute.virtual_machines.get("rg-app", name)
        assert machine.identity is not None
        if number % 2:
            estate.platform.directory.behaviour.hidden.add(str(machine.identity.principal_id))
    report = await estate.sweeps.run()
    assert "principals that ARM shows" in report.no_directory
    assert {orphan.kind for orphan in report.orphans} <= {OrphanKind.UNCLAIMED}


async def test_principal_not_yet_replicated_looked_deleted(estate: Estate) -> None:
    estate.platform.directory.behaviour.new_principal_lag_seconds = 1200
    new = pipeline(estate)
    await sweep(estate)
    assert len(estate.assignments(of=new.object_id)) == 1
    estate.azure.clock.advance(DAY)
    await sweep(estate)
    await estate.settle()
    assert len(estate.assignments(of=new.object_id)) == 1


async def test_resource_recreated_before_its_delete_was_handled(estate: Estate) -> None:
    await estate.create_vm("vm1")
    await estate.settle()
    granted = estate.assignments()
    await estate.delete_vm("vm1")
    deletion = estate.new_events()
    await estate.create_vm("vm1")
    creation = estate.new_events()
    for event in [*creation, *deletion]:  # the delete comes last
        if message := await estate.deliver(event):
            await estate.work(message)
    await estate.settle()
    assert list(await estate.identity_of("vm1")) == [IDENTITY]
    assert estate.assignments() == granted


async def test_same_name_in_another_subscription_was_cleaned_up_too(estate: Estate) -> None:
    other = estate.azure.state.add_subscription("other").id
    for principal in (estate.app.object_id, estate.operator.object_id):
        estate.azure.assign(principal, "Owner", f"/subscriptions/{other}")
    await estate.create_vm("vm1", identity={"type": "SystemAssigned"})
    await estate.settle()
    twin = pipeline(estate)
    scope = f"/subscriptions/{other}/resourceGroups/rg-app"
    theirs = estate.azure.assign(twin.object_id, "Reader", scope)
    estate.azure.clock.advance(DAY)
    await estate.delete_vm("vm1")
    await estate.settle()
    await sweep(estate)
    assert estate.azure.state.role_assignments[theirs.id.lower()].deleted_at is None
    assert len(estate.assignments(of=twin.object_id)) == 2


async def test_identity_shared_with_something_outside_the_policy(estate: Estate) -> None:
    await estate.create_vm("vm1")
    await estate.create_vm("theirs", tags={"lanyard": "ignore"})
    await estate.settle()
    identity = f"{estate.scope}/resourceGroups/rg-identities/providers/"
    identity += f"Microsoft.ManagedIdentity/userAssignedIdentities/{IDENTITY}"
    body = {"identity": {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}}
    poller = await estate.compute.virtual_machines.begin_update(
        "rg-app", "theirs", VirtualMachineUpdate(body), polling_interval=1
    )
    await poller.result()
    principal = (await estate.identity_of("theirs"))[IDENTITY]
    theirs = estate.azure.assign(principal, "Reader", estate.scope)
    estate.azure.clock.advance(DAY)
    await estate.delete_vm("vm1")
    await estate.settle()
    await sweep(estate)
    assert list(await estate.identity_of("theirs")) == [IDENTITY]
    standing = {scope for _, scope, _ in estate.assignments(of=principal)}
    assert theirs.scope in standing
    assert len(standing) == 2, "an excluded machine keeps what it has of the rule"


async def test_a_lock_was_forced_or_ended_the_whole_run(estate: Estate) -> None:
    locked = f"{estate.scope}/resourceGroups/rg-app"
    first, second = (estate.azure.state.add_principal(f"id-{n}") for n in (1, 2))
    for principal, scope in ((first, locked), (second, estate.scope)):
        principal.alternative_names.append("isExplicit=True")
        estate.azure.assign(principal.object_id, "Reader", scope)
        estate.azure.state.delete_principal(principal.object_id)
    estate.azure.clock.advance(DAY)
    estate.azure.locks.put(locked, "keep", "CanNotDelete")
    await sweep(estate)
    assert len(estate.assignments(of=first.object_id)) == 1
    assert estate.assignments(of=second.object_id) == []
    assert [o for _, o, r in await estate.decisions() if "ScopeLocked" in r] == ["failed"]


async def test_a_group_inherited_assignment_was_taken_for_the_principals_own(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1", identity={"type": "SystemAssigned"})
    await estate.settle()
    machine = await estate.compute.virtual_machines.get("rg-app", "vm1")
    assert machine.identity is not None
    member = str(machine.identity.principal_id)
    group = estate.azure.state.add_group("workloads", [member])
    estate.azure.assign(group.object_id, "Reader", estate.scope)
    estate.azure.assign(member, "Reader", estate.scope)
    estate.azure.clock.advance(DAY)
    await estate.delete_vm("vm1")
    await estate.settle()
    await sweep(estate)
    assert estate.assignments(of=member) == []
    assert len(estate.assignments(of=group.object_id)) == 1


async def test_an_identity_recreated_under_its_name_was_taken_for_the_old_one(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1")
    await estate.settle()
    old = (await estate.identity_of("vm1"))[IDENTITY]
    client = ManagedServiceIdentityClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    await client.user_assigned_identities.delete("rg-identities", IDENTITY)
    await client.user_assigned_identities.create_or_update(
        "rg-identities", IDENTITY, Identity(location="westeurope")
    )
    estate.azure.clock.advance(DAY)
    estate.new_events()  # lost
    await sweep(estate)
    await estate.settle()
    new = (await estate.identity_of("vm1"))[IDENTITY]
    assert new != old
    assert estate.assignments(of=old) == []
    assert len(estate.assignments(of=new)) == 1


async def test_the_tool_cut_its_own_rights(estate: Estate) -> None:
    estate.azure.clock.advance(DAY)
    own = list(estate.azure.state.role_assignments.values())
    await sweep(estate)
    assert list(estate.azure.state.role_assignments.values()) == own
    assert (await estate.sweeps.run()).orphans == ()


async def test_a_principal_in_the_recycle_bin_was_cleaned_up_before_it_was_restored(
    estate: Estate,
) -> None:
    application = pipeline(estate)
    estate.azure.state.delete_principal(application.object_id)
    estate.azure.clock.advance(DAY)
    await sweep(estate)
    assert len(estate.assignments(of=application.object_id)) == 1
    estate.azure.clock.advance(31 * DAY)
    await sweep(estate)
    await estate.settle()
    assert estate.assignments(of=application.object_id) == []
