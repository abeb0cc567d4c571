"""Cases of what other people's resources look like: keys of identities that are no ids, names with
blanks. They are somebody else's, they stay, and they keep Lanyard from nothing.
"""

from dataclasses import replace
from typing import Any

import pytest

from lanyard.values.errors import Because
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from simulator.state import Resource
from tests.support.cases import (
    HOUR,
    IDENTITY_TYPE,
    NOTHING,
    Rules,
    adopt,
    begun,
    create,
    delete_identity,
    exists,
    held,
    hours,
    identity_id,
    own,
    pass_time,
    principal,
    roles,
)
from tests.support.compute_examples import CLUSTER, MACHINE, SITE, Example
from tests.support.estate import Estate

ACCEPT = {"imdsDefault": "accept"}


# C6


def doubled(estate: Estate, name: str = "id-theirs") -> str:
    """The id of an identity as a template put it together."""
    plain = identity_id(estate.subscription, name)
    return plain.replace("/resourceGroups/rg-identities", "/resourceGroups//rg-identities")


async def with_block(
    monkeypatch: pytest.MonkeyPatch,
    shown: str,
    made: Example = MACHINE,
    *,
    system: bool = False,
    policy: Rules | None = None,
) -> tuple[Estate, ResourceId]:
    """A resource whose block shows this, before a rule is for it."""
    estate = await begun(monkeypatch, NOTHING, "id-old", "id-theirs")
    begins = {"identity": {"type": "SystemAssigned"}} if made is CLUSTER else {}
    vm = await create(estate, made, **begins)
    estate.new_events()
    state = estate.azure.state
    values = {"principalId": principal(estate, "id-theirs"), "clientId": "c"}
    keys = {"odd": {doubled(estate): values}, "no id": {"id-theirs": values}, "none": {}}[shown]
    block: dict[str, Any] = {"type": "UserAssigned", "userAssignedIdentities": keys}
    if system:
        own_principal = state.add_principal("vm1").object_id
        block |= {"type": "SystemAssigned, UserAssigned", "principalId": own_principal}
    state.resources[vm.key] = replace(state.resources[vm.key], identity=block)
    await adopt(estate, policy or Rules(type=made.type, options=ACCEPT))
    return estate, vm


def keys_of(estate: Estate, resource: ResourceId) -> list[str]:
    """As they are written."""
    block = estate.azure.state.resources[resource.key].identity or {}
    return sorted(block.get("userAssignedIdentities") or {})


@pytest.mark.parametrize("system", [False, True], ids=["user", "both"])
@pytest.mark.parametrize("shown", ["odd", "none"])
async def test_case_C06_ours_is_attached_beside_what_is_no_id(
    monkeypatch: pytest.MonkeyPatch, shown: str, *, system: bool
) -> None:
    estate, vm = await with_block(monkeypatch, shown, system=system)
    odd = [doubled(estate)] if shown == "odd" else []
    old = identity_id(estate.subscription, "id-old")
    assert keys_of(estate, vm) == sorted([*odd, old])
    assert roles(estate, "id-old") == ["Reader"]
    assert await held(estate) == {}
    block = estate.azure.state.resources[vm.key].identity or {}
    assert ("principalId" in block) is system
    await adopt(estate, NOTHING)
    await pass_time(estate, HOUR)
    assert keys_of(estate, vm) == ([*odd] if odd else [])
    assert ("principalId" in (estate.azure.state.resources[vm.key].identity or {})) is system


