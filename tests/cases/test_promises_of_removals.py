"""Cases of part A: the budget of removals, what a person says of them, and whose policy asks."""

from datetime import timedelta
from functools import partial

import pytest

from lanyard.desk.operator import Operator
from lanyard.planning.orders import Paused
from lanyard.policy import templates
from lanyard.policy.standards import SHIPPED
from lanyard.record.held import RELEASE_LASTS, Answer, Entry
from lanyard.values.change import Change
from lanyard.values.compute import ComputeResource, Identity
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId
from simulator.faults import Drop, Fault
from simulator.state import Principal
from tests.support.estate import BLOB_READER, POLICY, Estate
from tests.support.handlers import started

ADD_ONLY = POLICY.replace("mode: full", "mode: add-only")
STRANGERS = """
version: 1
mode: full
orphans: {graceMinutes: 0, remove: all}
limits: {removals: {perHour: 1000, percent: 10}}
"""
DAY = 86400


@pytest.fixture
async def estate(monkeypatch: pytest.MonkeyPatch) -> Estate:
    return await started(Estate(), monkeypatch)


async def held(estate: Estate) -> list[Entry]:
    return [entry async for entry in estate.services.held.all()]


def person(estate: Estate) -> Operator:
    return Operator(estate.services, estate.queue.put, "ann")


async def once(estate: Estate) -> None:
    """What is on the queue, once, without its delays."""
    messages, estate.queue.messages = estate.queue.messages, []
    for change, _ in messages:
        await estate.worker.process(change)


async def released(estate: Estate) -> Entry:
    """A removal that the mode held, and a person released; its message is on the queue."""
    await estate.create_vm("vm1")
    await estate.settle()
    estate.change_policy(ADD_ONLY)
    await estate.sweeps.run()
    await estate.delete_vm("vm1")
    await estate.settle()
    (entry,) = [e for e in await held(estate) if e.refusal.key.startswith("release grant")]
    await person(estate).release(entry.id)
    return entry


def failing(status: int, code: str = "ServiceUnavailable", times: int | None = 1) -> Fault:
    return Fault(method="DELETE", path="roleAssignments", status=status, code=code, times=times)


async def test_case_A17_a_released_removal_that_meets_a_503_is_tried_again_still_released(
    estate: Estate,
) -> None:
    entry = await released(estate)
    estate.azure.faults.add(failing(503))
    await once(estate)
    assert len(estate.assignments()) == 1
    assert [(e.id, e.answer, e.by) for e in await held(estate)] == [
        (entry.id, Answer.RELEASED, "ann")
    ]
    await estate.settle()
    assert estate.assignments() == []
    assert await held(estate) == []


async def test_case_A17_a_released_removal_that_a_lock_refuses_stays_released_for_a_week(
    estate: Estate,
) -> None:
    entry = await released(estate)
    estate.azure.faults.add(failing(409, "ScopeLocked", times=None))
    await estate.settle()
    estate.azure.clock.advance(RELEASE_LASTS.total_seconds() - 60)
    await estate.worker.process(Change(entry.resource, "sweep"))
    assert [e.answer for e in await held(estate)] == [Answer.RELEASED]
    estate.azure.clock.advance(60)
    assert [e.answer for e in await held(estate)] == [Answer.NONE]
    estate.azure.faults.clear()
    await estate.worker.process(Change(entry.resource, "sweep"))
    assert len(estate.assignments()) == 1, "it is held again, and asked for again"
    await person(estate).release(entry.id)
    await estate.settle()
    assert estate.assignments() == []


async def test_case_A17_a_pause_does_not_use_a_release_up(estate: Estate) -> None:
    entry = await released(estate)
    await person(estate).pause(Paused.REMOVALS, "an audit")
    await once(estate)
    assert [(e.id, e.answer) for e in await held(estate)] == [(entry.id, Answer.RELEASED)]
    assert len(estate.assignments()) == 1
    await person(estate).resume()
    await estate.settle()
    assert estate.assignments() == []


async def test_case_A17_a_dismissal_outlives_a_week(estate: Estate) -> None:
    entry = await released(estate)
    estate.queue.messages.clear()
    await person(estate).dismiss(entry.id)
    estate.azure.clock.advance(timedelta(days=30).total_seconds())
    estate.change_policy(POLICY)
    await estate.sweeps.run()
    await estate.settle()
    assert [(e.id, e.answer) for e in await held(estate)] == [(entry.id, Answer.DISMISSED)]
    assert len(estate.assignments()) == 1


