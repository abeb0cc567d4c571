"""An identity that Lanyard detached or deleted, and the person who wants it back."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from lanyard.desk.undo import Undo, Undoable
from lanyard.record.removal_history import removals
from lanyard.values.change import Change
from lanyard.values.compute import ComputeResource
from lanyard.values.errors import Permanent
from lanyard.values.removed import RemovedAttachment, RemovedIdentity
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.estate import POLICY, Estate
from tests.support.handlers import started

#: No rule is for machines any more; the rule that is left keeps the type in the policy.
NARROWED = POLICY.replace("exclude: {tags: {lanyard: ignore}}", "tags: {wanted: served}")
OWN = """
version: 1
mode: full
identities:
  own: {name: "id-{resource.name}", per: resource}
rules:
  - name: machines
    match: {types: [Microsoft.Compute/virtualMachines]}
    attach: [own]
    grant: [{role: Storage Blob Data Reader, scope: "{resourceGroup}", to: own}]
orphans: {graceMinutes: 0}
"""
DAY = timedelta(days=1)
IDENTITY = "id-lanyard-westeurope"


def now(estate: Estate) -> datetime:
    return datetime.fromtimestamp(estate.azure.clock.now(), UTC)


async def removed(estate: Estate, kind: type[object]) -> Undoable:
    """The one removal of a kind that is on record."""
    undo = Undo(estate.services, "ann")
    found = [each async for each in undo.between(now(estate) - DAY, now(estate) + DAY)]
    (one,) = [each for each in found if isinstance(each.removed, kind)]
    return one


async def became(estate: Estate, undoable: Undoable) -> str:
    times = now(estate) - DAY, now(estate) + DAY, now(estate) + DAY
    found = await removals(estate.services.decisions, *times)
    return next(each.became for each in found if each.recorded.id == undoable.decision_id)


@pytest.fixture
async def detached(monkeypatch: pytest.MonkeyPatch) -> Estate:
    """A machine that lost its identity, because no rule asks for it any more."""
    estate = await started(Estate(), monkeypatch)
    vm = await estate.create_vm("vm1")
    await estate.sweeps.run()
    await estate.settle()
    estate.change_policy(NARROWED)
    await estate.sweeps.run()
    await estate.settle()
    await look_again(estate, vm.name)
    assert await estate.identity_of("vm1") == {}
    return estate


async def look_again(estate: Estate, name: str) -> None:
    """An event of the machine, and a sweep, an hour later."""
    estate.azure.clock.advance(3600)
    await estate.worker.process(Change(estate.vm_id(name), "event"))
    await estate.sweeps.run()
    await estate.settle()


async def test_an_undone_detach_is_attached_and_never_detached_again(detached: Estate) -> None:
    undo = Undo(detached.services, "ann")
    undoable = await removed(detached, RemovedAttachment)
    assert await became(detached, undoable) == "done"
    assert await undo.put_back(undoable) == "attached again"
    assert list(await detached.identity_of("vm1")) == [IDENTITY]
    assert await became(detached, undoable) == "undone"
    await look_again(detached, "vm1")
    assert list(await detached.identity_of("vm1")) == [IDENTITY]


async def test_a_rule_that_wants_it_and_wants_it_no_more_leaves_it_theirs(
    detached: Estate,
) -> None:
    undoable = await removed(detached, RemovedAttachment)
    await Undo(detached.services, "ann").put_back(undoable)
    for policy in (POLICY, NARROWED):
        detached.change_policy(policy)
        await detached.sweeps.run()
        await detached.settle()
        await look_again(detached, "vm1")
        assert list(await detached.identity_of("vm1")) == [IDENTITY]


async def test_what_was_attached_meanwhile_is_left_to_them_too(detached: Estate) -> None:
    undoable = await removed(detached, RemovedAttachment)
    detached.change_policy(POLICY)
    await detached.sweeps.run()
    await detached.settle()
    await look_again(detached, "vm1")
    did = await Undo(detached.services, "ann").put_back(undoable)
    assert did == "it is there; left to you from now on"
    detached.change_policy(NARROWED)
    await detached.sweeps.run()
    await detached.settle()
    await look_again(detached, "vm1")
    assert list(await detached.identity_of("vm1")) == [IDENTITY]


async def test_an_identity_that_is_another_one_now_is_not_attached(detached: Estate) -> None:
    undoable = await removed(detached, RemovedAttachment)
    assert isinstance(undoable.removed, RemovedAttachment)
    identity = detached.azure.state.resources[undoable.removed.identity.lower()]
    identity.properties["principalId"] = detached.azure.state.add_principal("other").object_id
    with pytest.raises(Permanent, match="no longer has the principal"):
        await Undo(detached.services, "ann").put_back(undoable)
    assert await detached.identity_of("vm1") == {}
    assert await became(detached, undoable) == "done"


async def test_where_the_machine_is_gone_nothing_is_attached(detached: Estate) -> None:
    undoable = await removed(detached, RemovedAttachment)
    await detached.delete_vm("vm1")
    with pytest.raises(Permanent, match="is gone"):
        await Undo(detached.services, "ann").put_back(undoable)


async def test_where_it_shows_a_later_creation_nothing_is_attached(
    detached: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    undoable = await removed(detached, RemovedAttachment)
    compute = detached.services.compute
    read = compute.read

    async def made_later(resource: ResourceId) -> ComputeResource | None:
        # As an Automation account and a pool do, which show nothing else.
        found = await read(resource)
        assert found is not None
        return replace(found, created=undoable.at.timestamp() + 1)

    monkeypatch.setattr(compute, "read", made_later)
    with pytest.raises(Permanent, match="was made again since"):
        await Undo(detached.services, "ann").put_back(undoable)
    assert await detached.identity_of("vm1") == {}


async def test_a_refused_undo_changes_nothing(detached: Estate) -> None:
    undoable = await removed(detached, RemovedAttachment)
    fault = Fault(method="PATCH", path="vm1", status=403, code="LinkedAuthorizationFailed")
    detached.azure.faults.add(fault)
    with pytest.raises(Permanent, match="LinkedAuthorizationFailed"):
        await Undo(detached.services, "ann").put_back(undoable)
    assert await became(detached, undoable) == "done"


async def test_what_is_yours_for_good_cannot_be_withdrawn(detached: Estate) -> None:
    undo = Undo(detached.services, "ann")
    undoable = await removed(detached, RemovedAttachment)
    await undo.put_back(undoable)
    with pytest.raises(Permanent, match="is yours"):
        await undo.withdraw(undoable)


async def test_a_deleted_identity_is_kept_with_all_that_one_like_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(OWN), monkeypatch)
    machine = await estate.create_vm("vm1")
    await estate.settle()
    (principal,) = (await estate.identity_of("vm1")).values()
    estate.azure.assign(principal, "Reader", estate.scope)
    await estate.delete_vm("vm1")
    await estate.settle()
    undoable = await removed(estate, RemovedIdentity)
    kept = undoable.removed
    assert isinstance(kept, RemovedIdentity)
    assert (kept.location, kept.tags, kept.principal_id) == (
        "westeurope",
        {
            "createdBy": "lanyard",
            "lanyard-installation": estate.settings.installation,
            "lanyard-resource": machine.text,
        },
        principal,
    )
    assert kept.client_id
    assert estate.scope in {role.scope for role in kept.roles}
    with pytest.raises(Permanent, match="cannot be put back") as refused:
        await Undo(estate.services, "ann").put_back(undoable)
    assert "az identity create" in str(refused.value)
    assert f"Reader at {estate.scope}" in str(refused.value)
    assert await became(estate, undoable) == "done"


async def test_an_identity_that_somebody_else_deleted_first_is_no_removal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(OWN), monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle()
    await estate.delete_vm("vm1")
    (identity,) = [i for i in estate.azure.state.resources if i.endswith("/id-vm1")]
    del estate.azure.state.resources[identity]
    await estate.settle()
    found = [d for d in await estate.recorded() if isinstance(d.removed, RemovedIdentity)]
    assert found == []
