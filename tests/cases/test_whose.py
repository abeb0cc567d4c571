"""Cases of parts A and B: whose a role assignment is, and what stands in its place."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import pytest

from lanyard.desk.undo import Undo, Undoable
from lanyard.planning.orders import Kind
from lanyard.values.errors import Because, LanyardError
from lanyard.values.grants import Grant
from lanyard.values.stamps import put_back_stamp, stamp
from simulator.faults import Fault
from simulator.state import RoleAssignment
from tests.support.cases import (
    HOUR,
    MINUTE,
    NOTHING,
    Rules,
    adopt,
    begun,
    held,
    make_identity,
    pass_time,
    principal,
    roles,
    sweep,
)
from tests.support.cases import attached as attached_to
from tests.support.estate import ANOTHER_INSTALLATION, INSTALLATION, Estate
from tests.support.examples import READER

type Deed = Callable[[Estate], Awaitable[None]]

RULES = Rules(identity="id-shared")
SHOP = "@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'shop'"
BANK = "@Resource[Microsoft.Storage/storageAccounts:name] StringEquals 'bank'"


def conditioned(condition: str | None) -> Rules:
    more = "" if condition is None else f', condition: "{condition}"'
    return Rules(identity="id-shared", role=f"Reader{more}")


def group(estate: Estate) -> str:
    return f"{estate.scope}/resourceGroups/rg-app"


def standing(estate: Estate) -> list[RoleAssignment]:
    """Whatever gives the shared identity anything."""
    who = principal(estate, "id-shared")
    return [a for a in estate.azure.state.role_assignments.values() if a.principal_id == who]


def the_one(estate: Estate) -> RoleAssignment:
    (found,) = standing(estate)
    return found


def by_terraform(estate: Estate, condition: str | None = None) -> RoleAssignment:
    """Somebody else gives the shared identity what the rule gives."""
    who = principal(estate, "id-shared")
    return estate.azure.assign(
        who, "Reader", group(estate), condition=condition, description="by Terraform"
    )


def gone(estate: Estate) -> None:
    """Whoever may deletes what stands."""
    del estate.azure.state.role_assignments[the_one(estate).id.lower()]


def calls(estate: Estate) -> list[str]:
    """The app's calls about role assignments since it was asked last."""
    return [call for call in estate.app_calls() if "roleAssignments" in call]


async def served(monkeypatch: pytest.MonkeyPatch, policy: Rules = RULES) -> Estate:
    """A machine that has what its rule gives."""
    estate = await begun(monkeypatch, policy, "id-shared")
    await estate.create_vm("vm1")
    await pass_time(estate)
    return estate


# A9

EDITS = {
    "words of its own": "owned by storage team",
    "none": None,
    "more": f"{stamp(INSTALLATION)}; owned by storage team",
    "another installation": stamp(ANOTHER_INSTALLATION),
    "put back": put_back_stamp(INSTALLATION),
    "no installation": "Managed by Lanyard",
    "letters": stamp(INSTALLATION).upper(),
}


async def another_machine_comes_and_goes(estate: Estate) -> None:
    for name in ("vm1", "vm2"):
        await estate.create_vm(name)
        await pass_time(estate, HOUR)
        await sweep(estate)
        await estate.delete_vm(name)
        await pass_time(estate, HOUR)
        await sweep(estate)


@pytest.mark.parametrize("description", EDITS.values(), ids=EDITS)
async def test_case_A09_what_lost_its_stamp_is_theirs_for_good(
    monkeypatch: pytest.MonkeyPatch, description: str | None
) -> None:
    estate = await served(monkeypatch)
    the_one(estate).description = description
    before = the_one(estate)
    await estate.delete_vm("vm1")
    await pass_time(estate, HOUR)
    await another_machine_comes_and_goes(estate)
    assert the_one(estate) == before


async def test_case_A09_while_its_machine_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await served(monkeypatch)
    the_one(estate).description = "owned by storage team"
    await sweep(estate)
    (known,) = [each async for each in estate.services.claims.standing()]
    assert (known.ours, known.state.value) == (False, "active")
    assert await held(estate) == {}
    gone(estate)
    await sweep(estate)
    assert the_one(estate).description == stamp(INSTALLATION)


async def test_case_A09_under_our_name_with_another_condition_it_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch)
    found = the_one(estate)
    found.description, found.condition, found.condition_version = "ours", SHOP, "2.0"
    await sweep(estate)
    (entry,) = (await held(estate)).values()
    assert entry.refusal.because is Because.ANOTHER_OWNER
    assert the_one(estate) == found


async def test_another_condition_under_our_stamp_is_still_ours(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch)
    found = the_one(estate)
    found.condition, found.condition_version = SHOP, "2.0"
    await estate.delete_vm("vm1")
    await pass_time(estate, HOUR)
    assert standing(estate) == []


# A15


async def two_apps(monkeypatch: pytest.MonkeyPatch) -> tuple[Estate, Estate]:
    """Both serve one machine by the same rule; the first made what it has."""
    first = await served(monkeypatch)
    second = first.another(RULES.text(first.subscription))
    await sweep(second)
    assert the_one(first).description == stamp(INSTALLATION)
    return first, second


