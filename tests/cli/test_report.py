"""`lanyard report`: a month of a deployed app. Its figures are those of the record, and of ARM."""

import csv
import io
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, get_args

import pytest

from lanyard.desk.report.month import Month, month_named
from lanyard.planning import actions
from lanyard.planning.actions import given_by, is_removal
from lanyard.values.compute import UserAssigned
from lanyard.values.grants import Grant
from lanyard.values.resource_id import ResourceId
from tests.support.desk import Desk

OK, ERROR, USAGE = 0, 1, 2
RULE = "machines read blobs"
LISTS = ("given", "held", "removed", "failed", "decided", "policies", "sweeps")


async def report(desk: Desk, *arguments: str) -> dict[str, Any]:
    ran = await desk.app("report", "--json", *arguments)
    assert (ran.code, ran.err) == (OK, "")
    document: dict[str, Any] = json.loads(ran.out)
    return document


async def history(desk: Desk, *arguments: str) -> list[dict[str, Any]]:
    ran = await desk.app("history", "--since", "60d", "--json", *arguments)
    decisions: list[dict[str, Any]] = json.loads(ran.out)["decisions"]
    return decisions


async def month_of_work(desk: Desk) -> None:
    """Three machines come and one goes, with its role; a person takes a role away, which a sweep
    gives again; the app is paused and goes on.
    """
    estate = desk.estate
    for name in ("vm1", "vm2", "vm3"):
        await estate.create_vm(name)
    await desk.started()
    (theirs,) = [key for key, each in stamped(desk).items() if each]
    del estate.azure.state.role_assignments[theirs]
    estate.azure.clock.advance(3600)
    await estate.sweeps.run()
    await estate.settle()
    await desk.app("pause", "a look")
    await desk.app("resume")
    for name in ("vm1", "vm2", "vm3"):
        await estate.delete_vm(name)
    await estate.settle()


def stamped(desk: Desk) -> dict[str, bool]:
    """The role assignments in Azure, and whether each is Lanyard's by its stamp."""
    installation = desk.estate.installation
    every = desk.estate.azure.state.role_assignments.items()
    return {key: installation in (each.description or "") for key, each in every}


async def test_the_figures_are_those_of_the_record_and_of_arm(desk: Desk) -> None:
    await month_of_work(desk)
    document = await report(desk)
    figures = document["figures"]
    assert figures["rolesGiven"] == 2  # at first, and after somebody took it away
    assert figures["shared"] >= 2
    assert figures["identitiesAttached"] == 3 == figures["resources"]
    assert (figures["rolesRemoved"], figures["putBack"]) == (1, 0)
    assert figures["putRight"] == 1
    assert figures["decided"] == 2
    taken_by_others = 1
    left = figures["rolesGiven"] - figures["rolesRemoved"] - taken_by_others
    assert sum(stamped(desk).values()) == left
    recorded = await history(desk)
    attached = [
        each for each in recorded if each["outcome"] == "done" and "attach id" in each["action"]
    ]
    assert figures["identitiesAttached"] == len(attached)
    assert [each["id"] for each in document["removed"]] == [
        each["id"] for each in await history(desk, "--removals") if each["became"] == "done"
    ]


async def test_figures_are_those_of_the_lists_and_of_the_rules(desk: Desk) -> None:
    await month_of_work(desk)
    document = await report(desk)
    figures = document["figures"]
    (rule,) = document["rules"]
    assert rule["name"] == RULE
    assert rule["given"] == figures["rolesGiven"] + figures["identitiesAttached"]
    assert rule["removed"] == figures["rolesRemoved"] == 1
    assert sum(day["given"] for day in document["days"]) == rule["given"]
    assert len(document["sweeps"]) == figures["sweeps"] == 2
    assert [each["action"] for each in document["decided"]] == ["pause removals", "resume"]


async def test_what_is_put_back_counts_as_put_back(desk: Desk) -> None:
    await month_of_work(desk)
    await desk.estate.create_vm("vm1")
    (removal,) = (await report(desk))["removed"]
    azure = desk.estate.azure
    azure.assign(desk.person.object_id, "Owner", desk.estate.scope)
    azure.services.directory.grant_permission(desk.person.object_id)
    ran = await desk.app("undo", removal["id"])
    assert ran.code == OK, ran.err
    document = await report(desk)
    assert document["figures"]["putBack"] == 1
    assert [each["became"] for each in document["removed"]] == ["undone"]


