"""Cases of an identity of one resource: it is that resource's alone, and Lanyard's where it made
it, by its principal. A name that whoever makes a resource may choose reaches no other identity.
"""

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from azure.mgmt.msi.aio import ManagedServiceIdentityClient
from azure.mgmt.msi.models import Identity
from azure.mgmt.resource.resources.aio import ResourceManagementClient

from lanyard.app.sweeping import Sweeps
from lanyard.desk.undo import Undo
from lanyard.ports.tables import Tables
from lanyard.record.ledger import ResourceRecord
from lanyard.values.change import Change
from lanyard.values.compute import UserAssigned
from lanyard.values.errors import Because
from lanyard.values.removed import RemovedAttachment
from lanyard.values.resource_id import ResourceId
from simulator.faults import Drop, Fault
from simulator.state import Resource
from tests.support.any_resource import client
from tests.support.cases import (
    HOUR,
    IDENTITY_TYPE,
    Rules,
    adopt,
    attached,
    begun,
    delete_identity,
    exists,
    held,
    hours,
    identity_id,
    own,
    pass_time,
    patch,
    principal,
    roles,
    sweep,
    version,
)
from tests.support.compute_examples import MACHINE, SITE, SLOT, Example
from tests.support.estate import INSTALLATION, Estate

AT_ONCE = own(0)
PROD = {"env": "prod"}
ATTACH, DELETION = "attach identity id-vm1", "delete identity id-vm1"


@dataclass(frozen=True)
class Served:
    """vm1 with an identity of its own, under a rule for its tag."""

    estate: Estate
    vm: ResourceId

    def named(self, name: str = "id-vm1") -> str:
        """The id of an identity in its group."""
        return f"{self.estate.scope}/resourceGroups/rg-app/providers/{IDENTITY_TYPE}/{name}"


async def served(monkeypatch: pytest.MonkeyPatch) -> Served:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE, match="tags: {env: prod}"))
    vm = await estate.create_vm("vm1", tags=PROD)
    await pass_time(estate)
    assert roles(estate, "id-vm1") == ["Reader"]
    return Served(estate, vm)


def block(*ids: str) -> dict[str, Any]:
    return {"type": "UserAssigned", "userAssignedIdentities": {each: {} for each in ids}}


def of_name(estate: Estate, name: str) -> Resource:
    return next(one for one in estate.azure.state.resources.values() if one.name == name)


async def made(estate: Estate, name: str, **tags: str) -> None:
    """A person makes an identity in the machines' group."""
    options = estate.azure.client_options(estate.operator)
    msi = ManagedServiceIdentityClient(subscription_id=estate.subscription, **options)
    body = Identity(location="westeurope", tags=tags)
    await msi.user_assigned_identities.create_or_update("rg-app", name, body)


async def put(estate: Estate, made: Example, group: str, name: str) -> ResourceId:
    """A resource of this name, in a group of its own where there is none yet."""
    options = estate.azure.client_options(estate.operator)
    groups = ResourceManagementClient(subscription_id=estate.subscription, **options)
    await groups.resource_groups.create_or_update(group, {"location": "westeurope"})
    namespace, kind = made.type.split("/")[:2]
    where = f"{estate.scope}/resourceGroups/{group}/providers/{namespace}/{kind}/{name}"
    poller = await client(estate).resources.begin_create_or_update_by_id(
        where, {**made.body}, api_version=version(ResourceId.parse(where)), polling_interval=1
    )
    await poller.result()
    return ResourceId.parse(where)


def missed(estate: Estate, name: str = "id-vm1") -> None:
    """A replica of ARM does not know the identity, once."""
    caller = estate.app.object_id
    code = "ResourceNotFound"
    fault = Fault(method="GET", path=f"{name}$", caller=caller, status=404, code=code)
    estate.azure.faults.add(fault)


def lose_everything(estate: Estate) -> None:
    for name in Tables.__dataclass_fields__:
        getattr(estate.tables, name).content.clear()
    estate.restart()


# B1 to B4: chosen by a name


async def test_case_B01_a_machines_name_chooses_no_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=own()))
    await made(estate, "id-deployer")
    deployer = await estate.create_vm("deployer")
    await hours(estate, 2)
    assert attached(estate, deployer) == []
    assert roles(estate, "id-deployer") == []
    entry = (await held(estate))["attach identity id-deployer"]
    assert entry.refusal.because is Because.ANOTHER_OWNER
    assert "was not made for this resource" in entry.refusal.reason
    assert (await estate.sweeps.run()).drifted == 0


