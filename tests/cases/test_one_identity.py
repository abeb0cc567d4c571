"""Types that hold one identity: what is given takes the place of what is there, so it is a removal,
too, and all that holds for removals holds for it.
"""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lanyard.desk.operator import Operator
from lanyard.desk.undo import Undo, Undoable
from lanyard.planning.orders import Paused
from lanyard.record.held import Entry
from lanyard.values.errors import Because, Permanent
from lanyard.values.removed import RemovedAttachment
from lanyard.values.resource_id import ResourceId
from simulator.faults import Fault
from tests.support.cases import (
    MINUTE,
    NOTHING,
    Rules,
    adopt,
    attached,
    begun,
    create,
    held,
    hours,
    identity_id,
    look,
    pass_time,
    patch,
    roles,
)
from tests.support.compute_examples import CLUSTER
from tests.support.estate import Estate

OLD = Rules(type=CLUSTER.type, options={"replace": "accept"})
NEW = replace(OLD, identity="id-new")
SYSTEM = f"""
version: 1
mode: full
rules:
  - name: all
    match: {{types: [{CLUSTER.type}]}}
    system: true
    replace: accept
    GRANT
orphans: {{graceMinutes: 0}}
limits: {{removals: {{perHour: 50, percent: 100, graceMinutes: 0}}}}
"""
ENABLED = SYSTEM.replace("    GRANT\n", "")
READING = SYSTEM.replace("GRANT", 'grant: [{role: Reader, scope: "{resourceGroup}", to: system}]')
IGNORED = "exclude: {tags: {lanyard: ignore}}"
GIVE_NEW, ENABLE = "attach identity id-new", "enable the system-assigned identity"


def block(estate: Estate, name: str = "id-old") -> dict[str, Any]:
    ids: dict[str, Any] = {identity_id(estate.subscription, name): {}}
    return {"type": "UserAssigned", "userAssignedIdentities": ids}


def person(estate: Estate) -> Operator:
    return Operator(estate.services, estate.queue.put, "ann")


async def cluster_of(
    monkeypatch: pytest.MonkeyPatch, policy: Rules | str, *, system: bool = False, **more: Any
) -> tuple[Estate, ResourceId]:
    """A cluster that was made with `id-old`, or with its system-assigned identity."""
    estate = await begun(monkeypatch, policy, "id-old", "id-new")
    identity = {"type": "SystemAssigned"} if system else block(estate)
    cluster = await create(estate, CLUSTER, identity=identity, **more)
    await pass_time(estate)
    return estate, cluster


def second_rule(estate: Estate, rules: Rules, identity: str, options: str) -> str:
    """The policy with another rule, for the same clusters or for some of them."""
    spec = identity_id(estate.subscription, identity)
    rule = f"  - name: second\n    match: {{types: [{CLUSTER.type}]{options}}}\n"
    rule += "    attach: [second]\n    replace: accept\n"
    text = rules.text(estate.subscription)
    return text.replace("rules:\n", f"  second: {{id: {spec}}}\nrules:\n{rule}")


async def taken(estate: Estate) -> list[Undoable]:
    """The attachments that a day's removals took."""
    now = datetime.fromtimestamp(estate.azure.clock.now(), UTC)
    found = Undo(estate.services, "ann").between(now - timedelta(days=1), now + timedelta(hours=1))
    return [each async for each in found if isinstance(each.removed, RemovedAttachment)]


def has_system(estate: Estate, cluster: ResourceId) -> bool:
    return "SystemAssigned" in (estate.azure.state.resources[cluster.key].identity or {})["type"]


async def stop(estate: Estate, how: str, text: str) -> str:
    """The policy, with what keeps it from taking anything away."""
    if how == "pause":
        await person(estate).pause(Paused.REMOVALS, "an audit")
    if how == "add-only":
        return text.replace("mode: full", "mode: add-only")
    return text.replace("perHour: 50", "perHour: 0") if how == "budget" else text


async def go_on(estate: Estate, how: str, entry: Entry) -> None:
    if how == "pause":
        await person(estate).resume()
        await hours(estate, 2)
    else:
        await person(estate).release(entry.id)
        await pass_time(estate, 2 * MINUTE)


STOPS = {"pause": Because.PAUSED, "add-only": Because.MODE, "budget": Because.BUDGET}


