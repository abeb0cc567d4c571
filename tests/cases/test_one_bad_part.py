"""Cases of one bad part: a refusal about one identity, role, grant, row or subscription is about
that one alone, held or named with its reason, and all else goes on.
"""

import pytest

from lanyard.desk.operator import Operator
from lanyard.values.change import Change
from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from simulator.state import RoleDefinition
from tests.support.bad_parts import damage, narrow, refuse, swept, watch
from tests.support.cases import (
    HOUR,
    IDENTITY_TYPE,
    MINUTE,
    NOTHING,
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
    principal,
    roles,
    sweep,
    waits_for,
)
from tests.support.estate import Estate
from tests.support.other_subscriptions import machine_in

OTHER = "id-other"


def two(first: str, subscription: str) -> str:
    """Machines get `first`, an id, and one more that can be read, with a role each."""
    return f"""
version: 1
mode: full
identities:
  first: {{id: {first}}}
  other: {{id: {identity_id(subscription, OTHER)}}}
rules:
  - name: all
    match: {{types: [Microsoft.Compute/virtualMachines], tags: {{env: prod}}}}
    attach: [first, other]
    imdsDefault: accept
    grant:
      - {{role: Reader, scope: "{{resourceGroup}}", to: first}}
      - {{role: Reader, scope: "{{resourceGroup}}", to: other}}
  - name: rest
    match: {{types: [Microsoft.Compute/virtualMachines]}}
    attach: [other]
limits: {{removals: {{graceMinutes: 0}}}}
"""


# C1


REFUSALS = {
    "forbidden": (403, "AuthorizationFailed"),
    "no subscription": (404, "SubscriptionNotFound"),
    "conflict": (409, "ReadOnlyDisabledSubscription"),
}


@pytest.mark.parametrize("refusal", REFUSALS.values(), ids=REFUSALS)
@pytest.mark.parametrize("lost", [False, True], ids=["event", "sweep"])
async def test_case_C01_an_identity_that_cannot_be_read_is_blocked_alone(
    monkeypatch: pytest.MonkeyPatch, refusal: tuple[int, str], lost: bool
) -> None:
    estate = await begun(monkeypatch, Rules(match="tags: {env: none}"), "id-first", OTHER)
    status, code = refusal
    fault = refuse(estate, f"{IDENTITY_TYPE}/id-first$", status, code)
    estate.change_policy(two(identity_id(estate.subscription, "id-first"), estate.subscription))
    vm = await estate.create_vm("vm1", tags={"env": "prod"})
    rest = await estate.create_vm("vm2")
    if lost:
        estate.new_events()
    await sweep(estate)
    assert attached(estate, vm) == attached(estate, rest) == [OTHER]
    assert roles(estate, OTHER) == ["Reader"]
    assert roles(estate, "id-first") == []
    (entry,) = (await held(estate)).values()
    assert entry.refusal.because is Because.CANNOT_BE_ASKED
    assert f"{status} {code}" in entry.refusal.reason
    assert "id-first" in entry.refusal.reason
    assert "id-first" in await swept(estate)
    assert await estate.services.kill_switch.reported()
    calls = fault.hits
    await sweep(estate)
    assert fault.hits == calls + 1, "a sweep asks once, and nobody else"
    estate.azure.faults.clear()
    await sweep(estate)
    assert attached(estate, vm) == ["id-first", OTHER]
    assert roles(estate, "id-first") == ["Reader"]
    assert await held(estate) == {}


@pytest.mark.parametrize("status", [429, 503])
async def test_case_C01_for_one_that_will_answer_soon_the_message_comes_back(
    monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    estate = await begun(monkeypatch, Rules(match="tags: {env: none}"), "id-first", OTHER)
    estate.change_policy(two(identity_id(estate.subscription, "id-first"), estate.subscription))
    await sweep(estate)
    fault = refuse(estate, f"{IDENTITY_TYPE}/id-first$", status, "Busy")
    fault.until = estate.azure.clock.now() + 60
    vm = await estate.create_vm("vm1", tags={"env": "prod"})
    await pass_time(estate)
    assert attached(estate, vm) == [OTHER]
    assert await held(estate) == {}, "nothing that passes is listed"
    await pass_time(estate, 5 * MINUTE)
    assert attached(estate, vm) == ["id-first", OTHER]
    assert roles(estate, "id-first") == ["Reader"]


async def test_case_C01_nothing_goes_while_one_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(), "id-old", "id-first", OTHER)
    vm = await estate.create_vm("vm1", tags={"env": "prod"})
    await pass_time(estate)
    assert attached(estate, vm) == ["id-old"]
    refuse(estate, f"{IDENTITY_TYPE}/id-first$")
    text = two(identity_id(estate.subscription, "id-first"), estate.subscription)
    await adopt(estate, text)
    await hours(estate, 2)
    assert attached(estate, vm) == ["id-old", OTHER]
    assert roles(estate, "id-old") == ["Reader"]
    assert "attach identity id-first" in await waits_for(estate, "detach identity id-old")
    entry = (await held(estate))["attach identity id-first"]
    await Operator(estate.services, estate.queue.put, "ann").dismiss(entry.id)
    await hours(estate, 2)
    assert attached(estate, vm) == [OTHER], "dismissed, it is waited for no more"


