"""One look at Azure that lies, in the middle of many that do not: it takes nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lanyard.values.compute import ComputeResource, Identity, ManagedIdentity
from simulator.faults import Fault
from tests.support.cases import (
    HOUR,
    MINUTE,
    Rules,
    attached,
    begun,
    create,
    exists,
    held,
    hours,
    identity_id,
    look,
    own,
    pass_time,
    patch,
    principal,
    roles,
)
from tests.support.compute_examples import CLUSTER
from tests.support.estate import Estate
from tests.support.own_identity import Served, served, trust, unreadable

OTHER = "00000000-0000-0000-0000-111111111111"


def lie(
    monkeypatch: pytest.MonkeyPatch,
    port: Any,
    name: str,
    answer: Callable[[Any], Any],
    which: Callable[[int], bool] = lambda number: number == 1,
) -> list[int]:
    """`answer(the true one)` in place of those answers of a port; what is returned grows with
    each. Answers that would be the same are true, and not counted.
    """
    real, lies, asked = getattr(type(port), name), list[int](), list[int]()

    async def lying(self: Any, *args: Any, **more: Any) -> Any:
        true = await real(self, *args, **more)
        if true is None or (false := answer(true)) == true:
            return true
        asked.append(len(asked) + 1)
        if not which(asked[-1]):
            return true
        lies.append(asked[-1])
        return false

    monkeypatch.setattr(type(port), name, lying)
    return lies


def another(true: ManagedIdentity) -> ManagedIdentity:
    """One that had its name before."""
    return replace(true, principal_id=OTHER)


def one_404(estate: Estate, path: str, code: str) -> Fault:
    """ARM answers the app so, once."""
    fault = Fault(
        method="GET", path=path, status=404, code=code, times=1, caller=estate.app.object_id
    )
    return estate.azure.faults.add(fault)


def no_assignment(estate: Estate) -> Fault:
    """… for any role assignment by its name."""
    return one_404(estate, "roleAssignments/[^/]+$", "RoleAssignmentNotFound")


def having(estate: Estate, *names: str) -> dict[str, Any]:
    """An identity block of people's identities."""
    these: dict[str, Any] = {identity_id(estate.subscription, name): {} for name in names}
    return {"type": "UserAssigned", "userAssignedIdentities": these}


async def unused(monkeypatch: pytest.MonkeyPatch) -> Served:
    """An identity whose machine is gone."""
    it = await served(monkeypatch)
    await it.estate.delete_vm("vm1")
    return it


async def test_case_A26_one_other_body_takes_no_role_that_somebody_uses(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await served(monkeypatch)
    await it.estate.create_vm("vm2", **it.block())
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 1)
    lies = lie(monkeypatch, it.estate.services.identities, "details", another)
    await hours(it.estate, 3)
    assert lies
    assert roles(it.estate, "id-vm1") == ["Reader"]
    assert "delete identity id-vm1" in await held(it.estate)


