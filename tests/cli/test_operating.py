"""The commands of an operator against a deployed app: what they say, do and put on record."""

import json
import re
from datetime import UTC, datetime, timedelta

import pytest

from lanyard import __version__
from lanyard.app.timetable import first_sweep, next_sweep
from lanyard.cli.frame.connect import storage_address
from lanyard.cli.frame.held_entries import naming
from lanyard.planning.orders import Refusal
from lanyard.record.held import Answer, Entry
from lanyard.values.clouds import CloudName, cloud_of
from lanyard.values.errors import Because, LanyardError
from tests.support.dead_letters import Blob, dead_letter
from tests.support.desk import Desk
from tests.support.estate import POLICY, limited

OK, ERROR, ATTENTION = 0, 1, 2
DAY = timedelta(days=1).total_seconds()
REGIONAL = "id-lanyard-westeurope"
NO_REMOVALS = limited("perHour: 0")
SECOND = POLICY.replace(
    "rules:", "  own: {name: 'id-{resource.name}', per: resource}\nrules:"
).replace(
    "orphans:",
    """  - name: second
    match: {types: [Microsoft.Compute/virtualMachines]}
    attach: [own]
orphans:""",
)


async def held_ids(desk: Desk) -> list[str]:
    return [entry["id"] for entry in json.loads((await desk.app("held", "--json")).out)["held"]]


# history


async def test_history_shows_what_was_done_and_by_which_rule(desk: Desk) -> None:
    await desk.estate.create_vm("vm1")
    await desk.started()
    ran = await desk.app("history")
    assert (ran.code, ran.err) == (OK, "")
    (line,) = [each for each in ran.lines if "done" in each and "attach" in each]
    assert "done        rg-app/virtualMachines/vm1  attach identity " + REGIONAL in line
    assert line.endswith("  (rule: machines read blobs)")
    full = await desk.app("history", "--full")
    assert "    rule: machines read blobs" in full.lines