async def test_case_B01_whoever_may_only_tag_and_make_machines_chooses_none_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The tags by which Lanyard knows its own, on an identity that it did not make."""
    estate = await begun(monkeypatch, Rules(identity=own()))
    tags = {"lanyard-resource": estate.vm_id("deployer").text, "lanyard-installation": INSTALLATION}
    await made(estate, "id-deployer", **tags)
    deployer = await estate.create_vm("deployer")
    await hours(estate, 2)
    assert (attached(estate, deployer), roles(estate, "id-deployer")) == ([], [])
    assert "attach identity id-deployer" in await held(estate)
    assert (await estate.sweeps.run()).drifted == 0
    assert (await estate.ledger.resource(deployer)).dedicated == {}


async def test_case_B01_nor_where_a_person_attached_it(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, Rules(identity=own()))
    await made(estate, "id-deployer")
    it = Served(estate, await estate.create_vm("deployer", identity=block_of(estate)))
    await hours(estate, 2)
    assert attached(estate, it.vm) == ["id-deployer"], "theirs"
    assert roles(estate, "id-deployer") == []


def block_of(estate: Estate) -> dict[str, Any]:
    group = f"{estate.scope}/resourceGroups/rg-app"
    return block(f"{group}/providers/{IDENTITY_TYPE}/id-deployer")


@pytest.mark.parametrize("made_by_hand", ["with its tags of another", "of another installation"])
async def test_case_B01_tags_of_another_resource_or_installation_are_no_proof(
    monkeypatch: pytest.MonkeyPatch, made_by_hand: str
) -> None:
    estate = await begun(monkeypatch, Rules(identity=own()))
    other = f"{estate.scope}/resourceGroups/rg-app/providers/Microsoft.Compute/virtualMachines/vm2"
    mine, installation = other.replace("vm2", "vm1"), "00000000-0000-4000-8000-000000000009"
    tags = {"lanyard-resource": other, "lanyard-installation": INSTALLATION}
    if made_by_hand == "of another installation":
        tags = {"lanyard-resource": mine, "lanyard-installation": installation}
    await made(estate, "id-vm1", **tags)
    vm = await estate.create_vm("vm1")
    await hours(estate, 1)
    assert attached(estate, vm) == []
    assert ATTACH in await held(estate)


async def test_case_B02_where_two_names_meet_the_second_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    spec = (
        '{name: "id-{resourceGroup}-{resource.name}", resourceGroup: rg-identities, per: resource}'
    )
    estate = await begun(monkeypatch, Rules(identity=spec))
    first = await put(estate, MACHINE, "pay", "prod-db")
    await pass_time(estate)
    second = await put(estate, MACHINE, "pay-prod", "db")
    await pass_time(estate)
    assert attached(estate, first) == ["id-pay-prod-db"]
    assert attached(estate, second) == []
    assert "attach identity id-pay-prod-db" in await held(estate)


async def test_case_B03_slots_of_one_name_have_an_identity_each(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    options = {"restart": "accept"}
    estate = await begun(monkeypatch, Rules(type=SLOT.type, identity=own(), options=options))
    found = []
    for name in ("app1", "app2"):
        await put(estate, SITE, "rg-app", name)
        slot = await put(estate, SLOT, "rg-app", f"{name}/slots/staging")
        await pass_time(estate)
        found += attached(estate, slot)
    assert found == ["id-app1-staging", "id-app2-staging"]


@pytest.mark.parametrize(
    ("name", "same"),
    [("id-{resource.name}", True), ("{resource.name}-{resource.hash}", False)],
    ids=["by name", "case_B04"],
)
async def test_case_B02_a_machine_and_a_site_of_one_name(
    monkeypatch: pytest.MonkeyPatch, name: str, same: bool
) -> None:
    types = f"{MACHINE.type}, {SITE.type}"
    spec = f'{{name: "{name}", per: resource}}'
    estate = await begun(monkeypatch, Rules(type=types, identity=spec))
    first = await put(estate, MACHINE, "rg-app", "shop")
    await pass_time(estate)
    second = await put(estate, SITE, "rg-app", "shop")
    await hours(estate, 1)
    assert len(attached(estate, first)) == 1
    if same:
        assert attached(estate, second) == []
        assert "attach identity id-shop" in await held(estate)
    else:
        assert len(attached(estate, second)) == 1
        assert attached(estate, first) != attached(estate, second)
        assert await held(estate) == {}


# A12, A15: a PUT over what somebody else made


async def test_case_A12_an_identity_that_a_replica_misses_is_not_written_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE))
    await made(estate, "id-vm1", owner="ann")
    missed(estate)
    await estate.create_vm("vm1")
    await hours(estate, 1)
    assert of_name(estate, "id-vm1").tags == {"owner": "ann"}
    await estate.delete_vm("vm1")
    await hours(estate, 4)
    assert exists(estate, "id-vm1"), "theirs"


async def test_case_A12_nor_taken_for_its_own_where_no_listing_shows_it_yet(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE))
    estate.azure.behaviour.resource_graph_lag_seconds = 120.0
    await made(estate, "id-vm1", owner="ann")
    missed(estate)
    vm = await estate.create_vm("vm1")
    await hours(estate, 1)
    assert "lanyard-resource" not in of_name(estate, "id-vm1").tags
    assert attached(estate, vm) == []
    await estate.delete_vm("vm1")
    await hours(estate, 4)
    assert exists(estate, "id-vm1"), "theirs"


async def test_case_A12_another_installations_identity_keeps_its_tags(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = Rules(identity=AT_ONCE)
    first = await begun(monkeypatch, rules)
    second = first.another(rules.text(first.subscription))
    await sweep(second)
    vm = await first.create_vm("vm1")
    await first.worker.process(Change(vm, "event"))
    missed(second)
    await second.worker.process(Change(vm, "event"))
    assert of_name(first, "id-vm1").tags["lanyard-installation"] == INSTALLATION


async def test_case_A12_what_no_listing_shows_keeps_the_tags_that_it_has(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE))
    estate.azure.behaviour.resource_graph_lag_seconds = 120.0
    await made(estate, "id-vm1", owner="ann")
    missed(estate)
    vm = await estate.create_vm("vm1")
    await hours(estate, 1)
    assert of_name(estate, "id-vm1").tags == {"owner": "ann"}
    assert attached(estate, vm) == []


async def test_case_A12_lanyards_tags_on_it_do_not_make_it_the_machines(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE))
    estate.azure.behaviour.resource_graph_lag_seconds = 120.0
    await made(estate, "id-vm1")
    missed(estate)
    missed(estate)
    # The first PUT is what met it; the one that takes the tags off fails.
    put = Fault(method="PUT", path="id-vm1$", after=1, status=403, code="AuthorizationFailed")
    estate.azure.faults.add(put)
    vm = await estate.create_vm("vm1")
    await hours(estate, 1)
    assert put.hits
    assert "lanyard-resource" in of_name(estate, "id-vm1").tags
    assert attached(estate, vm) == []
    assert ATTACH in await held(estate)


@pytest.mark.parametrize("length", [10, 64], ids=["short", "too long for a tag"])
async def test_case_A12_what_was_made_is_known_again_however_long_its_resources_id_is(
    monkeypatch: pytest.MonkeyPatch, length: int
) -> None:
    estate = await begun(monkeypatch, Rules(identity=own()))
    group, name = "g" * 90, "v" * length
    lost = Fault(method="PUT", path=f"id-{name}$", drop=Drop.AFTER, caller=estate.app.object_id)
    estate.azure.faults.add(lost)
    vm = await put(estate, MACHINE, group, name)
    await hours(estate, 2)
    assert lost.hits
    assert attached(estate, vm) == [f"id-{name}"]
    assert await held(estate) == {}


# A person's, under the name of one that was made


async def test_case_B01_what_a_person_made_under_its_name_is_not_attached_where_events_are_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    await patch(it.estate, it.vm, identity={"type": "None"})
    await _made_anew(it)
    await it.estate.worker.process(Change(it.vm, "event"))
    assert attached(it.estate, it.vm) == []
    await hours(it.estate, 2)
    assert attached(it.estate, it.vm) == []
    assert ATTACH in await held(it.estate)


async def _made_anew(it: Served) -> None:
    """By a person, and no event says so."""
    await delete_identity(it.estate, "id-vm1", "rg-app")
    await made(it.estate, "id-vm1")
    it.estate.new_events()


@pytest.mark.parametrize("by", ["Lanyard", "a person"])
async def test_case_B01_what_lanyard_attached_by_mistake_goes_by_the_rules_for_removals(
    monkeypatch: pytest.MonkeyPatch, by: str
) -> None:
    it = await served(monkeypatch)
    await patch(it.estate, it.vm, identity={"type": "None"})
    await _made_anew(it)
    await patch(it.estate, it.vm, identity=block(it.named()))
    if by == "Lanyard":
        await it.estate.ledger.update(it.vm, lambda one: _attached_all_the_time(it, one))
    await hours(it.estate, 3)
    assert attached(it.estate, it.vm) == ([] if by == "Lanyard" else ["id-vm1"])
    assert ATTACH in await held(it.estate)


def _attached_all_the_time(it: Served, record: ResourceRecord) -> ResourceRecord:
    """It was exchanged between Lanyard's last look at it and its write."""
    identity = ResourceId.parse(it.named())
    return replace(
        record,
        attachments={identity: it.estate.azure.clock.now()},
        confirmed={UserAssigned(identity).key: principal(it.estate, "id-vm1")},
    )


