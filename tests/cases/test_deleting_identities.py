"""Cases of part A: an identity of one resource is deleted last and slowly, and so are its roles."""

from ast import literal_eval
from dataclasses import replace

import pytest
from azure.mgmt.msi.models import Identity

from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from simulator.behaviour import ResourceGraphAnswer
from simulator.faults import Drop, Fault
from tests.support.cases import (
    HOUR,
    MINUTE,
    Rules,
    attached,
    begun,
    create,
    delete_identity,
    exists,
    held,
    hours,
    make_identity,
    pass_time,
    patch,
    principal,
    removals,
    roles,
    sweep,
)
from tests.support.compute_examples import (
    CONTAINER_APP,
    MACHINE,
    POOL,
    SCALE_SET,
    SITE,
    SLOT,
    Example,
)
from tests.support.other_subscriptions import lose_a_subscription
from tests.support.own_identity import (
    AT_ONCE,
    DELETION,
    Served,
    identities,
    served,
    trust,
    unreadable,
)

# A10: in use elsewhere


@pytest.mark.parametrize("lag", [0.0, 2 * MINUTE, 4.9 * MINUTE])
async def test_case_A10_an_identity_that_was_attached_to_a_new_machine_stays(
    monkeypatch: pytest.MonkeyPatch, lag: float
) -> None:
    it = await served(monkeypatch)
    it.estate.azure.behaviour.resource_graph_lag_seconds = lag
    await pass_time(it.estate, 5 * MINUTE)
    green = await it.estate.create_vm("vm2", **it.block())
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 4)
    await it.holding(green.text)
    assert attached(it.estate, green) == ["id-vm1"]
    assert await removals(it.estate) == []


def missed_by_arm(it: Served, times: int | None) -> None:
    """A replica that answers the app 404 for the identity."""
    fault = Fault(
        method="GET", path="id-vm1$", status=404, code="ResourceNotFound", times=times,
        caller=it.estate.app.object_id,
    )  # fmt: skip
    it.estate.azure.faults.add(fault)


