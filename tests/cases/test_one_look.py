"""One look at Azure that lies, in the middle of many that do not: it takes nothing."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from lanyard.values.compute import Identity, ManagedIdentity
from simulator.faults import Fault
from tests.support.cases import (
    HOUR,
    MINUTE,
    Rules,
    attached,
    begun,
    exists,
    held,
    hours,
    identity_id,
    look,
    pass_time,
    patch,
    roles,
)
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
    each.
    """
    real, lies, asked = getattr(type(port), name), list[int](), list[int]()

    async def lying(self: Any, *args: Any, **more: Any) -> Any:
        true = await real(self, *args, **more)
        if not true and true is not None:
            return true
        asked.append(len(asked) + 1)
        if true is None or not which(asked[-1]):
            return true
        lies.append(asked[-1])
        return answer(true)

    monkeypatch.setattr(type(port), name, lying)
    return lies


def another(true: ManagedIdentity) -> ManagedIdentity:
    """One that had its name before."""
    return replace(true, principal_id=OTHER)


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
    shared: dict[str, Any] = {identity_id(estate.subscription, "id-old"): {}}
    await estate.create_vm(
        "vm2", identity={"type": "UserAssigned", "userAssignedIdentities": shared}
    )
    estate.new_events()
    return estate


async def test_case_A24_one_404_of_a_living_machine_takes_no_role_that_it_needs(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await sharing(monkeypatch)
    missed = Fault(
        method="GET",
        path="virtualMachines/vm2$",
        status=404,
        code="ResourceNotFound",
        times=1,
        caller=estate.app.object_id,
    )
    fault = estate.azure.faults.add(missed)
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

    def missed() -> Fault:
        return estate.azure.faults.add(
            Fault(
                method="GET",
                path="roleAssignments/[^/]+$",
                status=404,
                code="RoleAssignmentNotFound",
                times=1,
                caller=estate.app.object_id,
            )
        )

    first = missed()
    await estate.delete_vm("vm1")
    await pass_time(estate, 10)
    assert (first.hits > 0, roles(estate, "id-old")) == (True, ["Reader"])
    estate.azure.faults.clear()
    await estate.create_vm("vm1")
    await hours(estate, 5)
    second = missed()
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
