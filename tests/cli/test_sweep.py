"""`lanyard sweep` and `lanyard undo`: what is orphaned and why, and what was removed put back."""

import json
from typing import Any

import pytest

from lanyard.values.change import Change
from simulator.faults import Fault
from tests.support.desk import Desk
from tests.support.estate import ANOTHER_INSTALLATION, INSTALLATION

OK, ERROR, FOUND = 0, 1, 2
RBAC_ADMINISTRATOR = "Role Based Access Control Administrator"


@pytest.fixture
async def app(desk: Desk) -> Desk:
    """An app at work, and a person who may read the directory."""
    desk.estate.platform.directory.grant_permission(desk.person.object_id)
    await desk.estate.create_vm("vm1")
    await desk.started()
    return desk


async def lose_machine(desk: Desk, name: str = "vm1") -> None:
    """It is deleted, and no event tells."""
    await desk.estate.delete_vm(name)
    desk.estate.new_events()


async def sweep(desk: Desk, *arguments: str) -> dict[str, Any]:
    ran = await desk.app("sweep", "--policy", str(desk.policy), "--json", *arguments)
    assert ran.err == ""
    return dict(json.loads(ran.out))


def granted(desk: Desk) -> list[tuple[str, str, str]]:
    return [each for each in desk.estate.assignments() if each[2] != desk.person.object_id]


# sweep


async def test_a_sweep_of_an_estate_in_order_finds_nothing(app: Desk) -> None:
    ran = await app.app("sweep", "--dry-run", "--policy", str(app.policy))
    assert (ran.code, ran.err) == (OK, "")
    assert "0 not as desired" in ran.lines[0]
    assert ran.lines[-1] == "nothing was changed"


async def test_a_dry_run_shows_each_orphan_with_its_evidence_and_changes_nothing(
    app: Desk,
) -> None:
    await lose_machine(app)
    before = granted(app)
    ran = await app.app("sweep", "--dry-run", "--policy", str(app.policy))
    assert ran.code == FOUND
    assert ran.lines[0].startswith("to remove  unclaimed  Storage Blob Data Reader at ")
    assert ran.lines[1].startswith("    principal ")
    assert granted(app) == before
    assert app.estate.queue.messages == []
    found = await sweep(app, "--dry-run")
    (orphan,) = found["orphans"]
    assert (orphan["kind"], orphan["held"], found["dryRun"]) == ("unclaimed", "", True)
    shown = [line.removeprefix("    · ") for line in ran.lines if line.startswith("    · ")]
    assert shown == orphan["evidence"]  # whole, each in a line of its own
    assert found["summary"]["missing"] == 1
    assert found["policy"] == app.estate.policy.digest


async def test_what_the_policy_holds_is_shown_as_held(app: Desk) -> None:
    await lose_machine(app)
    app.write_policy(app.policy.read_text().replace("mode: full", "mode: add-only"))
    ran = await app.app("sweep", "--dry-run", "--policy", str(app.policy))
    assert any(line.startswith("held  unclaimed") for line in ran.lines)
    assert "held: mode" in ran.out


async def test_without_dry_run_the_app_gets_the_work_and_does_it(app: Desk) -> None:
    await lose_machine(app)
    found = await sweep(app)
    assert found["dryRun"] is False
    assert len(app.estate.queue.messages) == 1
    await app.estate.settle()
    assert granted(app) == []
    assert (await sweep(app, "--dry-run"))["orphans"] == []


async def test_who_may_not_read_the_directory_is_shown_so_and_what_the_ledger_tells(
    desk: Desk,
) -> None:
    await desk.estate.create_vm("vm1", identity={"type": "SystemAssigned"})
    await desk.started()
    machine = desk.estate.azure.state.resources[desk.estate.vm_id("vm1").key]
    principal = machine.identity["principalId"] if machine.identity else ""
    desk.estate.azure.assign(principal, "Reader", desk.group)
    await lose_machine(desk)
    ran = await desk.app("sweep", "--dry-run", "--policy", str(desk.policy), "--json")
    assert (ran.code, ran.err) == (FOUND, "")
    report = json.loads(ran.out)
    assert "Authorization_RequestDenied" in report["noDirectory"]
    assert {orphan["kind"] for orphan in report["orphans"]} <= {"unclaimed"}
    shown = await desk.app("sweep", "--dry-run", "--policy", str(desk.policy))
    assert "orphans only as far as the ledger knows" in shown.out


