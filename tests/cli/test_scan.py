"""`lanyard scan` against an in-process Azure: what it finds, what it costs, what it refuses."""

import json
import math
import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lanyard.cli.frame.terminal import Terminal
from lanyard.cli.scan import command as scan
from lanyard.cli.scan.as_json import scan_as_json
from lanyard.desk.scan.saved import as_saved, read_saved
from lanyard.desk.scan.scan import scan as summed_up
from simulator.behaviour import ResourceGraphAnswer
from simulator.directory.models import Answer
from simulator.faults import Fault
from simulator.seeding import Sizes, fill
from tests.support.desk import Desk
from tests.support.estate import Estate
from tests.support.handlers import started
from tests.support.scanned import DAY, custom_role, principal_of, show_to, with_system_identity

OK, ERROR, LOOK = 0, 1, 2
OWNER = "8e3af657-a8ff-443c-a75c-2fe8c4bcb635"
DOCS = Path(__file__).parents[2] / "docs" / "scan.md"
UNTOLD = "12345678-0000-4000-8000-000000000000"


@pytest.fixture
def reader(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Desk:
    """A person who may read the whole tenant's resources, and its directory."""
    clock = desk.estate.azure.clock
    monkeypatch.setattr(scan, "now", lambda: datetime.fromtimestamp(clock.now(), UTC))
    desk.estate.azure.assign(desk.person.object_id, "Reader", "/")
    desk.estate.platform.directory.grant_permission(desk.person.object_id)
    return desk


def held_by(desk: Desk, principal: str) -> int:
    assignments = desk.estate.azure.state.role_assignments.values()
    return sum(each.principal_id == principal for each in assignments)


def forget(desk: Desk, principal: str) -> None:
    assignments = desk.estate.azure.state.role_assignments
    for name in [key for key, each in assignments.items() if each.principal_id == principal]:
        del assignments[name]


async def found(desk: Desk, *arguments: str) -> dict[str, Any]:
    ran = await desk.lanyard("scan", "--json", *arguments)
    assert ran.err == ""
    document: dict[str, Any] = json.loads(ran.out)
    return document


# What there is.


async def test_what_was_read_is_kept_in_a_file_and_is_the_same_when_it_is_read_again(
    reader: Desk, tmp_path: Path
) -> None:
    azure = reader.estate.azure
    fill(azure, Sizes(machines=6, web_apps=4, assignments=20, orphans=4))
    custom_role(azure, "sites", "Microsoft.Web/sites/read")
    saved = tmp_path / "estate.json"
    ran = await reader.lanyard("scan", "--save", str(saved), "--json")
    text = saved.read_text()
    estate = read_saved(saved)
    assert as_saved(estate) == text
    gone = json.loads(text)["directory"]["unknown"]
    assert gone[1:]
    assert gone == sorted(gone)  # a set has another order in each process
    assert scan_as_json(summed_up(estate), None, None) == json.loads(ran.out)
    assert len([each for each in estate.resources if each.compute is not None]) == 10
    assert "hardwareProfile" not in text  # a body may hold what nobody should mail


async def test_compute_is_counted_by_type_and_identity(reader: Desk) -> None:
    fill(
        reader.estate.azure, Sizes(machines=8, web_apps=4, system_assigned=0.5, user_assigned=0.25)
    )
    document = await found(reader)
    machines, apps = document["compute"]
    assert machines["type"] == "Microsoft.Compute/virtualMachines"
    counts = {key: machines[key] for key in ("total", "none", "system", "user", "both")}
    assert counts == {"total": 8, "none": 4, "system": 2, "user": 0, "both": 2}
    assert apps["total"] == 4
    assert document["summary"]["compute"] == 12
    assert document["summary"]["withoutIdentity"] == machines["none"] + apps["none"]
    by_subscription = [each["compute"] for each in document["subscriptions"]]
    assert sum(row["total"] for rows in by_subscription for row in rows) == 12


async def test_batch_pools_are_found_in_their_own_table(reader: Desk) -> None:
    body = {"location": "westeurope", "properties": {}}
    await reader.estate.create_vm("vm1")  # makes the group
    await reader.put("Microsoft.Batch/batchAccounts/batch1", body)
    await reader.put("Microsoft.Batch/batchAccounts/batch1/pools/pool1", {"properties": {}})
    types = {row["type"]: row["total"] for row in (await found(reader))["compute"]}
    assert types["Microsoft.Batch/batchAccounts"] == 1
    assert types["Microsoft.Batch/batchAccounts/pools"] == 1


async def test_identities_that_nobody_uses_are_named(reader: Desk) -> None:
    sizes = Sizes(machines=20, web_apps=0, identities=4, user_assigned=0.5, system_assigned=0)
    made = fill(reader.estate.azure, sizes)
    identities = (await found(reader))["identities"]
    unused = [made.identities[0], made.identities[2]]
    assert [each["id"] for each in identities["unused"]] == unused
    assert identities["shared"] == []


async def test_an_identity_of_ten_resources_is_shared_by_many(reader: Desk) -> None:
    sizes = Sizes(machines=10, web_apps=0, identities=1, user_assigned=1, assignments=1)
    made = fill(reader.estate.azure, sizes)
    document = await found(reader)
    (shared,) = document["identities"]["shared"]
    assert shared == {"id": made.identities[0], "resources": 10, "assignments": 1}
    assert document["summary"]["sharedIdentities"] == 1


async def test_holders_are_shown_apart_in_each_subscription(reader: Desk) -> None:
    azure = reader.estate.azure
    made = fill(azure, Sizes(subscriptions=1, machines=2, web_apps=0, assignments=0))
    scope = f"/subscriptions/{made.subscriptions[0]}"
    (machine,) = with_system_identity(azure, made.machines)
    app = azure.state.add_principal("an application", "ServicePrincipal").object_id
    team = azure.state.add_group("team", []).object_id
    person = azure.state.add_principal("a person", "User").object_id
    identity = principal_of(azure, made.identities[0])
    for holder in (principal_of(azure, machine), identity, app, team, person, UNTOLD):
        azure.assign(holder, "Reader", scope)
    document = await found(reader)
    (row,) = [each for each in document["subscriptions"] if each["id"] == made.subscriptions[0]]
    assert row["holders"] == {
        "systemAssigned": 1,
        "userAssigned": 1,
        "application": 1,
        "user": 1,
        "group": 1,
        "unknown": 1,
        "undetermined": 0,
    }
    assert (row["assignments"], row["name"]) == (6, "Subscription 0")


# Orphans.


async def test_an_orphan_is_shown_with_its_evidence_and_its_age(reader: Desk) -> None:
    azure = reader.estate.azure
    made = fill(azure, Sizes(machines=4, web_apps=0))
    made_at = azure.clock.now() - 100.5 * DAY
    orphan = azure.assign(UNTOLD, "Reader", made.groups[0], made_at=made_at)
    document = await found(reader)
    (row,) = document["orphans"]["assignments"]
    assert row["assignment"].lower() == orphan.id.lower()
    assert (row["principalId"], row["ageDays"], row["level"]) == (UNTOLD, 100, "resource group")
    assert row["role"]["name"] == "Reader"
    assert "the directory does not know its principal" in row["evidence"][0]
    assert any(each["count"] for each in document["orphans"]["byAge"])
    assert {each["age"]: each["count"] for each in document["orphans"]["byAge"]} == {
        "under a week": 0,
        "1 to 4 weeks": 0,
        "1 to 3 months": 0,
        "3 to 12 months": 1,
        "a year or more": 0,
    }


async def test_exactly_the_orphans_of_a_large_estate_are_found(reader: Desk) -> None:
    azure = reader.estate.azure
    sizes = Sizes(machines=200, assignments=300, orphans=40, unknown=10, user_assignments=20)
    made = fill(azure, sizes)
    rows = (await found(reader))["orphans"]["assignments"]
    expected = {each.id.lower() for each in (*made.orphans, *made.unknown)}
    assert {row["assignment"].lower() for row in rows} == expected


def denied(desk: Desk) -> None:
    desk.estate.platform.directory.revoke_permissions(desk.person.object_id)


def empty(desk: Desk) -> None:
    desk.estate.platform.directory.behaviour.answer = Answer.EMPTY


def half(desk: Desk) -> None:
    desk.estate.platform.directory.behaviour.answer = Answer.HALF


def unavailable(desk: Desk) -> None:
    desk.estate.azure.faults.add(Fault(service="graph", status=503, times=None))


@pytest.mark.parametrize("broken", [denied, empty, half, unavailable])
async def test_without_the_directory_orphans_are_not_determined_and_the_rest_is_shown(
    reader: Desk, broken: Callable[[Desk], None]
) -> None:
    fill(reader.estate.azure, Sizes(machines=20, web_apps=0, assignments=10, orphans=6))
    broken(reader)
    ran = await reader.lanyard("scan")
    assert (ran.code, ran.err) == (LOOK, "")
    assert "Orphaned assignments: not determined" in ran.out
    assert "Directory.Read.All" in ran.out
    assert ran.lines[-1].startswith("to look at, so it ends with 2: ")
    assert ran.lines[-1].endswith("orphaned assignments are not determined")
    document = await found(reader)
    orphans = document["orphans"]
    assert (orphans["determined"], orphans["assignments"]) == (False, [])
    assert orphans["undetermined"] == 6 + held_by(reader, reader.estate.app.object_id)
    assert orphans["reason"]
    assert "\n" not in orphans["reason"]
    assert document["summary"]["orphans"] is None
    assert document["summary"]["compute"] == 20


async def test_where_no_identity_is_there_to_ask_for_orphans_are_not_determined(
    reader: Desk,
) -> None:
    reader.estate.azure.assign(UNTOLD, "Reader", reader.estate.scope)
    orphans = (await found(reader))["orphans"]
    assert not orphans["determined"]
    assert "no resource shows a managed identity" in orphans["reason"]


async def test_a_busy_directory_is_asked_again(reader: Desk) -> None:
    fill(reader.estate.azure, Sizes(machines=4, web_apps=0, orphans=2))
    reader.estate.platform.directory.behaviour.throttle_next = 1
    assert (await found(reader))["summary"]["orphans"] == 2


# Privileges and limits.


async def test_managed_identities_that_could_give_themselves_more_are_shown(reader: Desk) -> None:
    azure = reader.estate.azure
    made = fill(azure, Sizes(subscriptions=1, machines=10, web_apps=0, assignments=0))
    scope, machines = f"/subscriptions/{made.subscriptions[0]}", made.machines
    holders = [principal_of(azure, each) for each in with_system_identity(azure, machines)]
    custom = custom_role(azure, "Operator", "Microsoft.Authorization/roleAssignments/*")
    harmless = custom_role(azure, "Looker", "*/read")
    azure.assign(holders[0], "Owner", made.groups[0])
    azure.assign(holders[1], "Contributor", scope)
    azure.assign(holders[2], custom, made.groups[1])
    azure.assign(holders[3], "Contributor", made.groups[1])
    azure.assign(holders[3], harmless, scope)
    azure.assign(azure.state.add_principal("boss", "User").object_id, "Owner", scope)
    rows = (await found(reader))["privileged"]
    levels = {(row["role"]["name"], row["level"], row["privileged"]) for row in rows}
    assert levels == {
        ("Owner", "resource group", "can hand out rights"),
        ("Contributor", "subscription", "can write everything below it"),
        ("Operator", "resource group", "can hand out rights"),
    }
    assert {row["holder"]["kind"] for row in rows} == {"systemAssigned"}
    assert {row["holder"]["resource"] for row in rows} <= set(machines)


async def test_a_role_whose_definition_cannot_be_seen_counts_as_privileged(reader: Desk) -> None:
    azure = reader.estate.azure
    made = fill(azure, Sizes(machines=2, web_apps=0, assignments=0))
    (machine,) = with_system_identity(azure, made.machines)
    role = custom_role(azure, "Hidden", "*/read")
    azure.assign(principal_of(azure, machine), role, made.groups[0])
    del azure.state.role_definitions[role]
    (row,) = (await found(reader))["privileged"]
    assert "its definition is not listed" in row["privileged"]


async def test_a_subscription_near_its_limit_is_shown(
    reader: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("lanyard.cli.scan.as_json.NEAR_LIMIT", 5)
    made = fill(reader.estate.azure, Sizes(subscriptions=2, groups=1, assignments=9, machines=20))
    document = await found(reader)
    near = {each["id"]: each["nearLimit"] for each in document["subscriptions"]}
    count = {each["id"]: each["assignments"] for each in document["subscriptions"]}
    assert {near[each] for each in made.subscriptions if count[each] >= 5} == {True}
    assert document["summary"]["nearLimit"] == sum(number >= 5 for number in count.values()) > 0


# With a policy.


async def test_what_a_policy_would_change_is_what_a_plan_says(reader: Desk) -> None:
    for number in range(3):
        await reader.estate.create_vm(f"vm{number}")
    await reader.estate.create_vm("done")
    planned = json.loads((await reader.plan(reader.estate.scope, "--json")).out)["summary"]
    document = await found(reader, "--policy", str(reader.policy))
    counted = document["policy"]
    assert (counted.pop("mode"), counted.pop("byListing")) == ("full", True)
    assert counted.pop("subscriptionNotes") == []
    assert counted == planned
    assert (counted["attach"], counted["create"], counted["assign"]) == (4, 1, 1)


async def test_what_stands_already_is_no_change(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    document = await found(desk, "--policy", str(desk.policy))
    assert document["policy"]["changed"] == 0
    assert document["policy"]["unchanged"] == 1


async def test_a_broken_policy_is_shown_before_azure_is_asked(reader: Desk) -> None:
    reader.write_policy("version: 2\n")
    ran = await reader.lanyard("scan", "--policy", str(reader.policy))
    assert (ran.code, ran.out) == (ERROR, "")
    assert "lanyard.yaml:1" in ran.err
    assert reader.calls() == []


# Exit codes and errors.


async def test_an_estate_in_order_needs_no_look(reader: Desk) -> None:
    fill(reader.estate.azure, Sizes(machines=4, web_apps=0, assignments=4))
    ran = await reader.lanyard("scan")
    assert (ran.code, ran.err) == (OK, "")
    assert (await reader.lanyard("scan", "--quiet")).out == ""


PARTS = [
    ResourceGraphAnswer.TRUNCATED,
    ResourceGraphAnswer.HALF,
    ResourceGraphAnswer.EXPIRED_TOKEN,
    ResourceGraphAnswer.TIMEOUT,
    ResourceGraphAnswer.DENIED,
    ResourceGraphAnswer.EMPTY,
]


@pytest.mark.parametrize("answer", PARTS)
async def test_a_listing_that_is_not_whole_is_an_error_with_its_reason(
    reader: Desk, answer: ResourceGraphAnswer, tmp_path: Path
) -> None:
    fill(reader.estate.azure, Sizes(machines=60, web_apps=0, orphans=4))
    reader.estate.azure.state.behaviour.page_size = 20
    reader.estate.azure.state.behaviour.resource_graph_answer = answer
    page = tmp_path / "page.html"
    ran = await reader.lanyard("scan", "--json", "--html", str(page))
    assert (ran.code, ran.out) == (ERROR, "")
    assert ran.err.startswith("lanyard: ")
    assert "Traceback" not in ran.err
    assert not page.exists()


async def test_who_can_read_nothing_is_shown_so(desk: Desk) -> None:
    forget(desk, desk.person.object_id)
    ran = await desk.lanyard("scan")
    assert ran.code == ERROR
    assert "no subscription can be read" in ran.err


async def test_a_page_that_cannot_be_written_is_an_error(reader: Desk, tmp_path: Path) -> None:
    ran = await reader.lanyard("scan", "--html", str(tmp_path / "nowhere" / "page.html"))
    assert (ran.code, ran.out) == (ERROR, "")
    assert "cannot be written" in ran.err


# What it says at a terminal.


@pytest.mark.parametrize("width", [60, 80, 200])
async def test_tables_fit_and_every_name_is_whole(
    reader: Desk, width: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    azure = reader.estate.azure
    made = fill(azure, Sizes(machines=30, assignments=90, orphans=2, group_assignments=3))
    azure.state.subscriptions[made.subscriptions[0]].display_name = "a-team-with-a-very-long-name"
    ran = await reader.lanyard("scan")
    lines = [line.rstrip() for line in ran.lines]
    tables = lines[: next(n for n, each in enumerate(lines) if "user-assigned identities" in each)]
    assert max(map(len, tables)) <= width
    assert any(each.startswith("  Compute/virtualMachines ") for each in tables)
    (named,) = (n for n, each in enumerate(tables) if "a-team-with-a-very-long-name" in each)
    has_room = tables[named].endswith("%")
    assert has_room or width < 200
    assert has_room or tables[named + 1].endswith("%")  # above its numbers
    assert "  1 to 3 months: 2" in lines


async def test_a_name_cannot_steer_the_terminal(reader: Desk) -> None:
    azure = reader.estate.azure
    hostile = "\x1b]0;owned\x07\x1b[2J\u202eeman\r\n"
    made = fill(azure, Sizes(machines=2, web_apps=0, orphans=1))
    for subscription in azure.state.subscriptions.values():
        subscription.display_name = hostile
    for role in azure.state.role_definitions.values():
        role.role_name = hostile
    owner = with_system_identity(azure, made.machines)[0]
    azure.assign(principal_of(azure, owner), OWNER, made.groups[0])
    ran = await reader.lanyard("scan")
    assert ran.code == LOOK
    assert "]0;owned" in ran.out
    assert not set(ran.out) & set("\x1b\x07\r\u202e")


# What it costs.


async def test_ten_thousand_resources_cost_no_more_calls_than_a_sweep_and_show_progress(
    reader: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    azure = reader.estate.azure
    sizes = Sizes(
        machines=6000, web_apps=4000, identities=200, assignments=2800, orphans=800, unknown=400
    )
    fill(azure, sizes)
    directory = azure.faults.add(Fault(service="graph", path="getByIds", times=None))
    counts: dict[str, int] = {}
    monkeypatch.setattr(Terminal, "counting", counter(counts))
    reader.calls()
    document = await found(reader)
    calls, asked = reader.calls(), directory.hits
    assert document["summary"]["compute"] == 10_000
    assert document["summary"]["orphans"] == 1200
    assert counts["resources"] == 10_200
    assert counts["role assignments"] == document["summary"]["assignments"]
    assert counts["principals"] == 800 // 2 + 400 + 1
    authorization = document["summary"]["assignments"] + len(azure.state.role_definitions)
    pages = math.ceil(10_200 / 1000) + math.ceil(authorization / 1000)
    assert calls == ["POST Microsoft.ResourceGraph/resources"] * (pages + 2)
    assert asked <= math.ceil((counts["principals"] + 200) / 1000)
    swept, sweep_asked = await sweep_of_everything(reader, monkeypatch, directory)
    assert len(calls) <= len(swept)
    assert asked <= sweep_asked


async def sweep_of_everything(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, directory: Fault
) -> tuple[list[str], int]:
    """The calls of a sweep of as much: its policy is for all that is there, and for pools."""
    types = "Microsoft.Compute/virtualMachines, Microsoft.Web/sites"
    types = f"[{types}, Microsoft.Batch/batchAccounts/pools]"
    policy = f"""
version: 1
identities: {{own: {{name: id-own, resourceGroup: rg-identities, per: [subscription]}}}}
rules:
  - {{name: all, match: {{types: {types}, tags: {{nobody: has}}}}, attach: [own]}}
"""
    estate: Estate = desk.estate
    estate.change_policy(policy)
    await started(estate, monkeypatch)
    estate.azure.assign(estate.app.object_id, "Reader", "/")
    estate.app_calls()
    before = directory.hits
    await estate.sweeps.run()
    return estate.app_calls(), directory.hits - before


def counter(counts: dict[str, int]) -> Callable[..., AbstractContextManager[Any]]:
    """In place of the terminal's own: what it would have shown."""

    @contextmanager
    def counting(_terminal: Terminal) -> Iterator[Callable[[str, int], None]]:
        yield lambda what, count: counts.update({what: count})

    return counting


async def test_a_scan_reads_by_resource_graph_alone_and_writes_nothing(reader: Desk) -> None:
    fill(reader.estate.azure, Sizes(machines=4, orphans=2))
    before = reader.estate.assignments()
    reader.calls()
    await found(reader)
    assert set(reader.calls()) == {"POST Microsoft.ResourceGraph/resources"}
    assert reader.estate.assignments() == before


# The page about it.


async def test_what_the_docs_show_is_what_it_says(reader: Desk) -> None:
    show_to(reader.estate.azure, reader.person)
    shown = iter((await reader.lanyard("scan")).lines)
    (shown,) = re.findall(r"```text\n(.*?)```", DOCS.read_text(), re.DOTALL)
    lines = [line for line in shown.splitlines() if line]
    assert len(lines) > 10
    assert [line for line in lines if line not in shown] == []  # in this order


def test_the_docs_link_to_what_is_there() -> None:
    links = re.findall(r"\]\(([^)#:]+)[^)]*\)", DOCS.read_text())
    assert len(links) >= 5
    assert [each for each in links if not (DOCS.parent / each).is_file()] == []
