"""What lines of the record come to in a month's figures, without Azure."""

import csv
import io
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from lanyard.cli.report.as_csv import as_csv
from lanyard.cli.report.as_json import SHAPE, report_as_json
from lanyard.cli.report.page import page
from lanyard.desk.report.month import Month
from lanyard.desk.report.report import Report, read_report, report_of
from lanyard.record.decisions import Author, Decision, Decisions, Recorded, app_name
from lanyard.record.held import HeldActions
from lanyard.record.removal_history import past_of
from lanyard.values.removed import Became, RemovedAttachment
from tests.support.memory_table import MemoryTable

MONTH = Month(2026, 10)
NOW = datetime(2026, 11, 1, 3, tzinfo=UTC)
APP, PERSON = app_name("11111111-0000-4000-8000-000000000000"), "ada@example.com"
VM = "/subscriptions/s/resourceGroups/g/providers/Microsoft.Compute/virtualMachines/vm"
RULE = "machines"
ATTACHED = RemovedAttachment(VM, f"{VM}/id", "p")


def decision(outcome: str, reason: str = "", key: str = "assign role|1", **more: Any) -> Decision:
    return Decision(VM, "an action", outcome, reason, key=key, rules=(RULE,), **more)


def month(*decisions: Decision, by: str = APP, now: datetime = NOW, days: float = 5) -> Report:
    """Of one line after the other, from so many days after the month began."""
    begin = MONTH.since + timedelta(days=days)
    lines = [
        Recorded(str(number), begin + timedelta(seconds=number), by, "v", each)
        for number, each in enumerate(decisions)
    ]
    return report_of(MONTH, now, lines, [])


def removal(became: Became | None, outcome: str, key: str = "detach identity|1") -> Report:
    """One that went on record, and its end."""
    begun = decision("intended", key=key, removed=ATTACHED)
    ends = [decision(outcome, "why", key=key, became={"0": became})] if became else []
    return month(begun, *ends)


@pytest.mark.parametrize("result", ["already assigned", "not ours"])
def test_a_role_that_somebodys_assignment_gives_was_not_given(result: str) -> None:
    figures = month(decision("done", result)).figures
    assert (figures.roles_given, figures.shared, figures.resources) == (0, 1, 0)


def test_an_identity_that_many_resources_wait_for_is_made_once() -> None:
    """Each has it on record. One that is made again has another principal."""
    made = [
        decision("done", f"principal {principal}", key=f"create identity|{identity}")
        for identity, principal in (("a", 1), ("a", 1), ("b", 2), ("a", 3))
    ]
    report = month(*made)
    assert report.figures.identities_made == 3
    happened = [each["happening"] for each in report_as_json(report)["given"]]
    assert happened == ["given", "shared", "given", "given"]


@pytest.mark.parametrize(
    ("became", "outcome", "counts"),
    [
        (Became.DONE, "done", (1, 0, 0)),
        # It may be done: nothing on record says that it was not.
        (Became.UNKNOWN, "later", (1, 0, 0)),
        (None, "", (1, 0, 0)),
        (Became.GIVEN_BACK, "later", (0, 1, 0)),
        # Its end is no other failure.
        (Became.FAILED, "failed", (0, 1, 0)),
    ],
)
def test_a_removal_counts_once(
    became: Became | None, outcome: str, counts: tuple[int, int, int]
) -> None:
    figures = removal(became, outcome).figures
    assert (figures.identities_detached, figures.not_removed, figures.failed) == counts


def test_a_repair_that_took_off_and_did_not_attach_again_failed() -> None:
    report = removal(Became.DONE, "failed", "reattach identity|1")
    figures = report.figures
    assert (figures.identities_detached, figures.failed) == (1, 1)
    shown = past_of([one.recorded for one in report.lines])
    assert [(each.became, each.shown_elsewhere) for each in shown] == [
        (Became.DONE, False),
        (None, False),
    ]