@pytest.mark.parametrize("number", [2, 30], ids=["detached", "deleted"])
async def test_case_A12_a_copy_of_an_identity_with_its_tags_is_a_persons(
    monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    it = await served(monkeypatch)
    await made(it.estate, "id-copy", **of_name(it.estate, "id-vm1").tags)
    await patch(it.estate, it.vm, identity=block(it.named(), it.named("id-copy")))
    await hours(it.estate, number)
    assert exists(it.estate, "id-copy")
    assert attached(it.estate, it.vm) == ["id-copy", "id-vm1"]


# A10: the one that was made is known by its principal


@pytest.mark.parametrize("used", [True, False], ids=["in use", "not in use"])
async def test_case_A10_replaced_tags_make_it_no_other_identity(
    monkeypatch: pytest.MonkeyPatch, used: bool
) -> None:
    it = await served(monkeypatch)
    if used:
        await it.estate.create_vm("vm2", identity=block(it.named()))
    of_name(it.estate, "id-vm1").tags.clear()
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 4)
    assert exists(it.estate, "id-vm1") is used
    if used:
        assert roles(it.estate, "id-vm1") == ["Reader"], "vm2 has it"
        assert DELETION in await held(it.estate)


@pytest.mark.parametrize("name", ["listAssociatedResources$", "federatedIdentityCredentials$"])
@pytest.mark.parametrize("status", [500, 429])
async def test_case_A13_what_is_not_answered_for_hours_is_held_and_goes_by_itself(
    monkeypatch: pytest.MonkeyPatch, name: str, status: int
) -> None:
    it = await served(monkeypatch)
    it.estate.azure.faults.add(Fault(path=name, status=status, code="x", times=None))
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 4)
    entry = (await held(it.estate))[DELETION]
    assert entry.refusal.because is Because.CANNOT_BE_ASKED
    assert roles(it.estate, "id-vm1") == ["Reader"]
    it.estate.azure.faults.clear()
    await hours(it.estate, 3)
    assert not exists(it.estate, "id-vm1")
    assert await held(it.estate) == {}