async def test_case_C06_where_a_write_names_all_the_key_is_repeated_word_for_word(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, site = await with_block(monkeypatch, "odd", SITE)
    old = identity_id(estate.subscription, "id-old")
    shown = old.replace("/resourceGroups/", "/resourcegroups/")
    assert keys_of(estate, site) == sorted([doubled(estate), shown])
    assert roles(estate, "id-old") == ["Reader"]


@pytest.mark.parametrize(("shown", "made"), [("none", SITE), ("odd", CLUSTER)])
async def test_case_C06_what_cannot_be_written_safely_is_held_with_the_reason(
    monkeypatch: pytest.MonkeyPatch, shown: str, made: Example
) -> None:
    options = {"replace": "accept"} if made is CLUSTER else {}
    policy = Rules(type=made.type, options=options)
    estate, resource = await with_block(monkeypatch, shown, made, policy=policy)
    before = estate.azure.state.resources[resource.key].identity
    await hours(estate, 2)
    listed = await held(estate)
    entry = listed["attach identity id-old"]
    assert entry.refusal.because is Because.ANOTHER_OWNER
    assert "cannot be written back safely" in entry.refusal.reason
    assert estate.azure.state.resources[resource.key].identity == before


async def test_case_C06_an_odd_key_is_the_machines_default_identity_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, vm = await with_block(monkeypatch, "odd", policy=Rules())
    assert keys_of(estate, vm) == [doubled(estate)]
    assert {entry.refusal.because for entry in (await held(estate)).values()} == {
        Because.IMDS_DEFAULT,
        Because.IDENTITY_WAITS,
    }


async def test_case_C06_the_system_assigned_identity_is_enabled_beside_an_odd_key(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    policy = f"""
version: 1
mode: full
rules:
  - name: all
    match: {{types: [{MACHINE.type}]}}
    system: true
    imdsDefault: accept
"""
    estate, vm = await with_block(monkeypatch, "odd")
    await adopt(estate, policy)
    assert doubled(estate) in keys_of(estate, vm)
    assert "principalId" in (estate.azure.state.resources[vm.key].identity or {})


# C1: an attached identity that may not be read


async def test_case_C01_an_attached_identity_of_others_that_cannot_be_read_stops_no_write(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """One of two is gone: what keeps Azure from taking the write is looked for."""
    estate = await begun(monkeypatch, NOTHING, "id-old", "id-theirs", "id-lost")
    theirs = identity_id(estate.subscription, "id-theirs")
    text = two_identities(estate.subscription)
    await adopt(estate, text)
    await estate.create_vm("vm0")
    await pass_time(estate)
    block = {"type": "UserAssigned", "userAssignedIdentities": {theirs: {}}}
    await delete_identity(estate, "id-lost")
    estate.new_events()
    estate.azure.faults.add(
        Fault(
            method="GET",
            path=f"{IDENTITY_TYPE}/id-theirs$",
            caller=estate.app.object_id,
            status=403,
            code="AuthorizationFailed",
            times=None,
        )
    )
    vm = await estate.create_vm("vm1", identity=block)
    await pass_time(estate)
    assert identity_id(estate.subscription, "id-old") in keys_of(estate, vm)


def two_identities(subscription: str) -> str:
    """Machines get both."""
    old, lost = (identity_id(subscription, name) for name in ("id-old", "id-lost"))
    return f"""
version: 1
mode: full
identities:
  old: {{id: {old}}}
  lost: {{id: {lost}}}
rules:
  - name: all
    match: {{types: [{MACHINE.type}]}}
    attach: [old, lost]
    imdsDefault: accept
"""


# C7


@pytest.mark.parametrize(
    "path",
    [
        "resourceGroups/rg-app/providers/Microsoft.Insights/metricAlerts/CPU is high",
        "resourceGroups/rg-app/providers/Microsoft.Insights/metricAlerts/100% of CPU {a}?#",
        "resourceGroups/rg-app/providers/Microsoft.Insights/metricAlerts/" + "long" * 130,
        "providers/Microsoft.Security/pricings/Virtual Machines",
    ],
    ids=["blanks", "signs", "long", "no group"],
)
async def test_case_C07_whatever_has_an_identity_is_a_user_of_it(
    monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    estate = await begun(monkeypatch, Rules(identity=own(0), match="tags: {env: prod}"))
    vm = await estate.create_vm("vm1", tags={"env": "prod"})
    await pass_time(estate)
    identity, state = estate.vm_id("vm1").text.replace("vm1", "id-vm1"), estate.azure.state
    identity = identity.replace(MACHINE.type, IDENTITY_TYPE)
    block = {"type": "UserAssigned", "userAssignedIdentities": {identity: {}}}
    alert, name = f"{estate.scope}/{path}", path.rpartition("/")[2]
    state.resources[alert.lower()] = Resource(
        alert, "Microsoft.Insights/metricAlerts", name, "global", {}, {}, block
    )
    await pass_time(estate, HOUR)
    await estate.delete_vm("vm1")
    await hours(estate, 4)
    assert exists(estate, "id-vm1")
    reason = (await held(estate))["delete identity id-vm1"].refusal.reason
    assert reason == f"{alert} has it, too"
    del state.resources[alert.lower()]
    await hours(estate, 4)
    assert not exists(estate, "id-vm1")
    assert vm.key not in state.resources
