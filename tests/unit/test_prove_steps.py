"""A proof that is stopped at any point and run again leaves nothing behind."""

import base64
import io
import json
import os
import subprocess
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar

import pytest

from demo.hosts import PROJECT
from lanyard.policy import load_policy
from lanyard.values.errors import LanyardError, Permanent
from prove import app
from prove.__main__ import main
from prove.all_steps import STEPS
from prove.handler import said_of
from prove.journal import Entry, Journal, State, alone
from prove.listening import event_of
from prove.logs import NOTHING
from prove.machine import Answer
from prove.proof import GROUP, Proof
from prove.questions import QUESTIONS
from prove.report import as_json, as_markdown, scrubbed
from prove.steps import Step, carry_out

SUBSCRIPTION = "5b7a0f5e-0000-4000-8000-00000000000a"


class Killed(BaseException):
    """The process is gone."""


class World:
    """What there is, and after how many more changes the process is killed."""

    def __init__(self) -> None:
        self.things: list[str] = []
        self.tries: list[str] = []
        self.left = -1

    def tick(self) -> None:
        if self.left == 0:
            raise Killed
        self.left -= 1

    def steps(self) -> list[Step]:
        """Three that make two things each, of which the third waits for the second."""
        return [
            self._step("one"),
            self._step("two"),
            self._step("three", needs=("two",)),
        ]

    def _step(self, name: str, needs: tuple[str, ...] = ()) -> Step:
        async def run(_proof: Proof) -> None:
            self.tries.append(name)
            for thing in (f"{name}-a", f"{name}-b"):
                self.tick()
                if thing not in self.things:
                    self.things.append(thing)
                self.tick()

        async def undo(_proof: Proof) -> None:
            for thing in [each for each in self.things if each.startswith(name)]:
                self.tick()
                self.things.remove(thing)
                self.tick()

        return Step(name=name, does=name, run=run, undo=undo, needs=needs)


class Ticking(Journal):
    """A journal whose every entry may be the last thing that the process does."""

    world: ClassVar[World]

    def save(self) -> None:
        self.world.tick()
        super().save()
        self.world.tick()


def journal_of(file: Path, world: World) -> Journal:
    Ticking.world = world
    found = Ticking.load(file)
    return found or Ticking(file=file, subscription=SUBSCRIPTION, location="westeurope")


def proof_of(journal: Journal) -> Proof:
    """Its steps ask nothing of Azure."""
    nothing: Any = None
    return Proof(
        journal=journal,
        clients=nothing,
        storage=nothing,
        az=nothing,
        person="",
        arm_url="",
        arm_audience="",
        size="",
        show=lambda _text: None,
    )


async def run(file: Path, world: World, steps: list[Step] | None = None) -> Journal:
    journal = journal_of(file, world)
    await carry_out(world.steps() if steps is None else steps, proof_of(journal))
    return journal


async def test_killed_anywhere_and_run_again_it_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "fsync", lambda _number: None)  # the computer does not fail here
    whole = World()
    whole.left = 10_000
    await run(tmp_path / "whole.json", whole)
    points = 10_000 - whole.left
    assert points > 40
    for point in range(points):
        await killed_at(point, tmp_path / f"{point}.json")


async def killed_at(point: int, file: Path) -> None:
    world = World()
    world.left = point
    with pytest.raises(Killed):
        await run(file, world)
    world.left = -1
    journal = await run(file, world)
    assert world.things == []
    # What was done is not done again; what was broken off is.
    assert len(world.tries) in (3, 4)
    assert all(journal.succeeded(name) for name in ("one", "two", "three"))


async def test_a_run_that_only_cleans_begins_nothing(tmp_path: Path) -> None:
    world, file = World(), tmp_path / "journal.json"
    world.left = 3  # in the midst of the first step
    with pytest.raises(Killed):
        await run(file, world)
    world.left = -1
    journal = journal_of(file, world)
    journal.cleaning = True
    assert (world.tries, world.things) == (["one"], ["one-a"])
    assert await carry_out(world.steps(), proof_of(journal))
    assert (world.tries, world.things) == (["one"], [])


def test_who_does_not_agree_gets_nothing_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.argv", ["prove", SUBSCRIPTION, "--folder", str(tmp_path / "of")])
    monkeypatch.setattr("sys.stdin", io.StringIO(""))
    assert main() == 1
    said = capsys.readouterr()
    assert "Billed while it runs" in said.out
    assert all(f"  {step.name}: {step.does}" in said.out for step in STEPS)
    assert "nothing was done" in said.err
    assert not (tmp_path / "of").exists()


@pytest.mark.parametrize(
    ("failure", "why"),
    [
        (Permanent("Azure says no"), "Azure says no"),
        (KeyError("properties"), "unforeseen: KeyError: 'properties'"),
    ],
    ids=["refused", "unforeseen"],
)
async def test_what_fails_stops_only_what_needs_it_and_is_taken_back(
    tmp_path: Path, failure: Exception, why: str
) -> None:
    world = World()
    steps = world.steps()

    async def half(_proof: Proof) -> None:
        world.things.append("two-a")
        raise failure

    steps[1] = Step(name="two", does="", run=half, undo=steps[1].undo)
    journal = await run(tmp_path / "journal.json", world, steps)
    states = {name: entry.state for name, entry in journal.entries.items()}
    assert states == {"one": State.DONE, "two": State.FAILED, "three": State.NOT_TRIED}
    assert (journal.entries["two"].why, world.things) == (why, [])