async def test_a_month_stands_beside_the_one_before(desk: Desk) -> None:
    await month_of_work(desk)
    now = datetime.fromtimestamp(desk.estate.azure.clock.now(), UTC)
    this = month_named("this", now)
    desk.estate.azure.clock.advance((this.until - now).total_seconds() + 60)
    later = await report(desk)
    assert (later["month"], later["soFar"]) == (str(this.after), True)
    assert not any(later["figures"].values())
    assert later["before"] == (await report(desk, "--month", "last"))["figures"]
    assert len(later["days"]) == 1
    over = await report(desk, "--month", str(this))
    assert (over["soFar"], over["before"]) == (False, None)
    assert len(over["days"]) == (this.until - this.since).days


async def test_what_waits_is_there_with_its_reason_and_its_id(desk: Desk) -> None:
    await month_of_work(desk)
    await desk.app("pause", "--everything", "a look")
    await desk.estate.create_vm("vm9")
    await desk.estate.settle()
    document = await report(desk)
    assert document["waiting"]
    assert {each["because"] for each in document["waiting"]} == {"paused"}
    assert document["rules"][0]["held"] == len(document["held"])
    ran = await desk.app("report")
    assert f"{len(document['waiting'])} held now" in ran.out
    assert document["waiting"][0]["id"] in ran.out


async def test_a_removal_that_is_held_counts_for_the_rule_that_gave_it(desk: Desk) -> None:
    for name in ("vm1", "vm2"):
        await desk.estate.create_vm(name)
    await desk.started()
    policy = desk.policy.read_text()
    desk.estate.change_policy(policy.replace("virtualMachines]", "virtualMachineScaleSets]"))
    await desk.app("pause", "a look")
    await desk.estate.sweeps.run()
    await desk.estate.settle()
    document = await report(desk)
    actions = {each["action"].partition(" ")[0] for each in document["held"]}
    assert actions == {"detach", "unassign"}
    (rule,) = document["rules"]
    assert (rule["name"], rule["held"]) == (RULE, len(document["held"]))


async def test_the_table_has_both_months_and_the_rules(desk: Desk) -> None:
    await month_of_work(desk)
    ran = await desk.app("report")
    assert (ran.code, ran.err) == (OK, "")
    (given,) = [line for line in ran.lines if line.startswith("role assignments given")]
    assert given.split()[-2:] == ["2", "?"]
    assert any(line.split()[-4:] == ["blobs", "5", "0", "1"] for line in ran.lines)
    assert all(len(line) <= 80 for line in ran.lines if "given" in line)


async def test_a_csv_has_a_line_for_each_that_the_json_has(desk: Desk, tmp_path: Path) -> None:
    await month_of_work(desk)
    file = tmp_path / "month.csv"
    ran = await desk.app("report", "--csv", str(file), "--quiet")
    assert (ran.code, ran.out) == (OK, "")
    document = await report(desk)
    rows = list(csv.DictReader(io.StringIO(file.read_text(newline=""))))
    assert sorted(row["id"] for row in rows) == sorted(
        each["id"] for name in LISTS for each in document[name]
    )
    assert [row["at"] for row in rows] == sorted(row["at"] for row in rows)
    (removal,) = [row for row in rows if row["happening"] == "removed"]
    assert removal["outcome"] == "done"
    (given,) = {row["assignment"] for row in rows if row["action"].startswith("assign")}
    assert removal["assignment"] == given
    assert not any(given in key for key in desk.estate.azure.state.role_assignments)
    assert removal["rules"] == RULE
    assert "no other resource claims" in removal["evidence"]


@pytest.mark.parametrize("command", [("report", "csv"), ("scan", "save")])
async def test_two_files_of_one_name_are_an_error(
    desk: Desk, tmp_path: Path, command: tuple[str, str]
) -> None:
    name, option = command
    file = str(tmp_path / "one")
    ran = await desk.app(name, "--html", file, f"--{option}", f"{tmp_path}/x/../one")
    assert (ran.code, ran.out) == (1, "")
    assert f"--html and --{option} name one file" in ran.err