async def strangers(estate: Estate, count: int, living: int) -> None:
    """Principals that are gone, with an assignment each, and `living` that are there."""
    there = estate.azure.state.add_principal("id-there")
    for number in range(living):
        group = f"{estate.scope}/resourceGroups/rg-{number}"
        estate.azure.assign(there.object_id, "Reader", group)
    for number in range(count):
        gone = estate.azure.state.add_principal(f"id-{number}", names=["isExplicit=True"])
        estate.azure.assign(gone.object_id, "Reader", estate.scope)
        estate.azure.state.delete_principal(gone.object_id)
    estate.azure.clock.advance(DAY)
    estate.change_policy(STRANGERS)
    await estate.sweeps.run()


async def test_case_A18_resume_within_the_hour_of_the_stop_goes_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(STRANGERS), monkeypatch)
    await strangers(estate, 20, living=0)
    await once(estate)
    pause = await estate.services.kill_switch.read()
    assert pause is not None
    assert pause.by == "lanyard"
    assert await estate.services.budget.spent() == 10
    estate.queue.messages.clear()
    await person(estate).resume()
    await once(estate)
    assert await estate.services.kill_switch.read() is None
    assert await estate.services.budget.spent() == 20
    assert estate.assignments() == []


async def test_case_A18_the_hourly_budget_still_holds_after_the_resume(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(STRANGERS), monkeypatch)
    await strangers(estate, 20, living=0)
    estate.change_policy(STRANGERS.replace("perHour: 1000", "perHour: 15"))
    await estate.sweeps.run()
    await once(estate)
    estate.queue.messages.clear()
    await person(estate).resume()
    await once(estate)
    assert await estate.services.kill_switch.read() is None
    assert await estate.services.budget.spent() == 15
    assert {e.refusal.because for e in await held(estate)} == {"budget"}


async def test_case_A19_deletions_that_azure_refuses_are_no_removals(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(STRANGERS), monkeypatch)
    await strangers(estate, 12, living=8)
    estate.azure.faults.add(failing(409, "ScopeLocked", times=None))
    await once(estate)
    assert len(estate.assignments()) == 20
    assert await estate.services.budget.spent() == 0
    assert await estate.services.kill_switch.read() is None


async def test_case_A19_a_deletion_that_nobody_answers_stays_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(STRANGERS), monkeypatch)
    await strangers(estate, 1, living=8)
    estate.azure.faults.add(Fault(method="DELETE", path="roleAssignments", drop=Drop.AFTER))
    await once(estate)
    assert await estate.services.budget.spent() == 1


async def gone_with_three(estate: Estate) -> Principal:
    """A principal that is gone and left three assignments, the first under a lock."""
    gone = estate.azure.state.add_principal("id-gone", names=["isExplicit=True"])
    for group in ("rg-app", "rg-identities", "rg-lanyard"):
        estate.azure.assign(gone.object_id, "Reader", f"{estate.scope}/resourceGroups/{group}")
    estate.azure.state.delete_principal(gone.object_id)
    estate.azure.clock.advance(DAY)
    return gone


async def test_case_A20_one_assignment_under_a_lock_keeps_no_other_from_going(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(STRANGERS), monkeypatch)
    gone = await gone_with_three(estate)
    first, *_ = estate.assignments(of=gone.object_id)
    estate.azure.faults.add(
        Fault(
            method="DELETE",
            path=f"{first[1]}/providers/Microsoft.Authorization/roleAssignments",
            status=409,
            code="ScopeLocked",
            times=None,
        )
    )
    estate.change_policy(STRANGERS)
    await estate.sweeps.run()
    await estate.settle()
    assert estate.assignments(of=gone.object_id) == [first]
    (failed,) = [d for d in await estate.recorded() if d.outcome == "failed"]
    assert failed.reason.startswith("2 removed, 1 not: ")
    assert "ScopeLocked" in failed.reason
    assert sorted(failed.became.values()) == ["done", "done", "failed"]
    assert await estate.services.budget.spent() == 2


async def test_case_A20_one_assignment_that_cannot_be_read_keeps_no_other_from_going(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(STRANGERS), monkeypatch)
    gone = await gone_with_three(estate)
    # The cleanup lists the first one's assignments, and reads the others one by one.
    while (elsewhere := estate.azure.state.add_subscription("another").id) < estate.subscription:
        pass
    for each in ("Lanyard", "Role Based Access Control Administrator"):
        estate.azure.assign(estate.app.object_id, each, f"/subscriptions/{elsewhere}")
    hidden = estate.azure.assign(gone.object_id, "Reader", f"/subscriptions/{elsewhere}")
    estate.azure.clock.advance(DAY)
    estate.azure.faults.add(
        Fault(method="GET", path=hidden.id, status=403, code="AuthorizationFailed", times=None)
    )
    estate.change_policy(STRANGERS)
    await estate.sweeps.run()
    await estate.settle()
    assert [scope for _, scope, _ in estate.assignments(of=gone.object_id)] == [hidden.scope]
    (failed,) = [d for d in await estate.recorded() if d.outcome == "failed"]
    assert failed.reason.startswith("3 removed, 1 not: ")
    assert "AuthorizationFailed" in failed.reason


