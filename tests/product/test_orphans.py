"""Orphans that only the sweep can find: found with their evidence, removed only where that is
allowed, listed and released or dismissed by a person.
"""

import asyncio

import pytest

from lanyard.desk.operator import Operator
from lanyard.planning.orphans import OrphanKind
from lanyard.record.held import Entry
from lanyard.sweep.report import SweepReport
from lanyard.sweep.sweep import Sweep
from lanyard.values.change import Change
from lanyard.values.errors import Permanent
from simulator.state import Principal
from tests.support.estate import POLICY, Estate
from tests.support.handlers import started

DAY = 86400.0
ALL = POLICY.replace("{graceMinutes: 0}", "{graceMinutes: 0, remove: all}")


def stranger(estate: Estate, name: str = "id-stranger") -> Principal:
    """A managed identity with an assignment, which Lanyard never saw; it was deleted."""
    principal = estate.azure.state.add_principal(name, names=["isExplicit=True"])
    estate.azure.assign(principal.object_id, "Reader", f"{estate.scope}/resourceGroups/rg-app")
    estate.azure.clock.advance(DAY)
    estate.azure.state.delete_principal(principal.object_id)
    return principal


async def look(estate: Estate) -> SweepReport:
    """A sweep that only looks."""
    return await Sweep(estate.policy, estate.services).run()


async def sweep(estate: Estate) -> SweepReport:
    report = await estate.sweeps.run()
    await estate.settle()
    return report


async def held(estate: Estate) -> list[Entry]:
    return [entry async for entry in estate.services.held.all()]


async def release(estate: Estate, entry: Entry) -> None:
    await Operator(estate.services, estate.queue.put, "ann").release(entry.id)
    await estate.settle()


async def test_an_unknown_principal_is_reported_with_its_evidence_and_stays(estate: Estate) -> None:
    gone = stranger(estate)
    (orphan,) = (await look(estate)).orphans
    assert orphan.kind is OrphanKind.UNKNOWN
    assert orphan.assignment.principal_id == gone.object_id
    assert any("the directory does not know" in line for line in orphan.evidence)
    assert "never saw it alive" in orphan.held
    await sweep(estate)
    (entry,) = await held(estate)
    assert (entry.principal, entry.refusal.releasable) == (gone.object_id, True)
    assert len(estate.assignments(of=gone.object_id)) == 1


async def test_what_is_held_already_is_not_put_on_the_queue_again(estate: Estate) -> None:
    stranger(estate)
    await sweep(estate)
    await estate.sweeps.run()
    assert estate.queue.messages == []
    assert [o for a, o, _ in await estate.decisions() if "unknown principal" in a] == ["held"]


async def test_a_released_unknown_principal_loses_its_assignments_on_record(
    estate: Estate,
) -> None:
    gone = stranger(estate)
    await sweep(estate)
    await release(estate, (await held(estate))[0])
    assert estate.assignments(of=gone.object_id) == []
    assert await held(estate) == []
    (removal,) = [d for d in await estate.recorded() if d.removed is not None]
    assert any("answers 404 for it" in line for line in removal.evidence)


async def test_a_dismissed_one_stays_and_is_told_no_more(estate: Estate) -> None:
    gone = stranger(estate)
    await sweep(estate)
    await estate.services.held.dismiss((await held(estate))[0].id, "ann")
    estate.change_policy(ALL)
    report = await sweep(estate)
    assert report.orphans[0].held == "dismissed by ann; release it"
    assert len(estate.assignments(of=gone.object_id)) == 1


async def test_an_unknown_principal_of_two_subscriptions_is_one_entry(estate: Estate) -> None:
    """All that it has goes at once, so a release must not leave an entry of nothing behind."""
    other = f"/subscriptions/{estate.azure.state.add_subscription('other').id}"
    gone = estate.azure.state.add_principal("id-stranger", names=["isExplicit=True"])
    for scope in (estate.scope, other):
        estate.azure.assign(gone.object_id, "Reader", scope)
    estate.azure.assign(estate.app.object_id, "Owner", other)
    estate.azure.clock.advance(DAY)
    estate.azure.state.delete_principal(gone.object_id)
    assert len((await sweep(estate)).orphans) == 2
    (entry,) = await held(estate)
    await release(estate, entry)
    assert estate.assignments(of=gone.object_id) == []
    assert await held(estate) == []


async def test_where_the_policy_says_all_the_sweep_cleans_it_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(ALL), monkeypatch)
    gone = stranger(estate)
    report = await sweep(estate)
    assert [orphan.held for orphan in report.orphans] == [""]
    assert estate.assignments(of=gone.object_id) == []