async def test_a_directory_that_fails_is_shown_and_all_else_is_looked_over(app: Desk) -> None:
    app.estate.azure.assign(
        app.estate.azure.state.add_principal("any").object_id, "Reader", app.group
    )
    app.estate.azure.faults.add(Fault(method="POST", path="getByIds", status=503, times=None))
    ran = await app.app("sweep", "--dry-run", "--policy", str(app.policy), "--json")
    report = json.loads(ran.out)
    assert "ask the directory" in report["noDirectory"]
    assert {orphan["kind"] for orphan in report["orphans"]} <= {"unclaimed"}


async def test_a_listing_that_fails_is_an_error_and_no_result(app: Desk) -> None:
    app.estate.azure.faults.add(
        Fault(path="ResourceGraph/resources", status=403, code="AuthorizationFailed", times=None)
    )
    ran = await app.app("sweep", "--dry-run", "--policy", str(app.policy))
    assert (ran.code, ran.out) == (ERROR, "")
    assert "AuthorizationFailed" in ran.err


async def test_the_apps_principal_has_to_be_named(app: Desk) -> None:
    ran = await app.lanyard("sweep", "--policy", str(app.policy), "--storage", "stlanyard")
    assert ran.code == ERROR
    assert "--app-principal or LANYARD_PRINCIPAL_ID" in ran.err


# whose the assignments are


async def test_before_its_first_sweep_the_apps_installation_has_to_be_named(desk: Desk) -> None:
    await lose_machine(desk)
    principal = desk.estate.app.object_id
    which = ["--storage", "stlanyard", "--app-principal", principal]
    ran = await desk.lanyard("sweep", "--policy", str(desk.policy), *which)
    assert (ran.code, ran.out) == (ERROR, "")
    assert "--installation or LANYARD_INSTALLATION" in ran.err
    assert desk.estate.queue.messages == []
    await desk.estate.sweeps.run()
    ran = await desk.lanyard("sweep", "--dry-run", "--policy", str(desk.policy), *which)
    assert ran.err == ""


@pytest.mark.parametrize(
    ("given", "reason"),
    [(ANOTHER_INSTALLATION, f"the app is installation {INSTALLATION}"), ("prod", "is no GUID")],
)
async def test_another_apps_installation_is_refused(app: Desk, given: str, reason: str) -> None:
    ran = await app.lanyard("status", "--storage", "stlanyard", "--installation", given)
    assert (ran.code, ran.out) == (ERROR, "")
    assert reason in ran.err


# undo


async def removal(desk: Desk) -> str:
    """A machine goes, and what only it needed; returns the id of the decision."""
    await desk.estate.delete_vm("vm1")
    await desk.estate.settle()
    assert granted(desk) == []
    ran = await desk.app("history", "--removals", "--json")
    (found,) = json.loads(ran.out)["decisions"]
    return str(found["id"])


def may_assign(desk: Desk) -> None:
    desk.estate.azure.assign(desk.person.object_id, RBAC_ADMINISTRATOR, desk.estate.scope)


async def test_what_is_undone_is_there_again_and_stays(app: Desk) -> None:
    before = granted(app)
    decision = await removal(app)
    may_assign(app)
    ran = await app.app("undo", decision)
    assert (ran.code, ran.err) == (OK, "")
    assert ran.lines[0].startswith("put back  Storage Blob Data Reader at rg-app for ")
    assert granted(app) == before
    await app.estate.sweeps.run()
    await app.estate.settle()
    assert granted(app) == before


async def test_withdrawn_it_goes_again(app: Desk) -> None:
    decision = await removal(app)
    may_assign(app)
    await app.app("undo", decision)
    ran = await app.app("undo", "--withdraw", decision)
    assert (ran.code, ran.lines[-1]) == (OK, "withdraw: 1 of 1")
    await app.estate.sweeps.run()
    await app.estate.settle()
    assert granted(app) == []


async def test_a_time_undoes_all_of_it_and_a_dry_run_none(app: Desk) -> None:
    decision = await removal(app)
    may_assign(app)
    looked = json.loads((await app.app("undo", "--since", "1h", "--dry-run", "--json")).out)
    assert [each["decision"] for each in looked["removals"]] == [decision]
    assert granted(app) == []
    assert [each["result"] for each in looked["removals"]] == ["would be put back"]
    unasked = await app.app("undo", "--since", "1h")
    assert (unasked.code, granted(app)) == (ERROR, [])
    assert "nothing was changed: nobody can be asked here; --yes does it unasked" in unasked.err
    done = json.loads((await app.app("undo", "--since", "1h", "--yes", "--json")).out)
    assert [each["result"] for each in done["removals"]] == ["put back"]
    assert len(granted(app)) == 1
    nothing = await app.app("undo", "--since", "2000-01-01", "--until", "2000-01-02")
    assert (nothing.code, nothing.lines) == (OK, ["undo: 0 of 0"])


