"""What others are told of decisions, through a custom topic; and that nothing depends on it."""

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import pytest
from azure.mgmt.compute.models import VirtualMachineUpdate

from lanyard.azure import notifications
from lanyard.azure.notifications import Notifications
from lanyard.cli.docs.notification_schema import notification_schema
from lanyard.desk.operator import Operator
from lanyard.desk.undo import Undo
from lanyard.notices.model import Notice
from simulator.faults import Drop, Fault
from tests.support.estate import BLOB_READER, POLICY, SERVED, SERVED_POLICY, Estate, limited
from tests.support.handlers import started
from tests.support.json_schema import mistakes

SCHEMA = notification_schema()
ADD_ONLY = POLICY.replace("mode: full", "mode: add-only")
SYSTEM = {"type": "SystemAssigned"}


@pytest.fixture
async def telling(estate: Estate) -> Estate:
    estate.open_topic()
    return estate


def heard(estate: Estate) -> list[dict[str, Any]]:
    """The events that the topic took since it was looked at last, each as its schema says."""
    received = estate.platform.custom_topics.received
    events = [each.event for each in received]
    received.clear()
    for event in events:
        assert mistakes(event, SCHEMA) == []
        part = SCHEMA["$defs"][event["type"].removeprefix("Lanyard.")]
        assert set(event["data"]) == set(part["properties"])
        assert event["source"] == f"urn:lanyard:{estate.app.client_id}"
    return events


def types(events: Sequence[dict[str, Any]]) -> list[str]:
    return sorted(event["type"].removeprefix("Lanyard.") for event in events)


def the(kind: str, events: Sequence[dict[str, Any]]) -> dict[str, Any]:
    (found,) = [event for event in events if event["type"] == f"Lanyard.{kind}"]
    return found


async def test_an_attached_identity_and_an_assigned_role_are_told(telling: Estate) -> None:
    vm = await telling.create_vm("vm1")
    *_, change = telling.new_events()
    message = await telling.deliver(change)
    assert message is not None
    await telling.work(message)
    events = heard(telling)
    assert types(events) == ["IdentityAttached", "RoleAssigned"]
    assert {event["subject"] for event in events} == {vm.text}
    attached = await telling.identity_of("vm1")
    identity = the("IdentityAttached", events)["data"]
    assert identity["identity"]["id"].endswith("/id-lanyard-westeurope")
    assert identity["identity"]["principalId"] == attached["id-lanyard-westeurope"]
    role = the("RoleAssigned", events)["data"]
    assert role["assignment"]["id"].lower() in telling.azure.state.role_assignments
    assert [
        (role["assignment"]["roleId"], role["assignment"]["scope"], role["assignment"]["role"])
    ] == [(BLOB_READER, f"{telling.scope}/resourceGroups/rg-app", "Storage Blob Data Reader")]
    assert role["rules"] == ["machines read blobs"]
    assert role["policy"] == telling.policy.digest
    assert role["cause"] == {
        "source": "event",
        "eventId": change["id"],
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "correlationId": change["data"]["correlationId"],
    }


async def test_an_event_carries_the_id_of_the_decision_on_record(telling: Estate) -> None:
    await telling.create_vm("vm1")
    await telling.settle()
    for event in heard(telling):
        recorded = await telling.services.decisions.read(event["id"])
        assert event["data"]["decisionId"] == event["id"]
        assert recorded.decision.action == event["data"]["action"]
        assert (recorded.decision.outcome, recorded.policy) == ("done", event["data"]["policy"])


async def test_what_is_so_already_is_not_told_again(telling: Estate) -> None:
    await telling.create_vm("vm1")
    await telling.settle(deliveries=10)
    assert types(heard(telling)) == ["IdentityAttached", "RoleAssigned"]
    await telling.create_vm("vm2")
    await telling.settle()
    assert types(heard(telling)) == ["IdentityAttached"]  # the grant stands, and is shared


async def test_an_enabled_system_identity_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = POLICY.replace("attach: [regional]", "system: true").replace(
        "to: regional", "to: system"
    )
    estate = await started(Estate(policy), monkeypatch)
    estate.open_topic()
    await estate.create_vm("vm1")
    await estate.settle()
    events = heard(estate)
    told = the("IdentityAttached", events)["data"]["identity"]
    machine = await estate.compute.virtual_machines.get("rg-app", "vm1")
    assert machine.identity is not None
    assert told == {"id": "", "principalId": machine.identity.principal_id}
    assert the("RoleAssigned", events)["data"]["assignment"]["principalId"] == told["principalId"]


async def test_a_revoked_grant_is_told_and_its_event_names_what_undo_takes(
    telling: Estate,
) -> None:
    await telling.create_vm("vm1")
    await telling.settle()
    given = the("RoleAssigned", heard(telling))["data"]["assignment"]
    await telling.delete_vm("vm1")
    await telling.settle()
    data = the("AccessRemoved", heard(telling))["data"]
    assert data["assignment"] == given
    assert data["identity"] is None
    assert any("no other resource claims this grant" in line for line in data["evidence"])
    undo = Undo(telling.services, "ann")
    assert await undo.put_back(await undo.find(data["decisionId"])) == "put back"