async def test_the_app_itself_is_never_an_orphan(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await started(Estate(ALL), monkeypatch)
    assert (await sweep(estate)).orphans == ()


async def test_users_and_groups_are_not_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await started(Estate(ALL), monkeypatch)
    for kind in ("User", "Group"):
        person = estate.azure.state.add_principal(kind, kind)
        estate.azure.assign(person.object_id, "Reader", estate.scope)
        estate.azure.state.delete_principal(person.object_id)
    estate.azure.clock.advance(DAY)
    assert (await sweep(estate)).orphans == ()


async def test_a_new_assignment_waits_until_its_principal_must_be_replicated(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(ALL), monkeypatch)
    principal = estate.azure.state.add_principal("id-new")
    estate.azure.assign(principal.object_id, "Reader", estate.scope)
    estate.azure.state.delete_principal(principal.object_id)
    await estate.sweeps.run()
    ((change, _),) = estate.queue.messages
    estate.queue.messages = []
    await estate.worker.process(change)
    ((_, delay),) = estate.queue.messages
    assert delay > 3000
    assert len(estate.assignments(of=principal.object_id)) == 1


async def test_an_id_that_is_no_held_action_says_where_to_look(estate: Estate) -> None:
    with pytest.raises(Permanent, match="lanyard held"):
        await estate.services.held.release("12345678", "ann")


async def test_what_only_the_policy_releases_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await started(Estate(POLICY.replace("mode: full", "mode: observe")), monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle()
    entry, *_ = await held(estate)
    with pytest.raises(Permanent, match="mode: full"):
        await estate.services.held.release(entry.id, "ann")


async def test_a_removal_held_by_the_mode_can_be_released_one_by_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(POLICY), monkeypatch)
    await estate.create_vm("vm1")
    await estate.create_vm("vm2", location="northeurope")
    await estate.settle()
    estate.change_policy(POLICY.replace("mode: full", "mode: add-only"))
    await estate.delete_vm("vm1")
    await estate.delete_vm("vm2")
    await estate.settle()
    entries = [e for e in await held(estate) if e.resource == estate.vm_id("vm1")]
    assert len(estate.assignments()) == 2
    await release(estate, entries[0])
    assert len(estate.assignments()) == 1


async def test_roles_without_definition_unused_identities_and_full_subscriptions_are_reported(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    await estate.create_vm("vm1")
    await estate.settle()
    await estate.delete_vm("vm1")
    await estate.settle()
    monkeypatch.setattr("lanyard.sweep.sweep.NEAR_LIMIT", 2)
    report = await look(estate)
    assert [one.rpartition("/")[2] for one in report.unused_identities] == ["id-lanyard-westeurope"]
    assert report.near_limit == {estate.subscription: report.assignments}
    assert report.roles_gone == ()


async def test_a_role_whose_definition_is_gone_is_reported(estate: Estate) -> None:
    state = estate.azure.state
    principal = state.add_principal("id-live")
    made = estate.azure.assign(principal.object_id, "Reader", estate.scope)
    missing = state.ids.uuid()
    role = made.role_definition_id.rpartition("/")[0] + "/" + missing
    object.__setattr__(made, "role_definition_id", role)
    assert (await look(estate)).roles_gone == (missing,)


async def test_a_grant_that_nothing_claims_any_more_is_revoked(estate: Estate) -> None:
    await estate.create_vm("vm1")
    await estate.settle()
    grants, resources = estate.tables.grants, estate.tables.resources
    for row in [row async for row in grants.everything() if row.key.startswith("claim|")]:
        await grants.delete(row.partition, row.key)
    estate.azure.clock.advance(DAY)
    assert (await look(estate)).orphans == (), "the record of the machine claims it"
    for row in [row async for row in resources.everything()]:
        await resources.delete(row.partition, row.key)
    await estate.delete_vm("vm1")
    estate.new_events()  # lost
    (orphan,) = (await look(estate)).orphans
    assert (orphan.kind, orphan.held) == (OrphanKind.UNCLAIMED, "")
    await sweep(estate)
    assert estate.assignments() == []


async def test_a_revocation_whose_worker_died_after_the_deletion_is_brought_to_its_end(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1")
    await estate.settle()
    await estate.delete_vm("vm1")
    await estate.settle()
    (row,) = [row async for row in estate.tables.grants.everything() if row.key == "grant"]
    assert row.values["state"] == "revoked"
    # As it was right before that worker's last write.
    await estate.tables.grants.replace(row, {**row.values, "state": "revoking"})
    estate.azure.clock.advance(DAY)
    await sweep(estate)
    (row,) = [row async for row in estate.tables.grants.everything() if row.key == "grant"]
    assert row.values["state"] == "revoked"


async def test_looking_writes_nothing(estate: Estate) -> None:
    stranger(estate)
    await estate.create_vm("vm1")
    estate.new_events()  # lost
    before = [dict(estate.tables.control.content), dict(estate.tables.held.content)]
    report = await look(estate)
    assert (report.drifted, len(report.orphans)) == (1, 1)
    assert [estate.tables.control.content, estate.tables.held.content] == before
    assert estate.queue.messages == []
    assert await estate.decisions() == []


async def test_a_sweep_that_was_killed_goes_on_where_it_was(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lanyard.sweep.sweep._AT_A_TIME", 2)
    for number in range(4):
        await estate.create_vm(f"vm{number}")
    estate.new_events()  # lost
    put = estate.queue.put

    async def killed_at_the_third(change: Change, delay: float = 0) -> None:
        if len(estate.queue.messages) == 2:
            raise asyncio.CancelledError
        await put(change, delay)

    monkeypatch.setattr(estate.queue, "put", killed_at_the_third)
    with pytest.raises(asyncio.CancelledError):
        await estate.sweeps.run()
    monkeypatch.setattr(estate.queue, "put", put)
    report = await estate.sweeps.run()
    assert report.drifted == 4
    names = [change.resource.name for change, _ in estate.queue.messages]
    assert names == ["vm0", "vm1", "vm2", "vm3"]
    await estate.settle()
    assert (await sweep(estate)).drifted == 0