async def test_a_dry_run_of_undo_shows_what_the_real_one_will_do(app: Desk) -> None:
    decision = await removal(app)
    may_assign(app)

    async def foreseen(*arguments: str) -> tuple[str, str]:
        ran = await app.app("undo", decision, "--dry-run", "--json", *arguments)
        (one,) = json.loads(ran.out)["removals"]
        assert ran.code == (ERROR if one["error"] else OK)
        return one["result"], one["error"]

    assert await foreseen() == ("would be put back", "")
    _, error = await foreseen("--withdraw")
    assert "its removal is not undone, so there is nothing to withdraw" in error
    await app.app("undo", decision)
    assert await foreseen() == ("is there; would be kept", "")
    assert await foreseen("--withdraw") == ("would be withdrawn", "")


async def test_a_dry_run_of_undo_for_a_principal_that_is_gone_is_the_same_error(app: Desk) -> None:
    (principal,) = (await app.estate.identity_of("vm1")).values()
    decision = await removal(app)
    app.estate.azure.state.delete_principal(principal)
    dry, real = (await app.app("undo", decision, "--dry-run")), (await app.app("undo", decision))
    assert (dry.code, dry.err) == (real.code, real.err)
    assert "no longer exists: nothing to put back for it" in dry.err


async def test_of_a_time_only_what_was_undone_is_withdrawn(app: Desk) -> None:
    decision = await removal(app)
    may_assign(app)
    since = ["undo", "--since", "1h", "--withdraw"]
    nothing = await app.app(*since, "--dry-run")
    assert (nothing.code, nothing.err) == (OK, "")
    assert nothing.lines == ["withdraw: 0 of 0, nothing was changed"]
    await app.app("undo", decision)
    dry = await app.app(*since, "--dry-run")
    assert (dry.code, dry.lines[-1]) == (OK, "withdraw: 1 of 1, nothing was changed")
    real = await app.app(*since, "--yes")
    assert (real.code, real.lines[-1]) == (OK, "withdraw: 1 of 1")


async def test_only_what_was_undone_is_withdrawn_and_on_record_so(app: Desk) -> None:
    decision = await removal(app)
    ran = await app.app("undo", "--withdraw", decision)
    assert ran.code == ERROR
    assert "its removal is not undone" in ran.err
    (removed,) = json.loads((await app.app("history", "--removals", "--json")).out)["decisions"]
    assert removed["became"] == "done"


async def test_history_says_what_became_of_each_removal(app: Desk) -> None:
    decision = await removal(app)
    ran = await app.app("history", "--removals")
    assert ran.lines[0].split()[2] == "done"
    assert ran.lines[0].endswith(f"(lanyard undo {decision[-8:]})")
    for outcome, number in (("done", 1), ("intended", 0), ("failed", 0)):
        found = await app.app("history", "--removals", "--outcome", outcome)
        assert len(found.lines) - 1 == number, outcome
    may_assign(app)
    await app.app("undo", decision)
    (undone,) = json.loads((await app.app("history", "--removals", "--json")).out)["decisions"]
    assert (undone["id"], undone["became"]) == (decision, "undone")
    (line,) = (await app.app("history", "--removals")).lines[:-1]
    assert line.endswith(f"(lanyard undo --withdraw {decision[-8:]})")
    await app.app("undo", "--withdraw", decision)
    (line,) = (await app.app("history", "--removals")).lines[:-1]
    assert line.endswith(f"(lanyard undo {decision[-8:]})")
    assert undone["removed"]["kind"] == "assignment"


async def test_history_says_of_a_removal_that_azure_refused_that_it_failed(app: Desk) -> None:
    app.estate.azure.faults.add(
        Fault(method="DELETE", path="roleAssignments", status=409, code="ScopeLocked", times=None)
    )
    await app.estate.delete_vm("vm1")
    await app.estate.settle()
    (refused,) = json.loads((await app.app("history", "--removals", "--json")).out)["decisions"]
    assert refused["became"] == "failed"
    nothing = await app.app("undo", "--since", "1h")
    assert nothing.lines == ["undo: 0 of 0"], "nothing was taken away"


OWN = """
version: 1
mode: full
identities: {own: {name: "id-{resource.name}", per: resource}}
rules:
  - name: machines
    match: {types: [Microsoft.Compute/virtualMachines], tags: {served: "*"}}
    attach: [own]
    grant: [{role: Reader, scope: "{resourceGroup}", to: own}]
orphans: {graceMinutes: 0}
"""


