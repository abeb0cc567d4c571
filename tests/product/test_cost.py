"""The cost table in docs/architecture.md: the ARM calls of the app are counted, not estimated."""

import asyncio
import math

import pytest
from azure.mgmt.compute.models import VirtualMachineUpdate

from simulator.faults import Fault
from simulator.seeding import Sizes, fill
from tests.support.estate import POLICY, Estate
from tests.support.handlers import started

POLL = "GET operations"


def without_polls(calls: list[str]) -> list[str]:
    return [call for call in calls if "operations/" not in call]


async def prepared(estate: Estate) -> None:
    """Identity and grant exist, because another machine has them."""
    await estate.create_vm("vm0")
    await estate.settle()


async def test_a_new_machine_costs_one_get_and_one_patch(estate: Estate) -> None:
    await prepared(estate)
    await estate.create_vm("vm1")
    events = estate.new_events()
    estate.app_calls()
    message = await estate.deliver(events[-1])
    assert message
    await estate.work(message)
    calls = estate.app_calls()
    assert without_polls(calls) == [
        "GET virtualMachines/vm1",
        "PATCH virtualMachines/vm1",
        "GET virtualMachines/vm1",
    ]
    polls = [call for call in calls if "operations/" in call]
    assert len(polls) <= 1
    assert list(await estate.identity_of("vm1")) == ["id-lanyard-westeurope"]


async def test_a_new_grant_costs_one_get_and_one_put(estate: Estate) -> None:
    await estate.create_vm("vm0")
    await estate.settle()
    calls = [call for call in estate.app_calls() if "roleAssignments" in call]
    assert [call.split()[0] for call in calls] == ["GET", "PUT"]


async def test_what_another_owner_gives_costs_one_get_a_claim(estate: Estate) -> None:
    await prepared(estate)
    (made,) = [a for a in estate.azure.state.role_assignments.values() if a.description]
    made.description = "by hand"
    await estate.sweeps.run()
    estate.app_calls()
    await estate.create_vm("vm1")
    await estate.settle()
    calls = [call for call in estate.app_calls() if "roleAssignments" in call]
    assert calls == ["GET Microsoft.Authorization/roleAssignments"]


async def test_a_grant_that_somebody_took_costs_a_look_at_the_activity_log(estate: Estate) -> None:
    """Of the assignment, and of its group: it may have gone with that."""
    await prepared(estate)
    (ours,) = [a for a in estate.azure.state.role_assignments.values() if a.description]
    del estate.azure.state.role_assignments[ours.id.lower()]
    estate.app_calls()
    await estate.sweeps.run()
    calls = [call for call in estate.app_calls() if "ResourceGraph" not in call]
    assert calls == ["GET Microsoft.Authorization/roleAssignments", *["GET management/values"] * 2]


async def test_an_identity_that_somebody_took_costs_one_get_more(estate: Estate) -> None:
    await prepared(estate)
    await estate.compute.virtual_machines.begin_update(
        "rg-app", "vm0", VirtualMachineUpdate({"identity": {"type": "None"}}), polling_interval=1
    )
    estate.app_calls()
    await estate.settle()
    calls = [call for call in estate.app_calls() if "virtualMachines" not in call]
    assert calls == ["GET userAssignedIdentities/id-lanyard-westeurope"]


async def test_an_event_for_a_machine_already_as_desired_costs_one_get(estate: Estate) -> None:
    await prepared(estate)
    await estate.create_vm("vm0")  # a second write that changes nothing
    estate.app_calls()
    for event in estate.new_events():
        if message := await estate.deliver(event):
            await estate.work(message)
    assert estate.app_calls() == ["GET virtualMachines/vm0"]


async def test_our_own_write_coming_back_costs_nothing(estate: Estate) -> None:
    await estate.create_vm("vm0")
    for event in estate.new_events():
        if message := await estate.deliver(event):
            await estate.work(message)
    own = estate.new_events()
    estate.app_calls()
    assert any(e["data"]["operationName"].endswith("virtualMachines/write") for e in own)
    assert [await estate.deliver(event) for event in own] == [None] * len(own)
    assert estate.app_calls() == []


async def test_a_sweep_costs_a_call_for_each_thousand_of_what_it_looks_at(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = POLICY.replace("exclude: {tags: {lanyard: ignore}}", "tags: {nobody: has}")
    estate = await started(Estate(policy), monkeypatch)
    sizes = Sizes(machines=2300, web_apps=0, identities=100, assignments=3000, unknown=1200)
    state, made = estate.azure.state, fill(estate.azure, sizes)
    for subscription in made.subscriptions:
        estate.azure.assign(estate.app.object_id, "Reader", f"/subscriptions/{subscription}")
    directory = estate.azure.faults.add(Fault(service="graph", path="getByIds", times=None))
    estate.app_calls()
    report = await estate.sweeps.run()
    assert (report.listed, report.assignments) == (2300, len(state.role_assignments))
    with_identity = 2300 + 100
    authorization = len(state.role_assignments) + len(state.role_definitions)
    # One more asks which groups another service manages.
    pages = 1 + math.ceil(with_identity / 1000) + math.ceil(authorization / 1000)
    assert estate.app_calls() == ["POST Microsoft.ResourceGraph/resources"] * pages
    assert math.ceil(authorization / 1000) <= math.ceil(len(state.role_assignments) / 1000) + 1
    principals = len({a.principal_id for a in state.role_assignments.values()})
    assert directory.hits <= math.ceil(principals / 1000) + 1


async def test_five_events_at_once_are_one_reconcile(estate: Estate) -> None:
    await prepared(estate)
    await estate.create_vm("vm0")
    messages = [m for event in estate.new_events() * 5 if (m := await estate.deliver(event))]
    assert len(messages) == 5
    estate.app_calls()
    before = estate.leases.calls
    await asyncio.gather(*(estate.work(message) for message in messages))
    assert estate.app_calls() == ["GET virtualMachines/vm0"]
    assert estate.leases.calls - before == 2
