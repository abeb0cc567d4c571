"""`lanyard explain`: from an assignment back to the rule, its line, and the event."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.support.desk import Desk

OK, ERROR = 0, 1
BLOB_READER = "2a2b9908-6ea1-4ae2-8e65-a410df84e7d1"
REGIONAL = "id-lanyard-westeurope"


@pytest.fixture
async def app(desk: Desk) -> Desk:
    await desk.estate.create_vm("vm1")
    await desk.started()
    return desk


async def explain(desk: Desk, target: str) -> dict[str, Any]:
    ran = await desk.app("explain", target, "--policy", str(desk.policy), "--json")
    assert (ran.code, ran.err) == (OK, "")
    return dict(json.loads(ran.out))


def place(desk: Desk) -> str:
    """Where the rule stands."""
    lines = desk.policy.read_text().splitlines()
    (line,) = [number for number, text in enumerate(lines, 1) if "name: machines read" in text]
    return f"{desk.policy}:{line}"


async def test_a_machine_has_its_role_by_a_rule_at_a_line_after_an_event(app: Desk) -> None:
    vm = app.estate.vm_id("vm1")
    found = await explain(app, vm.text)
    rule = {"name": "machines read blobs", "place": place(app)}
    (identity,) = found["identities"]
    assert identity["id"].endswith(REGIONAL)
    assert (identity["attachedByLanyard"], identity["rules"]) == (True, [rule])
    (assignment,) = found["assignments"]
    assert assignment["role"]["id"] == BLOB_READER
    assert assignment["madeByLanyard"] is True
    (claim,) = assignment["claims"]
    assert (claim["resource"], claim["exists"], claim["rules"]) == (vm.text, True, [rule])
    assert claim["given"]["cause"]["eventType"] == "Microsoft.Resources.ResourceWriteSuccess"
    assert assignment["toGo"] == [
        f"{vm} is deleted, or rule 'machines read blobs' is no longer for it or gives less"
    ]


async def test_a_person_reads_the_same_chain(app: Desk) -> None:
    vm = app.estate.vm_id("vm1")
    ran = await app.app("explain", vm.text, "--policy", str(app.policy))
    assert ran.lines[0] == vm.text
    by = f"rule: machines read blobs ({place(app)})"
    assert f"  rg-identities/userAssignedIdentities/{REGIONAL}  attached by Lanyard, {by}" in (
        ran.lines
    )
    assert f"  Storage Blob Data Reader at {app.group}  Lanyard's" in ran.lines
    assert f"    claimed by {vm}, {by}" in ran.lines
    assert any(
        line.startswith("      given ") and "after Microsoft.Resources.ResourceWriteSuccess" in line
        for line in ran.lines
    )


async def test_a_machine_that_no_rule_is_for_is_told_by_what_each_misses_it(app: Desk) -> None:
    vm, policy = app.estate.vm_id("vm1").text, app.policy.read_text()
    narrow = "tags: {env: [prod, stage]}, locations: [uksouth], names: ['web-*']"
    app.write_policy(policy.replace("match: {", f"match: {{{narrow}, "))
    (missed,) = (await explain(app, vm))["notFor"]
    misses = [
        "it has no tag env: 'prod' or 'stage' is asked for",
        "its location is westeurope, not uksouth",
        "its name is vm1, not web-*",
    ]
    rule = {"name": "machines read blobs", "place": place(app)}
    assert missed == {**rule, "misses": misses}
    ran = await app.app("explain", vm, "--policy", str(app.policy))
    told = ran.lines.index(f"  rule machines read blobs ({place(app)}) is not for it")
    assert ran.lines[told + 1 :] == [f"    {miss}" for miss in misses]


async def test_a_machine_that_a_rule_excludes_is_told_by_what(app: Desk) -> None:
    vm, policy = app.estate.vm_id("vm1").text, app.policy.read_text()
    app.write_policy(policy.replace("tags: {lanyard: ignore}", "names: ['vm*']"))
    found = await explain(app, vm)
    assert [one["because"] for one in found["excludedBy"]] == ["its name is vm1"]
    assert found["notFor"] == []
    ran = await app.app("explain", vm, "--policy", str(app.policy))
    excluded = f"  excluded by rule machines read blobs ({place(app)}): its name is vm1"
    assert excluded in ran.lines


async def test_an_identity_is_explained_with_its_roles_and_who_has_it(app: Desk) -> None:
    vm = app.estate.vm_id("vm1").text
    ((identity, principal),) = (await app.estate.identity_of("vm1")).items()
    found = await explain(app, identity.upper())
    assert [one["principalId"] for one in found["identities"]] == [principal]
    assert found["hadBy"] == [vm]
    assert [each["role"]["id"] for each in found["assignments"]] == [BLOB_READER]
    ran = await app.app("explain", REGIONAL, "--policy", str(app.policy))
    assert f"  attached to {vm}" in ran.lines
    assert f"    object id {principal}" in ran.lines


async def test_what_someone_else_gave_is_shown_as_theirs(app: Desk) -> None:
    (principal,) = (await app.estate.identity_of("vm1")).values()
    app.estate.azure.assign(principal, "Reader", app.group)
    ran = await app.app("explain", app.estate.vm_id("vm1").text, "--policy", str(app.policy))
    assert f"  Reader at {app.group}  not Lanyard's" in ran.lines
    assert any("Lanyard did not make it and leaves it alone" in line for line in ran.lines)


async def test_a_condition_that_somebody_changed_is_shown(app: Desk) -> None:
    vm, condition = app.estate.vm_id("vm1").text, "@Resource[a:b] StringEquals 'c'"
    (before,) = (await explain(app, vm))["assignments"]
    assert (before["condition"], before["conditionChanged"]) == (None, False)
    assignments = app.estate.azure.state.role_assignments
    (key,) = [key for key, each in assignments.items() if each.id == before["id"]]
    assignments[key] = replace(assignments[key], condition=condition, condition_version="2.0")
    (after,) = (await explain(app, vm))["assignments"]
    assert (after["condition"], after["conditionChanged"]) == (condition, True)
    ran = await app.app("explain", vm, "--policy", str(app.policy))
    shown = f"    somebody changed its condition, to '{condition}': the next sweep puts it back"
    assert shown in ran.lines


async def test_what_stands_on_another_condition_than_a_rule_asks_for_is_shown_as_plan_shows_it(
    app: Desk,
) -> None:
    vm, text = app.estate.vm_id("vm1").text, app.policy.read_text()
    assert [each["otherCondition"] for each in (await explain(app, vm))["assignments"]] == [False]
    condition = "condition: \"@Resource[a:b] StringEquals 'c'\""
    app.write_policy(text.replace("role: Storage Blob Data Reader", f"{condition}, role: Reader"))
    (principal,) = (await app.estate.identity_of("vm1")).values()
    app.estate.azure.assign(principal, "Reader", app.group)
    other = [each["otherCondition"] for each in (await explain(app, vm))["assignments"]]
    assert sorted(other) == [False, True]
    note = "Reader at GROUP stands on another condition: it changes unless somebody has it so"
    note = note.replace("GROUP", app.group)
    planned = await app.plan_in_full(vm)
    assert f"  i {note}" in planned.lines
    explained = await app.app("explain", vm, "--policy", str(app.policy))
    assert f"    {note}" in explained.lines


async def test_a_principal_is_explained_wherever_it_holds_a_role(app: Desk) -> None:
    (principal,) = (await app.estate.identity_of("vm1")).values()
    found = await explain(app, principal.upper())
    assert [each["role"]["id"] for each in found["assignments"]] == [BLOB_READER]
    (identity,) = found["identities"]
    assert identity["id"].endswith(REGIONAL)
    ran = await app.app("explain", principal.upper(), "--policy", str(app.policy))
    assert ran.lines[1].strip() == f"rg-identities/userAssignedIdentities/{REGIONAL}"
    assert ran.lines[2].strip() == f"object id {principal}"
    assert ran.lines[3].strip() == f"attached to {app.estate.vm_id('vm1')}"


async def test_an_object_id_of_a_system_assigned_identity_says_whose_it_is(app: Desk) -> None:
    vm = await app.estate.create_vm("vm2", identity={"type": "SystemAssigned"})
    identity = app.estate.azure.state.resources[vm.key].identity
    assert identity is not None
    principal = identity["principalId"]
    ran = await app.app("explain", principal, "--policy", str(app.policy))
    assert [line.strip() for line in ran.lines[:4]] == [
        principal,
        "system-assigned identity",
        f"object id {principal}",
        f"attached to {vm}",
    ]


async def test_a_custom_role_is_shown_by_its_name(app: Desk) -> None:
    (principal,) = (await app.estate.identity_of("vm1")).values()
    roles = app.estate.azure.state.role_definitions.values()
    (custom,) = [role for role in roles if role.role_name == "Lanyard"]
    app.estate.azure.assign(principal, custom.guid, app.group)
    found = await explain(app, app.estate.vm_id("vm1").text)
    assert {"id": custom.guid, "name": "Lanyard"} in [one["role"] for one in found["assignments"]]


async def test_an_assignment_is_explained_with_everybody_who_needs_it(app: Desk) -> None:
    second = await app.estate.create_vm("vm2")
    await app.estate.settle()
    (whole,) = (await explain(app, second.text))["assignments"]
    found = await explain(app, whole["id"])
    (assignment,) = found["assignments"]
    claimed = [claim["resource"].rpartition("/")[2] for claim in assignment["claims"]]
    assert sorted(claimed) == ["vm1", "vm2"]
    assert len(assignment["toGo"]) == 2


async def test_a_claim_of_what_is_gone_or_of_no_rule_any_more_says_so(app: Desk) -> None:
    (principal,) = (await app.estate.identity_of("vm1")).values()
    app.write_policy(
        app.policy.read_text().replace("machines read blobs", "x").split("    grant")[0]
    )
    (assignment,) = (await explain(app, principal))["assignments"]
    assert "no rule asks for it" in assignment["toGo"][0]
    await app.estate.delete_vm("vm1")
    (assignment,) = (await explain(app, principal))["assignments"]
    assert assignment["claims"][0]["exists"] is False
    assert "is gone: its claim is released" in assignment["toGo"][0]


async def test_what_a_person_kept_says_who(app: Desk) -> None:
    app.estate.platform.directory.grant_permission(app.person.object_id)
    role = "Role Based Access Control Administrator"
    app.estate.azure.assign(app.person.object_id, role, app.estate.scope)
    (principal,) = (await app.estate.identity_of("vm1")).values()
    await app.estate.delete_vm("vm1")
    await app.estate.settle()
    assert (await app.app("undo", "--since", "1h", "--yes")).code == OK
    (assignment,) = (await explain(app, principal))["assignments"]
    assert assignment["keptBy"] == "engineer@example.com"
    assert "has to withdraw the undo" in assignment["toGo"][0]


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("vm7", "'vm7' is no resource id"),
        ("GROUP", "is a scope; who has access to it shows 'lanyard access"),
        ("GROUP/providers/Microsoft.Compute/virtualMachines/none", "none does not exist"),
        (
            "GROUP/providers/Microsoft.Authorization/roleAssignments/"
            "00000000-0000-0000-0000-000000000001",
            "does not exist",
        ),
    ],
)
async def test_what_cannot_be_explained_is_an_error(app: Desk, target: str, message: str) -> None:
    given = target.replace("GROUP", app.group)
    ran = await app.app("explain", given, "--policy", str(app.policy))
    assert ran.code == ERROR
    assert message in ran.err


async def test_a_principal_that_holds_nothing_holds_nothing_and_is_named(app: Desk) -> None:
    app.estate.platform.directory.grant_permission(app.person.object_id)
    other = app.estate.azure.state.add_principal("deploys-the-shop")
    ran = await app.app("explain", other.object_id, "--policy", str(app.policy))
    assert (ran.code, ran.lines[-1]) == (OK, "  holds no role")
    assert ran.lines[1] == "  deploys-the-shop  service principal"


async def test_a_guid_that_nobody_knows_is_an_error_that_says_what_was_asked(app: Desk) -> None:
    app.estate.platform.directory.grant_permission(app.person.object_id)
    guid = "00000000-0000-0000-0000-000000000001"
    ran = await app.app("explain", guid, "--policy", str(app.policy))
    assert ran.code == ERROR
    assert f"nothing is known of {guid}" in ran.err
    for asked in ("role assignment", "no resource shows it", "nor the directory"):
        assert asked in ran.err


async def test_a_guid_that_the_directory_was_not_asked_for_says_so(app: Desk) -> None:
    guid = "00000000-0000-0000-0000-000000000001"
    ran = await app.app("explain", guid, "--policy", str(app.policy))
    assert (ran.code, "the directory could not be asked" in ran.err) == (ERROR, True)


async def test_the_guid_of_a_subscription_points_to_who_has_access(app: Desk) -> None:
    ran = await app.app("explain", app.estate.subscription, "--policy", str(app.policy))
    assert ran.code == ERROR
    assert f"'lanyard access {app.estate.scope}'" in ran.err


async def test_the_guid_of_an_assignment_is_the_assignment(app: Desk) -> None:
    (whole,) = (await explain(app, app.estate.vm_id("vm1").text))["assignments"]
    guid = whole["id"].rpartition("/")[2]
    found = await explain(app, guid.upper())
    (assignment,) = found["assignments"]
    assert (found["id"], assignment["id"]) == (whole["id"], whole["id"])
    assert assignment["claims"] == whole["claims"]
    (principal,) = (await app.estate.identity_of("vm1")).values()
    app.estate.azure.assign(principal, "Reader", app.group)
    (theirs,) = [
        one
        for one in (await explain(app, principal))["assignments"]
        if one["role"]["name"] == "Reader"
    ]
    (found_theirs,) = (await explain(app, theirs["id"].rpartition("/")[2]))["assignments"]
    assert found_theirs["madeByLanyard"] is False


async def test_what_is_held_of_a_resource_is_shown_in_the_words_of_plan_and_held(
    app: Desk,
) -> None:
    vm, text = app.estate.vm_id("vm1"), app.policy.read_text()
    privileged = text.replace("role: Storage Blob Data Reader", "role: Owner")
    app.write_policy(privileged)
    app.estate.change_policy(privileged)
    await app.gone(vm)
    (held, *_) = found = (await explain(app, vm.text))["held"]
    assert found == json.loads((await app.app("held", "--json")).out)["held"]
    ran = await app.app("explain", vm.text, "--policy", str(app.policy))
    shown = [line.strip() for line in ran.lines]
    for command in (await app.plan_in_full(vm.text), await app.app("held")):
        reasons = [line.strip() for line in command.lines if "held: " in line or "release" in line]
        assert set(reasons) - {f"held: {len(found)}"} <= set(shown)
    assert f"‖ {held['action']}" in shown
    identity = await app.app("explain", REGIONAL, "--policy", str(app.policy))
    assert f"‖ {held['action']}  rg-app/virtualMachines/vm1" in identity.out


async def test_what_a_pause_holds_says_so(app: Desk) -> None:
    (principal,) = (await app.estate.identity_of("vm1")).values()
    vm = app.estate.vm_id("vm1")
    await app.app("pause", "migration")
    await app.estate.delete_vm("vm1")
    (before,) = (await explain(app, principal))["assignments"]
    await app.gone(vm)
    (after,) = (await explain(app, principal))["assignments"]
    for assignment in (before, after):
        (way,) = assignment["toGo"]
        assert way.startswith(f"{vm} is gone, and the release of its claim is held: paused by")
        assert "migration" in way
        assert "'lanyard resume' goes on" in way


@pytest.mark.parametrize(
    ("remove", "shown"),
    [
        ("seen", "its removal is held: the directory does not know this principal, and Lanyard"),
        ("all", "it is cleaned up when its principal exists neither in ARM nor in the directory"),
    ],
)
async def test_what_becomes_of_a_principal_that_was_never_seen_goes_by_the_policy(
    app: Desk, remove: str, shown: str
) -> None:
    orphans = "orphans: {remove: REMOVE, graceMinutes".replace("REMOVE", remove)
    app.write_policy(app.policy.read_text().replace("orphans: {graceMinutes", orphans))
    other = app.estate.azure.state.add_principal("deploys-the-shop")
    app.estate.azure.assign(other.object_id, "Reader", app.group)
    (assignment,) = (await explain(app, other.object_id))["assignments"]
    assert shown in assignment["toGo"][0]


async def test_what_a_seen_principal_leaves_is_cleaned_up(app: Desk) -> None:
    (principal,) = (await app.estate.identity_of("vm1")).values()
    app.estate.azure.assign(principal, "Reader", app.group)
    ways = [one["toGo"][0] for one in (await explain(app, principal))["assignments"]]
    assert any("it is cleaned up when its principal exists neither" in way for way in ways)


async def test_what_a_person_holds_is_not_cleaned_up(app: Desk) -> None:
    app.estate.platform.directory.grant_permission(app.person.object_id)
    ways = [one["toGo"][0] for one in (await explain(app, app.person.object_id))["assignments"]]
    assert ways
    assert all("what users and groups hold is not cleaned up" in way for way in ways)


async def test_a_type_that_lanyard_gives_nothing_points_to_who_has_access(app: Desk) -> None:
    account = f"{app.group}/providers/Microsoft.Storage/storageAccounts/stshop"
    ran = await app.app("explain", account, "--policy", str(app.policy))
    assert ran.code == ERROR
    assert f"who has access to it shows 'lanyard access {account}'" in ran.err


async def test_a_machine_that_is_gone_points_to_its_past_also_by_its_name(app: Desk) -> None:
    vm = app.estate.vm_id("vm1")
    await app.estate.delete_vm("vm1")
    await app.estate.settle()
    for target in ("vm1", "VM1", "rg-app/virtualMachines/vm1", vm.text):
        ran = await app.app("explain", target, "--policy", str(app.policy))
        assert (ran.code, f"'lanyard history --resource {vm}'" in ran.err) == (ERROR, True), target


async def test_the_id_is_shown_however_it_was_typed(app: Desk) -> None:
    vm = app.estate.vm_id("vm1")
    found = await explain(app, "VM1")
    assert (found["target"], found["id"]) == ("VM1", vm.text)
    ran = await app.app("explain", "VM1", "--policy", str(app.policy))
    assert ran.lines[0] == vm.text