async def test_case_A20_one_whose_row_is_damaged_keeps_no_other_from_going(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(STRANGERS), monkeypatch)
    gone = await gone_with_three(estate)
    (role, scope, _), *_ = standing = estate.assignments(of=gone.object_id)
    name = Grant(scope, role, gone.object_id).name
    await estate.tables.grants.put(name, "claim|undo x", {"resource": "]"})
    estate.change_policy(STRANGERS)
    await estate.sweeps.run()
    await estate.settle()
    left = estate.assignments(of=gone.object_id)
    assert len(left) < len(standing)
    assert set(left) <= {standing[0]}


STANDARD = """
version: 1
mode: full
identities:
  regional: {name: "id-lanyard-{location}", resourceGroup: rg-identities}
rules:
  - name: workers
    match: {types: [Microsoft.Compute/virtualMachines]}
    attach: [regional]
    grant: [{standard: lanyard/queue-worker, to: regional}]
orphans: {graceMinutes: 0}
"""


async def test_case_A21_a_shipped_standard_that_gives_less_is_a_changed_policy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(STANDARD), monkeypatch)
    vm = await estate.create_vm("vm1")
    await estate.sweeps.run()
    await estate.settle()
    assert len(estate.assignments()) == 2
    before = estate.policy.digest
    # A new version of Lanyard, with the same policy file.
    monkeypatch.setitem(SHIPPED, "lanyard/queue-worker", SHIPPED["lanyard/queue-worker"][:1])
    estate.change_policy(STANDARD)
    assert estate.policy.digest != before
    await estate.worker.process(Change(vm, "event"))
    assert len(estate.assignments()) == 2
    assert ["not reported yet" in e.refusal.reason for e in await held(estate)] == [True]
    await estate.sweeps.run()
    assert len(estate.assignments()) == 2, "reported first"
    await estate.settle()
    assert len(estate.assignments()) == 1


def test_case_A21_a_standard_that_the_policy_does_not_use_is_no_part_of_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = Estate(STANDARD).policy
    digest = before.digest
    monkeypatch.setitem(SHIPPED, "lanyard/read-secrets", [])
    assert before.digest == digest


async def test_case_A21_a_variable_that_comes_to_something_else_is_reported_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own = POLICY.replace("id-lanyard-{location}", "id-{resource.hash}").replace(
        "resourceGroup: rg-identities", "per: resource"
    )
    estate = await started(Estate(own), monkeypatch)
    vm = await estate.create_vm("vm1")
    await estate.sweeps.run()
    await estate.settle()
    # A new version of Lanyard, with the same policy file.
    monkeypatch.setattr("lanyard.policy.document.MEANING", templates.MEANING + 1)
    monkeypatch.setattr(templates, "_hash", lambda _: "another")
    estate.change_policy(own)
    await estate.worker.process(Change(vm, "event"))
    taking = [
        entry.refusal.reason
        for entry in await held(estate)
        if str(entry.refusal.action).startswith(("detach", "unassign", "delete"))
    ]
    assert ["not reported yet" in reason for reason in taking] == [True] * 3


#: What the variables come to, by the MEANING of templates: where this changes, that does.
COMES_TO = {
    1: {
        "subscription": "11111111-1111-1111-1111-111111111111",
        "location": "westeurope",
        "resourceGroup": "rg-app",
        "resource.name": "app1-staging",
        "resource.hash": "4o7lgbqutvljm",
        "tags.env": "Prod",
    }
}


def test_case_A21_what_variables_come_to_is_that_of_its_number() -> None:
    subscription, of = COMES_TO[1]["subscription"], "Microsoft.Web/sites/app1/slots/staging"
    id_ = f"/subscriptions/{subscription}/resourceGroups/rg-app/providers/{of}"
    slot = ComputeResource(
        id=ResourceId.parse(id_), location="westeurope", tags={"env": "Prod"}, identity=Identity()
    )
    fill = partial(templates.fill_name, resource=slot)
    assert {name: fill(f"{{{name}}}") for name in COMES_TO[1]} == COMES_TO[templates.MEANING]


async def test_case_A21_a_sweeps_message_says_which_version_asked_for_it(estate: Estate) -> None:
    await estate.create_vm("vm1")
    estate.new_events()
    await estate.sweeps.run()
    ((change, _),) = estate.queue.messages
    assert change.policy == estate.policy.digest
    await estate.settle()
    assert (BLOB_READER, f"{estate.scope}/resourceGroups/rg-app") in [
        granted[:2] for granted in estate.assignments()
    ]
    causes = {d.cause["policy"] for d in await estate.recorded() if d.cause.get("source")}
    assert causes == {estate.policy.digest}