@pytest.mark.parametrize("how", list(STOPS))
@pytest.mark.parametrize("new", ["system", "user-assigned"])
async def test_what_stops_a_removal_stops_a_replacement(
    monkeypatch: pytest.MonkeyPatch, how: str, new: str
) -> None:
    estate, cluster = await cluster_of(monkeypatch, NOTHING)
    text = ENABLED if new == "system" else NEW.text(estate.subscription)
    await adopt(estate, await stop(estate, how, text))
    await hours(estate, 1)
    assert attached(estate, cluster) == ["id-old"]
    assert await taken(estate) == []
    entry = (await held(estate))[ENABLE if new == "system" else GIVE_NEW]
    assert entry.refusal.because is STOPS[how]
    await go_on(estate, how, entry)
    assert attached(estate, cluster) == ([] if new == "system" else ["id-new"])
    assert has_system(estate, cluster) is (new == "system")


@pytest.mark.parametrize("how", list(STOPS))
async def test_what_stops_a_removal_keeps_the_system_assigned_identity(
    monkeypatch: pytest.MonkeyPatch, how: str
) -> None:
    estate, cluster = await cluster_of(monkeypatch, NOTHING, system=True)
    await adopt(estate, await stop(estate, how, OLD.text(estate.subscription)))
    await hours(estate, 1)
    assert has_system(estate, cluster)
    entry = (await held(estate))["attach identity id-old"]
    assert entry.refusal.because is STOPS[how]
    await go_on(estate, how, entry)
    assert attached(estate, cluster) == ["id-old"]


async def test_a_replaced_identity_is_on_record_and_undo_says_why_it_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, cluster = await cluster_of(monkeypatch, OLD)
    await adopt(estate, NEW)
    await hours(estate, 1)
    assert attached(estate, cluster) == ["id-new"]
    (undoable,) = await taken(estate)
    assert isinstance(undoable.removed, RemovedAttachment)
    assert undoable.removed.identity.endswith("/id-old")
    assert undoable.removed.principal_id
    with pytest.raises(Permanent, match="works with another one now: change the rule"):
        await Undo(estate.services, "ann").put_back(undoable)
    assert await estate.services.budget.spent() == 0, "an hour later"


async def test_a_replaced_system_assigned_identity_is_on_record_with_its_principal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, cluster = await cluster_of(monkeypatch, NOTHING, system=True)
    was = (estate.azure.state.resources[cluster.key].identity or {})["principalId"]
    await adopt(estate, OLD)
    assert attached(estate, cluster) == ["id-old"]
    (undoable,) = await taken(estate)
    assert isinstance(undoable.removed, RemovedAttachment)
    assert (undoable.removed.identity, undoable.removed.principal_id) == ("", was)
    with pytest.raises(Permanent, match=f"{was}.*has another.*enable it where"):
        await Undo(estate.services, "ann").put_back(undoable)


