"""Cases of parts A and C: what a 404 proves, and what it does not."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import pytest

from lanyard.values.change import Change
from lanyard.values.resource_id import ResourceId
from simulator.behaviour import GroupDeletion, ResourceGraphAnswer
from simulator.faults import Fault
from tests.support.cases import (
    HOUR,
    JITTER,
    MINUTE,
    Rules,
    attached,
    begun,
    create,
    delete,
    delete_identity,
    exists,
    hours,
    identity_id,
    look,
    make_identity,
    own,
    pass_time,
    patch,
    principal,
    removals,
    roles,
    sweep,
)
from tests.support.compute_examples import (
    AUTOMATION,
    CONTAINER_APP,
    JOB,
    MACHINE,
    SCALE_SET,
    SITE,
    SLOT,
    Example,
)
from tests.support.estate import Estate

SECOND = 1.0
#: Nothing but the evidence stands between a 404 and what is taken.
AT_ONCE = Rules(identity=own(0), options={"imdsDefault": "accept"})
CODES = ["ResourceNotFound", "ResourceGroupNotFound", "NotFound", "ParentResourceNotFound"]


@dataclass(frozen=True)
class Served:
    """A resource with an identity of its own, and what it and others gave that identity."""

    estate: Estate
    resource: ResourceId
    identity: str
    principal: str
    assignments: list[tuple[str, str, str]]

    def assert_kept(self) -> None:
        """Its identity is the very one of before, with all that it had."""
        estate = self.estate
        assert exists(estate, self.identity)
        assert principal(estate, self.identity) == self.principal
        assert attached(estate, self.resource) == [self.identity]
        assert estate.assignments(of=self.principal) == self.assignments

    def assert_gone(self) -> None:
        """With all that it had: what a person gave is an orphan's."""
        assert not exists(self.estate, self.identity)
        assert self.estate.assignments(of=self.principal) == []


async def served(
    monkeypatch: pytest.MonkeyPatch, made: Example = MACHINE, policy: Rules = AT_ONCE
) -> Served:
    estate = await begun(monkeypatch, replace(policy, type=made.type))
    resource = await create(estate, made)
    await pass_time(estate)
    (identity,) = attached(estate, resource)
    own_principal = principal(estate, identity)
    # What a person gave to it is lost with it.
    estate.azure.assign(own_principal, "Key Vault Secrets User", estate.scope)
    assert len(roles(estate, identity)) == 2
    assignments = estate.assignments(of=own_principal)
    return Served(estate, resource, identity, own_principal, assignments)


def missing(
    estate: Estate,
    resource: ResourceId,
    *,
    times: int | None = None,
    seconds: float | None = None,
    code: str = "ResourceNotFound",
) -> Fault:
    """ARM answers 404 so often, or for so long: a replica that learns of it late."""
    until = None if seconds is None else estate.azure.clock.now() + seconds
    path = f"{resource.text.rpartition('/providers/')[2]}$"
    return estate.azure.faults.add(
        Fault(method="GET", path=path, status=404, code=code, times=times, until=until)
    )


# A24

KINDS = [MACHINE, SCALE_SET, SITE, SLOT]


