"""Ten questions of an auditor, each answered by the pages of a simulated estate: the one of a scan
and the one of a month.
"""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from lanyard.cli.scan import command as scan
from tests.support.desk import Desk

RULE = "machines read blobs"
ROLE = "Storage Blob Data Reader"
REGIONAL = "id-lanyard-westeurope"


@dataclass
class Tables(HTMLParser):
    """The tables of a page by their captions: rows of cells, each with its text, what shows when it
    is pointed at, and what it is found by.
    """

    tables: dict[str, list[list[str]]] = field(default_factory=dict)
    _caption: bool = False
    _rows: list[list[str]] = field(default_factory=list)
    _more: str = ""

    def __post_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "caption":
            self._caption, self._rows = True, []
        elif tag == "tr":
            self._rows.append([])
            self._more = given.get("data-more") or ""
        elif tag == "td":
            self._rows[-1].append("")
        if self._rows and self._rows[-1] and (shown := given.get("title")):
            self._rows[-1][-1] += f" {shown} "

    def handle_endtag(self, tag: str) -> None:
        if tag == "tr" and self._rows[-1]:
            self._rows[-1].append(self._more)

    def handle_data(self, data: str) -> None:
        if self._caption:
            self.tables[data], self._caption = self._rows, False
        elif self._rows and self._rows[-1]:
            self._rows[-1][-1] += f" {data}"

    def of(self, caption: str) -> list[list[str]]:
        return [row for row in self.tables[caption] if row]


@dataclass(frozen=True)
class Pages:
    """Both, and what is really there."""

    scan: Tables
    report: Tables
    scope: str
    policy: str
    person: str


def tables(path: Path) -> Tables:
    found = Tables()
    found.feed(path.read_text())
    return found


async def pages(desk: Desk, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Pages:
    """Two machines come, one goes; a person takes a role away, which a sweep gives again; another
    gives somebody a role by hand; removals are paused, and something waits.
    """
    estate, azure = desk.estate, desk.estate.azure
    azure.services.directory.grant_permission(desk.person.object_id)
    monkeypatch.setattr(scan, "now", lambda: month_now(desk))
    await estate.create_vm("vm1")
    await estate.create_vm("vm2")
    await estate.create_vm("vm3", location="northeurope")
    await desk.started()
    await estate.delete_vm("vm3")
    await estate.settle()
    theirs = next(k for k, a in azure.state.role_assignments.items() if a.scope == desk.group)
    del azure.state.role_assignments[theirs]
    azure.clock.advance(3600)
    await estate.sweeps.run()
    await estate.settle()
    azure.assign(desk.person.object_id, "Reader", desk.group)
    await desk.app("pause", "INC-4711")
    await estate.delete_vm("vm2")
    await estate.settle()
    await estate.delete_vm("vm1")
    await estate.settle()
    names = folder / "scan.html", folder / "month.html"
    policy = ["--policy", str(desk.policy)]
    assert (await desk.lanyard("scan", *policy, "--html", str(names[0]))).err == ""
    assert (await desk.app("report", "--html", str(names[1]))).err == ""
    who = f"{desk.person.display_name}@example.com"
    of_scan, of_month = map(tables, names)
    return Pages(of_scan, of_month, desk.group, estate.policy.digest, who)


def month_now(desk: Desk) -> datetime:
    return datetime.fromtimestamp(desk.estate.azure.clock.now(), UTC)


def rows(table: list[list[str]], *words: str) -> list[str]:
    """Those that have every word, as the page's own search finds them."""
    joined = (" ".join(row) for row in table)
    return [row for row in joined if all(word.lower() in row.lower() for word in words)]


def only(found: list[str]) -> str:
    (row,) = found
    return row


async def test_ten_questions_are_answered(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = await pages(desk, tmp_path, monkeypatch)
    access, given = asked.scan.of("Who has what"), asked.report.of("Given")
    # 1. Who can read the blobs of this group?
    reads = only(rows(access, ROLE, asked.scope, REGIONAL))
    # 2. Since when?
    assert f"{month_now(desk):%Y-%m-%d}" in reads
    # 3. Was that given by Lanyard, or by somebody?
    assert "Lanyard" in reads
    assert "not Lanyard's" in only(rows(access, "Reader", asked.scope, "person"))
    # 4. By which rule, and which version of the policy?
    by_rule = rows(given, "assign", ROLE, RULE, asked.policy)
    assert by_rule
    # 5. Which machines were given something in this month?
    assert {name for name in ("vm1", "vm2", "vm3") if rows(given, "attach identity", name)} == {
        "vm1",
        "vm2",
        "vm3",
    }
    # 6. What was taken back in this month, and on which evidence?
    removed = only(rows(asked.report.of("Removed"), ROLE))
    assert "no other resource claims this grant" in removed
    # 7. By whom had it been given?
    assert RULE in removed
    # 8. What was not as the policy says, and was put right by a sweep?
    assert rows(given, "by a sweep", ROLE)
    # 9. What waits, for which resource, and what ends that?
    waiting = only(rows(asked.report.of("Waits now"), ROLE, "vm1"))
    assert "lanyard resume" in waiting
    # 10. What did people decide, who was that, and why?
    decided = only(rows(asked.report.of("Decided by persons"), "pause removals"))
    assert asked.person in decided
    assert "INC-4711" in decided