async def test_case_A24_one_404_of_an_identity_that_is_to_go_is_no_proof_that_it_went(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It would be forgotten, and stand for ever."""
    it = await served(monkeypatch)
    await it.estate.delete_vm("vm1")
    await pass_time(it.estate, 30 * MINUTE)
    missed_by_arm(it, times=2)
    await hours(it.estate, 3)
    await it.assert_gone()


async def test_case_A24_a_404_of_an_identity_takes_no_role_that_somebody_else_uses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    green = await it.estate.create_vm("vm2", **it.block())
    await it.estate.delete_vm("vm1")
    missed_by_arm(it, times=None)
    await hours(it.estate, 4)
    assert exists(it.estate, "id-vm1")
    assert roles(it.estate, "id-vm1") == ["Reader"]
    assert attached(it.estate, green) == ["id-vm1"]
    assert await removals(it.estate) == []


USERS = [MACHINE, SITE, SLOT, SCALE_SET, POOL, CONTAINER_APP]


@pytest.mark.parametrize("user", [each for each in USERS if each is not MACHINE], ids=str)
async def test_case_A10_whatever_has_it(monkeypatch: pytest.MonkeyPatch, user: Example) -> None:
    it = await served(monkeypatch)
    resource = await create(it.estate, user, **it.block())
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 3)
    await it.holding(resource.text)


async def test_case_A10_once_it_is_detached_all_starts_anew_and_it_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    green = await it.estate.create_vm("vm2", **it.block())
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 3)
    await it.holding(green.text)
    await patch(it.estate, green, identity={"type": "None"})
    await sweep(it.estate)
    await pass_time(it.estate, MINUTE)
    assert roles(it.estate, "id-vm1") == ["Reader"]
    await pass_time(it.estate, 50 * MINUTE)
    assert (exists(it.estate, "id-vm1"), it.estate.assignments()) == (True, [])
    await hours(it.estate, 2)
    await it.assert_gone()


async def test_case_A10_two_that_are_gone_do_not_keep_each_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """As one that moved there and back leaves them, of which tables were lost between."""
    it = await served(monkeypatch)
    estate, vms = it.estate, {"vm1": it.vm, "vm2": it.estate.vm_id("vm2")}
    await estate.create_vm("vm2", tags={"env": "prod"})
    await pass_time(estate)
    now = estate.services.now()
    both = {ResourceId.parse(it.named(f"id-{name}")): now for name in vms}
    for name, vm in vms.items():
        await estate.ledger.update(vm, lambda record: replace(record, attachments=both))
        await estate.delete_vm(name)
    await hours(estate, 4)
    assert not exists(estate, "id-vm1")
    assert not exists(estate, "id-vm2")
    await it.assert_gone()


async def test_case_A10_a_use_that_comes_between_the_two_listings_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    await it.estate.delete_vm("vm1")
    await pass_time(it.estate, 10 * MINUTE)
    assert (exists(it.estate, "id-vm1"), it.estate.assignments()) == (True, [])
    green = await it.estate.create_vm("vm2", **it.block())
    await hours(it.estate, 4)
    assert attached(it.estate, green) == ["id-vm1"]
    entry = (await held(it.estate))[DELETION]
    assert entry.refusal.because is Because.IN_USE
    assert green.text in entry.refusal.reason


async def test_case_A10_of_a_machine_that_lives_on_the_role_stays_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    green = await it.estate.create_vm("vm2", **it.block())
    await patch(it.estate, it.vm, tags={})
    await hours(it.estate, 3)
    assert attached(it.estate, it.vm) == []
    await it.holding(green.text)


async def test_case_A10_unused_it_goes_with_its_role_after_the_two_listings(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    it.estate.azure.behaviour.resource_graph_lag_seconds = 2 * MINUTE
    await it.estate.delete_vm("vm1")
    await pass_time(it.estate, 7 * MINUTE)
    assert roles(it.estate, "id-vm1") == ["Reader"], "the listing showed it for two minutes"
    await pass_time(it.estate, 2 * MINUTE)
    assert roles(it.estate, "id-vm1") == []
    await pass_time(it.estate, 50 * MINUTE)
    assert exists(it.estate, "id-vm1")
    await hours(it.estate, 1)
    await it.assert_gone()


async def test_case_A10_a_machine_that_is_back_keeps_the_very_same_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    before = principal(it.estate, "id-vm1")
    await it.estate.delete_vm("vm1")
    await pass_time(it.estate, 40 * MINUTE)
    await it.estate.create_vm("vm1", tags={"env": "prod"})
    await hours(it.estate, 4)
    assert principal(it.estate, "id-vm1") == before
    assert roles(it.estate, "id-vm1") == ["Reader"]


# A11: in use where the app cannot read


async def test_case_A11_a_user_that_the_app_cannot_read_is_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    await unreadable(it)
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 4)
    await it.holding("1 more have it where Lanyard cannot read", "listAssociatedResources")


async def test_case_A11_what_is_read_and_what_is_not_are_told_apart(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    await unreadable(it)
    green = await it.estate.create_vm("vm2", **it.block())
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 2)
    await it.holding(green.text)
    await patch(it.estate, green, identity={"type": "None"})
    await hours(it.estate, 3)
    await it.holding("1 more have it where Lanyard cannot read")


async def test_case_A11_a_subscription_on_record_that_cannot_be_read_forbids_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    lost = await lose_a_subscription(it.estate, it.vm)
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 3)
    entry = (await held(it.estate))[DELETION]
    assert entry.refusal.because is Because.CANNOT_BE_ASKED
    assert f"lanyard offboard {lost}" in str(entry.refusal)
    assert it.identity.lower() in it.estate.azure.state.resources
    await it.estate.services.unread.take_off(lost)
    await hours(it.estate, 2)
    assert it.identity.lower() not in it.estate.azure.state.resources
    assert DELETION not in await held(it.estate)


# A12: another one now


async def made_again(it: Served) -> str:
    """A person deletes the identity and makes one of its name, with a role; its principal."""
    await identities(it.estate).user_assigned_identities.delete("rg-app", "id-vm1")
    made = await identities(it.estate).user_assigned_identities.create_or_update(
        "rg-app", "id-vm1", Identity(location="westeurope")
    )
    group = f"{it.estate.scope}/resourceGroups/rg-identities"
    it.estate.azure.assign(str(made.principal_id), "Contributor", group)
    return str(made.principal_id)


@pytest.mark.parametrize("heard", [True, False])
@pytest.mark.parametrize("between", [0.0, 10 * MINUTE, 3 * HOUR])
async def test_case_A12_one_that_a_person_made_under_its_name_stays_with_its_roles(
    monkeypatch: pytest.MonkeyPatch,
    heard: bool,
    between: float,
) -> None:
    it = await served(monkeypatch)
    theirs = await made_again(it)
    if not heard:
        it.estate.new_events()
    await pass_time(it.estate, between)
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 4)
    assert principal(it.estate, "id-vm1") == theirs
    assert roles(it.estate, "id-vm1") == ["Contributor"]
    record = await it.estate.ledger.resource(it.vm)
    assert record.dedicated == {}
    assert "it is another one now: kept" in [each for _, _, each in await it.estate.decisions()]


async def test_case_A12_one_that_is_made_again_after_the_machine_went(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    await it.estate.delete_vm("vm1")
    await pass_time(it.estate, 20 * MINUTE)
    theirs = await made_again(it)
    await hours(it.estate, 4)
    assert principal(it.estate, "id-vm1") == theirs
    assert roles(it.estate, "id-vm1") == ["Contributor"]


async def test_case_A12_one_that_lanyard_made_again_is_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    await identities(it.estate).user_assigned_identities.delete("rg-app", "id-vm1")
    await hours(it.estate, 1)
    assert roles(it.estate, "id-vm1") == ["Reader"]
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 4)
    await it.assert_gone()


async def test_case_A12_one_whose_making_was_cut_off_is_known_by_its_tags(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE))
    lost = Fault(method="PUT", path="id-vm1$", drop=Drop.AFTER, times=1)
    estate.azure.faults.add(lost)
    await estate.create_vm("vm1")
    await pass_time(estate, 10 * MINUTE)
    assert (lost.hits, roles(estate, "id-vm1")) == (1, ["Reader"])
    await estate.delete_vm("vm1")
    await hours(estate, 4)
    assert not exists(estate, "id-vm1")
    assert estate.assignments() == []


async def test_case_A12_one_whose_making_was_cut_off_and_that_a_replica_misses_is_lanyards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE))
    estate.azure.faults.add(Fault(method="PUT", path="id-vm1$", drop=Drop.AFTER))
    late = estate.azure.faults.add(
        Fault(method="GET", path="id-vm1$", status=404, code="ResourceNotFound", after=1)
    )
    await estate.create_vm("vm1")
    await pass_time(estate, 10 * MINUTE)
    assert (late.hits, roles(estate, "id-vm1")) == (1, ["Reader"])
    await estate.delete_vm("vm1")
    await hours(estate, 4)
    assert not exists(estate, "id-vm1")


async def test_case_A12_one_whose_making_was_cut_off_and_that_nothing_shows_yet_is_lanyards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE))
    estate.azure.behaviour.resource_graph_lag_seconds = 5 * MINUTE
    estate.azure.faults.add(Fault(method="PUT", path="id-vm1$", drop=Drop.AFTER))
    missed = Fault(
        method="GET", path="id-vm1$", status=404, code="ResourceNotFound", times=None,
        caller=estate.app.object_id,
    )  # fmt: skip
    estate.azure.faults.add(missed)
    vm = await estate.create_vm("vm1")
    await pass_time(estate, 45)
    assert missed.hits > 1
    estate.azure.faults.clear()
    await pass_time(estate, 10 * MINUTE)
    assert attached(estate, vm) == ["id-vm1"]
    assert await held(estate) == {}
    await estate.delete_vm("vm1")
    await hours(estate, 4)
    assert not exists(estate, "id-vm1")


@pytest.mark.parametrize("lost", [False, True], ids=["event", "event lost"])
@pytest.mark.parametrize("how", [Drop.AFTER, Drop.BEFORE])
@pytest.mark.parametrize("late", [0, 5], ids=["listed", "not listed yet"])
async def test_case_A12_one_whose_making_once_more_was_cut_off_is_lanyards(
    monkeypatch: pytest.MonkeyPatch, how: Drop, late: int, *, lost: bool
) -> None:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE))
    vm = await estate.create_vm("vm1")
    await pass_time(estate, MINUTE)
    cut = Fault(method="PUT", path="id-vm1$", drop=how, caller=estate.app.object_id)
    estate.azure.faults.add(cut)
    await delete_identity(estate, "id-vm1", "rg-app")
    if lost:
        estate.new_events()
    estate.azure.behaviour.resource_graph_lag_seconds = late * MINUTE
    await hours(estate, 2)
    assert cut.hits
    assert (attached(estate, vm), roles(estate, "id-vm1")) == (["id-vm1"], ["Reader"])
    assert await held(estate) == {}
    await estate.delete_vm("vm1")
    await hours(estate, 4)
    assert not exists(estate, "id-vm1")


async def test_what_azure_refused_to_make_is_asked_for_again_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE))
    busy = Fault(method="PUT", path="id-vm1$", status=429, code="TooManyRequests", retry_after=5)
    estate.azure.faults.add(busy)
    vm = await estate.create_vm("vm1")
    await pass_time(estate, 45)
    assert busy.hits
    assert attached(estate, vm) == ["id-vm1"]


async def test_case_A12_one_that_a_person_made_while_lanyard_was_at_it_is_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE))
    busy = estate.azure.faults.add(
        Fault(
            method="PUT",
            path="id-vm1$",
            caller=estate.app.object_id,
            status=503,
            code="x",
            times=None,
        )
    )
    vm = await estate.create_vm("vm1")
    await pass_time(estate, MINUTE)
    await identities(estate).user_assigned_identities.create_or_update(
        "rg-app", "id-vm1", Identity(location="westeurope")
    )
    busy.times = 0
    await hours(estate, 2)
    assert attached(estate, vm) == []
    assert "attach identity id-vm1" in await held(estate)
    await estate.delete_vm("vm1")
    await hours(estate, 4)
    assert exists(estate, "id-vm1")


# A13: names that begin alike


@pytest.mark.parametrize("longer", ["vm10", "vm1-db", "vm1_", "vm11"])
async def test_case_A13_a_machine_with_a_longer_name_is_no_user(
    monkeypatch: pytest.MonkeyPatch, longer: str
) -> None:
    it = await served(monkeypatch)
    other = await it.estate.create_vm(longer, tags={"env": "prod"})
    await pass_time(it.estate)
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 4)
    assert not exists(it.estate, "id-vm1")
    assert attached(it.estate, other) == [f"id-{longer}"]
    assert roles(it.estate, f"id-{longer}") == ["Reader"]
    assert await held(it.estate) == {}


async def test_case_A13_an_identity_below_another_one_of_its_name_is_no_user(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    await make_identity(it.estate, "id-vm1-of-people")
    block = it.block("id-vm1-of-people")
    text = str(block).replace("rg-app", "rg-identities")
    await it.estate.create_vm("vm2", **literal_eval(text))
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 4)
    await it.assert_gone()


# A26: federated credentials


@pytest.mark.parametrize("when", ["before", "between"])
async def test_case_A26_an_identity_with_a_federated_credential_stays(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    it = await served(monkeypatch)
    if when == "before":
        await trust(it)
    await it.estate.delete_vm("vm1")
    await pass_time(it.estate, MINUTE)
    if when == "between":
        await trust(it)
    await hours(it.estate, 4)
    await it.holding("federated credential pipeline")
    client = identities(it.estate).federated_identity_credentials
    await client.delete("rg-app", "id-vm1", "pipeline")
    await hours(it.estate, 3)
    await it.assert_gone()


async def test_case_A26_of_a_machine_that_lives_on(monkeypatch: pytest.MonkeyPatch) -> None:
    it = await served(monkeypatch)
    await trust(it)
    await patch(it.estate, it.vm, tags={})
    await hours(it.estate, 3)
    assert attached(it.estate, it.vm) == []
    await it.holding("federated credential pipeline")


# What cannot be asked.

ASSOCIATED, CREDENTIALS = "listAssociatedResources", "federatedIdentityCredentials"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (403, "AuthorizationFailed"),
        (404, "InvalidResourceType"),
        (400, "NoRegisteredProviderFound"),
        (400, "TooManySubscriptions"),
    ],
)
@pytest.mark.parametrize("operation", [ASSOCIATED, CREDENTIALS])
async def test_case_A11_where_one_cannot_be_asked_it_is_held_and_says_which(
    monkeypatch: pytest.MonkeyPatch, operation: str, status: int, code: str
) -> None:
    it = await served(monkeypatch)
    refused = it.estate.azure.faults.add(
        Fault(path=f"{operation}$", status=status, code=code, times=None)
    )
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 4)
    await it.holding(f"{operation} cannot be asked", code)
    assert (await held(it.estate))[DELETION].refusal.because is Because.CANNOT_BE_ASKED
    assert refused.hits < 20
    refused.times = 0
    await hours(it.estate, 3)
    await it.assert_gone()


@pytest.mark.parametrize(
    "operation", [ASSOCIATED, CREDENTIALS, "Microsoft.ResourceGraph/resources"]
)
async def test_case_A11_what_fails_for_a_while_only_delays(
    monkeypatch: pytest.MonkeyPatch, operation: str
) -> None:
    it = await served(monkeypatch)
    until = it.estate.azure.clock.now() + 30 * MINUTE
    it.estate.azure.faults.add(
        Fault(path=f"{operation}$", status=503, code="x", times=None, until=until)
    )
    await it.estate.delete_vm("vm1")
    await pass_time(it.estate, 29 * MINUTE)
    assert (exists(it.estate, "id-vm1"), roles(it.estate, "id-vm1")) == (True, ["Reader"])
    await hours(it.estate, 4)
    await it.assert_gone()


@pytest.mark.parametrize(
    "answer", [ResourceGraphAnswer.EMPTY, ResourceGraphAnswer.HALF, ResourceGraphAnswer.TRUNCATED]
)
async def test_case_A10_a_listing_without_the_identity_itself_does_not_count(
    monkeypatch: pytest.MonkeyPatch, answer: ResourceGraphAnswer
) -> None:
    it = await served(monkeypatch)
    behaviour = it.estate.azure.behaviour
    behaviour.resource_graph_answer = answer
    behaviour.resource_graph_answer_tables = {"resources"}
    await it.estate.delete_vm("vm1")
    await pass_time(it.estate, 20 * MINUTE)
    assert (exists(it.estate, "id-vm1"), roles(it.estate, "id-vm1")) == (True, ["Reader"])
    behaviour.resource_graph_answer = ResourceGraphAnswer.FULL
    await hours(it.estate, 4)
    await it.assert_gone()


async def test_case_A11_a_hundred_that_are_due_at_once_ask_one_after_the_other(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=AT_ONCE, per_hour=1000))
    for number in range(20):
        await estate.create_vm(f"vm{number}")
    await pass_time(estate)
    estate.azure.behaviour.throttling = True
    for number in range(20):
        await estate.delete_vm(f"vm{number}")
    await hours(estate, 5)
    assert [each for each in estate.azure.state.resources if "/id-vm" in each] == []
    assert [each for _, each, _ in await estate.decisions() if each == "failed"] == []