async def test_case_A15_the_other_makes_its_own_at_its_next_sweep(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = await two_apps(monkeypatch)
    await adopt(first, NOTHING)
    await pass_time(first, HOUR)
    assert standing(first) == []
    await sweep(second)
    assert the_one(second).description == stamp(ANOTHER_INSTALLATION)
    assert attached_to(second, second.vm_id("vm1")) == ["id-shared"]
    await sweep(first)
    await pass_time(first, HOUR)
    assert the_one(first).description == stamp(ANOTHER_INSTALLATION)


async def test_case_A15_the_one_that_did_not_make_it_takes_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    first, second = await two_apps(monkeypatch)
    before = the_one(first)
    await adopt(second, NOTHING)
    await pass_time(second, HOUR)
    await sweep(second)
    assert the_one(first) == before


async def test_case_A15_both_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = await two_apps(monkeypatch)
    await first.delete_vm("vm1")
    first.new_events()
    for app in (second, first, second, first):
        await sweep(app)
        await pass_time(app, HOUR)
    assert standing(first) == []


# B5


async def a_sweep(estate: Estate) -> None:
    await sweep(estate)


async def a_new_machine(estate: Estate) -> None:
    await estate.create_vm("vm2")
    await pass_time(estate)


async def an_event_and_a_sweep(estate: Estate) -> None:
    await estate.create_vm("vm1", tags={"seen": "again"})
    await pass_time(estate)
    await sweep(estate)


@pytest.mark.parametrize("look", [a_sweep, a_new_machine, an_event_and_a_sweep])
@pytest.mark.parametrize("condition", [None, SHOP], ids=["plain", "conditioned"])
async def test_case_B05_what_another_owner_took_away_is_made(
    monkeypatch: pytest.MonkeyPatch, look: Deed, condition: str | None
) -> None:
    estate = await begun(monkeypatch, conditioned(condition), "id-shared")
    theirs = by_terraform(estate, condition)
    await estate.create_vm("vm1")
    await pass_time(estate)
    await sweep(estate)
    assert the_one(estate) == theirs
    gone(estate)
    await look(estate)
    made = the_one(estate)
    assert (made.description, made.condition) == (stamp(INSTALLATION), condition)
    report = await estate.sweeps.run()
    assert (report.drifted, report.deleted_grants) == (0, 0)


async def test_case_B05_what_its_owner_made_again_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, RULES, "id-shared")
    by_terraform(estate)
    await estate.create_vm("vm1")
    await pass_time(estate)
    gone(estate)
    again = by_terraform(estate)
    calls(estate)
    await sweep(estate)
    assert the_one(estate) == again
    assert calls(estate) == [], "the listing shows it"