@pytest.mark.parametrize("role", ["Owner", "refused"])
async def test_it_waits_for_the_roles_of_the_new_identity(
    monkeypatch: pytest.MonkeyPatch, role: str
) -> None:
    estate, cluster = await cluster_of(monkeypatch, OLD)
    if role == "refused":
        refusal = Fault(
            caller=estate.app.object_id,
            method="PUT",
            path="roleAssignments",
            status=403,
            code="AuthorizationFailed",
            times=None,
        )
        estate.azure.faults.add(refusal)
        await adopt(estate, NEW)
    else:
        await adopt(estate, replace(NEW, role=role))
    await hours(estate, 1)
    assert (attached(estate, cluster), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    await look(estate, cluster)
    entry = (await held(estate))[GIVE_NEW]
    assert entry.refusal.because is Because.WAITS
    assert "assign" in entry.refusal.reason
    estate.azure.faults.clear()
    await adopt(estate, NEW)
    await hours(estate, 2)
    assert (attached(estate, cluster), roles(estate, "id-old")) == (["id-new"], [])


async def test_a_system_assigned_identity_that_is_to_have_roles_waits_for_a_person(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It has none before it is there, and the cluster's identity is gone by then."""
    estate, cluster = await cluster_of(monkeypatch, OLD)
    await adopt(estate, READING)
    await hours(estate, 1)
    assert (attached(estate, cluster), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    entry = (await held(estate))[ENABLE]
    assert entry.refusal.because is Because.WAITS
    await person(estate).release(entry.id)
    await hours(estate, 1)
    principal = (estate.azure.state.resources[cluster.key].identity or {})["principalId"]
    assert len(estate.assignments(of=principal)) == 1
    assert roles(estate, "id-old") == []


@pytest.mark.parametrize("options", ["", ", tags: {env: prod}"])
@pytest.mark.parametrize("other", ["id-second", "id-typo"])
async def test_two_rules_with_an_identity_each_change_nothing(
    monkeypatch: pytest.MonkeyPatch, options: str, other: str
) -> None:
    estate = await begun(monkeypatch, NOTHING, "id-old", "id-new", "id-second")
    cluster = await create(estate, CLUSTER, identity=block(estate))
    await pass_time(estate)
    some = replace(NEW, match="scopes: [/subscriptions/*]")
    await adopt(estate, second_rule(estate, some, other, options))
    for _ in range(4):
        await hours(estate, 1)
        assert attached(estate, cluster) == ["id-old"]
    await look(estate, cluster)
    entry = (await held(estate))[GIVE_NEW]
    assert entry.refusal.because is Because.CONFLICT
    assert "'second'" in entry.refusal.reason
    assert not entry.refusal.releasable


async def test_one_that_another_rule_wants_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    estate, cluster = await cluster_of(monkeypatch, OLD)
    some = replace(OLD, match="scopes: [/subscriptions/*]")
    await adopt(estate, second_rule(estate, some, "id-new", ", tags: {env: prod}"))
    await hours(estate, 3)
    assert (attached(estate, cluster), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    assert (await held(estate))[GIVE_NEW].refusal.because is Because.CONFLICT


async def test_one_that_an_exclude_keeps_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = replace(OLD, match=IGNORED)
    estate, cluster = await cluster_of(monkeypatch, rules, system=True)
    assert attached(estate, cluster) == ["id-old"]
    await patch(estate, cluster, tags={"lanyard": "ignore"})
    await pass_time(estate)
    await adopt(estate, second_rule(estate, rules, "id-new", ""))
    await hours(estate, 1)
    assert attached(estate, cluster) == ["id-old"]
    assert (await held(estate))[GIVE_NEW].refusal.because is Because.CONFLICT


async def test_a_system_assigned_one_that_an_exclude_keeps_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    keeps = ENABLED.replace(f"[{CLUSTER.type}]", f"[{CLUSTER.type}], {IGNORED}")
    estate, cluster = await cluster_of(monkeypatch, keeps, system=True)
    await patch(estate, cluster, tags={"lanyard": "ignore"})
    spec = identity_id(estate.subscription, "id-new")
    second = f"  - name: second\n    match: {{types: [{CLUSTER.type}]}}\n"
    second += "    attach: [main]\n    replace: accept\n"
    identities = f"identities:\n  main: {{id: {spec}}}\nrules:\n"
    await adopt(estate, keeps.replace("rules:\n", identities + second))
    await hours(estate, 1)
    assert has_system(estate, cluster)
    assert (await held(estate))[GIVE_NEW].refusal.because is Because.CONFLICT


async def test_one_that_the_body_names_is_not_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    estate = await begun(monkeypatch, OLD, "id-old", "id-new")
    old = {"resourceId": identity_id(estate.subscription, "id-old")}
    add_ons = {
        "addonProfiles": {"azureKeyvaultSecretsProvider": {"enabled": True, "identity": old}}
    }
    properties = {**CLUSTER.body["properties"], **add_ons}
    cluster = await create(estate, CLUSTER, identity=block(estate), properties=properties)
    await pass_time(estate)
    await adopt(estate, NEW)
    await hours(estate, 1)
    assert (attached(estate, cluster), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    entry = (await held(estate))[GIVE_NEW]
    assert entry.refusal.because is Because.IN_USE
    await person(estate).release(entry.id)
    await pass_time(estate)
    assert attached(estate, cluster) == ["id-new"]


async def test_a_dismissed_replacement_is_left_undone_with_the_roles_of_what_is_there(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, cluster = await cluster_of(monkeypatch, OLD)
    await adopt(estate, replace(NEW, per_hour=0))
    entry = (await held(estate))[GIVE_NEW]
    await person(estate).dismiss(entry.id)
    await pass_time(estate)
    await adopt(estate, NEW)
    await hours(estate, 2)
    assert (attached(estate, cluster), roles(estate, "id-old")) == (["id-old"], ["Reader"])


async def test_it_takes_a_second_look_after_the_grace_and_the_old_roles_go_no_earlier(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, cluster = await cluster_of(monkeypatch, OLD)
    await adopt(estate, replace(NEW, grace_minutes=10))
    await pass_time(estate, 8 * MINUTE)
    assert (attached(estate, cluster), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    assert roles(estate, "id-new") == ["Reader"]
    await pass_time(estate, 20 * MINUTE)
    assert (attached(estate, cluster), roles(estate, "id-old")) == (["id-new"], [])


async def test_a_rule_that_is_back_within_the_grace_is_as_if_nothing_was(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, cluster = await cluster_of(monkeypatch, replace(OLD, grace_minutes=10))
    await adopt(estate, replace(NEW, grace_minutes=10))
    await pass_time(estate, 5 * MINUTE)
    await adopt(estate, replace(OLD, grace_minutes=10))
    await hours(estate, 1)
    assert (attached(estate, cluster), roles(estate, "id-old")) == (["id-old"], ["Reader"])
    assert (await taken(estate), roles(estate, "id-new")) == ([], [])


@pytest.mark.parametrize("new", ["system", "user-assigned"])
async def test_another_owner_who_takes_it_back_again_and_again_is_left_alone(
    monkeypatch: pytest.MonkeyPatch, new: str
) -> None:
    estate, cluster = await cluster_of(monkeypatch, NOTHING)
    await adopt(estate, ENABLED if new == "system" else NEW)
    for _ in range(4):
        await hours(estate, 1)
        await create(estate, CLUSTER, identity=block(estate))
    await hours(estate, 2)
    assert attached(estate, cluster) == ["id-old"]
    entry = (await held(estate))[ENABLE if new == "system" else GIVE_NEW]
    assert entry.refusal.because is Because.CONFLICT
    assert entry.refusal.releasable


async def test_a_replacement_that_azure_refuses_takes_nothing_and_is_tried_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    estate, cluster = await cluster_of(monkeypatch, NOTHING)
    refusal = Fault(
        caller=estate.app.object_id,
        method="PUT",
        path="managedClusters/",
        status=400,
        code="FailedIdentityOperation",
        times=1,
    )
    estate.azure.faults.add(refusal)
    await adopt(estate, NEW)
    assert attached(estate, cluster) == ["id-old"]
    assert (await estate.ledger.resource(cluster)).attachments == {}
    assert await estate.services.budget.spent() == 0
    await hours(estate, 1)
    assert attached(estate, cluster) == ["id-new"]


@pytest.mark.parametrize("mode", ["observe", "add-only", "full"])
@pytest.mark.parametrize("gave", [True, False], ids=["given by a rule", "by others"])
async def test_a_system_assigned_identity_that_a_careful_rule_gave_is_not_replaced(
    monkeypatch: pytest.MonkeyPatch, mode: str, gave: bool
) -> None:
    """It would never be there again with its principal."""
    first = ENABLED if gave else "version: 1\nmode: full\n"
    estate, cluster = await cluster_of(monkeypatch, first, system=not gave)
    await hours(estate, 1)
    assert has_system(estate, cluster)
    rule = f"  - name: all\n    mode: {mode}\n    match: {{tags: {{team: none}}, "
    elsewhere = ENABLED.replace("  - name: all\n    match: {", rule)
    spec = identity_id(estate.subscription, "id-new")
    second = f"  - name: second\n    match: {{types: [{CLUSTER.type}]}}\n"
    second += "    attach: [second]\n    replace: accept\n"
    identities = f"identities: {{second: {{id: {spec}}}}}\nrules:\n"
    await adopt(estate, elsewhere.replace("rules:\n", identities + second))
    await hours(estate, 2)
    stays = gave and mode != "full"
    assert has_system(estate, cluster) is stays
    reason = f"rule 'all', which gave it, is in mode {mode}"
    found = await held(estate)
    assert {each.refusal.reason for each in found.values()} == ({reason} if stays else set())