async def test_case_A26_another_one_for_good_takes_no_role_that_is_shown_in_use(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Resource Graph shows the principal of the one on record, on a machine that lives."""
    it = await served(monkeypatch)
    green = await it.estate.create_vm("vm2", **it.block())
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 1)
    lie(monkeypatch, it.estate.services.identities, "details", another, lambda _number: True)
    await hours(it.estate, 3)
    assert roles(it.estate, "id-vm1") == ["Reader"]
    reasons = {entry.refusal.reason for entry in (await held(it.estate)).values()}
    assert reasons == {f"{green} has it, too"}


@pytest.mark.parametrize("before", [20 * MINUTE, 58 * MINUTE], ids=["early", "at the deletion"])
@pytest.mark.parametrize("second", [False, True], ids=["look", "look right before"])
async def test_case_A26_one_other_body_does_not_have_it_forgotten(
    monkeypatch: pytest.MonkeyPatch, before: float, *, second: bool
) -> None:
    it = await unused(monkeypatch)
    await pass_time(it.estate, before)
    lies = lie(
        monkeypatch,
        it.estate.services.identities,
        "details",
        another,
        lambda number: number == 1 + second,
    )
    await hours(it.estate, 4)
    assert lies
    await it.assert_gone()


async def test_case_A26_one_true_body_between_others_does_not_have_it_deleted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Who uses it is not asked of another one: so nothing is deleted by the look right before."""
    it = await unused(monkeypatch)
    await pass_time(it.estate, 20 * MINUTE)
    await trust(it)
    lie(monkeypatch, it.estate.services.identities, "details", another, lambda number: number < 3)
    await hours(it.estate, 4)
    assert exists(it.estate, "id-vm1")


@pytest.mark.parametrize("what", ["associated", "federated"])
async def test_case_A26_one_empty_answer_of_who_uses_it_deletes_nothing(
    monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    it = await served(monkeypatch)
    await (unreadable(it) if what == "associated" else trust(it))
    await it.estate.delete_vm("vm1")
    await hours(it.estate, 2)
    await it.holding()
    lies = lie(
        monkeypatch,
        it.estate.services.identities,
        what,
        lambda true: 0 if what == "associated" else type(true)(),
    )
    await hours(it.estate, 2)
    assert lies
    assert exists(it.estate, "id-vm1")
    assert roles(it.estate, "id-vm1") == ["Reader"]


async def sharing(monkeypatch: pytest.MonkeyPatch) -> Estate:
    """Two machines that have an identity; nobody has heard of the second."""
    estate = await begun(monkeypatch, Rules(identity="id-old"), "id-old")
    await estate.create_vm("vm1")
    await pass_time(estate)
    await estate.create_vm("vm2", identity=having(estate, "id-old"))
    estate.new_events()
    return estate


async def test_case_A24_one_404_of_a_living_machine_takes_no_role_that_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await sharing(monkeypatch)
    fault = one_404(estate, "virtualMachines/vm2$", "ResourceNotFound")
    await estate.delete_vm("vm1")
    await pass_time(estate, 30 * MINUTE)
    assert fault.hits
    assert roles(estate, "id-old") == ["Reader"]
    assert not (await estate.ledger.resource(estate.vm_id("vm2"))).life.missing
    await estate.delete_vm("vm2")
    await pass_time(estate, 30 * MINUTE)
    assert roles(estate, "id-old") == []


async def test_case_A24_what_needs_it_by_a_listing_and_is_gone_holds_nothing_up_for_long(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nor is anything left on record of what was never seen."""
    estate = await sharing(monkeypatch)
    await pass_time(estate, HOUR)
    estate.azure.behaviour.resource_graph_lag_seconds = 20 * MINUTE
    await estate.delete_vm("vm2")
    estate.new_events()  # lost
    await estate.delete_vm("vm1")
    await pass_time(estate, 15 * MINUTE)
    assert roles(estate, "id-old") == ["Reader"]
    await hours(estate, 2)
    assert roles(estate, "id-old") == []
    assert [one.id async for one in estate.ledger.records([])] == []


async def test_case_A24_a_404_of_an_assignment_before_it_was_claimed_again_is_none_of_two(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity="id-old"), "id-old")
    await estate.create_vm("vm1")
    await pass_time(estate)

    first = no_assignment(estate)
    await estate.delete_vm("vm1")
    await pass_time(estate, 10)
    assert (first.hits > 0, roles(estate, "id-old")) == (True, ["Reader"])
    estate.azure.faults.clear()
    await estate.create_vm("vm1")
    await hours(estate, 5)
    second = no_assignment(estate)
    await estate.delete_vm("vm1")
    await pass_time(estate, 30 * MINUTE)
    assert second.hits
    assert roles(estate, "id-old") == []


async def test_case_A24_one_empty_identity_block_does_not_make_ours_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rules = Rules(identity="id-old", match="tags: {env: prod}")
    estate = await begun(monkeypatch, rules, "id-old")
    vm = await estate.create_vm("vm1", tags={"env": "prod"})
    await hours(estate, 1)
    assert attached(estate, vm) == ["id-old"]
    lies = lie(
        monkeypatch,
        estate.services.compute,
        "read",
        lambda true: replace(true, identity=Identity()),
    )
    await look(estate, vm)
    await hours(estate, 1)
    assert lies
    await patch(estate, vm, tags={})
    await hours(estate, 2)
    assert attached(estate, vm) == []
    assert roles(estate, "id-old") == []


PROD = {"env": "prod"}
TAGGED = Rules(identity="id-old", match="tags: {env: prod}", grace_minutes=10)


@pytest.mark.parametrize("keeps", [0, 24])
@pytest.mark.parametrize("what", ["associated", "federated"])
async def test_case_A26_a_use_since_the_first_look_is_seen_by_the_second_of_two(
    monkeypatch: pytest.MonkeyPatch, what: str, keeps: int
) -> None:
    rules = Rules(identity=own(keeps), match="tags: {env: prod}")
    estate = await begun(monkeypatch, rules)
    it = Served(estate, await estate.create_vm("vm1", tags=PROD))
    await pass_time(estate)
    await estate.delete_vm("vm1")
    await pass_time(estate, 20 * MINUTE)
    await (unreadable(it) if what == "associated" else trust(it))
    lies = lie(
        monkeypatch,
        estate.services.identities,
        what,
        lambda true: 0 if what == "associated" else type(true)(),
    )
    await hours(estate, 3 + keeps)
    assert lies
    assert exists(estate, "id-vm1")
    assert "delete identity id-vm1" in await held(estate)


@pytest.mark.parametrize("since", [5 * MINUTE, 40 * MINUTE], ids=["role", "identity"])
async def test_case_A26_the_same_on_a_machine_that_lives(
    monkeypatch: pytest.MonkeyPatch, since: float
) -> None:
    rules = Rules(identity=own(0), match="tags: {env: prod}", grace_minutes=10)
    estate = await begun(monkeypatch, rules)
    it = Served(estate, await estate.create_vm("vm1", tags=PROD))
    await pass_time(estate)
    await patch(estate, it.vm, tags={})
    await pass_time(estate, since)
    await trust(it)
    before = roles(estate, "id-vm1")
    lies = lie(monkeypatch, estate.services.identities, "federated", lambda true: type(true)())
    await hours(estate, 3)
    assert lies
    assert exists(estate, "id-vm1")
    assert roles(estate, "id-vm1") == before


async def test_case_A26_a_credential_that_a_replica_lists_late_is_seen(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    it = await unused(monkeypatch)
    await pass_time(it.estate, 58 * MINUTE)
    await trust(it)
    late = it.estate.azure.clock.now() + 4 * MINUTE
    lie(
        monkeypatch,
        it.estate.services.identities,
        "federated",
        lambda true: type(true)(),
        lambda _number: it.estate.azure.clock.now() < late,
    )
    await hours(it.estate, 3)
    assert exists(it.estate, "id-vm1")


async def test_case_A09_one_404_has_nobodys_assignment_written_over(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A person made it theirs by its description, and Lanyard left it to them."""
    estate = await begun(monkeypatch, TAGGED, "id-old")
    await estate.create_vm("vm1", tags=PROD)
    await hours(estate, 1)
    (theirs,) = [
        each
        for each in estate.azure.state.role_assignments.values()
        if each.principal_id == principal(estate, "id-old")
    ]
    theirs.description = "owned by the storage team"
    await estate.delete_vm("vm1")
    await hours(estate, 2)
    fault = no_assignment(estate)
    await estate.create_vm("vm2", tags=PROD)
    await hours(estate, 1)
    assert fault.hits
    assert theirs.description == "owned by the storage team"
    await estate.delete_vm("vm2")
    await hours(estate, 2)
    assert roles(estate, "id-old") == ["Reader"]


async def unheard_of(monkeypatch: pytest.MonkeyPatch, grace: int) -> Estate:
    """Two machines need a role; nobody has heard of the second."""
    estate = await begun(monkeypatch, replace(TAGGED, grace_minutes=grace), "id-old")
    await estate.create_vm("vm1", tags=PROD)
    await pass_time(estate)
    await estate.create_vm("vm2", tags=PROD, identity=having(estate, "id-old"))
    estate.new_events()
    return estate


OLD_BODIES: dict[str, Callable[[ComputeResource], ComputeResource]] = {
    "no tags": lambda true: replace(true, tags={}),
    "no identity": lambda true: replace(true, identity=Identity()),
}


@pytest.mark.parametrize("grace", [0, 10])
@pytest.mark.parametrize("how", OLD_BODIES)
async def test_case_A25_one_old_body_of_who_needs_it_takes_no_role(
    monkeypatch: pytest.MonkeyPatch, how: str, grace: int
) -> None:
    estate = await unheard_of(monkeypatch, grace)
    lies = lie(
        monkeypatch,
        estate.services.compute,
        "read",
        lambda true: OLD_BODIES[how](true) if true.id.name == "vm2" else true,
    )
    await estate.delete_vm("vm1")
    await pass_time(estate, 40 * MINUTE)
    assert lies
    assert roles(estate, "id-old") == ["Reader"]


async def test_case_A25_one_empty_listing_of_who_needs_it_takes_no_role(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await unheard_of(monkeypatch, 10)
    lies = lie(monkeypatch, estate.services.index, "showing", lambda true: type(true)())
    await estate.delete_vm("vm1")
    await pass_time(estate, 40 * MINUTE)
    assert lies
    assert roles(estate, "id-old") == ["Reader"]


async def test_case_A25_a_tag_that_is_off_while_nobody_claims_it_takes_no_role(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await unheard_of(monkeypatch, 10)
    await estate.delete_vm("vm1")
    await pass_time(estate, 9.5 * MINUTE)
    await patch(estate, estate.vm_id("vm2"), tags={})
    estate.new_events()
    await pass_time(estate, 2 * MINUTE)
    assert roles(estate, "id-old") == ["Reader"]


async def test_case_A24_what_a_listing_never_drops_is_held_after_a_day(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, TAGGED, "id-old")
    await estate.create_vm("vm1", tags=PROD)
    await hours(estate, 1)
    estate.azure.behaviour.resource_graph_lag_seconds = 90 * 24 * HOUR
    await estate.delete_vm("vm1")
    await hours(estate, 20)
    assert await held(estate) == {}
    await hours(estate, 20)
    assert roles(estate, "id-old") == ["Reader"]
    (entry,) = (await held(estate)).values()
    assert entry.refusal.reason.endswith("for a day, and Resource Graph shows it")
    estate.azure.behaviour.resource_graph_lag_seconds = 0.0
    await hours(estate, 3)
    assert (roles(estate, "id-old"), await held(estate)) == ([], {})


async def test_case_A24_so_is_a_role_that_such_a_row_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await unheard_of(monkeypatch, 10)
    await pass_time(estate, HOUR)
    estate.azure.behaviour.resource_graph_lag_seconds = 90 * 24 * HOUR
    await estate.delete_vm("vm2")
    estate.new_events()
    await estate.delete_vm("vm1")
    estate.azure.state.resources.pop(estate.vm_id("vm1").key, None)
    await hours(estate, 30)
    assert roles(estate, "id-old") == ["Reader"]
    assert await held(estate)


async def test_case_A12_one_empty_block_does_not_make_theirs_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, TAGGED, "id-old")
    vm = await estate.create_vm("vm1", tags=PROD, identity=having(estate, "id-old"))
    await pass_time(estate)
    lies = lie(monkeypatch, estate.services.compute, "read", OLD_BODIES["no identity"])
    await look(estate, vm)
    await hours(estate, 1)
    assert lies
    await patch(estate, vm, tags={})
    await hours(estate, 3)
    assert attached(estate, vm) == ["id-old"]


async def test_case_A12_one_body_of_an_earlier_machine_does_not_make_ours_theirs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, TAGGED, "id-old")
    vm = await estate.create_vm("vm1", tags=PROD)
    await hours(estate, 1)
    earlier = await estate.services.compute.read(vm)
    await estate.delete_vm("vm1")
    await estate.create_vm("vm1", tags=PROD)
    await hours(estate, 1)
    lies = lie(monkeypatch, estate.services.compute, "read", lambda _true: earlier)
    await look(estate, vm)
    await hours(estate, 1)
    assert lies
    await patch(estate, vm, tags={})
    await hours(estate, 3)
    assert attached(estate, vm) == []


async def test_case_A27_one_empty_block_of_a_cluster_has_its_identity_replaced_by_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Nothing would hold that: it takes the place of nothing, by that body."""
    rules = Rules(type=CLUSTER.type, identity="id-new", grace_minutes=10)
    estate = await begun(monkeypatch, rules, "id-new", "id-theirs")
    cluster = await create(estate, CLUSTER, identity=having(estate, "id-theirs"))
    await hours(estate, 1)
    lies = lie(monkeypatch, estate.services.compute, "read", OLD_BODIES["no identity"])
    await look(estate, cluster)
    await hours(estate, 1)
    assert lies
    assert attached(estate, cluster) == ["id-theirs"]