async def test_each_assignment_that_a_deleted_identity_left_is_told(telling: Estate) -> None:
    await telling.create_vm("vm1", identity=SYSTEM, tags={"lanyard": "ignore"})
    await telling.settle()
    machine = await telling.compute.virtual_machines.get("rg-app", "vm1")
    assert machine.identity is not None
    gone = str(machine.identity.principal_id)
    groups = [f"{telling.scope}/resourceGroups/{name}" for name in ("rg-app", "rg-identities")]
    for group in groups:
        telling.azure.assign(gone, "Reader", group)
    vm = telling.vm_id("vm1")
    await telling.delete_vm("vm1")
    await telling.settle()
    events = heard(telling)
    assert types(events) == ["AccessRemoved"] * 2
    assert sorted(event["data"]["assignment"]["scope"] for event in events) == groups
    assert {event["data"]["assignment"]["principalId"] for event in events} == {gone}
    assert {event["subject"].lower() for event in events} == {vm.key}
    assert len({event["id"] for event in events}) == 2


async def test_a_detached_and_a_deleted_identity_are_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shared = 'name: "id-lanyard-{location}", resourceGroup: rg-identities'
    policy = SERVED_POLICY.replace(shared, 'name: "id-{resource.name}", per: resource')
    estate = await started(Estate(policy), monkeypatch)
    estate.open_topic()
    await estate.create_vm("vm1", tags=SERVED)
    await estate.settle()
    heard(estate)
    await estate.create_vm("vm1", tags={})
    await estate.settle()
    gone = [event["data"]["identity"] for event in heard(estate)]
    assert [each["id"].rpartition("/")[2] for each in gone if each] == ["id-vm1", "id-vm1"]
    assert len(gone) == 3  # detached, its assignment revoked, deleted