def test_what_a_person_takes_away_by_a_command_is_no_decision_beside_it() -> None:
    lines = (
        decision("intended", key="detach identity|1", removed=ATTACHED),
        decision("done", key="detach identity|1", became={"0": Became.DONE}),
        Decision("", "resume", "done"),
    )
    figures = month(*lines, by=PERSON).figures
    assert (figures.identities_detached, figures.decided) == (1, 1)


@pytest.mark.parametrize("source", ["sweep", "retry"])
def test_what_a_sweep_asks_for_is_its_own_when_it_is_tried_again_too(source: str) -> None:
    cause = {"source": source, "policy": "v"}
    report = month(decision("done", "assigned", cause=cause))
    assert report.figures.put_right == 1
    assert "by a sweep" in page(report_as_json(report))
    event = {"source": source, "policy": ""}
    assert month(decision("done", "assigned", cause=event)).figures.put_right == 0


def test_a_month_before_of_which_nothing_counts_is_on_record() -> None:
    report = month(decision("later"), days=-5)
    assert report.before is not None
    assert not any(report_as_json(report)["before"].values())


@pytest.mark.parametrize(
    ("days", "says"),
    [
        (0.5, "nothing older is in this"),
        (-3, "the month before is not whole"),
        (-29.5, None),
    ],
)
def test_a_record_that_begins_late_is_said_to(days: float, says: str | None) -> None:
    written = page(report_as_json(month(decision("done", "assigned"), days=days)))
    assert (says in written) if says else ("The record begins" not in written)


def test_the_days_hold_what_the_clock_of_the_app_puts_on_the_next_one() -> None:
    now = MONTH.since + timedelta(days=2) - timedelta(seconds=30)
    report = month(decision("done", "assigned"), now=now, days=2)
    assert report.figures.roles_given == sum(day.given for day in report.days) == 1
    assert [day.name for day in report.days] == ["2026-10-01", "2026-10-02", "2026-10-03"]


class Kept:
    """A record that lies in memory."""

    def __init__(self) -> None:
        self.table = MemoryTable()
        author, now = Author(APP, "v"), datetime(2026, 10, 5, tzinfo=UTC).timestamp()
        self._decisions = Decisions(self.table, author, lambda: now)
        self._held = HeldActions(MemoryTable(), lambda: now)

    def decisions(self) -> Decisions:
        return self._decisions

    def held(self) -> HeldActions:
        return self._held


async def test_a_line_that_cannot_be_read_is_named_and_the_others_count() -> None:
    record = Kept()
    await record.decisions().add(decision("done", "assigned"))
    await record.table.insert("2026-10-05", "000000.5", {"at": "<b>"})
    report = await read_report(record, MONTH, NOW)
    assert report.figures.roles_given == 1
    (damaged,) = report.damaged
    assert damaged.startswith("table lanyarddecisions, partition 2026-10-05, row 000000.5")
    assert damaged in page(report_as_json(report)).replace("&#x27;", "'")


@pytest.mark.parametrize(
    "reason", ["=1+1", "a;=1+1", "a; @SUM(1)", "-1", "\uff1d1+1", "a;\t=1+1", "a;+1;-1"]
)
def test_no_cell_of_a_csv_begins_a_formula_whatever_parts_the_cells(reason: str) -> None:
    text = as_csv(report_as_json(month(decision("failed", reason))))
    for delimiter in ",;":
        for row in csv.reader(io.StringIO(text), delimiter=delimiter):
            begins = {cell.lstrip("\ufffd ")[:1] for cell in row}
            assert not begins & set("=+-@\uff1d\uff0b\uff0d\uff20"), row


def test_every_list_says_what_its_lines_have() -> None:
    for name in ("given", "held", "removed", "failed", "decided", "policies", "sweeps"):
        assert "`bySweep`, and `words` for people" in SHAPE[f"{name}[]"]