async def test_what_cannot_be_taken_back_is_tried_again_by_the_next_run(tmp_path: Path) -> None:
    world, file = World(), tmp_path / "journal.json"
    steps = world.steps()
    undo = steps[1].undo

    async def locked(_proof: Proof) -> None:
        raise LanyardError("a lock")

    steps[1] = Step(name="two", does="", run=steps[1].run, undo=locked)
    journal = await run(file, world, steps)
    assert journal.entries["two"].stays == "a lock"
    assert world.things == ["two-a", "two-b"]
    assert undo is not None
    again = await run(file, world)
    assert (world.things, again.entries["two"].stays) == ([], "")
    assert world.tries == ["one", "two", "three"]


def test_a_run_waits_for_what_a_killed_one_has_started(tmp_path: Path) -> None:
    """`az` deploys on, and what it makes would come after all was taken back."""
    held = alone(tmp_path)
    assert held is not None
    assert alone(tmp_path) is None
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, close_fds=False
    ) as outliving:
        os.close(held)  # the run is gone
        assert alone(tmp_path) is None
        outliving.communicate(b"\n")
    assert alone(tmp_path) is not None


def test_the_journal_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "of" / "journal.json"
    Journal(file=file, subscription=SUBSCRIPTION, location="westeurope").save()
    assert file.stat().st_mode & 0o077 == 0
    file.write_text("[]")
    with pytest.raises(LanyardError, match="no journal"):
        Journal.load(file)


# The steps themselves.


def test_every_question_is_asked_by_a_step_and_every_need_comes_before() -> None:
    assert {name for step in STEPS for name in step.asks} == set(QUESTIONS)
    for number, step in enumerate(STEPS):
        assert set(step.needs) <= {before.name for before in STEPS[:number]}
        assert bool(step.undo) == bool(step.undone_by)


def test_the_query_of_nothing_heard_is_the_alerts() -> None:
    alerts = (PROJECT / "infra" / "modules" / "alerts.bicep").read_text()
    assert NOTHING.replace("| where TimeGenerated > now(1d) ", "") in alerts


def test_the_package_is_that_of_a_deployment_with_the_proofs_policy(tmp_path: Path) -> None:
    with zipfile.ZipFile(app.package_at(tmp_path / "app.zip")) as package:
        names = package.namelist()
        assert "function_app.py" in names
        assert not [name for name in names if name.startswith("prove/")]
        assert package.read("prove.yaml") == app.POLICY.read_bytes()


def test_the_policy_names_no_group_but_the_proofs() -> None:
    policy = load_policy(app.POLICY)
    assert [rule.match.scopes for rule in policy.rules] == [
        [f"/subscriptions/*/resourceGroups/{GROUP}"]
    ]


# An event.


@pytest.mark.parametrize("encoded", [True, False])
def test_an_event_is_read_in_base64_and_plain(encoded: bool) -> None:
    event = {
        "id": "1",
        "eventType": "Microsoft.Resources.ResourceWriteSuccess",
        "eventTime": "2026-11-30T06:00:00.5Z",
        "subject": "/subscriptions/S/resourceGroups/RG",
        "data": {"operationName": "Microsoft.Resources/tags/write", "claims": {"appid": "a"}},
    }
    text = json.dumps(event)
    text = base64.b64encode(text.encode()).decode() if encoded else text
    at = datetime(2026, 11, 30, 6, 0, 4, tzinfo=UTC).timestamp()
    read = event_of(text, at)
    assert (read.kind, read.operation) == ("ResourceWriteSuccess", "microsoft.resources/tags/write")
    assert (read.by, read.after, read.encoded) == ("a", 3.5, encoded)


# The right on a handler.


@pytest.mark.parametrize(
    ("status", "text", "said"),
    [
        (201, "{}", "none: it is made without any right on the queue or its account"),
        (403, "over Microsoft.EventGrid/systemTopics/eventSubscriptions/write", ""),
        (401, "no token yet", ""),
        (
            403,
            "lacks 'Microsoft.Storage/storageAccounts/write'",
            "Microsoft.Storage/storageAccounts/write (403)",
        ),
        (400, "the queue is unknown", "it is refused with 400: the queue is unknown"),
    ],
)
def test_what_event_grid_says_of_the_right(status: int, text: str, said: str) -> None:
    assert said_of(Answer(status, text)) == said


# The report.


def test_the_report_has_no_id_no_name_and_no_secret(tmp_path: Path) -> None:
    journal = Journal(file=tmp_path / "j", subscription=SUBSCRIPTION, location="westeurope")
    site = f"/subscriptions/{SUBSCRIPTION}/resourceGroups/rg-x/providers/Microsoft.Web/sites"
    journal.values["app"] = {"LANYARD_APP_ID": f"{site}/func-lanyard-abcdefgh"}
    why = (
        f"write {site}/func-lanyard-abcdefgh: 403 The client 'ann@contoso.com' with object id "
        "'0ffa0f5e-1111-4000-8000-00000000000b' lacks Microsoft.Web/sites/write; func-lanyard-"
        "abcdefgh at https://stabc.queue.core.windows.net/q?sig=abc from 10.1.2.3 with "
        "eyJhb.eyJz.s of fabrikam.onmicrosoft.com"
    )
    journal.entries["deploy"] = Entry(State.FAILED, why)
    document = as_json(journal, STEPS, "0.1.0", "AzureCloud")
    text = json.dumps(document) + as_markdown(document)
    hidden = (
        SUBSCRIPTION,
        "0ffa0f5e",
        "contoso",
        "fabrikam",
        "func-lanyard",
        "stabc",
        "10.1",
        "eyJ",
    )
    assert [each for each in hidden if each in text] == []
    assert "lacks Microsoft.Web/sites/write" in text


def test_what_a_reader_needs_stays_in_a_text() -> None:
    said = "Microsoft.Storage/storageAccounts/write (403); 2 events, 1.5 s apart"
    assert scrubbed(said) == said
