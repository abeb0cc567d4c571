"""What persons say beside the policy, and Lanyard's own kill switch."""

from datetime import UTC, datetime, timedelta

import pytest
from azure.mgmt.compute.models import VirtualMachineUpdate

from lanyard.desk.operator import Operator
from lanyard.desk.undo import Undo
from lanyard.planning.orders import Paused
from lanyard.record.held import Entry
from lanyard.values.errors import Permanent
from lanyard.values.removed import RemovedAssignment
from simulator.faults import Fault
from tests.support.estate import BLOB_READER, POLICY, Estate, limited
from tests.support.handlers import started

PERCENT = limited("perHour: 1000, percent: 10")


async def held(estate: Estate) -> list[Entry]:
    return [entry async for entry in estate.services.held.all()]


def person(estate: Estate) -> Operator:
    return Operator(estate.services, estate.queue.put, "ann")


async def work(estate: Estate) -> None:
    """What is on the queue, once."""
    messages, estate.queue.messages = estate.queue.messages, []
    for change, _ in messages:
        await estate.worker.process(change)


async def machines(estate: Estate, count: int) -> None:
    """In as many regions: an identity and a grant each."""
    for number in range(count):
        await estate.create_vm(f"vm{number}", location=f"region{number}")
    await estate.settle()


async def delete_all(estate: Estate, count: int) -> None:
    for number in range(count):
        await estate.delete_vm(f"vm{number}")
    for event in estate.new_events():
        if message := await estate.deliver(event):
            await estate.work(message)


async def test_a_pause_of_removals_stops_them_and_nothing_else(estate: Estate) -> None:
    await machines(estate, 1)
    await estate.services.kill_switch.pause(Paused.REMOVALS, "ann", "an audit")
    await estate.delete_vm("vm0")
    await estate.create_vm("vm9", location="region9")
    await estate.settle()
    assert len(estate.assignments()) == 2
    assert [e.refusal.reason for e in await held(estate)] == [
        f"paused by ann at {datetime.fromtimestamp(estate.azure.clock.now(), UTC):%F %R} UTC: "
        "an audit"
    ]


async def test_a_pause_of_everything_holds_what_would_be_given_too(estate: Estate) -> None:
    await person(estate).pause(Paused.EVERYTHING, "an audit")
    await estate.create_vm("vm1")
    await estate.settle()
    assert await estate.identity_of("vm1") == {}
    assert len(await held(estate)) == 3  # create, attach, assign


async def test_after_a_pause_what_was_held_is_done(estate: Estate) -> None:
    await machines(estate, 1)
    await estate.services.kill_switch.pause(Paused.EVERYTHING, "ann", "an audit")
    await estate.delete_vm("vm0")
    await estate.create_vm("vm1")
    await estate.settle()
    pause, looked_at = await person(estate).resume()
    assert pause is not None
    assert (pause.by, looked_at) == ("ann", 2)
    await estate.settle()
    assert len(await estate.identity_of("vm1")) == 1
    assert len(estate.assignments()) == 1
    assert await held(estate) == []


async def test_a_narrower_pause_does_not_lift_a_wider_one(estate: Estate) -> None:
    kill_switch = estate.services.kill_switch
    await kill_switch.pause(Paused.EVERYTHING, "ann", "an audit")
    await kill_switch.pause(Paused.REMOVALS, "bob", "another")
    pause = await kill_switch.read()
    assert pause is not None
    assert (pause.what, pause.by) == (Paused.EVERYTHING, "ann")