async def test_case_C01_one_that_lanyard_makes_is_not_made_while_it_cannot_be_read(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(match="tags: {env: none}"))
    refuse(estate, f"{IDENTITY_TYPE}/id-vm1$")
    await adopt(estate, Rules(identity=own()))
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    assert not exists(estate, "id-vm1")
    assert attached(estate, vm) == []
    (entry,) = (await held(estate)).values()
    assert entry.refusal.because is Because.CANNOT_BE_ASKED
    estate.azure.faults.clear()
    await sweep(estate)
    assert attached(estate, vm) == ["id-vm1"]


async def test_case_C01_a_served_machine_whose_identity_cannot_be_read_keeps_all(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(identity=own(0)))
    vm = await estate.create_vm("vm1")
    await pass_time(estate)
    before = attached(estate, vm), estate.assignments()
    # Its record is lost, so that it has to be asked.
    estate.tables.identities.content.clear()
    estate.restart()
    refuse(estate, f"{IDENTITY_TYPE}/id-vm1$")
    await adopt(estate, Rules(identity=own(0), role="Storage Blob Data Reader"))
    await hours(estate, 2)
    assert (attached(estate, vm), estate.assignments()) == before


# The same for the definition of a role.


def custom(estate: Estate) -> RoleDefinition:
    """A role of the estate's own, which may do little."""
    state = estate.azure.state
    reads = ["Microsoft.Compute/*/read"]
    made = RoleDefinition(
        state.ids.uuid(), "Looks", "", "CustomRole", reads, [], [], [], [estate.scope]
    )
    state.role_definitions[made.guid] = made
    return made


@pytest.mark.parametrize(
    ("status", "code", "passes"),
    [
        (403, "AuthorizationFailed", False),
        (404, "RoleDefinitionDoesNotExist", False),
        (429, "TooManyRequests", True),
        (503, "ServiceUnavailable", True),
    ],
)
async def test_case_C02_a_role_whose_definition_cannot_be_read_is_not_given_and_no_more(
    monkeypatch: pytest.MonkeyPatch, status: int, code: str, *, passes: bool
) -> None:
    estate = await begun(monkeypatch, Rules(match="tags: {env: none}"), "id-first", OTHER)
    text = two(identity_id(estate.subscription, "id-first"), estate.subscription)
    role = custom(estate)
    first = 'role: Reader, scope: "{resourceGroup}", to: first'
    assert first in text
    text = text.replace(first, first.replace("Reader", role.guid))
    await adopt(estate, text)
    refuse(estate, f"roleDefinitions/{role.guid}", status, code)
    vm = await estate.create_vm("vm1", tags={"env": "prod"})
    await pass_time(estate)
    assert attached(estate, vm) == ["id-first", OTHER]
    assert roles(estate, OTHER) == ["Reader"]
    assert roles(estate, "id-first") == []
    assert bool(await held(estate)) is not passes
    await sweep(estate)
    await swept(estate)
    estate.azure.faults.clear()
    await pass_time(estate, 10 * MINUTE)
    await sweep(estate)
    assert roles(estate, "id-first") == ["Looks"]


# C2


async def in_three(estate: Estate, vm: ResourceId) -> tuple[str, str]:
    """Two more subscriptions in which the app serves a machine of this one's name."""
    found = []
    for name in ("second", "third"):
        subscription = watch(estate, name)
        machine = await machine_in(estate, vm, subscription)
        await estate.worker.process(Change(machine, "event"))
        await pass_time(estate)
        assert attached(estate, machine) == ["id-old"]
        found.append(subscription)
    return found[0], found[1]


async def test_case_C02_a_subscription_that_is_seen_in_part_stops_no_sweep_of_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate = await begun(monkeypatch, Rules(match="tags: {env: none}"), "id-old")
    vm = await estate.create_vm("vm1")
    await adopt(estate, Rules())
    second, third = await in_three(estate, vm)
    stands = estate.assignments()
    narrow(estate, second, "rg-other")
    new = await machine_in(estate, estate.vm_id("vm2"), third)
    estate.new_events()
    await estate.delete_vm("vm1")
    estate.new_events()
    await sweep(estate)
    reason = await swept(estate)
    assert f"not read: grants in subscription {second}: " in reason
    assert "AuthorizationFailed" in reason
    assert attached(estate, new) == ["id-old"], "the third one is swept"
    await hours(estate, 3)
    assert [one for one in stands if one not in estate.assignments()] == [
        one for one in stands if one[1].startswith(estate.scope)
    ], "only what the deleted machine had is gone"
    assert await estate.services.unread.read() == {second}


