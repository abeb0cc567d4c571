"""`lanyard uninstall`: what it takes back, what it leaves, and that it leaves nothing else."""

import json
from pathlib import Path
from typing import Any

import pytest

from lanyard.cli.catalogue import COMMANDS
from lanyard.desk.onboarding.app_alerts import API_VERSION, NAMED, RULES
from lanyard.values.change import Change
from lanyard.values.grants import Grant
from lanyard.values.removed import RemovedAssignment
from lanyard.values.stamps import stamp
from simulator.faults import Fault
from tests.support.bad_parts import damage
from tests.support.desk import STORAGE, Desk, Ran
from tests.support.documented import undocumented
from tests.support.estate import BLOB_READER, INSTALLATION, POLICY, limited
from tests.support.examples import READER
from tests.support.handlers import started
from tests.support.infra.bicep import body, of
from tests.support.watched import Onboarder, UnwatchedEstate

OK, ERROR, CHANGES = 0, 1, 2
STAMP = stamp(INSTALLATION)


class Uninstaller(Onboarder):
    """They may also read and write the app's storage."""

    async def uninstall(self, *arguments: str) -> Ran:
        app = self.estate.deployment
        more = ["--app-id", app.app_id, "--storage-id", app.storage_id, "--storage", STORAGE]
        more += ["--app-principal", app.principal_id]
        return await self.desk.lanyard("uninstall", *arguments, *more)

    def granted(self) -> list[tuple[str, str]]:
        """(role, scope) of what stands for others than people, the app and the topic."""
        state = self.estate.azure.state
        identities = {
            each.properties["principalId"]
            for each in state.resources.values()
            if each.type.endswith("userAssignedIdentities")
        }
        return [(role, at) for role, at, who in self.estate.assignments() if who in identities]

    async def paused(self) -> bool:
        return await self.estate.services.kill_switch.read() is not None


