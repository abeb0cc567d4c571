"""What events did not tell, the sweep finds; what is as it should be costs it nothing but pages."""

import math
from collections.abc import AsyncIterator
from typing import Any

import pytest
from azure.mgmt.compute.models import VirtualMachineUpdate
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity

from handlers import sweep as sweep_handler
from lanyard.sweep.report import SweepReport
from lanyard.values.errors import Temporary
from simulator.faults import Fault
from tests.support.estate import POLICY, Estate, invocation
from tests.support.handlers import started

SYSTEM = {"type": "SystemAssigned"}


async def sweep(estate: Estate) -> SweepReport:
    return await estate.sweeps.run()


def found(report: SweepReport) -> tuple[int, int, int, int]:
    """Listed, drifted, missing, deleted grants."""
    return (report.listed, report.drifted, report.missing, report.deleted_grants)


async def machines(estate: Estate, *names: str) -> None:
    for name in names:
        await estate.create_vm(name)
    await estate.settle()


async def test_a_machine_whose_create_event_was_lost_gets_its_access(estate: Estate) -> None:
    await machines(estate, "vm1")
    await estate.create_vm("vm2")
    estate.new_events()  # lost
    assert found(await sweep(estate)) == (2, 1, 0, 0)
    await estate.settle()
    assert list(await estate.identity_of("vm2")) == ["id-lanyard-westeurope"]


async def test_a_machine_that_is_to_get_an_identity_never_used_before_is_found_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    group = "/subscriptions/{}/resourceGroups/rg-app/providers/Microsoft.ManagedIdentity"
    estate = await started(Estate(POLICY), monkeypatch)
    client = ManagedServiceIdentityClient(
        subscription_id=estate.subscription, **estate.azure.client_options(estate.operator)
    )
    body = Identity(location="westeurope")
    await client.user_assigned_identities.create_or_update("rg-app", "id-there", body)
    existing = f"{{id: {group.format(estate.subscription)}/userAssignedIdentities/id-there}}"
    made = '{name: "id-lanyard-{location}", resourceGroup: rg-identities}'
    estate.change_policy(POLICY.replace(made, existing))
    await estate.create_vm("vm1")
    await estate.create_vm("vm2")
    estate.new_events()  # lost
    estate.app_calls()
    assert found(await sweep(estate)) == (2, 2, 0, 0)
    assert len([call for call in estate.app_calls() if "id-there" in call]) == 1
    await estate.settle()
    assert list(await estate.identity_of("vm2")) == ["id-there"]


async def test_a_machine_whose_delete_event_was_lost_loses_its_access(estate: Estate) -> None:
    await machines(estate, "vm1")
    await estate.delete_vm("vm1")
    estate.new_events()  # lost
    assert found(await sweep(estate)) == (0, 0, 1, 0)
    await estate.settle()
    assert estate.assignments() == []


async def test_an_identity_that_someone_took_away_is_attached_again(estate: Estate) -> None:
    await machines(estate, "vm1")
    update: dict[str, Any] = {"identity": {"type": "None"}}
    poller = await estate.compute.virtual_machines.begin_update(
        "rg-app", "vm1", VirtualMachineUpdate(update), polling_interval=1
    )
    await poller.result()
    estate.new_events()  # lost
    assert (await sweep(estate)).drifted == 1
    await estate.settle()
    assert list(await estate.identity_of("vm1")) == ["id-lanyard-westeurope"]


async def test_a_system_identity_never_seen_before_goes_on_record(estate: Estate) -> None:
    await estate.create_vm("vm1", identity=SYSTEM, tags={"lanyard": "ignore"})
    estate.new_events()  # lost
    assert (await sweep(estate)).drifted == 1
    await estate.settle()
    assert (await estate.ledger.resource(estate.vm_id("vm1"))).system_principals


async def test_a_narrowed_policy_takes_back_what_it_gave(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(POLICY), monkeypatch)
    await machines(estate, "vm1")
    estate.change_policy("version: 1\nmode: full\n")
    assert (await sweep(estate)).drifted == 1
    await estate.settle()
    assert await estate.identity_of("vm1") == {}
    assert estate.assignments() == []


async def delete_by_hand(estate: Estate) -> None:
    """Somebody deletes our assignment; the event is lost."""
    (ours,) = [a for a in estate.azure.state.role_assignments.values() if a.description]
    del estate.azure.state.role_assignments[ours.id.lower()]


async def test_an_assignment_of_ours_that_someone_deleted_is_put_back_for_all_who_claim_it(
    estate: Estate,
) -> None:
    await machines(estate, "vm1", "vm2")
    granted = estate.assignments()
    await delete_by_hand(estate)
    assert found(await sweep(estate)) == (2, 0, 0, 1)
    await estate.settle()
    assert estate.assignments() == granted
    assert found(await sweep(estate)) == (2, 0, 0, 0)
    await estate.delete_vm("vm1")
    await estate.delete_vm("vm2")
    await estate.settle()
    assert estate.assignments() == []


async def test_a_sweep_that_dies_half_way_through_a_repair_is_made_up_for_by_the_next(
    estate: Estate,
) -> None:
    await machines(estate, "vm1")
    granted = estate.assignments()
    await delete_by_hand(estate)
    await sweep(estate)
    estate.queue.messages.clear()  # it died before it put them there
    await sweep(estate)
    await estate.settle()
    assert estate.assignments() == granted