# C3


def by_tag(subscription: str) -> str:
    """Each machine gets the identity that its tag names, with a role."""
    identities, rules = "", ""
    for name in ("old", "two", "missing"):
        identities += f"  {name}: {{id: {identity_id(subscription, f'id-{name}')}}}\n"
        rules += f"""
  - name: {name}
    match: {{types: [Microsoft.Compute/virtualMachines], tags: {{env: {name}}}}}
    attach: [{name}]
    grant: [{{role: Reader, scope: "{{resourceGroup}}", to: {name}}}]"""
    limits = "limits: {removals: {graceMinutes: 0}}\norphans: {graceMinutes: 0, remove: all}"
    return f"version: 1\nmode: full\nidentities:\n{identities}rules:{rules}\n{limits}\n"


ROWS = [
    ("resources", "|vm1", "grants"),
    ("resources", "|vm1", "id"),
    ("resources", "|vm1", "life"),
    ("identities", "|id-old", "former"),
    ("identities", "", "resource"),
    ("grants", "grant", "until"),
    ("grants", "grant", "state"),
    ("grants", "claim|", "resource"),
    ("held", "", "since"),
]


async def with_damage(
    monkeypatch: pytest.MonkeyPatch, table: str, key: str, column: str
) -> tuple[Estate, str]:
    """vm1 is served, and has a system-assigned identity besides; vm3 waits for an identity."""
    estate = await begun(monkeypatch, NOTHING, "id-old", "id-two")
    await adopt(estate, by_tag(estate.subscription))
    await estate.create_vm("vm1", identity={"type": "SystemAssigned"}, tags={"env": "old"})
    await estate.create_vm("vm3", tags={"env": "missing"})
    await pass_time(estate)
    assert attached(estate, estate.vm_id("vm1")) == ["id-old"]
    assert list(await held(estate)) == ["attach identity id-missing"]
    where = damage(estate, table, key, column)
    estate.restart()
    return estate, where


@pytest.mark.parametrize(("table", "key", "column"), ROWS)
async def test_case_C03_a_damaged_row_is_named_and_all_else_is_swept(
    monkeypatch: pytest.MonkeyPatch, table: str, key: str, column: str
) -> None:
    estate, where = await with_damage(monkeypatch, table, key, column)
    vm, stands = estate.vm_id("vm1"), estate.assignments()
    new = await estate.create_vm("vm2", tags={"env": "two"})
    estate.new_events()
    await hours(estate, 2)
    assert where in await swept(estate)
    assert attached(estate, new) == ["id-two"]
    assert attached(estate, vm) == ["id-old"]
    assert [one for one in stands if one not in estate.assignments()] == []
    assert await estate.services.kill_switch.read() is None, "nothing counts as lost"


@pytest.mark.parametrize(("table", "key", "column"), ROWS[:3])
async def test_case_C03_what_a_damaged_row_is_about_is_left_alone_though_it_is_gone(
    monkeypatch: pytest.MonkeyPatch, table: str, key: str, column: str
) -> None:
    estate, where = await with_damage(monkeypatch, table, key, column)
    stands = estate.assignments()
    await estate.delete_vm("vm1")
    await estate.create_vm("vm2", tags={"env": "two"})
    await pass_time(estate)
    await estate.delete_vm("vm2")
    await hours(estate, 3)
    assert where in await swept(estate)
    assert estate.assignments() == stands, "what vm2 had is gone, and nothing of vm1's"


@pytest.mark.parametrize(("table", "key", "column"), ROWS[:3])
async def test_case_C03_a_deleted_identity_is_looked_after_beside_a_damaged_row(
    monkeypatch: pytest.MonkeyPatch, table: str, key: str, column: str
) -> None:
    estate, _ = await with_damage(monkeypatch, table, key, column)
    await estate.create_vm("vm2", tags={"env": "two"})
    await pass_time(estate)
    assert len(estate.assignments(of=(former := principal(estate, "id-two")))) == 1
    await delete_identity(estate, "id-two")
    await hours(estate, 2)
    assert estate.assignments(of=former) == []


@pytest.mark.parametrize(("table", "key", "column"), ROWS[:3])
async def test_case_C03_a_deleted_group_is_looked_after_beside_a_damaged_row(
    monkeypatch: pytest.MonkeyPatch, table: str, key: str, column: str
) -> None:
    estate, _ = await with_damage(monkeypatch, table, key, column)
    await estate.create_vm("vm2", tags={"env": "two"})
    await pass_time(estate)
    (granted,) = estate.assignments(of=principal(estate, "id-two"))
    await estate.delete_group()
    await pass_time(estate, HOUR)
    assert granted not in estate.assignments()