async def test_a_deleted_identity_is_shown_with_what_one_like_it_needs(desk: Desk) -> None:
    desk.estate.change_policy(OWN)
    vm = await desk.estate.create_vm("vm1", tags={"served": "yes"})
    await desk.estate.settle()
    await desk.estate.delete_vm("vm1")
    await desk.estate.settle()
    history = json.loads((await desk.app("history", "--removals", "--json")).out)["decisions"]
    (deleted,) = [each for each in history if each["removed"]["kind"] == "identity"]
    assert (deleted["became"], deleted["resource"]) == ("done", vm.text)
    ran = await desk.app("undo", deleted["id"], "--json")
    assert ran.code == ERROR
    (shown,) = json.loads(ran.out)["removals"]
    assert (shown["kind"], shown["makeAgain"]["location"]) == ("identity", "westeurope")
    assert "az identity create" in shown["error"]
    text = await desk.app("undo", deleted["id"])
    assert "userAssignedIdentities/id-vm1" in text.err
    assert "cannot be put back" in text.err


async def test_history_offers_no_undo_of_what_nothing_puts_back(app: Desk) -> None:
    azure = app.estate.azure
    gone = azure.state.add_principal("id-gone", names=["isExplicit=True"]).object_id
    azure.assign(gone, "Reader", app.group)
    azure.clock.advance(86_400)
    azure.state.delete_principal(gone)
    app.estate.change_policy(OWN.replace("Minutes: 0", "Minutes: 0, remove: all"))
    vm = await app.estate.create_vm("vm2", tags={"served": "yes"})
    for _ in range(2):  # the first one reports what the new policy takes
        await app.estate.sweeps.run()
        await app.estate.settle()
        azure.clock.advance(3600)
    await app.estate.delete_vm("vm2")
    await app.gone(vm)
    await app.estate.settle()
    removals = ["history", "--removals", "--since", "60d"]
    every = json.loads((await app.app(*removals, "--json")).out)["decisions"]
    assert {each["removed"]["kind"] for each in every} >= {"assignment", "identity"}
    for arguments in ([], ["--full"]):
        ran = await app.app(*removals, *arguments)
        roles = [line for line in ran.lines if "no undo: its principal is gone" in line]
        (own,) = [line for line in ran.lines if "another principal; lanyard undo " in line]
        assert len(roles) == 2, "of the identity that was deleted, and of one nobody knows"
        assert not [line for line in roles if "lanyard undo" in line]
        assert own.removesuffix(")").endswith(" shows how to make one like it")


async def test_an_identity_that_was_detached_is_attached_again(app: Desk) -> None:
    app.estate.change_policy(OWN)
    await app.estate.sweeps.run()
    await app.estate.settle()
    app.estate.azure.clock.advance(3600)
    await app.estate.worker.process(Change(app.estate.vm_id("vm1"), "event"))
    await app.estate.settle()
    assert await app.estate.identity_of("vm1") == {}
    history = json.loads((await app.app("history", "--removals", "--json")).out)["decisions"]
    (detached,) = [each for each in history if each["removed"]["kind"] == "attachment"]
    app.estate.azure.assign(app.person.object_id, "Contributor", app.estate.scope)
    ran = await app.app("undo", detached["id"])
    assert (ran.code, ran.err) == (OK, "")
    assert ran.lines[0].startswith("attached again  ")
    assert list(await app.estate.identity_of("vm1")) == ["id-lanyard-westeurope"]


async def test_who_may_not_assign_is_shown_so(app: Desk) -> None:
    decision = await removal(app)
    ran = await app.app("undo", decision)
    assert ran.code == ERROR
    assert "403 AuthorizationFailed" in ran.err
    assert "Traceback" not in ran.err
    assert granted(app) == []


async def test_a_decision_that_removed_nothing_is_refused(app: Desk) -> None:
    ran = await app.app("history", "--json")
    first = json.loads(ran.out)["decisions"][0]["id"]
    assert "removed nothing" in (await app.app("undo", first)).err
    assert "no decision 'x' is on record" in (await app.app("undo", "x")).err


@pytest.mark.parametrize("arguments", [[], ["x", "--since", "1h"]])
async def test_decisions_or_a_time_are_to_be_given(app: Desk, arguments: list[str]) -> None:
    ran = await app.app("undo", *arguments)
    assert ran.code == ERROR
    assert "give decisions, or a time with --since, one of the two" in ran.err