async def test_an_assignment_that_resource_graph_does_not_show_yet_is_not_taken_for_deleted(
    estate: Estate,
) -> None:
    await machines(estate, "vm1")
    estate.azure.clock.advance(1000)
    estate.azure.behaviour.resource_graph_lag_seconds = 600
    await estate.create_vm("vm2", location="northeurope")
    await estate.settle()
    estate.app_calls()
    assert (await sweep(estate)).deleted_grants == 0
    assert [call for call in estate.app_calls() if call.endswith("/roleAssignments")]
    assert len(estate.assignments()) == 2


async def test_an_index_without_any_assignment_is_not_believed(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    await machines(estate, "vm1")

    async def nothing() -> AsyncIterator[Any]:
        for row in list[Any]():
            yield row

    index = estate.worker.reconciler.services.index
    monkeypatch.setattr(index, "assignments", nothing)
    with pytest.raises(Temporary, match="no role assignment at all"):
        await sweep(estate)


async def test_an_estate_that_is_as_desired_costs_its_pages_only(estate: Estate) -> None:
    estate.azure.behaviour.page_size = 2
    await machines(estate, *(f"vm{number}" for number in range(5)))
    estate.app_calls()
    assert found(await sweep(estate)) == (5, 0, 0, 0)
    assert estate.queue.messages == []
    pages = estate.app_calls()
    assert set(pages) == {"POST Microsoft.ResourceGraph/resources"}
    state = estate.azure.state
    authorization = len(state.role_assignments) + len(state.role_definitions)
    # Groups that a service manages, five machines and their identity, then the assignments with the
    # roles that they can be of.
    assert len(pages) == 1 + math.ceil(6 / 2) + math.ceil(authorization / 2)


async def test_what_is_only_held_is_not_looked_at_again(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await started(Estate(POLICY.replace("mode: full", "mode: observe")), monkeypatch)
    await machines(estate, "vm1")
    assert (await sweep(estate)).drifted == 0


async def test_what_half_a_listing_does_not_hold_is_not_taken_for_missing(
    estate: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    estate.azure.behaviour.page_size = 2
    await machines(estate, *(f"vm{number}" for number in range(5)))
    first_page_only(estate, monkeypatch)
    with pytest.raises(Temporary):
        await sweep(estate)
    assert estate.queue.messages == []
    assert len(estate.assignments()) == 1


def first_page_only(estate: Estate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Resource Graph answers one page, and fails from then on."""
    strike = estate.azure.faults.strike
    pages = iter([None])

    def after_the_first(service: str, method: str, path: str, caller: str | None = None) -> Any:
        if "resourcegraph" not in path.lower():
            return strike(service, method, path, caller)
        return next(pages, Fault(status=503))

    monkeypatch.setattr(estate.azure.faults, "strike", after_the_first)


async def test_the_timer_runs_the_sweep(estate: Estate, caplog: pytest.LogCaptureFixture) -> None:
    await estate.create_vm("vm1")
    estate.new_events()  # lost

    class Timer:
        past_due = True

    with caplog.at_level("INFO", logger="lanyard.sweep"):
        await sweep_handler.sweep._function.get_user_function()(Timer(), invocation())
    assert "1 not as desired, 0 known and not listed" in caplog.text
    assert "(late)" in caplog.text
    assert len(estate.queue.messages) == 1


async def test_a_subscription_that_can_no_longer_be_read_is_left_as_it_is_and_told(
    estate: Estate,
) -> None:
    await machines(estate, "vm1")
    state = estate.azure.state
    other = state.add_subscription("other").id
    for principal in (estate.app.object_id, estate.operator.object_id):
        estate.azure.assign(principal, "Reader", f"/subscriptions/{other}")
    granted = estate.assignments()
    own = [
        a.id.lower()
        for a in state.role_assignments.values()
        if a.principal_id == estate.app.object_id
    ]
    for each in own:
        if estate.subscription in each:
            del state.role_assignments[each]
    report = await sweep(estate)
    assert (found(report), report.unseen) == ((0, 0, 0, 0), (estate.subscription,))
    assert estate.queue.messages == []
    assert estate.assignments() == granted
    assert any("cannot be read any more" in reason for _, _, reason in await estate.decisions())


async def test_what_azure_refuses_is_tried_at_once_when_an_identity_that_it_is_to_have_is_another(
    estate: Estate,
) -> None:
    azure = estate.azure
    await machines(estate, "vm0")
    refusing = Fault(method="PATCH", path="virtualMachines/vm1", status=400, times=None)
    azure.faults.add(refusing)
    await machines(estate, "vm1")
    for _ in range(3):
        azure.clock.advance(60)
        await sweep(estate)
        await estate.settle()
    before = refusing.hits
    await sweep(estate)
    await estate.settle()
    assert refusing.hits == before > 0, "it is not tried at each sweep"
    client = ManagedServiceIdentityClient(
        subscription_id=estate.subscription, **azure.client_options(estate.operator)
    )
    name, body = "id-lanyard-westeurope", Identity(location="westeurope")
    await client.user_assigned_identities.delete("rg-identities", name)
    await client.user_assigned_identities.create_or_update("rg-identities", name, body)
    azure.faults.clear()
    await sweep(estate)
    await estate.settle()
    assert list(await estate.identity_of("vm1")) == [name]