async def test_a_spreadsheet_runs_nothing_of_a_csv(desk: Desk, tmp_path: Path) -> None:
    file = tmp_path / "month.csv"
    await desk.app("pause", "=cmd|' /C calc'!A0\r\n@SUM(1)")
    await desk.app("report", "--csv", str(file))
    rows = list(csv.DictReader(io.StringIO(file.read_text(newline=""))))
    assert len(rows) == 1
    assert not any(cell.startswith(("=", "+", "-", "@", "\t")) for cell in rows[0].values())
    assert "calc" in rows[0]["reason"]


@pytest.mark.parametrize("month", ["2026", "October", "2026-13", "9999-12", "1999-01", "="])
async def test_what_is_no_month_is_said_with_what_to_write(desk: Desk, month: str) -> None:
    ran = await desk.app("report", "--month", month)
    assert ran.code in (ERROR, USAGE)
    assert "write 20" in ran.err or "still to come" in ran.err


def test_months_are_calendar_months_of_utc() -> None:
    december = Month(2025, 12)
    assert december.until == datetime(2026, 1, 1, tzinfo=UTC)
    assert december.after.before == december
    late = datetime.fromisoformat("2025-12-31T23:30:00-05:00")
    assert month_named("this", late) == Month(2026, 1)
    assert month_named("last", late) == december
    assert december.until - timedelta(seconds=1) > december.since


def test_every_action_gives_or_takes() -> None:
    subscription = "/subscriptions/00000000-0000-4000-8000-000000000000"
    one, role = ResourceId.parse(f"{subscription}/resourceGroups/g/providers/a.b/c/d"), "r"
    made: dict[type, actions.Action] = {
        actions.CreateIdentity: actions.CreateIdentity(one, "westeurope", ()),
        actions.AttachIdentity: actions.AttachIdentity(one, ()),
        actions.ReattachIdentity: actions.ReattachIdentity(one, ()),
        actions.EnableSystemIdentity: actions.EnableSystemIdentity(()),
        actions.ReplaceIdentity: actions.ReplaceIdentity(UserAssigned(one), UserAssigned(one), ()),
        actions.AssignRole: actions.AssignRole("/", role, UserAssigned(one), None, ()),
        actions.UpgradeInstances: actions.UpgradeInstances(),
        actions.DetachIdentity: actions.DetachIdentity(one),
        actions.ReleaseGrant: actions.ReleaseGrant(Grant("/", role, "p")),
        actions.RevokeUnclaimed: actions.RevokeUnclaimed(Grant("/", role, "p")),
        actions.DeleteIdentity: actions.DeleteIdentity(one),
        actions.RemoveOrphans: actions.RemoveOrphans("p"),
        actions.RemoveUnknown: actions.RemoveUnknown("p"),
    }
    assert set(made) == set(actions.ORDER)
    assert set(get_args(actions.Removal.__value__)) < set(made)
    for kind, action in made.items():
        gives = given_by(action.key) is not None
        assert gives != (is_removal(action) or kind is actions.UpgradeInstances), kind


async def test_of_a_month_before_the_record_begins_no_figures_are_shown(
    desk: Desk, tmp_path: Path
) -> None:
    await month_of_work(desk)
    assert (await report(desk))["onRecord"] is True
    at = datetime.fromtimestamp(desk.estate.azure.clock.now(), UTC)
    early = str(Month(at.year - 1, at.month))
    assert (await report(desk, "--month", early))["onRecord"] is False
    page = tmp_path / "page.html"
    ran = await desk.app("report", "--month", early, "--html", str(page))
    assert ran.code == OK
    assert ", after this month: what happened in it is not known." in ran.lines[1]
    assert "role assignments given" not in ran.out
    assert "after this month" in page.read_text()
    assert "role assignments given" not in page.read_text()
    this = await desk.app("report", "--html", str(page))
    assert "by rule: role assignments and identities on resources that it asks for." in this.out
    assert "role assignments given" in page.read_text()