async def test_a_pause_in_the_middle_of_a_removal_stops_it(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machines(estate, 1)
    await estate.delete_vm("vm0")
    revocation = estate.services.revocation
    drop = revocation.drop

    async def paused_now(*arguments: object) -> object:
        await estate.services.kill_switch.pause(Paused.REMOVALS, "ann", "stop")
        return await drop(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(revocation, "drop", paused_now)
    for event in estate.new_events():
        if message := await estate.deliver(event):
            await estate.work(message)
    assert len(estate.assignments()) == 1
    assert [entry.refusal.reason.split(" at ")[0] for entry in await held(estate)] == [
        "paused by ann"
    ]


async def test_past_its_share_of_all_assignments_lanyard_pulls_its_own_brake(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(PERCENT), monkeypatch)
    await machines(estate, 14)
    await estate.sweeps.run()
    await delete_all(estate, 14)
    assert len(estate.assignments()) == 4  # ten go in any hour, however few there are
    pause = await estate.services.kill_switch.read()
    assert pause is not None
    assert (pause.what, pause.by) == (Paused.REMOVALS, "lanyard")
    assert "limits.removals.percent (10)" in pause.reason
    estate.azure.clock.advance(7200)
    await estate.sweeps.run()
    assert len(estate.assignments()) == 4
    await estate.services.kill_switch.resume()
    await estate.settle()
    assert estate.assignments() == []


async def test_what_the_hourly_budget_holds_is_listed_and_can_be_released(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = limited("perHour: 1")
    estate = await started(Estate(policy), monkeypatch)
    await machines(estate, 2)
    await delete_all(estate, 2)
    assert len(estate.assignments()) == 1
    (entry,) = await held(estate)
    assert "budget of 1 removals an hour" in entry.refusal.reason
    await person(estate).release(entry.id)
    await work(estate)
    assert estate.assignments() == []
    assert await held(estate) == []


async def strip(estate: Estate, name: str = "vm1") -> None:
    """What Terraform does that does not know of the identity; and the sweep after it."""
    estate.azure.clock.advance(86400)
    poller = await estate.compute.virtual_machines.begin_update(
        "rg-app", name, VirtualMachineUpdate({"identity": {"type": "None"}}), polling_interval=1
    )
    await poller.result()
    await estate.settle()


async def test_what_another_owner_takes_away_thrice_is_a_conflict_and_left_alone(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1")
    await estate.settle()
    for _ in range(3):
        await strip(estate)
        assert len(await estate.identity_of("vm1")) == 1  # repaired
    await strip(estate)
    assert await estate.identity_of("vm1") == {}
    (entry,) = await held(estate)
    assert "conflict of owners" in entry.refusal.reason
    await estate.sweeps.run()
    assert estate.queue.messages == []  # and it stays so
    await person(estate).release(entry.id)
    await work(estate)
    assert len(await estate.identity_of("vm1")) == 1
    await strip(estate)
    assert len(await estate.identity_of("vm1")) == 1  # counted anew


async def test_repairs_of_a_machine_that_was_made_again_are_no_conflict(estate: Estate) -> None:
    for _ in range(6):
        await estate.create_vm("vm1")
        await estate.settle()
        assert len(await estate.identity_of("vm1")) == 1
        await estate.delete_vm("vm1")
        estate.new_events()  # lost


async def test_a_grant_that_another_owner_deletes_again_and_again_is_a_conflict(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1")
    await estate.settle()
    for put_back in (1, 1, 1, 0):
        (ours,) = [a for a in estate.azure.state.role_assignments.values() if a.description]
        del estate.azure.state.role_assignments[ours.id.lower()]
        await estate.sweeps.run()
        await estate.settle()
        assert len(estate.assignments()) == put_back
    (entry,) = await held(estate)
    assert "conflict of owners" in entry.refusal.reason


async def removal(estate: Estate) -> str:
    """The id of the one removal on record."""
    now = datetime.fromtimestamp(estate.azure.clock.now(), UTC)
    undo = Undo(estate.services, "ann")
    (removed,) = [r async for r in undo.between(now - timedelta(days=1), now + timedelta(days=1))]
    return removed.decision_id


async def test_an_undone_removal_stands_as_it_was_and_is_not_removed_again(
    estate: Estate,
) -> None:
    await machines(estate, 1)
    granted = estate.assignments()
    await estate.delete_vm("vm0")
    await estate.settle()
    undo = Undo(estate.services, "ann")
    removed = await undo.find(await removal(estate))
    assert await undo.put_back(removed) == "put back"
    assert estate.assignments() == granted
    await estate.create_vm("vm0", location="region0")
    await estate.settle()
    await estate.delete_vm("vm0")
    await estate.settle()
    await estate.sweeps.run()
    await estate.settle()
    assert estate.assignments() == granted
    await undo.withdraw(removed)
    await estate.sweeps.run()
    await estate.settle()
    assert estate.assignments() == []


async def test_a_foreign_assignment_is_put_back_with_all_it_had(estate: Estate) -> None:
    principal = estate.azure.state.add_principal("id-stranger", names=["isExplicit=True"])
    condition = "@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'st1'"
    scope = f"{estate.scope}/resourceGroups/rg-app"
    made = estate.azure.assign(
        principal.object_id, BLOB_READER, scope, condition=condition, description="by hand"
    )
    estate.azure.clock.advance(86400)
    estate.azure.state.delete_principal(principal.object_id)
    estate.change_policy(POLICY.replace("{graceMinutes: 0}", "{graceMinutes: 0, remove: all}"))
    await estate.sweeps.run()
    await estate.settle()
    assert estate.assignments(of=principal.object_id) == []
    undo = Undo(estate.services, "ann")
    removed = await undo.find(await removal(estate))
    with pytest.raises(Permanent, match="no longer exists"):
        await undo.put_back(removed)
    principal.deleted_at = None  # the directory was wrong
    await undo.put_back(removed)
    again = estate.azure.state.role_assignments[made.id.lower()]
    assert (again.description, again.condition, again.principal_type) == (
        "by hand",
        condition,
        "ServicePrincipal",
    )
    principal.deleted_at = estate.azure.clock.now()  # and is wrong again
    estate.azure.clock.advance(86400)
    report = await estate.sweeps.run()
    await estate.settle()
    assert report.orphans == ()
    assert len(estate.assignments(of=principal.object_id)) == 1


async def test_what_azure_refuses_to_put_back_is_not_claimed(estate: Estate) -> None:
    await machines(estate, 1)
    await estate.delete_vm("vm0")
    await estate.settle()
    undo = Undo(estate.services, "ann")
    removed = await undo.find(await removal(estate))
    path = "roleAssignments"
    estate.azure.faults.add(Fault(method="PUT", path=path, status=403, code="AuthorizationFailed"))
    with pytest.raises(Permanent, match="AuthorizationFailed"):
        await undo.put_back(removed)
    assert isinstance(removed.removed, RemovedAssignment)
    assert await estate.services.claims.kept(removed.removed.grant) == ""


async def test_a_decision_that_removed_nothing_cannot_be_undone(estate: Estate) -> None:
    await machines(estate, 1)
    now = datetime.fromtimestamp(estate.azure.clock.now(), UTC)
    day = timedelta(days=1)
    first, *_ = [one async for one in estate.services.decisions.between(now - day, now + day)]
    undo = Undo(estate.services, "ann")
    with pytest.raises(Permanent, match="removed nothing"):
        await undo.find(first.id)
    for wrong in ("2026-01-01T000000", "../x", ""):
        with pytest.raises(Permanent, match="lanyard history"):
            await undo.find(wrong)


async def test_a_decision_says_who_why_on_which_evidence_and_under_which_policy(
    estate: Estate,
) -> None:
    await machines(estate, 1)
    await estate.delete_vm("vm0")
    await estate.settle()
    recorded = await estate.services.decisions.read(await removal(estate))
    assert (recorded.by, recorded.policy) == (estate.name, estate.policy.digest)
    assert recorded.decision.cause["eventType"].endswith("ResourceDeleteSuccess")
    assert any("no other resource claims this grant" in line for line in recorded.decision.evidence)


async def test_decisions_are_kept_by_age(estate: Estate) -> None:
    await machines(estate, 1)
    estate.azure.clock.advance(399 * 86400)
    assert await estate.services.decisions.forget_older(400) == 0
    estate.azure.clock.advance(2 * 86400)
    assert await estate.services.decisions.forget_older(400) > 0
    rows = [row async for row in estate.tables.decisions.everything()]
    assert rows == []