async def test_history_is_a_line_a_change_with_the_zone_of_its_time(desk: Desk) -> None:
    await desk.estate.create_vm("vm1")
    await desk.started()
    await desk.estate.delete_vm("vm1")
    await desk.estate.settle()
    *lines, summary = (await desk.app("history")).lines
    assert all(re.match(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\dZ  \w", line) for line in lines), lines
    assert summary == f"history: {len(lines)} entries"
    assert not [line for line in lines if "  intended" in line]
    assert len([line for line in lines if "(lanyard undo " in line]) == 1
    assert len([line for line in lines if "  done" in line and "remove" in line]) <= 1
    whole = json.loads((await desk.app("history", "--json")).out)["decisions"]
    assert len(whole) > len(lines), "programs get each decision"


async def test_the_short_id_of_a_removal_is_taken_by_undo(desk: Desk) -> None:
    await desk.estate.create_vm("vm1")
    await desk.started()
    await desk.estate.delete_vm("vm1")
    await desk.estate.settle()
    (line,) = (await desk.app("history", "--removals")).lines[:-1]
    short = line.rpartition("(lanyard undo ")[2].removesuffix(")")
    (removal,) = json.loads((await desk.app("history", "--removals", "--json")).out)["decisions"]
    assert removal["id"].endswith(f"-{short}")
    ran = json.loads((await desk.app("undo", short, "--dry-run", "--json")).out)
    assert [each["decision"] for each in ran["removals"]] == [removal["id"]]
    assert "no decision '00000000' is on record" in (await desk.app("undo", "00000000")).err


async def test_history_of_a_removal_says_how_to_undo_it_and_on_which_evidence(desk: Desk) -> None:
    await desk.estate.create_vm("vm1")
    await desk.started()
    await desk.estate.delete_vm("vm1")
    await desk.estate.settle()
    ran = await desk.app("history", "--removals", "--full")
    assert [line for line in ran.lines if line.startswith("    lanyard undo ")]
    assert [line for line in ran.lines if line.startswith("    evidence: no other resource claims")]
    (removal,) = json.loads((await desk.app("history", "--removals", "--json")).out)["decisions"]
    assert removal["removed"]["raw"]["properties"]["scope"] == desk.group
    assert f"    lanyard undo {removal['id']}" in ran.lines


@pytest.mark.parametrize(
    ("arguments", "number"),
    [
        ([], 2),
        (["--resource", "GROUP/providers/Microsoft.Compute/virtualMachines/vm2"], 1),
        (["--resource", "GROUP"], 2),
        (["--resource", "GROUP/providers/Microsoft.Compute/virtualMachines/vm"], 0),
        (["--outcome", "failed"], 0),
        (["--since", "30m"], 1),
        (["--since", "Yesterday"], 2),
        (["--until", "today", "--since", "yesterday"], 0),
        (["--until", "30m"], 1),
        (["--since", "2000-01-01", "--until", "2000-01-02"], 0),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else str(value),
)
async def test_history_is_of_a_resource_a_time_and_an_outcome(
    desk: Desk, arguments: list[str], number: int
) -> None:
    await desk.estate.create_vm("vm1")
    await desk.started()
    desk.estate.azure.clock.advance(3600)
    await desk.estate.create_vm("vm2")
    await desk.estate.settle()
    given = [each.replace("GROUP", desk.group.upper()) for each in arguments]
    ran = await desk.app("history", "--json", *given)
    found = json.loads(ran.out)["decisions"]
    attached = {each["action"] for each in found if each["action"].startswith("attach")}
    resources = {each["resource"] for each in found if each["action"] in attached}
    assert len(resources) == number


async def test_what_was_done_and_changed_nothing_says_so(desk: Desk) -> None:
    for name in ("vm1", "vm2"):
        await desk.estate.create_vm(name)
    await desk.started()
    await desk.estate.delete_vm("vm1")
    await desk.estate.settle()
    lines = (await desk.app("history")).lines
    (given_up,) = [line for line in lines if "  unassign Storage Blob Data Reader" in line]
    assert ": still claimed" in given_up
    assert sum(": already assigned" in line for line in lines) == 1


async def test_a_time_that_is_none_is_refused_with_examples(desk: Desk) -> None:
    ran = await desk.app("history", "--since", "last week")
    assert ran.code == ERROR
    assert "'last week' is no time: write 30m, 12h, 7d (ago)" in ran.err


async def test_an_outcome_that_there_is_not_is_refused_with_those_that_there_are(
    desk: Desk,
) -> None:
    ran = await desk.app("history", "--outcome", "removed")
    assert (ran.code, ran.out) == (ERROR, "")
    assert "'removed' is not one of" in ran.err
    assert all(f"'{each}'" in ran.err for each in ("done", "held", "failed", "later", "intended"))


# held, release, dismiss


async def machine_with_two_identities(desk: Desk) -> None:
    """The second one is held: the policy has to accept it."""
    vm = await desk.estate.create_vm("vm1")
    await desk.started()
    desk.estate.change_policy(SECOND)
    await desk.gone(vm)


async def test_held_lists_what_waits_with_the_way_out(desk: Desk) -> None:
    await desk.started()
    nothing = await desk.app("held")
    assert (nothing.code, nothing.lines) == (OK, ["held: 0"])
    await budget_spent(desk)
    ran = await desk.app("held")
    assert ran.code == ATTENTION
    assert any("    held: the budget of 0 removals an hour is spent" in line for line in ran.lines)
    (entry_id,) = await held_ids(desk)
    assert f"    to release it: lanyard release {entry_id}" in ran.lines
    within = await desk.app("held", "--resource", desk.group.upper())
    beside = await desk.app("held", "--resource", desk.group.removesuffix("p"))
    assert (within.code, beside.code, beside.lines) == (ATTENTION, OK, ["held: 0"])


@pytest.mark.parametrize(
    ("releasable", "way_out"),
    [(True, "lanyard release 1f2e3d4c"), (False, "set 'restart: accept' in the rule")],
)
def test_what_waits_for_a_change_of_identity_names_what_releases_that(
    desk: Desk, releasable: bool, way_out: str
) -> None:
    def entry(id_: str, key: str, because: Because, release: str, name: str = "vm1") -> Entry:
        refusal = Refusal(
            key=key,
            because=because,
            action=key,
            reason="so",
            release=release,
            releasable=releasable and because is Because.RESTART,
        )
        return Entry(
            full_id=id_ * 4,
            resource=desk.estate.vm_id(name),
            principal="",
            refusal=refusal,
            since=datetime(2026, 11, 30, tzinfo=UTC),
            answer=Answer.NONE,
            by="",
        )

    change = entry("1f2e3d4c", "attach identity|x", Because.RESTART, way_out)
    role = entry("5a6b7c8d", "assign role|x", Because.IDENTITY_WAITS, "release that one")
    other = entry("9a9b9c9d", "assign role|x", Because.IDENTITY_WAITS, "release that one", "vm2")
    shown = list(naming([role, change, other]))
    assert [each.refusal.release for each in shown] == [way_out, way_out, "release that one"]
    assert shown[1:] == [change, other]


async def budget_spent(desk: Desk) -> None:
    """A removal that waits, because no removal is allowed in an hour."""
    desk.estate.change_policy(NO_REMOVALS)
    await desk.estate.sweeps.run()  # a changed policy removes nothing before it was reported
    vm = await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    await desk.estate.delete_vm("vm1")
    await desk.gone(vm)


async def test_release_has_the_action_done_at_once(desk: Desk) -> None:
    await desk.started()
    await budget_spent(desk)
    (entry_id,) = await held_ids(desk)
    ran = await desk.app("release", entry_id)
    assert (ran.code, ran.err) == (OK, "")
    assert ran.lines[0].startswith(f"released {entry_id}: ")
    (released,) = json.loads((await desk.app("held", "--all", "--json")).out)["held"]
    assert (released["answer"], released["by"]) == ("released", "engineer@example.com")
    await desk.estate.settle()
    assert await held_ids(desk) == []
    assert (await desk.app("held", "--all")).lines == ["held: 0"]


async def test_dismiss_takes_it_from_the_list_and_leaves_it_undone(desk: Desk) -> None:
    await desk.started()
    await budget_spent(desk)
    (entry_id,) = await held_ids(desk)
    assert (await desk.app("dismiss", entry_id)).code == OK
    assert await held_ids(desk) == []
    everything = await desk.app("held", "--all")
    assert everything.code == OK
    assert "dismissed by engineer@example.com" in everything.out


async def test_what_is_dismissed_for_a_time_is_listed_again_after_it(desk: Desk) -> None:
    await desk.started()
    await budget_spent(desk)
    (entry_id,) = await held_ids(desk)
    ran = await desk.app("dismiss", entry_id, "--for", "2d", "--reason", "CHG-12")
    assert (ran.code, ran.err) == (OK, "")
    assert ": CHG-12" in ran.lines[0]
    (shown,) = json.loads((await desk.app("held", "--all", "--json")).out)["held"]
    ends = datetime.fromtimestamp(desk.estate.azure.clock.now(), UTC) + timedelta(days=2)
    assert (shown["why"], datetime.fromisoformat(shown["until"])) == ("CHG-12", ends)
    (decision,) = [
        each
        for each in json.loads((await desk.app("history", "--json", "--since", "1m")).out)[
            "decisions"
        ]
        if each["action"].startswith("dismissed: ")
    ]
    assert "CHG-12" in decision["reason"]
    desk.estate.azure.clock.advance(2 * DAY - 1)
    assert await held_ids(desk) == []
    desk.estate.azure.clock.advance(1)
    assert await held_ids(desk) == [entry_id]


@pytest.mark.parametrize("wrong", ["soon", "0h", "-1h", "2026-12-01", "2"])
async def test_a_duration_that_is_none_is_refused(desk: Desk, wrong: str) -> None:
    await desk.started()
    ran = await desk.app("pause", "a look", f"--for={wrong}")
    assert ran.code == ERROR
    assert "is no duration: write 30m, 2h, 7d or 4w" in ran.err
    assert json.loads((await desk.app("status", "--json")).out)["pause"] is None


async def test_a_release_is_on_record(desk: Desk) -> None:
    await desk.started()
    await budget_spent(desk)
    (entry_id,) = await held_ids(desk)
    await desk.app("release", entry_id)
    ran = json.loads((await desk.app("history", "--json", "--since", "1m")).out)["decisions"]
    (decision,) = [each for each in ran if each["by"] == "engineer@example.com"]
    assert decision["action"].startswith("released: ")


async def test_an_id_that_nothing_has_stops_no_other(desk: Desk) -> None:
    await desk.started()
    await budget_spent(desk)
    (entry_id,) = await held_ids(desk)
    ran = await desk.app("release", "00000000", entry_id, "--json")
    assert ran.code == ERROR
    assert "nothing with id '00000000' is held" in ran.err
    assert [entry["id"] for entry in json.loads(ran.out)["held"]] == [entry_id]


async def test_what_only_the_policy_releases_cannot_be_released(desk: Desk) -> None:
    await machine_with_two_identities(desk)
    held = json.loads((await desk.app("held", "--json")).out)["held"]
    (second,) = [entry["id"] for entry in held if entry["action"].startswith("attach")]
    ran = await desk.app("release", second)
    assert ran.code == ERROR
    assert "set 'imdsDefault: accept' in rule 'second'" in ran.err


async def test_what_a_pause_holds_is_not_released_and_says_who_paused(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    await desk.started()
    await desk.app("pause", "--removals", "--reason", "migration")
    await desk.estate.delete_vm("vm1")
    await desk.gone(vm)
    (entry,) = json.loads((await desk.app("held", "--json")).out)["held"]
    ran = await desk.app("release", entry["id"])
    assert ran.code == ERROR
    paused = f"{entry['id']} cannot be released: paused by engineer@example.com at "
    assert paused in ran.err
    assert ran.err.rstrip().endswith("migration; 'lanyard resume' goes on")


@pytest.mark.parametrize("given", [(), ("one", "--reason", "two")])
async def test_a_pause_has_one_reason(desk: Desk, given: tuple[str, ...]) -> None:
    ran = await desk.app("pause", *given)
    assert (ran.code, "say why, once" in ran.err) == (ERROR, True)


# pause, resume


def access(desk: Desk) -> list[tuple[str, str, str]]:
    """What stands, besides the person's own right."""
    return [each for each in desk.estate.assignments() if each[2] != desk.person.object_id]


async def test_a_pause_stops_removals_until_somebody_resumes(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    await desk.started()
    before = access(desk)
    assert len(before) == 1
    ran = await desk.app("pause", "migration")
    assert ran.code == OK
    assert "removals paused by engineer@example.com at " in ran.out
    await desk.estate.delete_vm("vm1")
    await desk.gone(vm)
    assert access(desk) == before
    resumed = await desk.app("resume")
    assert resumed.lines[0].startswith("going on with removals, paused by engineer@example.com at ")
    assert resumed.lines[1] == "1 resource put back on the queue"
    await desk.estate.settle()
    assert access(desk) == []


async def test_a_pause_for_a_time_shows_until_when_and_ends_by_itself(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    await desk.started()
    before = access(desk)
    made = json.loads((await desk.app("pause", "migration", "--for", "2h", "--json")).out)["pause"]
    now = datetime.fromtimestamp(desk.estate.azure.clock.now(), UTC)
    assert datetime.fromisoformat(made["until"]) == now + timedelta(hours=2)
    status = await desk.app("status")
    assert f" until {now + timedelta(hours=2):%Y-%m-%d %H:%M} UTC: migration" in status.out
    await desk.estate.delete_vm("vm1")
    await desk.gone(vm)
    desk.estate.azure.clock.advance(timedelta(hours=1, minutes=59).total_seconds())
    await desk.estate.sweeps.run_for_new_policy()
    await desk.estate.settle()
    assert access(desk) == before
    desk.estate.azure.clock.advance(timedelta(minutes=5).total_seconds())
    assert json.loads((await desk.app("status", "--json")).out)["pause"] is None
    await desk.estate.sweeps.run_for_new_policy()
    await desk.estate.settle()
    assert access(desk) == []
    ran = json.loads((await desk.app("history", "--json", "--since", "1h")).out)["decisions"]
    (ended,) = [each for each in ran if each["action"] == "resume"]
    assert ended["reason"].endswith("; its time is over")
    assert ended["by"] == desk.estate.name, "nobody had to come back for it"


async def test_resume_puts_back_what_the_pause_held_and_nothing_else(desk: Desk) -> None:
    await desk.started()
    await budget_spent(desk)
    desk.estate.new_events()
    await desk.app("pause", "--everything", "migration")
    vm = await desk.estate.create_vm("vm2")
    await desk.gone(vm)
    desk.estate.queue.messages.clear()
    ran = await desk.app("resume", "--json")
    assert json.loads(ran.out) == {"version": 1, "pause": None, "queued": 1}
    assert [(change.resource, change.source) for change, _ in desk.estate.queue.messages] == [
        (vm, "resume")
    ]


async def test_what_was_dismissed_is_not_put_back_by_resume(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    await desk.started()
    await desk.app("pause", "migration")
    await desk.estate.delete_vm("vm1")
    await desk.gone(vm)
    await desk.app("dismiss", *await held_ids(desk))
    desk.estate.queue.messages.clear()
    assert (await desk.app("resume")).lines[1] == "0 resources put back on the queue"
    assert desk.estate.queue.messages == []


async def test_a_pause_and_its_end_are_on_record_as_the_persons(desk: Desk) -> None:
    await desk.started()
    await desk.app("pause", "migration")
    await desk.app("resume")
    ran = json.loads((await desk.app("history", "--json", "--since", "1m")).out)["decisions"]
    by = "engineer@example.com"
    recorded = [(each["action"], each["reason"]) for each in ran if each["by"] == by]
    assert recorded[0] == ("pause removals", "migration")
    assert recorded[1][0] == "resume"
    assert recorded[1][1].startswith(f"removals, paused by {by} at ")


async def test_a_pause_on_top_of_another_records_what_is_in_force(desk: Desk) -> None:
    await desk.started()
    await desk.app("pause", "--everything", "fire", "--for", "2d")
    ran = await desk.app("pause", "smoke", "--for", "1h")
    end = datetime.fromtimestamp(desk.estate.azure.clock.now(), UTC) + timedelta(days=2)
    until = f"until {end:%Y-%m-%d %H:%M} UTC"
    assert f"{until}: fire; engineer@example.com: smoke" in ran.out
    *_, line, _summary = (await desk.app("history", "--since", "1m")).lines
    force = f"smoke (in force with another pause: everything, {until})"
    assert line.endswith(f"  pause removals: {force}")


async def test_everything_can_be_paused_and_the_widest_pause_stays(desk: Desk) -> None:
    await desk.started()
    made = json.loads((await desk.app("pause", "--everything", "fire", "--json")).out)["pause"]
    assert (made["what"], made["by"], made["reason"]) == (
        "everything",
        "engineer@example.com",
        "fire",
    )
    again = json.loads((await desk.app("pause", "smoke", "--json")).out)["pause"]
    assert again == made | {"reason": "fire; engineer@example.com: smoke"}
    await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    assert await desk.estate.identity_of("vm1") == {}


async def test_resuming_what_is_not_paused_is_fine(desk: Desk) -> None:
    await desk.started()
    ran = await desk.app("resume")
    assert (ran.code, ran.lines) == (OK, ["nothing was paused"])
    assert json.loads((await desk.app("resume", "--json")).out) == {
        "version": 1,
        "pause": None,
        "queued": 0,
    }


# apply


async def test_apply_has_a_resource_looked_at(desk: Desk) -> None:
    vm = await desk.estate.create_vm("vm1")
    desk.estate.new_events()
    await desk.started()
    ran = await desk.app("apply", vm.text)
    assert (ran.code, ran.lines) == (OK, [f"queued  {vm}"])
    await desk.estate.settle()
    assert list(await desk.estate.identity_of("vm1")) == [REGIONAL]


async def test_apply_of_a_group_is_of_what_lanyard_knows_in_it(desk: Desk) -> None:
    first = await desk.estate.create_vm("vm1")
    second = await desk.estate.create_vm("vm2")
    await desk.started()
    ran = await desk.app("apply", desk.group, "--json")
    assert json.loads(ran.out)["queued"] == [first.text, second.text]
    nothing = await desk.app("apply", f"{desk.estate.scope}/resourceGroups/rg-none")
    assert (nothing.code, nothing.out) == (ERROR, "")
    assert "nothing was put on the queue: Lanyard knows no resource there" in nothing.err


async def test_apply_refuses_what_is_no_id_before_anything_is_queued(desk: Desk) -> None:
    ran = await desk.app("apply", "vm1", desk.estate.vm_id("vm2").text)
    assert (ran.code, ran.out) == (ERROR, "")
    assert "'vm1' is no resource id" in ran.err
    assert desk.estate.queue.messages == []


# status


async def test_status_of_an_app_that_is_well(desk: Desk) -> None:
    await desk.estate.create_vm("vm1")
    await desk.started()
    ran = await desk.app("status")
    assert (ran.code, ran.err) == (OK, "")
    assert ran.lines[-1] == "status: nothing needs a person"
    status = json.loads((await desk.app("status", "--json")).out)
    assert status["needsAttention"] == []
    assert (status["resources"], status["grants"], status["claims"]) == (1, {"active": 1}, 1)
    assert status["policy"] == desk.estate.policy.digest
    assert status["lastSweep"]["outcome"] == "done"


async def test_status_shows_the_mode_the_version_since_when_and_the_next_sweep(desk: Desk) -> None:
    swept = datetime.fromtimestamp(desk.estate.azure.clock.now(), UTC)
    await desk.started()
    desk.estate.azure.clock.advance(60)
    status = json.loads((await desk.app("status", "--json")).out)
    app = status["app"]
    assert (app["mode"], app["version"]) == (desk.estate.policy.mode.value, __version__)
    assert app["installation"] == desk.estate.installation
    assert datetime.fromisoformat(app["since"]) >= swept
    now = datetime.fromtimestamp(desk.estate.azure.clock.now(), UTC)
    assert datetime.fromisoformat(status["nextSweep"]) == next_sweep(now)
    lines = (await desk.app("status")).lines
    assert f"mode          {app['mode']}" in lines
    assert f"next sweep    {next_sweep(now):%Y-%m-%d %H:%M:%SZ}, in " in "\n".join(lines)
    await desk.estate.sweeps.run()
    again = json.loads((await desk.app("status", "--json")).out)["app"]
    assert again["since"] == app["since"], "another sweep is no other version"


async def test_right_after_the_start_status_shows_when_the_first_sweep_comes(desk: Desk) -> None:
    now = datetime.fromtimestamp(desk.estate.azure.clock.now(), UTC)
    ran = await desk.app("status")
    assert (ran.code, ran.err) == (OK, "")
    (line,) = [each for each in ran.lines if each.startswith("sweep ")]
    assert "first sweep in " in line
    document = json.loads((await desk.app("status", "--json")).out)
    assert (document["app"], document["needsAttention"]) == (None, [])
    assert datetime.fromisoformat(document["nextSweep"]) == first_sweep(now)


async def test_an_app_that_works_and_never_sweeps_needs_a_person(desk: Desk) -> None:
    await desk.estate.create_vm("vm1")
    await desk.estate.settle()
    assert json.loads((await desk.app("status", "--json")).out)["reasons"] == []
    desk.estate.azure.clock.advance(timedelta(minutes=16).total_seconds())
    ran = await desk.app("status", "--json")
    assert (ran.code, json.loads(ran.out)["reasons"]) == (ATTENTION, ["noSweep"])


async def test_status_says_what_needs_a_person(desk: Desk) -> None:
    await desk.started()
    await budget_spent(desk)
    await desk.app("pause", "migration")
    desk.poison.blobs += [Blob(dead_letter(name)) for name in ("vm1", "vm2", "vm3")]
    desk.dead_letters.blobs.append(Blob(dead_letter("vm1"), dead_letter("vm2")))
    desk.estate.azure.clock.advance(timedelta(hours=5).total_seconds())
    ran = await desk.app("status")
    assert ran.code == ATTENTION
    status = [line for line in ran.lines if line.startswith("! ")]
    assert status[0].startswith("! removals paused by engineer@example.com")
    assert status[1:] == [
        "! 1 held: 'lanyard held' lists them",
        "! 3 messages were given up after too many tries: 'lanyard replay --poison' tries again",
        "! 1 blobs of dead letters: 'lanyard replay --dead-letters'",
        "! the last sweep is 5 h old",
    ]
    quiet = await desk.app("status", "--quiet")
    assert quiet.lines == status


async def test_status_finds_the_last_sweep_of_days_ago_and_none_of_long_ago(desk: Desk) -> None:
    await desk.started()
    swept = datetime.fromtimestamp(desk.estate.azure.clock.now(), UTC)
    desk.estate.azure.clock.advance(timedelta(days=3).total_seconds())
    status = json.loads((await desk.app("status", "--json")).out)
    assert datetime.fromisoformat(status["lastSweep"]["at"]) <= swept
    desk.estate.azure.clock.advance(timedelta(days=9).total_seconds())
    status = json.loads((await desk.app("status", "--json")).out)
    assert status["lastSweep"] is None
    assert status["needsAttention"] == ["no sweep within a week: does the app run?"]


# Which app.


@pytest.mark.parametrize("command", ["history", "held", "status", "resume"])
async def test_an_app_has_to_be_named(desk: Desk, command: str) -> None:
    ran = await desk.lanyard(command)
    assert ran.code == ERROR
    assert "which app?: name the app's storage account with --storage or LANYARD_STORAGE" in ran.err
    wrong = await desk.lanyard(command, "--storage", "https://x")
    assert "'https://x' is no name of a storage account" in wrong.err


async def test_an_option_beats_the_environment_and_says_so_where_both_name_an_app(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await desk.started()
    monkeypatch.setenv("LANYARD_STORAGE", "stother")
    ran = await desk.app("status")
    assert (ran.code, ran.err) == (
        OK,
        "lanyard: --storage stlanyard counts, not LANYARD_STORAGE=stother\n",
    )
    monkeypatch.setenv("LANYARD_STORAGE", "stlanyard")
    assert (await desk.app("status")).err == ""
    monkeypatch.setenv("LANYARD_TABLE_ENDPOINT", "https://127.0.0.1:1/stother")
    ran = await desk.app("status")
    assert (ran.code, ran.out) == (ERROR, "")
    assert "which app? --storage names stlanyard, and LANYARD_TABLE_ENDPOINT https://" in ran.err


def test_where_the_storage_is_has_to_be_said_whole() -> None:
    cloud = cloud_of(CloudName.PUBLIC, {})
    table, queue, blob = (f"https://localhost:{port}/dev" for port in (1, 2, 3))
    environment = {"LANYARD_TABLE_ENDPOINT": f"{table}/", "LANYARD_QUEUE_ENDPOINT": queue}
    with pytest.raises(LanyardError, match=r"^LANYARD_BLOB_ENDPOINT is missing"):
        storage_address("stlanyard", cloud, environment)
    found = storage_address("stlanyard", cloud, environment | {"LANYARD_BLOB_ENDPOINT": blob})
    assert (found.table_url, found.queue_url, found.blob_url) == (table, queue, blob)
    public = storage_address("stlanyard", cloud, {})
    assert public.blob_url == "https://stlanyard.blob.core.windows.net"
