"""Another policy: what it gives comes at once, what it takes away is reported first."""

import pytest

from handlers import policy_changes
from simulator.faults import Fault
from tests.support.estate import POLICY, Estate, invocation
from tests.support.handlers import started

NARROWED = "version: 1\nmode: full\n"


@pytest.fixture
async def estate(monkeypatch: pytest.MonkeyPatch) -> Estate:
    """Two machines with access, under a policy that a sweep has seen."""
    made = await started(Estate(POLICY), monkeypatch)
    await made.create_vm("vm1")
    await made.create_vm("vm2", location="northeurope")
    await made.settle()
    await made.sweeps.run()
    return made


async def reports(estate: Estate) -> list[str]:
    return [reason for action, _, reason in await estate.decisions() if action == "policy changed"]


def break_listing(estate: Estate) -> None:
    """Nothing can be listed."""
    estate.azure.faults.add(Fault(method="POST", path="ResourceGraph", status=503, times=None))


async def test_the_first_policy_changes_nothing(estate: Estate) -> None:
    assert await reports(estate) == []


async def test_what_a_narrowed_policy_would_take_waits_until_the_sweep_has_told(
    estate: Estate,
) -> None:
    estate.change_policy(NARROWED)
    await estate.create_vm("vm1", tags={"any": "event"})
    await estate.settle()
    assert len(estate.assignments()) == 2
    held = [entry.refusal.reason async for entry in estate.services.held.all()]
    assert held
    assert all("not reported yet" in reason for reason in held)
    await estate.sweeps.run()
    (report,) = await reports(estate)
    assert estate.policy.digest in report
    assert "2 of 2 resources: 2 identities to detach, 2 roles to unassign" in report
    assert len(estate.assignments()) == 2  # told first
    await estate.settle()
    assert estate.assignments() == []


async def test_a_deleted_machine_waits_too_and_is_cleaned_up_after_the_report(
    estate: Estate,
) -> None:
    estate.change_policy(POLICY + "records: {keepDays: 30}\n")
    await estate.delete_vm("vm1")
    await estate.settle()
    assert len(estate.assignments()) == 2
    await estate.sweeps.run()
    await estate.settle()
    assert len(estate.assignments()) == 1
    assert len(await reports(estate)) == 1
    await estate.sweeps.run()
    assert len(await reports(estate)) == 1


async def test_what_a_new_policy_gives_does_not_wait(estate: Estate) -> None:
    estate.change_policy(POLICY + "records: {keepDays: 30}\n")
    await estate.create_vm("vm3", location="southeurope")
    await estate.settle()
    assert len(await estate.identity_of("vm3")) == 1


async def test_a_report_that_cannot_be_made_lets_nothing_go(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.change_policy(NARROWED)
    break_listing(estate)
    with pytest.raises(Exception, match="query Resource Graph"):
        await estate.sweeps.run()
    await estate.create_vm("vm1", tags={"any": "event"})
    await estate.settle()
    assert len(estate.assignments()) == 2


async def look(estate: Estate) -> list[str]:
    """The timer of the function that looks whether the policy changed; what it asked of ARM."""
    estate.app_calls()
    await policy_changes.policy_changes._function.get_user_function()(None, invocation())
    return estate.app_calls()


async def test_a_changed_policy_is_swept_within_minutes_and_only_once(
    estate: Estate, caplog: pytest.LogCaptureFixture
) -> None:
    assert await look(estate) == []
    estate.change_policy(NARROWED)
    with caplog.at_level("INFO", logger="lanyard.sweep"):
        assert await look(estate) != []
    assert "(the policy is new)" in caplog.text
    assert len(await reports(estate)) == 1
    await estate.settle()
    assert estate.assignments() == []
    assert await look(estate) == []


async def test_the_first_policy_has_what_was_there_before_looked_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(POLICY), monkeypatch)
    await estate.create_vm("vm1")
    estate.new_events()  # before Lanyard came
    await look(estate)
    await estate.settle()
    assert len(await estate.identity_of("vm1")) == 1
    assert await reports(estate) == []


async def test_an_app_that_has_no_rights_yet_looks_again_once_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(POLICY), monkeypatch)
    await estate.create_vm("vm1")
    estate.new_events()
    assignments = estate.azure.state.role_assignments
    rights = [each for each in assignments.values() if each.principal_id == estate.app.object_id]
    for right in rights:
        del assignments[right.id.lower()]
    await look(estate)
    assert estate.queue.messages == []
    for right in rights:
        assignments[right.id.lower()] = right
    await look(estate)
    await estate.settle()
    assert len(await estate.identity_of("vm1")) == 1
    assert await look(estate) == []


async def test_a_look_that_fails_is_made_again(estate: Estate) -> None:
    estate.change_policy(NARROWED)
    break_listing(estate)
    with pytest.raises(Exception, match="query Resource Graph"):
        await look(estate)
    estate.azure.faults.clear()
    await look(estate)
    assert len(await reports(estate)) == 1
