"""The main job: access on arrival, gone on departure, and nothing else touched."""

import pytest

from simulator.behaviour import GroupDeletion, WriteEvent
from simulator.state import Principal
from tests.support.estate import BLOB_READER, POLICY, SERVED, SERVED_POLICY, Estate
from tests.support.handlers import started

READER = "acdd72a7-3385-48ef-bd42-f606fba81ae7"


def scope(estate: Estate) -> str:
    return f"{estate.scope}/resourceGroups/rg-app"


def stranger(estate: Estate) -> Principal:
    """Somebody else's principal with somebody else's role, at the same scope."""
    principal = estate.azure.state.add_principal("unrelated")
    estate.azure.assign(principal.object_id, "Storage Blob Data Reader", scope(estate))
    return principal


async def system_principal(estate: Estate, name: str) -> str:
    machine = await estate.compute.virtual_machines.get("rg-app", name)
    assert machine.identity is not None
    return str(machine.identity.principal_id)


async def test_a_new_machine_gets_its_identity_and_its_role(estate: Estate) -> None:
    await estate.create_vm("vm1")
    await estate.settle()
    attached = await estate.identity_of("vm1")
    assert list(attached) == ["id-lanyard-westeurope"]
    principal = attached["id-lanyard-westeurope"]
    assert estate.assignments() == [(BLOB_READER, scope(estate), principal)]


async def test_the_grant_stays_while_one_machine_claims_it_and_goes_with_the_last(
    estate: Estate,
) -> None:
    other = stranger(estate)
    await estate.create_vm("vm1")
    await estate.create_vm("vm2")
    await estate.settle()
    shared = (await estate.identity_of("vm1"))["id-lanyard-westeurope"]
    await estate.delete_vm("vm1")
    await estate.settle()
    assert estate.assignments(of=shared) == [(BLOB_READER, scope(estate), shared)]
    await estate.delete_vm("vm2")
    await estate.settle()
    assert estate.assignments(of=shared) == []
    assert estate.assignments(of=other.object_id) != []


async def test_what_a_deleted_system_identity_left_is_removed_and_nothing_else(
    estate: Estate,
) -> None:
    other = stranger(estate)
    await estate.create_vm("vm1", identity={"type": "SystemAssigned"}, tags={"lanyard": "ignore"})
    await estate.settle()
    gone = await system_principal(estate, "vm1")
    elsewhere = f"{estate.scope}/resourceGroups/rg-identities"
    estate.azure.assign(gone, "Reader", elsewhere)
    await estate.delete_vm("vm1")
    await estate.settle()
    assert estate.assignments(of=gone) == []
    assert estate.assignments(of=other.object_id) != []
    assert tuple(
        outcome for action, outcome, _ in await estate.decisions() if "principal" in action
    ) == ("intended", "done")


async def test_the_same_event_ten_times_ends_as_once(estate: Estate) -> None:
    await estate.create_vm("vm1")
    await estate.settle(deliveries=10)
    assert len(await estate.identity_of("vm1")) == 1
    assert len(estate.assignments()) == 1
    await estate.delete_vm("vm1")
    await estate.settle(deliveries=10)
    assert estate.assignments() == []


async def test_a_delete_delivered_before_its_create_ends_with_nothing(estate: Estate) -> None:
    await estate.create_vm("vm1")
    created = estate.new_events()
    await estate.delete_vm("vm1")
    deleted = estate.new_events()
    for event in [*deleted, *created]:
        if message := await estate.deliver(event):
            await estate.work(message)
    await estate.settle()
    assert estate.assignments() == []


async def test_a_delete_delivered_before_the_create_of_its_successor_keeps_the_new_one(
    estate: Estate,
) -> None:
    await estate.create_vm("vm1", identity={"type": "SystemAssigned"})
    await estate.settle()
    first = await system_principal(estate, "vm1")
    estate.azure.assign(first, "Reader", scope(estate))
    await estate.delete_vm("vm1")
    await estate.create_vm("vm1", identity={"type": "SystemAssigned"})
    second = await system_principal(estate, "vm1")
    estate.azure.assign(second, "Reader", scope(estate))
    await estate.settle()
    assert len(await estate.identity_of("vm1")) == 1
    assert estate.assignments(of=first) == []
    assert estate.assignments(of=second) == [(READER, scope(estate), second)]


@pytest.mark.parametrize("events", list(GroupDeletion))
async def test_a_deleted_resource_group_takes_the_access_of_all_in_it(
    estate: Estate, events: GroupDeletion
) -> None:
    estate.azure.behaviour.group_deletion_events = events
    await estate.create_vm("vm1")
    await estate.create_vm("vm2")
    await estate.settle()
    await estate.delete_group()
    await estate.settle()
    assert estate.assignments() == []


@pytest.mark.parametrize("when", list(WriteEvent))
async def test_it_does_not_matter_when_a_long_create_raises_its_event(
    estate: Estate, when: WriteEvent
) -> None:
    estate.azure.behaviour.write_event = when
    estate.azure.behaviour.operation_seconds = 6.0
    await estate.create_vm("vm1")
    await estate.settle()
    assert len(await estate.identity_of("vm1")) == 1
    assert len(estate.assignments()) == 1


async def test_in_observe_mode_nothing_is_written_and_the_reason_is_recorded_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(POLICY.replace("mode: full", "mode: observe")), monkeypatch)
    await estate.create_vm("vm1")
    await estate.settle(deliveries=3)
    assert await estate.identity_of("vm1") == {}
    assert estate.assignments() == []
    assert not [call for call in estate.app_calls() if not call.startswith("GET")]
    held = await estate.decisions()
    assert [outcome for _, outcome, _ in held] == ["held"] * 3
    assert all("mode is observe" in reason for _, _, reason in held)


async def test_a_machine_that_no_rule_is_for_any_more_loses_what_it_had(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(SERVED_POLICY), monkeypatch)
    await estate.create_vm("vm1", tags=SERVED)
    await estate.settle()
    await estate.create_vm("vm1", tags={})
    await estate.settle()
    assert await estate.identity_of("vm1") == {}
    assert estate.assignments() == []