@pytest.mark.parametrize("made", KINDS, ids=str)
async def test_case_A24_two_404s_within_milliseconds_take_nothing(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    it = await served(monkeypatch, made)
    await patch(it.estate, it.resource, tags={"touched": "yes"})
    fault = missing(it.estate, it.resource, times=2)
    await pass_time(it.estate)
    it.assert_kept()
    assert fault.hits >= 1
    await hours(it.estate, 2)
    it.assert_kept()
    assert await removals(it.estate) == []


@pytest.mark.parametrize("code", CODES)
async def test_case_A24_whatever_the_404_is_called(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    it = await served(monkeypatch)
    await patch(it.estate, it.resource, tags={"touched": "yes"})
    missing(it.estate, it.resource, times=2, code=code)
    await pass_time(it.estate, 10 * MINUTE)
    it.assert_kept()
    assert await removals(it.estate) == []


@pytest.mark.parametrize("seconds", [5 * SECOND, 50 * SECOND, 4 * MINUTE])
async def test_case_A24_a_written_event_makes_it_not_yet_for_five_minutes(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    it = await served(monkeypatch)
    await patch(it.estate, it.resource, tags={"touched": "yes"})
    missing(it.estate, it.resource, seconds=seconds)
    await pass_time(it.estate, 20 * MINUTE)
    it.assert_kept()
    assert await removals(it.estate) == []


async def test_case_A24_a_listing_of_before_is_no_second_witness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    it.estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.EMPTY
    it.estate.azure.behaviour.resource_graph_answer_tables = {"resources"}
    missing(it.estate, it.resource, seconds=40)
    await sweep(it.estate)
    it.assert_kept()
    it.estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.FULL
    await pass_time(it.estate, 10 * MINUTE)
    it.assert_kept()
    assert await removals(it.estate) == []


async def test_case_A24_a_404_at_a_moment_and_another_an_hour_later_are_not_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    for _ in range(3):
        missing(it.estate, it.resource, seconds=30)
        await it.estate.worker.process(Change(it.resource, "event"))
        await pass_time(it.estate, HOUR)  # it is there, whenever it is looked at again
        it.assert_kept()
    assert await removals(it.estate) == []


async def lives_again(
    it: Served, made: Example = MACHINE
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """It was deleted and made again under its name; the events of both, not yet delivered."""
    estate = it.estate
    await delete(estate, it.resource)
    deleted = estate.new_events()
    estate.azure.clock.advance(20)
    block = {"type": "UserAssigned", "userAssignedIdentities": {own_id(it): {}}}
    await create(estate, made, identity=block)
    return deleted, estate.new_events()


def own_id(it: Served) -> str:
    group = f"{it.estate.scope}/resourceGroups/rg-app/providers"
    return f"{group}/Microsoft.ManagedIdentity/userAssignedIdentities/{it.identity}"


async def deliver(estate: Estate, events: list[dict[str, Any]]) -> None:
    for event in events:
        if message := await estate.deliver(event):
            await estate.work(message)


async def test_case_A24_a_late_delete_event_of_an_earlier_life_is_no_witness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    deleted, written = await lives_again(it)
    await deliver(it.estate, written)
    await pass_time(it.estate, 10 * MINUTE)
    it.assert_kept()
    missing(it.estate, it.resource, seconds=30)
    await deliver(it.estate, deleted)
    await pass_time(it.estate, 10 * MINUTE)
    it.assert_kept()
    assert await removals(it.estate) == []


async def test_case_A24_a_written_event_after_the_delete_event_outweighs_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    deleted, written = await lives_again(it)
    missing(it.estate, it.resource, seconds=30)
    await deliver(it.estate, written)
    await deliver(it.estate, deleted)
    await pass_time(it.estate, 10 * MINUTE)
    it.assert_kept()
    assert await removals(it.estate) == []


ALL_KINDS = [*KINDS, CONTAINER_APP, JOB, AUTOMATION]


@pytest.mark.parametrize("made", ALL_KINDS, ids=str)
async def test_case_A24_a_delete_event_that_is_older_than_a_look_is_no_witness(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    """No event of the present life came, and nothing in the body distinguishes it."""
    it = await served(monkeypatch, made)
    it.estate.azure.clock.advance(HOUR)
    deleted, _lost = await lives_again(it, made)
    it.estate.azure.clock.advance(20)
    await look(it.estate, it.resource)
    missing(it.estate, it.resource, times=2)
    await deliver(it.estate, [e for e in deleted if e["subject"].lower() == it.resource.key])
    await pass_time(it.estate, 10 * MINUTE)
    assert exists(it.estate, it.identity)
    assert it.estate.assignments(of=it.principal) == it.assignments


async def test_case_A24_a_delete_event_of_its_group_that_is_older_than_a_look_is_none_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(type=SITE.type), "id-old")
    site = await create(estate, SITE)
    await pass_time(estate, HOUR)
    await estate.delete_group("rg-app")
    (deleted,) = [e for e in estate.new_events() if e["subject"].lower().endswith("rg-app")]
    estate.azure.clock.advance(5)
    await estate.create_groups()
    await create(estate, SITE)
    estate.new_events()  # lost
    estate.azure.clock.advance(20)
    await look(estate, site)
    before = estate.assignments()
    missing(estate, site, times=2)
    await deliver(estate, [deleted])
    await pass_time(estate, 10 * MINUTE)
    assert (attached(estate, site), estate.assignments()) == (["id-old"], before)
    assert await removals(estate) == []


async def test_case_A24_one_that_arm_is_at_work_on_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Two 404s count only where nothing showed it between them."""
    it = await served(monkeypatch)
    estate, shown = it.estate, it.estate.azure.state.resources[it.resource.key].properties
    missing(estate, it.resource, times=1)
    await estate.worker.process(Change(it.resource, "event"))
    estate.azure.clock.advance(70)
    shown["provisioningState"] = "Updating"
    await estate.worker.process(Change(it.resource, "event"))
    shown["provisioningState"] = "Succeeded"
    estate.queue.messages.clear()
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.EMPTY
    missing(estate, it.resource, times=2)
    await estate.worker.process(Change(it.resource, "event"))
    it.assert_kept()


async def identity_remade(monkeypatch: pytest.MonkeyPatch) -> tuple[Estate, list[dict[str, Any]]]:
    """An identity that was deleted and made again, and the undelivered events of its deletion."""
    estate = await begun(monkeypatch, Rules(), "id-old")
    await estate.create_vm("vm1")
    await pass_time(estate)
    await delete_identity(estate, "id-old")
    deleted = estate.new_events()
    estate.azure.clock.advance(20)
    await make_identity(estate, "id-old")
    # What went with the old principal is given up after a second look at its assignment.
    await pass_time(estate, 2 * MINUTE)
    assert roles(estate, "id-old") == ["Reader"]
    return estate, deleted


async def test_case_A24_a_late_delete_event_of_an_identity_of_an_earlier_life_is_no_witness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, deleted = await identity_remade(monkeypatch)
    before, taken = estate.assignments(), await removals(estate)
    with unknown_for_once(estate, "id-old"):
        await deliver(estate, deleted)
        await pass_time(estate)
    await pass_time(estate, 10 * MINUTE)
    assert (estate.assignments(), await removals(estate)) == (before, taken)


async def test_case_A24_a_delete_event_that_is_older_than_a_look_at_an_identity_is_no_witness(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, _ = await identity_remade(monkeypatch)
    before, taken = estate.assignments(), await removals(estate)
    identity = ResourceId.parse(identity_id(estate.subscription, "id-old"))
    estate.azure.clock.advance(MINUTE)
    ended = Change(identity, "event", deleted=estate.azure.clock.now())
    estate.azure.clock.advance(MINUTE)
    await look(estate, identity)
    with unknown_for_once(estate, "id-old"):
        await estate.worker.process(ended)
        await pass_time(estate)
    await pass_time(estate, 10 * MINUTE)
    assert (estate.assignments(), await removals(estate)) == (before, taken)


@contextmanager
def unknown_for_once(estate: Estate, name: str) -> Iterator[None]:
    """A replica of ARM answers 404 for an identity once; the directory does not know it either."""
    path = f"userAssignedIdentities/{name}$"
    code = "ResourceNotFound"
    estate.azure.faults.add(Fault(method="GET", path=path, status=404, code=code, times=1))
    its = principal(estate, name)
    known = estate.azure.state.principals.pop(its)
    yield
    estate.azure.state.principals[its] = known


async def test_case_A24_an_identity_that_is_gone_for_good_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, deleted = await identity_remade(monkeypatch)
    await deliver(estate, deleted)
    await pass_time(estate)
    gone = principal(estate, "id-old")
    estate.azure.clock.advance(MINUTE)
    await delete_identity(estate, "id-old")
    await pass_time(estate)
    assert estate.assignments(of=gone) == []


GRACE = replace(AT_ONCE, identity=own(), grace_minutes=10)


@pytest.mark.parametrize("seconds", [0.0, 30.0])
async def test_case_A24_a_delete_event_followed_by_a_written_one_costs_nothing_within_the_grace(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    it = await served(monkeypatch, policy=GRACE)
    deleted, written = await lives_again(it)
    missing(it.estate, it.resource, seconds=seconds)
    await deliver(it.estate, deleted)
    await deliver(it.estate, written)
    await hours(it.estate, 30)
    it.assert_kept()


async def test_case_A24_one_that_stays_missing_for_a_minute_is_gone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    await delete(it.estate, it.resource)
    it.estate.new_events()  # lost
    it.estate.azure.clock.advance(10 * MINUTE)
    await it.estate.worker.process(Change(it.resource, "sweep"))
    assert exists(it.estate, it.identity)
    await pass_time(it.estate, 5 * MINUTE)
    await hours(it.estate, 2)
    it.assert_gone()


async def test_case_A24_a_delete_event_and_a_404_are_enough(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    await delete(it.estate, it.resource)
    await pass_time(it.estate, 6 * MINUTE)
    assert len(it.estate.assignments(of=it.principal)) < len(it.assignments)
    await hours(it.estate, 2)
    it.assert_gone()


async def test_case_A24_a_written_event_of_one_that_is_gone_for_good_only_delays(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    await patch(it.estate, it.resource, tags={"touched": "yes"})
    written = it.estate.new_events()
    await delete(it.estate, it.resource)
    it.estate.new_events()  # lost
    await deliver(it.estate, written)
    await pass_time(it.estate, 4 * MINUTE)
    assert exists(it.estate, it.identity)
    assert it.estate.assignments(of=it.principal) == it.assignments
    await hours(it.estate, 3)
    it.assert_gone()


async def test_case_A24_the_delete_event_of_a_group_is_one_of_everything_below_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = "{name: id-shared, resourceGroup: rg-identities, per: [subscription]}"
    estate = await begun(monkeypatch, replace(AT_ONCE, identity=shared))
    await estate.create_vm("vm1")
    await pass_time(estate)
    assert roles(estate, "id-shared") == ["Reader"]
    estate.azure.behaviour.group_deletion_events = GroupDeletion.GROUP_ONLY
    await estate.delete_group()
    await pass_time(estate)
    assert roles(estate, "id-shared") == []


# C20


@pytest.mark.parametrize("code", CODES)
async def test_case_C20_a_new_machine_that_is_not_yet_there_is_served_in_seconds(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    estate = await begun(monkeypatch, AT_ONCE)
    vm = await estate.create_vm("vm1")
    fault = missing(estate, vm, times=1, code=code)
    await pass_time(estate, 30)
    assert fault.hits == 1
    assert (attached(estate, vm), roles(estate, "id-vm1")) == (["id-vm1"], ["Reader"])


@pytest.mark.parametrize("made", KINDS, ids=str)
async def test_case_C20_whatever_is_not_yet_there_is_served(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    estate = await begun(monkeypatch, replace(AT_ONCE, type=made.type))
    resource = await create(estate, made)
    missing(estate, resource, times=2)
    await pass_time(estate, MINUTE)
    (identity,) = attached(estate, resource)
    assert roles(estate, identity) == ["Reader"]


@pytest.mark.parametrize("seconds", [20 * SECOND, 2 * MINUTE, 4 * MINUTE])
async def test_case_C20_it_is_tried_again_each_minute_for_five(
    monkeypatch: pytest.MonkeyPatch, seconds: float
) -> None:
    estate = await begun(monkeypatch, AT_ONCE)
    vm = await estate.create_vm("vm1")
    missing(estate, vm, seconds=seconds)
    await pass_time(estate, seconds + JITTER * MINUTE)
    assert (attached(estate, vm), roles(estate, "id-vm1")) == (["id-vm1"], ["Reader"])


async def test_case_C20_one_that_never_comes_is_on_record_and_asked_for_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, AT_ONCE)
    vm = await estate.create_vm("vm1")
    fault = missing(estate, vm)
    await pass_time(estate, 15 * MINUTE)
    assert 3 <= fault.hits <= 30
    assert [d for d in await estate.recorded() if d.resource == vm.text]
    assert estate.queue.messages == []
    estate.azure.faults.clear()
    await sweep(estate)
    await pass_time(estate, MINUTE)
    assert attached(estate, vm) == ["id-vm1"]


async def test_case_C11_what_is_listed_and_never_there_is_asked_for_less_and_less_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, AT_ONCE)
    vm = await estate.create_vm("vm1")
    estate.new_events()
    fault = missing(estate, vm)
    await hours(estate, 1)
    assert [d.outcome for d in await estate.recorded() if d.resource == vm.text] == []
    await hours(estate, 39)
    (reason, *_) = [d.reason for d in await estate.recorded() if d.resource == vm.text]
    assert "ARM answers 404, but Resource Graph shows it" in reason
    assert fault.hits <= 12
    before = fault.hits
    await hours(estate, 3)
    assert fault.hits == before, "once a day by now"
    await estate.worker.process(Change(vm, "event"))
    assert fault.hits == before + 1, "with an event at once"
    estate.azure.faults.clear()
    await hours(estate, 24)
    assert attached(estate, vm) == ["id-vm1"]


async def test_case_C20_a_resource_notification_is_a_written_event_as_well(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, AT_ONCE)
    vm = await estate.create_vm("vm1")
    events = [notified(event) for event in estate.new_events()]
    missing(estate, vm, times=2)
    await deliver(estate, events)
    await pass_time(estate, MINUTE)
    assert attached(estate, vm) == ["id-vm1"]


def notified(event: Mapping[str, Any]) -> dict[str, Any]:
    """The same, as Azure Resource Notifications have it."""
    at = event["eventTime"]
    info = {"id": event["subject"], "name": "vm1", "type": MACHINE.type}
    return {
        **event,
        "eventType": "Microsoft.ResourceNotifications.Resources.CreatedOrUpdated",
        "data": {"resourceInfo": info, "operationalInfo": {"resourceEventTime": at}},
        "dataVersion": "1",
    }


async def test_case_C20_a_served_one_that_is_missing_for_a_moment_is_looked_at_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A machine that somebody else stripped of its identity, at a replica that is late."""
    it = await served(monkeypatch)
    await patch(it.estate, it.resource, identity={"type": "None"})
    missing(it.estate, it.resource, times=2)
    await pass_time(it.estate, MINUTE)
    it.assert_kept()
