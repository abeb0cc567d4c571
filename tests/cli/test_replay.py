"""`lanyard replay`: what it tells, asks, puts on the queue and leaves."""

import json
from datetime import UTC, datetime, timedelta

import pytest

from lanyard.values.change import Change
from tests.support.dead_letters import Blob, dead_letter
from tests.support.desk import Desk, Ran

OK, ERROR, LIES_THERE = 0, 1, 2


@pytest.fixture
async def box(desk: Desk) -> Desk:
    """Two dead letters in one blob, one of them of no use; two poison messages, one unreadable."""
    await desk.started()
    now = datetime.fromtimestamp(desk.estate.azure.clock.now(), UTC)
    change = Change(desk.estate.vm_id("vm2"), "event")
    useless = dead_letter("a.json#1", at=now, change=None, reason="disk: a type", of_no_use=True)
    old = now - timedelta(days=2)
    desk.dead_letters.blobs.append(Blob(dead_letter("a.json#0", at=old, change=change), useless))
    unreadable = dead_letter("m-2", at=now, change=None, reason="no message of this queue")
    poison = Change(desk.estate.vm_id("vm1"), "event", attempt=12)
    desk.poison.blobs += [Blob(dead_letter("m-1", at=now, reason="MaxDequeueCount", change=poison))]
    desk.poison.blobs += [Blob(unreadable)]
    return desk


def fates(ran: Ran) -> dict[str, str]:
    return {one["id"]: one["fate"] for one in json.loads(ran.out)["deadLetters"]}


def queued(desk: Desk) -> list[tuple[str, str, int]]:
    changes = [change for change, _ in desk.estate.queue.messages]
    return [(change.resource.name, change.source, change.attempt) for change in changes]


async def test_a_dry_run_names_each_and_changes_nothing(box: Desk) -> None:
    ran = await box.app("replay", "--dry-run")
    assert (ran.code, ran.err) == (LIES_THERE, "")
    assert (
        "replay    rg-app/virtualMachines/vm1  Microsoft.Resources.ResourceWriteSuccess" in ran.out
    )
    assert "poison: MaxDequeueCount\n    m-1\n" in ran.out
    assert "dead-letters: disk: a type\n    a.json#1\n" in ran.out
    assert ran.lines[-1] == "replay: 2 of 4, nothing was changed"
    assert queued(box) == []
    assert box.dead_letters.lying() + box.poison.lying() == ["a.json#0", "a.json#1", "m-1", "m-2"]


async def test_all_of_it_begins_afresh_and_what_cannot_be_read_stays(box: Desk) -> None:
    ran = await box.app("replay", "--yes")
    assert (ran.code, ran.err) == (LIES_THERE, "")
    assert queued(box) == [("vm2", "replay", 0), ("vm1", "replay", 0)]
    assert box.dead_letters.lying() + box.poison.lying() == ["m-2"]
    assert [line.split()[0] for line in ran.lines if not line.startswith(" ")] == [
        "replayed",
        "dropped",
        "replayed",
        "left",
        "replay:",
    ]


async def test_one_is_replayed_by_its_id(box: Desk) -> None:
    ran = await box.app("replay", "m-1", "--yes", "--json")
    assert ran.code == OK
    assert fates(ran) == {"m-1": "replay"}
    assert queued(box) == [("vm1", "replay", 0)]
    assert box.dead_letters.lying() + box.poison.lying() == ["a.json#0", "a.json#1", "m-2"]


@pytest.mark.parametrize(
    ("arguments", "ids"),
    [
        (["--poison"], ["m-1", "m-2"]),
        (["--dead-letters"], ["a.json#0", "a.json#1"]),
        (["--poison", "--dead-letters"], ["a.json#0", "a.json#1", "m-1", "m-2"]),
        (["--resource", "GROUP"], ["a.json#0", "m-1"]),
        (["--resource", "GROUP/providers/Microsoft.Compute/virtualMachines/VM1"], ["m-1"]),
        (["--reason", "maxdequeuecount"], ["m-1"]),
        (["--before", "1d"], ["a.json#0"]),
        (["--event-type", "Microsoft.Resources.ResourceDeleteSuccess"], []),
    ],
    ids=lambda value: " ".join(value),
)
async def test_a_filter_says_which(box: Desk, arguments: list[str], ids: list[str]) -> None:
    given = [each.replace("GROUP", box.group.upper()) for each in arguments]
    ran = await box.app("replay", "--dry-run", "--json", *given)
    assert sorted(fates(ran)) == ids
    assert ran.code == (LIES_THERE if ids else OK)


@pytest.mark.parametrize("more", [[], ["--json"]])
async def test_where_nobody_can_be_asked_nothing_is_replayed(box: Desk, more: list[str]) -> None:
    ran = await box.app("replay", *more)
    assert ran.code == ERROR
    assert "--yes does it unasked" in ran.err
    assert queued(box) == []
    assert len(box.poison.lying()) == 2


async def test_who_is_asked_sees_the_list_and_may_say_no(
    box: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []

    def refuse(question: str, **_options: object) -> bool:
        asked.append(question)
        return False

    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("typer.confirm", refuse)
    ran = await box.app("replay")
    assert (ran.code, queued(box)) == (ERROR, [])
    assert asked == ["Put 2 on the queue of work and remove 1 of no use?"]
    assert "    m-1" in ran.lines
    assert "nothing was changed" in ran.err


async def test_an_id_that_nothing_has_stops_all_before_anything_is_queued(box: Desk) -> None:
    ran = await box.app("replay", "m-1", "m-9", "--yes")
    assert ran.code == ERROR
    assert "nothing with id 'm-9' was given up" in ran.err
    assert queued(box) == []


async def test_where_nothing_was_given_up_nobody_is_asked(desk: Desk) -> None:
    await desk.started()
    ran = await desk.app("replay")
    assert (ran.code, ran.lines) == (OK, ["replay: 0 of 0"])


async def test_text_that_would_act_on_a_terminal_is_shown_as_text(box: Desk) -> None:
    box.poison.blobs.append(Blob(dead_letter("\x1b[2J", reason="\x1b]0;x\x07", change=None)))
    ran = await box.app("replay", "--dry-run")
    assert "\x1b" not in ran.out
    assert "    �[2J" in ran.lines


async def test_the_doctor_names_the_command_that_fixes_it(box: Desk) -> None:
    box.estate.platform.directory.grant_permission(box.person.object_id)
    ran = await box.app("doctor", "--policy", str(box.policy), "--json")
    fixes = [one["fix"] for one in json.loads(ran.out)["findings"]]
    for place in ("--poison", "--dead-letters"):
        assert any(f"lanyard replay {place}" in fix for fix in fixes), fixes