@pytest.fixture
async def me(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Uninstaller:
    """An app that watches a subscription with two machines, and has given them access."""
    estate = UnwatchedEstate()
    desk = Desk(tmp_path, monkeypatch, capsys, estate=estate)
    estate.platform.directory.grant_permission(desk.person.object_id)
    await started(estate, monkeypatch)
    await desk.started()
    made = Uninstaller(desk, estate)
    assert (await made.run("onboard", "--yes")).code == OK
    for name in ("vm1", "vm2"):
        await estate.create_vm(name)
    await estate.hear()
    assert made.granted() == [(BLOB_READER, desk.group)]
    return made


async def test_without_more_the_events_and_rights_go_and_what_was_given_stays(
    me: Uninstaller,
) -> None:
    ran = await me.uninstall("--yes")
    assert (ran.err, ran.code) == ("", OK)
    there = me.there()
    assert (there["resources"], there["roles"], there["subscriptions"]) == ([], [], [])
    assert me.granted() == [(BLOB_READER, me.desk.group)]
    assert list(await me.estate.identity_of("vm1")) == ["id-lanyard-westeurope"]
    assert "1 role assignments that Lanyard made (--grants)" in ran.out
    assert "2 identities that Lanyard attached (--attachments)" in ran.out
    assert "azd down" in ran.out
    assert await me.paused()


async def test_rights_by_group_go_as_well(me: Uninstaller) -> None:
    me.desk.write_policy(POLICY.replace("exclude:", "resourceGroups: [rg-app], exclude:"))
    assert (await me.run("onboard", "--by-group", "--yes")).code == OK
    scopes = [scope for _, scope in me.there()["assignments"]]
    assert scopes.count(me.desk.group) == 3  # two of the app, one that it gave
    ran = await me.uninstall("--grants", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert (me.there()["roles"], me.there()["assignments"]) == ([], [])


async def test_with_grants_every_assignment_that_it_made_goes_and_no_other(
    me: Uninstaller,
) -> None:
    azure = me.estate.azure
    (_, principal) = (await me.estate.identity_of("vm1")).popitem()
    azure.assign(principal, "Reader", me.desk.group)
    name = Grant(me.estate.scope, READER, principal).name
    azure.assign(principal, "Reader", me.estate.scope, description=STAMP, name=name)
    before = me.there()["assignments"]
    ran = await me.uninstall("--grants", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    left = [(azure.role_definitions.get(role).role_name, at) for role, at in me.granted()]
    assert left == [("Reader", me.estate.scope), ("Reader", me.desk.group)]
    assert "it has Lanyard's stamp, and is not on its record" in ran.out
    assert (BLOB_READER, me.desk.group) in before
    assert list(await me.estate.identity_of("vm1")) == ["id-lanyard-westeurope"]
    assert [record async for record in me.estate.ledger.records() if record.grants] == []


async def test_what_was_removed_is_on_record_and_can_be_put_back(me: Uninstaller) -> None:
    await me.uninstall("--grants", "--yes")
    assert me.granted() == []
    (kept,) = [each for each in await me.estate.recorded() if each.removed is not None]
    assert kept.cause["source"] == "uninstall"
    assert isinstance(kept.removed, RemovedAssignment)
    assert kept.removed.raw["properties"]["description"] == STAMP
    ran = await me.desk.app("undo", "--since", "1h", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert me.granted() == [(BLOB_READER, me.desk.group)]
    # From then on it is this person's: another uninstall leaves it, and says so.
    ran = await me.uninstall("--grants", "--yes")
    assert (ran.code, "a person had it put back" in ran.out) == (OK, True)
    assert me.granted() == [(BLOB_READER, me.desk.group)]


async def test_with_attachments_the_machines_lose_their_identities(me: Uninstaller) -> None:
    ran = await me.uninstall("--grants", "--attachments", "--yes", "--json")
    assert (ran.err, ran.code) == ("", OK)
    assert [await me.estate.identity_of(name) for name in ("vm1", "vm2")] == [{}, {}]
    document = json.loads(ran.out)
    assert [each["removed"] for each in document["attachments"]] == [True, True]
    assert [each["removed"] for each in document["grants"]] == [True]
    assert [each["resources"] for each in document["grants"]] == [
        [me.estate.vm_id("vm1").text, me.estate.vm_id("vm2").text]
    ]
    again = await me.uninstall("--grants", "--attachments", "--yes", "--json")
    found = json.loads(again.out)
    assert (again.code, found["grants"], found["attachments"]) == (OK, [], [])


async def test_the_app_gives_nothing_anew_afterwards(me: Uninstaller) -> None:
    await me.uninstall("--grants", "--yes")
    # Rights may count for ten minutes more: give them back, and only the pause is left.
    me.estate.azure.assign(me.estate.app.object_id, "Owner", me.estate.scope)
    await me.estate.worker.process(Change(me.estate.vm_id("vm1"), "test"))
    assert me.granted() == []
    held = [outcome for _, outcome, _ in await me.estate.decisions() if outcome == "held"]
    assert held != []


async def test_a_dry_run_shows_it_all_and_changes_nothing(me: Uninstaller) -> None:
    before = me.there(), me.granted()
    me.desk.calls()
    ran = await me.uninstall("--grants", "--attachments", "--dry-run")
    assert (ran.err, ran.code) == ("", CHANGES)
    assert sum(line.startswith("- remove ") for line in ran.lines) == 13
    assert "Storage Blob Data Reader at rg-app for" in ran.out
    assert "(2 resources)" in ran.out
    assert (me.there(), me.granted(), await me.paused()) == (*before, False)
    written = [call for call in me.desk.calls() if not call.startswith(("GET", "POST"))]
    assert written == []


async def test_nothing_is_changed_where_nobody_can_be_asked(me: Uninstaller) -> None:
    before = me.there(), me.granted()
    ran = await me.uninstall("--grants")
    assert (ran.code, "--yes does it unasked" in ran.err) == (ERROR, True)
    assert (me.there(), me.granted(), await me.paused()) == (*before, False)


async def test_the_budget_does_not_stop_what_a_person_asks_for(me: Uninstaller) -> None:
    me.estate.change_policy(limited("perHour: 0"))
    assert (await me.uninstall("--grants", "--yes")).code == OK
    assert me.granted() == []


async def test_an_assignment_that_lost_its_stamp_is_not_lanyards_any_more(me: Uninstaller) -> None:
    state = me.estate.azure.state
    for each in state.role_assignments.values():
        if each.description == STAMP:
            each.description = "ours now"
    ran = await me.uninstall("--grants", "--yes")
    assert ran.code == OK
    assert me.granted() == [(BLOB_READER, me.desk.group)]
    assert "not ours" in str(await me.estate.decisions())


async def test_a_right_that_is_missing_is_named_and_a_second_run_finishes(me: Uninstaller) -> None:
    me.lack("Microsoft.Authorization/roleAssignments/delete")
    ran = await me.uninstall("--grants", "--yes")
    assert ran.code == ERROR
    assert "you need the right Microsoft.Authorization/roleAssignments/delete" in ran.err
    assert "Storage Blob Data Reader at rg-app" in ran.err
    assert "run it again" in ran.err
    assert me.granted() == [(BLOB_READER, me.desk.group)]
    me.lack_nothing()
    me.estate.azure.clock.advance(300)
    ran = await me.uninstall("--grants", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert (me.granted(), me.there()["assignments"], me.there()["roles"]) == ([], [], [])


async def test_a_machine_that_cannot_be_read_keeps_no_grant(me: Uninstaller) -> None:
    fault = Fault(method="GET", path="virtualMachines/vm1$", status=403, code="X", times=None)
    me.estate.azure.faults.add(fault)
    ran = await me.uninstall("--grants", "--attachments", "--yes", "--json")
    document = json.loads(ran.out)
    assert (ran.code, me.granted()) == (ERROR, [])
    left = [each for each in document["attachments"] if not each["removed"]]
    assert [each["resource"].rpartition("/")[2] for each in left] == ["vm1"]
    assert "403" in left[0]["error"]


async def test_case_C03_a_damaged_row_is_named_and_all_else_is_taken_back(me: Uninstaller) -> None:
    where = damage(me.estate, "resources", "|vm1", "grants")
    ran = await me.uninstall("--grants", "--attachments", "--yes", "--json")
    document = json.loads(ran.out)
    assert (ran.code, me.granted()) == (ERROR, []), "its grant has a row of its own"
    assert [each["resource"].rpartition("/")[2] for each in document["attachments"]] == ["vm2"]
    assert document["attachments"][0]["removed"]
    assert any(where in each for each in document["remains"])


async def test_machines_that_are_gone_are_no_obstacle(me: Uninstaller) -> None:
    await me.estate.delete_vm("vm1")
    await me.estate.delete_group()
    ran = await me.uninstall("--grants", "--attachments", "--yes")
    assert (ran.err, ran.code) == ("", OK)
    assert me.granted() == []


async def test_the_alerts_of_the_app_go_first_and_others_stay(me: Uninstaller) -> None:
    group = f"{me.estate.scope}/resourceGroups/rg-lanyard/providers/{RULES}"
    for name in ("lanyard-paused", "disk-full"):
        poller = await me.desk._owner.resources.begin_create_or_update_by_id(
            f"{group}/{name}",
            {"location": "westeurope", "properties": {}},
            api_version=API_VERSION,
            polling_interval=1,
        )
        await poller.wait()
    ran = await me.uninstall("--yes")
    assert (ran.err, ran.code) == ("", OK)
    removed = [line for line in ran.lines if line.startswith("- removed")]
    assert removed[0].endswith("alert lanyard-paused")
    rules = [each for each in me.estate.azure.state.resources.values() if each.type == RULES]
    assert [each.name for each in rules] == ["disk-full"]


def test_the_alerts_of_the_template_are_those_that_it_takes() -> None:
    rule = of("modules/alerts.bicep")["resources"]["rule"]
    assert (rule["type"], rule["api_version"]) == (RULES, API_VERSION)
    assert str(body(rule)["name"]).startswith(NAMED)


async def test_every_key_of_the_json_is_documented(me: Uninstaller) -> None:
    ran = await me.uninstall("--dry-run", "--json")
    (shape,) = [each.command().shape for each in COMMANDS if each.name == "uninstall"]
    document: dict[str, Any] = json.loads(ran.out)
    assert document["grants"]
    assert document["attachments"]
    assert list(undocumented(document, shape)) == []