async def test_case_B05_its_owner_may_take_it_away_as_often_as_they_like(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It is no conflict: what is given then is ours."""
    estate = await served(monkeypatch)
    for _ in range(5):
        gone(estate)
        by_terraform(estate)
        await sweep(estate)
        gone(estate)
        await sweep(estate)
        assert the_one(estate).description == stamp(INSTALLATION)
        assert await held(estate) == {}


async def test_case_B05_what_another_owner_narrows_is_held(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, RULES, "id-shared")
    theirs = by_terraform(estate)
    await estate.create_vm("vm1")
    await pass_time(estate)
    theirs.condition, theirs.condition_version = SHOP, "2.0"
    await sweep(estate)
    (entry,) = (await held(estate)).values()
    assert entry.refusal.because is Because.ANOTHER_OWNER
    theirs.condition, theirs.condition_version = None, None
    await pass_time(estate, 2 * HOUR)
    await sweep(estate)
    assert await held(estate) == {}
    assert the_one(estate) == theirs


# B16


async def removal(estate: Estate) -> Undoable:
    """The one removal of today."""
    now = datetime.fromtimestamp(estate.azure.clock.now(), UTC)
    day = timedelta(days=1)
    undo = Undo(estate.services, "ann")
    (removed,) = [one async for one in undo.between(now - day, now + day)]
    return removed


@pytest.mark.parametrize(
    "fault",
    [
        Fault(method="PUT", path="roleAssignments", status=403, code="AuthorizationFailed"),
        Fault(method="PUT", path="roleAssignments", status=503),
        Fault(method="PUT", path="roleAssignments", status=429),
    ],
    ids=["refused", "unavailable", "throttled"],
)
async def test_case_B16_after_an_undo_that_failed_the_next_machine_gets_it(
    monkeypatch: pytest.MonkeyPatch, fault: Fault
) -> None:
    estate = await served(monkeypatch)
    await estate.delete_vm("vm1")
    await pass_time(estate, HOUR)
    assert standing(estate) == []
    estate.azure.faults.add(fault)
    with pytest.raises(LanyardError):
        await Undo(estate.services, "ann").put_back(await removal(estate))
    await estate.create_vm("vm2")
    await pass_time(estate, MINUTE)
    assert the_one(estate).description == stamp(INSTALLATION)
    await estate.delete_vm("vm2")
    await pass_time(estate, HOUR)
    assert standing(estate) == []


async def test_what_was_put_back_says_so_until_it_is_withdrawn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch)
    await estate.delete_vm("vm1")
    await pass_time(estate, HOUR)
    undo, removed = Undo(estate.services, "ann"), await removal(estate)
    await undo.put_back(removed)
    await another_machine_comes_and_goes(estate)
    assert the_one(estate).description == put_back_stamp(INSTALLATION)
    await undo.withdraw(removed)
    assert the_one(estate).description == stamp(INSTALLATION)
    await sweep(estate)
    await pass_time(estate, HOUR)
    assert standing(estate) == []


async def test_what_another_machine_has_by_then_says_so_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """So it stays where the tables are lost, and both are gone; and is Lanyard's once withdrawn."""
    estate = await served(monkeypatch)
    await estate.delete_vm("vm1")
    await pass_time(estate, HOUR)
    undo, removed = Undo(estate.services, "ann"), await removal(estate)
    await estate.create_vm("vm2")
    await pass_time(estate)
    assert the_one(estate).description == stamp(INSTALLATION)
    assert await undo.put_back(removed) == "it is there; kept from now on"
    await estate.delete_vm("vm2")
    await pass_time(estate, HOUR)
    for name in ("resources", "identities", "grants", "held", "control"):
        getattr(estate.tables, name).content.clear()
    estate.restart()
    for _ in range(3):
        await sweep(estate)
        await pass_time(estate, HOUR)
    assert the_one(estate).description == put_back_stamp(INSTALLATION)
    await Undo(estate.services, "ann").withdraw(removed)
    for _ in range(2):
        await sweep(estate)
        await pass_time(estate, HOUR)
    assert standing(estate) == []


async def test_of_what_somebody_changed_after_it_was_put_back_only_the_claim_goes(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await served(monkeypatch)
    await estate.delete_vm("vm1")
    await pass_time(estate, HOUR)
    undo, removed = Undo(estate.services, "ann"), await removal(estate)
    await undo.put_back(removed)
    the_one(estate).description = "owned by storage team"
    before = the_one(estate)
    await undo.withdraw(removed)
    await another_machine_comes_and_goes(estate)
    assert the_one(estate) == before


# B18


@pytest.mark.parametrize(
    ("theirs", "wanted"),
    [(SHOP, None), (None, SHOP), (SHOP, BANK)],
    ids=["narrower", "wider", "another"],
)
async def test_case_B18_one_of_another_owner_with_another_condition_is_held(
    monkeypatch: pytest.MonkeyPatch, theirs: str | None, wanted: str | None
) -> None:
    estate = await begun(monkeypatch, conditioned(wanted), "id-shared")
    found = by_terraform(estate, theirs)
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    (entry,) = (await held(estate)).values()
    refusal = entry.refusal
    assert (refusal.because, refusal.kind) == (Because.ANOTHER_OWNER, Kind.ADDITION)
    assert "one of another owner stands with another condition" in refusal.reason
    assert found.id.lower() in refusal.reason.lower()
    assert not refusal.releasable
    assert the_one(estate) == found
    assert entry.resource == vm
    assert attached_to(estate, vm) == ["id-shared"]
    await sweep(estate)
    assert len(await held(estate)) == 1, "as long as it stands, and once"
    gone(estate)
    await pass_time(estate, 2 * HOUR)
    assert await held(estate) == {}
    made = the_one(estate)
    assert (made.description, made.condition) == (stamp(INSTALLATION), wanted)


async def test_case_B18_the_machine_goes_before_it_is_solved(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, RULES, "id-shared")
    found = by_terraform(estate, SHOP)
    await estate.create_vm("vm1")
    await pass_time(estate)
    await estate.delete_vm("vm1")
    await pass_time(estate, HOUR)
    await sweep(estate)
    assert the_one(estate) == found
    assert await held(estate) == {}
    assert [each async for each in estate.services.claims.standing() if each.claimed] == []


async def test_case_B18_under_one_condition_it_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, conditioned(SHOP), "id-shared")
    found = by_terraform(estate, SHOP)
    await estate.create_vm("vm1")
    await pass_time(estate)
    assert await held(estate) == {}
    assert the_one(estate) == found


# Read before write.


async def test_what_stands_under_our_name_and_gives_something_else_is_not_written(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, RULES, "id-shared")
    await make_identity(estate, "id-other")
    name = Grant(group(estate), READER, principal(estate, "id-shared")).name
    other = estate.azure.assign(
        principal(estate, "id-other"), "Reader", group(estate), name=name, description="by hand"
    )
    await estate.create_vm("vm1")
    await pass_time(estate)
    (entry,) = (await held(estate)).values()
    assert "gives something else" in entry.refusal.reason
    assert (standing(estate), roles(estate, "id-other")) == ([], ["Reader"])
    assert estate.azure.state.role_assignments[other.id.lower()] == other


async def test_ours_that_stands_is_not_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await served(monkeypatch)
    grant = Grant(group(estate), READER, principal(estate, "id-shared"))
    calls(estate)
    assert (await estate.services.assignments.ensure(grant)).ours
    assert calls(estate) == [f"GET roleAssignments/{grant.name}"]
