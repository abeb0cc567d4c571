"""Cases of resources that move: the record moves with them, and what no rule wants at the new place
goes by the same rules as anywhere.
"""

from dataclasses import replace
from typing import Any

import pytest
from azure.mgmt.resource.resources.aio import ResourceManagementClient
from azure.mgmt.resource.resources.models import ResourcesMoveInfo

from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from simulator.behaviour import ResourceGraphAnswer
from simulator.faults import Fault
from tests.support.any_resource import client
from tests.support.bad_parts import refuse
from tests.support.cases import (
    HOUR,
    MINUTE,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    create,
    delete,
    held,
    hours,
    identity_id,
    look,
    own,
    pass_time,
    patch,
    resource_id,
    roles,
    sweep,
    version,
)
from tests.support.compute_examples import CONTAINER_APP, JOB, MACHINE, SITE, SLOT, Example
from tests.support.estate import Estate

TYPES = pytest.mark.parametrize("made", [MACHINE, SITE, CONTAINER_APP, JOB], ids=str)
SEEN = pytest.mark.parametrize("lost", [False, True], ids=["events", "events lost"])


def groups_of(estate: Estate, subscription: str = "") -> ResourceManagementClient:
    return ResourceManagementClient(
        subscription_id=subscription or estate.subscription,
        **estate.azure.client_options(estate.operator),
    )


async def make_group(estate: Estate, name: str, subscription: str = "") -> None:
    groups = groups_of(estate, subscription).resource_groups
    await groups.create_or_update(name, {"location": "westeurope"})


async def move(
    estate: Estate, resource: ResourceId, group: str, *, lost: bool = False
) -> ResourceId:
    """Into another group, as ARM moves it; returns its new id."""
    await make_group(estate, group)
    await pass_time(estate)
    await begin_move(estate, resource, group)
    if lost:
        estate.new_events()
    return ResourceId.parse(
        resource.text.replace("/resourceGroups/rg-app/", f"/resourceGroups/{group}/")
    )


async def begin_move(
    estate: Estate, resource: ResourceId, group: str, subscription: str = ""
) -> None:
    """Until it is done; its events are not delivered yet."""
    target = f"/subscriptions/{subscription or estate.subscription}/resourceGroups/{group}"
    wanted = ResourcesMoveInfo(resources=[resource.text], target_resource_group=target)
    poller = await groups_of(estate).resources.begin_move_resources(
        resource.resource_group, wanted, polling_interval=1
    )
    await poller.result()


def scoped(estate: Estate, policy: Rules, *groups: str) -> str:
    """The policy for resources of these groups only."""
    scopes = ", ".join(f"{estate.scope}/resourceGroups/{group}" for group in groups)
    return replace(policy, match=f"scopes: [{scopes}]").text(estate.subscription)


@TYPES
@SEEN
async def test_case_B12_what_was_attached_goes_where_no_rule_is_for_the_new_place(
    monkeypatch: pytest.MonkeyPatch, made: Example, lost: bool
) -> None:
    policy = Rules(type=made.type, grace_minutes=10)
    estate = await begun(monkeypatch, policy, "id-old")
    await adopt(estate, scoped(estate, policy, "rg-app"))
    resource = await create(estate, made)
    await pass_time(estate)
    assert attached(estate, resource) == ["id-old"]
    moved = await move(estate, resource, "rg-other", lost=lost)
    await sweep(estate)
    await pass_time(estate, 5 * MINUTE)
    assert (attached(estate, moved), roles(estate, "id-old")) == (["id-old"], ["Reader"]), "grace"
    await hours(estate, 2)
    assert (attached(estate, moved), roles(estate, "id-old")) == ([], [])
    assert (await estate.ledger.resource(resource)).row is None