async def test_a_removal_that_is_held_is_told_once_and_can_be_released_by_its_id(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await started(Estate(ADD_ONLY), monkeypatch)
    estate.open_topic()
    await estate.create_vm("vm1")
    await estate.settle()
    heard(estate)
    await estate.delete_vm("vm1")
    await estate.settle(deliveries=3)
    data = the("RemovalHeld", heard(estate))["data"]
    assert (data["reason"], data["releasable"]) == ("mode is add-only", True)
    await Operator(estate.services, estate.queue.put, "ann").release(data["heldId"])
    await estate.settle()
    assert types(heard(estate)) == ["AccessRemoved"]
    assert estate.assignments() == []


async def test_what_the_budget_holds_is_told_once(monkeypatch: pytest.MonkeyPatch) -> None:
    policy = limited("perHour: 1")
    estate = await started(Estate(policy), monkeypatch)
    estate.open_topic()
    for number in range(4):
        await estate.create_vm(f"vm{number}", location=f"region{number}")
    await estate.settle()
    heard(estate)
    for number in range(4):
        await estate.delete_vm(f"vm{number}")
    for event in estate.new_events() * 3:
        if message := await estate.deliver(event):
            await estate.work(message)
    assert types(heard(estate)) == ["AccessRemoved"] + ["RemovalHeld"] * 3
    assert [outcome for _, outcome, _ in await estate.decisions()].count("held") == 3
    await estate.settle()
    assert types(heard(estate)) == ["AccessRemoved"] * 3
    assert estate.assignments() == []


async def test_a_conflict_of_owners_is_told(telling: Estate) -> None:
    vm = await telling.create_vm("vm1")
    await telling.settle()
    for _ in range(4):
        telling.azure.clock.advance(86400)
        heard(telling)
        poller = await telling.compute.virtual_machines.begin_update(
            "rg-app",
            "vm1",
            VirtualMachineUpdate({"identity": {"type": "None"}}),
            polling_interval=1,
        )
        await poller.result()
        await telling.settle()
    event = the("ConflictFound", heard(telling))
    assert event["subject"] == vm.text
    assert "conflict of owners" in event["data"]["reason"]
    assert "one owner" in event["data"]["release"]


async def test_an_addition_that_is_held_is_nobodys_news(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await started(Estate(POLICY.replace("mode: full", "mode: observe")), monkeypatch)
    estate.open_topic()
    await estate.create_vm("vm1")
    await estate.settle()
    assert heard(estate) == []


async def test_an_event_tells_only_of_what_was_really_removed(telling: Estate) -> None:
    await telling.create_vm("vm1")
    await telling.settle()
    heard(telling)
    telling.azure.faults.add(Fault(method="DELETE", path="roleAssignments", status=500, times=1))
    await telling.delete_vm("vm1")
    for event in telling.new_events():
        if message := await telling.deliver(event):
            await telling.work(message)
    assert len(telling.assignments()) == 1
    assert heard(telling) == []
    await telling.settle()
    assert telling.assignments() == []
    assert types(heard(telling)) == ["AccessRemoved"]


async def test_what_went_beside_a_removal_that_failed_is_told_and_the_rest_later(
    telling: Estate,
) -> None:
    await telling.create_vm("vm1", identity=SYSTEM, tags={"lanyard": "ignore"})
    await telling.settle()
    machine = await telling.compute.virtual_machines.get("rg-app", "vm1")
    assert machine.identity is not None
    gone = str(machine.identity.principal_id)
    for group in ("rg-app", "rg-identities", "rg-lanyard"):
        telling.azure.assign(gone, "Reader", f"{telling.scope}/resourceGroups/{group}")
    telling.azure.faults.add(Fault(method="DELETE", path="roleAssignments", after=1, status=500))
    await telling.delete_vm("vm1")
    for event in telling.new_events():
        if message := await telling.deliver(event):
            await telling.work(message)
    before = heard(telling)
    assert len(before) == 2, "one that fails stops no other"
    await telling.settle()
    assert telling.assignments(of=gone) == []
    ids = [event["data"]["assignment"]["id"] for event in [*before, *heard(telling)]]
    assert len(ids) == len(set(ids)) == 3


async def live(estate: Estate) -> list[tuple[str, str, str]]:
    """A machine's life; returns what was decided."""
    await estate.create_vm("vm1")
    await estate.settle()
    assert len(await estate.identity_of("vm1")) == 1
    await estate.delete_vm("vm1")
    await estate.settle()
    assert estate.assignments() == []
    assert estate.queue.messages == []
    return await estate.decisions()


def forbid(estate: Estate) -> None:
    assignments = estate.azure.state.role_assignments
    (sender,) = [key for key, each in assignments.items() if "/topics/" in each.scope]
    del assignments[sender]


def fail(**how: Any) -> Callable[[Estate], None]:
    return lambda estate: (
        estate.azure.faults.add(Fault(service="eventgrid", times=None, **how)),
        None,
    )[1]


@pytest.mark.parametrize(
    "spoil",
    [
        forbid,
        fail(status=403),
        fail(status=429, retry_after=60),
        fail(status=500),
        fail(drop=Drop.BEFORE),
        fail(drop=Drop.AFTER),
        fail(delay=3600.0),
    ],
    ids=["no role", "403", "429", "500", "no connection", "no answer", "an answer in an hour"],
)
async def test_a_topic_that_fails_changes_nothing_else(
    spoil: Callable[[Estate], None],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(notifications, "PUBLISH_SECONDS", 0.05)
    untroubled = await started(Estate(), monkeypatch)
    untroubled.open_topic()
    decided = await live(untroubled)
    estate = await started(Estate(), monkeypatch)
    estate.open_topic()
    spoil(estate)
    with caplog.at_level(logging.WARNING, "lanyard.notifications"):
        assert await live(estate) == decided
    publisher = estate.services.notifier
    assert isinstance(publisher, Notifications)
    tries = len(estate.platform.publishing.calls)
    assert (publisher.lost, tries) == (3, 2)  # attached and assigned; revoked: each tried once
    assert ["were not published" in record.message for record in caplog.records] == [True] * 2
    assert "Bearer" not in caplog.text
    assert "eyJ" not in caplog.text  # the start of every token


async def test_nothing_is_sent_where_no_topic_is_set(estate: Estate) -> None:
    await live(estate)
    assert estate.platform.publishing.calls == []


class Listener:
    """Looks, the moment it is told, at what is on record; then fails as no notifier may."""

    def __init__(self, estate: Estate) -> None:
        self._estate = estate
        self.outcomes: list[str] = []

    async def publish(self, notices: Sequence[Notice]) -> None:
        recorded = [await self._estate.services.decisions.read(each.id) for each in notices]
        self.outcomes += [each.decision.outcome for each in recorded]
        self.record = await self._estate.ledger.resource(self._estate.vm_id("vm1"))


async def test_others_are_told_after_everything_is_on_record(estate: Estate) -> None:
    listener = Listener(estate)
    reconciler = estate.worker.reconciler
    services = replace(reconciler.services, notifier=listener)
    estate.worker = replace(estate.worker, reconciler=replace(reconciler, services=services))
    await estate.create_vm("vm1")
    await estate.settle()
    assert listener.outcomes == ["done", "done"]
    assert len(listener.record.attachments) == len(listener.record.grants) == 1
    assert listener.record.pending == frozenset()


async def test_what_was_done_is_told_though_the_record_cannot_be_finished(
    telling: Estate, monkeypatch: pytest.MonkeyPatch
) -> None:
    await telling.create_vm("vm1")
    *_, change = telling.new_events()
    ledger = telling.services.ledger
    save, saved = ledger.save, 0

    async def fails_at_last(record: Any) -> Any:
        nonlocal saved
        if record.grants:
            raise OSError("storage is away")
        saved += 1
        return await save(record)

    monkeypatch.setattr(ledger, "save", fails_at_last)
    message = await telling.deliver(change)
    assert message is not None
    assert await telling.work(message) is not None, "it is put on the queue anew"
    assert saved > 0
    assert types(heard(telling)) == ["IdentityAttached", "RoleAssigned"]