# A22: known again


async def test_case_A22_an_identity_that_is_known_again_goes_when_no_rule_wants_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    lose_everything(it.estate)
    await hours(it.estate, 1)
    await patch(it.estate, it.vm, tags={})
    await hours(it.estate, 3)
    assert attached(it.estate, it.vm) == []
    await hours(it.estate, 24)
    assert not exists(it.estate, "id-vm1")


async def test_case_A22_one_that_stays_attached_is_held_and_asked_for_no_more(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What tables of an older moment do not hold as attached is nobody's to take off."""
    it = await served(monkeypatch)
    record = await it.estate.ledger.resource(it.vm)
    await it.estate.ledger.save(replace(record, attachments={}, confirmed={}))
    await patch(it.estate, it.vm, tags={})
    await pass_time(it.estate, 2 * HOUR)
    entry = (await held(it.estate))[DELETION]
    assert entry.refusal.because is Because.IN_USE
    assert entry.refusal.reason.startswith("its own resource has it")
    assert attached(it.estate, it.vm) == ["id-vm1"]
    assert it.estate.queue.messages == []
    await patch(it.estate, it.vm, identity={"type": "None"})
    await hours(it.estate, 3)
    assert not exists(it.estate, "id-vm1")
    assert await held(it.estate) == {}


async def test_one_that_the_policy_names_as_existing_is_not_learnt_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    subscription = it.estate.subscription
    text = Rules(match="tags: {env: prod}").text(subscription)
    await adopt(it.estate, text.replace(identity_id(subscription, "id-old"), it.named()))
    await hours(it.estate, 2)
    sweeps: Sweeps = it.estate.sweeps
    assert (await sweeps.run()).drifted == 0


async def test_one_that_a_person_had_attached_again_is_theirs_though_a_rule_asks_for_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What `undo` put back is the person's from then on; its tags still name the machine."""
    it = await served(monkeypatch)
    await patch(it.estate, it.vm, tags={})
    await pass_time(it.estate)
    assert attached(it.estate, it.vm) == []
    undo, hour = Undo(it.estate.services, "ann"), timedelta(hours=1)
    now = datetime.fromtimestamp(it.estate.azure.clock.now(), UTC)
    async for undoable in undo.between(now - hour, now + hour):
        if isinstance(undoable.removed, RemovedAttachment):
            await undo.put_back(undoable)
    await hours(it.estate, 1)
    await patch(it.estate, it.vm, tags=PROD)
    await hours(it.estate, 2)
    assert roles(it.estate, "id-vm1") == ["Reader"]
    await patch(it.estate, it.vm, tags={})
    await hours(it.estate, 4)
    assert attached(it.estate, it.vm) == ["id-vm1"]