@TYPES
async def test_case_B12_a_listing_that_is_nearly_five_minutes_late_is_waited_for(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    policy = Rules(type=made.type)
    estate = await begun(monkeypatch, policy, "id-old")
    await adopt(estate, scoped(estate, policy, "rg-app"))
    resource = await create(estate, made)
    await pass_time(estate, HOUR)
    estate.azure.behaviour.resource_graph_lag_seconds = 4.8 * MINUTE
    moved = await move(estate, resource, "rg-other")
    await hours(estate, 2)
    assert (attached(estate, moved), roles(estate, "id-old")) == ([], [])


async def test_case_B12_what_a_listing_hid_at_first_is_followed_when_it_shows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = Rules(grace_minutes=10)
    estate = await begun(monkeypatch, policy, "id-old")
    await adopt(estate, scoped(estate, policy, "rg-app"))
    machine = await create(estate, MACHINE)
    await pass_time(estate)
    # Not a sign of it: an answer that is whole, as far as it says.
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.EMPTY
    moved = await move(estate, machine, "rg-other")
    await pass_time(estate, 5 * MINUTE)
    assert attached(estate, moved) == ["id-old"]
    estate.azure.behaviour.resource_graph_answer = ResourceGraphAnswer.FULL
    await hours(estate, 2)
    assert (attached(estate, moved), roles(estate, "id-old")) == ([], [])
    assert (await estate.ledger.resource(machine)).row is None


@TYPES
async def test_case_B12_what_a_rule_is_for_at_the_new_place_too_stays(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    policy = Rules(type=made.type)
    estate = await begun(monkeypatch, policy, "id-old")
    resource = await create(estate, made)
    await pass_time(estate)
    moved = await move(estate, resource, "rg-other")
    await pass_time(estate, HOUR)
    await sweep(estate)
    assert attached(estate, moved) == ["id-old"]
    assert [scope.rpartition("/")[2] for _, scope, _ in estate.assignments()] == ["rg-other"]
    await adopt(estate, scoped(estate, policy, "rg-app"))
    await hours(estate, 1)
    assert attached(estate, moved) == [], "it was attached by Lanyard, before the move"


@TYPES
async def test_case_B12_what_was_moved_there_and_back_is_the_same(
    monkeypatch: pytest.MonkeyPatch, made: Example
) -> None:
    """Its events come when it is back."""
    policy = Rules(type=made.type, match="tags: {env: prod}")
    estate = await begun(monkeypatch, policy, "id-old")
    resource = await create(estate, made, tags={"env": "prod"})
    await pass_time(estate, HOUR)
    await make_group(estate, "rg-other")
    there = ResourceId.parse(resource.text.replace("/rg-app/", "/rg-other/"))
    await begin_move(estate, resource, "rg-other")
    await begin_move(estate, there, "rg-app")
    await pass_time(estate, HOUR)
    assert attached(estate, resource) == ["id-old"]
    await patch(estate, resource, tags={})
    await hours(estate, 2)
    assert (attached(estate, resource), roles(estate, "id-old")) == ([], [])


async def test_case_B17_an_identity_of_its_own_is_that_of_where_it_is_now(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = Rules(identity=own(), options={"imdsDefault": "accept"})
    estate = await begun(monkeypatch, policy)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    (before,) = estate.azure.state.resources[vm.key].identity["userAssignedIdentities"]  # type: ignore[index]
    moved = await move(estate, vm, "rg-other")
    await pass_time(estate, HOUR)
    await hours(estate, 30)
    (after,) = estate.azure.state.resources[moved.key].identity["userAssignedIdentities"]  # type: ignore[index]
    assert "/resourcegroups/rg-other/" in after.lower()
    assert before.lower() not in estate.azure.state.resources, "it went by the rules for deleting"


@pytest.mark.parametrize("wanted", [True, False], ids=["wanted", "wanted no more"])
async def test_case_B17_who_moves_back_has_the_identity_of_its_first_place_again(
    monkeypatch: pytest.MonkeyPatch, wanted: bool
) -> None:
    estate = await begun(monkeypatch, Rules(identity=own(), options={"imdsDefault": "accept"}))
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    ((mine, made),) = (await estate.ledger.resource(vm)).dedicated.items()
    there = await move(estate, vm, "rg-other")
    await hours(estate, 1)
    if not wanted:
        await adopt(estate, NOTHING)
    await begin_move(estate, there, "rg-app")
    await hours(estate, 30)
    assert (mine.key in estate.azure.state.resources) is wanted
    if wanted:
        known = (await estate.ledger.resource(vm)).dedicated[mine]
        assert (known.principal, known.owner) == (made.principal, "")


@pytest.mark.parametrize("when", ["before it moves", "as it moves"])
async def test_case_A28_an_excluded_machine_that_moves_keeps_the_identity_of_its_own(
    monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """That of the new place is not for it; once it is, the first one goes as of any that moved."""
    policy = Rules(
        identity=own(),
        match="exclude: {tags: {lanyard: ignore}}",
        options={"imdsDefault": "accept"},
    )
    estate = await begun(monkeypatch, policy)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    (first,) = (await estate.ledger.resource(vm)).attachments
    if when == "before it moves":
        await patch(estate, vm, tags={"lanyard": "ignore"})
        await pass_time(estate, HOUR)
    else:
        estate.azure.state.resources[vm.key].tags = {"lanyard": "ignore"}
    moved = await move(estate, vm, "rg-other")
    await hours(estate, 30)
    assert list((await estate.ledger.resource(moved)).attachments) == [first]
    assert (attached(estate, moved), roles(estate, "id-vm1")) == (["id-vm1"], ["Reader"])
    assert (await estate.sweeps.run()).drifted == 0
    await patch(estate, moved, tags={})
    await hours(estate, 30)
    assert list((await estate.ledger.resource(moved)).attachments) != [first]
    assert first.key not in estate.azure.state.resources


async def moved_outside(
    monkeypatch: pytest.MonkeyPatch, *, served: bool = False
) -> tuple[Estate, ResourceId, ResourceId]:
    """A machine that is moved to another subscription, which the app can read only; or, with
    `served`, where it may write and has served another machine.
    """
    estate = await begun(monkeypatch, NOTHING, "id-old")
    azure, other = estate.azure, estate.azure.state.add_subscription("other").id
    scope = f"/subscriptions/{other}"
    azure.assign(estate.operator.object_id, "Owner", scope)
    azure.assign(estate.app.object_id, "Owner" if served else "Reader", scope)
    rule = Rules(match=f"scopes: [{estate.scope}/resourceGroups/rg-app, {scope}/resourceGroups/rg]")
    await adopt(estate, rule)
    vm = await estate.create_vm("vm1")
    if served:
        await make_group(estate, "rg", other)
        there = vm.text.replace(estate.scope, scope).replace("/rg-app/", "/rg/")
        await put(estate, ResourceId.parse(there.replace("vm1", "vm2")), MACHINE)
        await sweep(estate)
    await pass_time(estate, HOUR)
    await make_group(estate, "rg-other", other)
    await begin_move(estate, vm, "rg-other", other)
    await hours(estate, 3)
    text = vm.text.replace(estate.scope, scope).replace("/rg-app/", "/rg-other/")
    return estate, vm, ResourceId.parse(text)


async def test_case_B12_found_in_a_subscription_that_is_not_watched_it_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm, there = await moved_outside(monkeypatch)
    entry = (await held(estate))["move its record"]
    assert (entry.resource, entry.refusal.because) == (vm, Because.MOVED)
    assert entry.refusal.reason.startswith(f"it moved to {there}")
    assert (attached(estate, there), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    await estate.services.held.dismiss(entry.full_id, "ann")
    await hours(estate, 2)
    assert roles(estate, "id-old") == ["Reader"], "left as it is"
    await estate.services.held.release(entry.full_id, "ann")
    await hours(estate, 2)
    assert roles(estate, "id-old") == [], "its record is there, and no rule wants it"
    assert await held(estate) == {}


async def test_case_B12_found_in_another_subscription_that_is_served_it_is_followed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, _, there = await moved_outside(monkeypatch, served=True)
    assert (attached(estate, there), await held(estate)) == ([], {})
    scopes = [scope.rpartition("/")[2] for _, scope, _ in estate.assignments()]
    assert scopes.count("rg-app") == 0


async def test_case_B12_a_replica_that_does_not_know_the_new_place_yet_is_waited_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = Rules()
    estate = await begun(monkeypatch, policy, "id-old")
    await adopt(estate, scoped(estate, policy, "rg-app"))
    vm = await estate.create_vm("vm1")
    await pass_time(estate, HOUR)
    missed = Fault(
        method="GET", path="rg-other/.*/vm1$", status=404, code="ResourceNotFound", times=3
    )
    estate.azure.faults.add(missed)
    moved = await move(estate, vm, "rg-other")
    await hours(estate, 2)
    assert (attached(estate, moved), roles(estate, "id-old")) == ([], [])


async def unread(monkeypatch: pytest.MonkeyPatch) -> tuple[Estate, ResourceId, Fault]:
    """A machine that moved to where the app may not read it, and the fault that keeps it so."""
    policy = Rules()
    estate = await begun(monkeypatch, policy, "id-old")
    await adopt(estate, scoped(estate, policy, "rg-app"))
    vm = await estate.create_vm("vm1")
    await pass_time(estate, HOUR)
    fault = refuse(estate, "rg-other/.*/vm1$")
    moved = await move(estate, vm, "rg-other")
    await hours(estate, 2)
    (entry,) = (await held(estate)).values()
    assert entry.refusal.because is Because.MOVED
    assert "403 AuthorizationFailed" in entry.refusal.reason
    assert (attached(estate, moved), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    return estate, moved, fault


async def test_case_C01_a_place_that_cannot_be_read_keeps_what_may_have_moved_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, moved, fault = await unread(monkeypatch)
    await hours(estate, 46)
    met = fault.hits
    await hours(estate, 24)
    assert fault.hits - met <= 2, "the message about where it was, and the one about where it is"
    assert roles(estate, "id-old") == ["Reader"]
    estate.azure.faults.clear()
    await hours(estate, 26)
    assert (attached(estate, moved), roles(estate, "id-old"), await held(estate)) == ([], [], {})


async def test_case_C01_who_dismisses_it_says_that_it_is_another_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, moved, _ = await unread(monkeypatch)
    (entry,) = (await held(estate)).values()
    await estate.services.held.dismiss(entry.full_id, "ann")
    await hours(estate, 3)
    assert (attached(estate, moved), roles(estate, "id-old")) == (["id-old"], [])


async def test_case_B17_who_takes_the_place_of_what_moved_has_its_identity(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is no longer needed once that one is gone, not since the other moved."""
    estate = await begun(monkeypatch, Rules(identity=own(24), options={"imdsDefault": "accept"}))
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    moved = await move(estate, vm, "rg-other")
    await pass_time(estate, 10 * MINUTE)
    await estate.create_vm("vm1")
    await hours(estate, 30)
    (mine,) = (await estate.ledger.resource(vm)).dedicated
    assert mine not in (await estate.ledger.resource(moved)).dedicated
    assert attached(estate, vm) == attached(estate, moved) == ["id-vm1"]
    assert await held(estate) == {}
    await estate.delete_vm("vm1")
    await hours(estate, 22)
    assert mine.key in estate.azure.state.resources, "deleteAfterHours: 24"
    await hours(estate, 6)
    assert mine.key not in estate.azure.state.resources


async def test_case_B12_a_slot_of_another_app_is_not_the_one_that_went(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(type=SLOT.type, match="tags: {env: prod}"), "id-old")
    theirs, mine = [
        await create_in(estate, replace(SITE, names=(app,)), replace(SLOT, names=(app, "staging")))
        for app in "ba"
    ]
    await patch(estate, theirs, identity=shared(estate))
    await patch(estate, mine, tags={"env": "prod"})
    await pass_time(estate, HOUR)
    assert attached(estate, mine) == ["id-old"]
    await delete(estate, mine)
    await hours(estate, 2)
    assert attached(estate, theirs) == ["id-old"], "a person attached it"
    assert await held(estate) == {}


async def create_in(estate: Estate, *made: Example) -> ResourceId:
    """The last of these, in the ones before it."""
    for each in made:
        found = resource_id(estate, each)
        await put(estate, found, each)
    return found


async def put(estate: Estate, resource: ResourceId, made: Example, **more: Any) -> None:
    poller = await client(estate).resources.begin_create_or_update_by_id(
        resource.text, {**made.body, **more}, api_version=version(resource), polling_interval=1
    )
    await poller.result()


def shared(estate: Estate) -> dict[str, Any]:
    """An identity block, as a person or a template gives it."""
    name = identity_id(estate.subscription, "id-old")
    return {"type": "UserAssigned", "userAssignedIdentities": {name: {}}}


MADE_ELSEWHERE = "move its record"


async def made_elsewhere(
    monkeypatch: pytest.MonkeyPatch, **block: Any
) -> tuple[Estate, ResourceId, ResourceId]:
    """A site that was deleted and made again in another group; both ids."""
    policy = Rules(type=SITE.type)
    estate = await begun(monkeypatch, policy, "id-old")
    await adopt(estate, scoped(estate, policy, "rg-app"))
    site = await create(estate, SITE, **block)
    await pass_time(estate, HOUR)
    await make_group(estate, "rg-other")
    there = ResourceId.parse(site.text.replace("/rg-app/", "/rg-other/"))
    await delete(estate, site)
    template = {"type": "SystemAssigned, UserAssigned"} if block else {}
    await put(estate, there, SITE, identity={**shared(estate), **template})
    await hours(estate, 3)
    assert attached(estate, there) == ["id-old"], "its template has it"
    return estate, site, there


async def test_case_B12_what_only_its_identities_show_to_be_the_same_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, site, there = await made_elsewhere(monkeypatch)
    entry = (await held(estate))[MADE_ELSEWHERE]
    assert (entry.resource, entry.refusal.because) == (site, Because.MOVED)
    assert str(there) in entry.refusal.reason
    assert roles(estate, "id-old") == ["Reader"], "nothing of its record is given up"


async def test_case_B12_who_releases_it_says_that_it_is_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, site, there = await made_elsewhere(monkeypatch)
    await estate.services.held.release((await held(estate))[MADE_ELSEWHERE].full_id, "ann")
    await look(estate, site)
    await hours(estate, 1)
    assert (attached(estate, there), roles(estate, "id-old"), await held(estate)) == ([], [], {})


async def test_case_B12_who_dismisses_it_says_that_it_is_another_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, site, there = await made_elsewhere(monkeypatch)
    await estate.services.held.dismiss((await held(estate))[MADE_ELSEWHERE].full_id, "ann")
    await look(estate, site)
    await hours(estate, 1)
    assert (attached(estate, there), roles(estate, "id-old")) == (["id-old"], [])
    assert await held(estate) == {}
    assert (await estate.ledger.resource(site)).row is None


async def test_case_B12_another_principal_of_its_own_is_another_site(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, site, _ = await made_elsewhere(monkeypatch, identity={"type": "SystemAssigned"})
    assert await held(estate) == {}
    assert (await estate.ledger.resource(site)).row is None
