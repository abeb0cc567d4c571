"""The page of `lanyard report --html`, looked at with a browser: on a wide and a narrow screen,
light and dark. Its tables can be searched and sorted.
"""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from lanyard.cli.frame.figures import resolved
from lanyard.cli.report.as_json import report_as_json
from lanyard.cli.report.page import page as page_of
from lanyard.desk.report.report import Report
from tests.support.browser import Page, browser
from tests.support.months import MONTH, a_month
from tests.support.pictures import (
    COLOURS,
    FIGURES,
    HOSTILE,
    assert_can_be_read,
    brightness,
    keep,
)

PICTURE_HEIGHT = 1500
SEARCH = """
(words) => {
  const box = document.querySelectorAll(".search input")[%d];
  box.value = words;
  box.dispatchEvent(new Event("input"));
  return [...document.querySelectorAll("table.data")[%d].tBodies[0].rows]
    .filter(row => !row.hidden).map(row => row.textContent);
}
"""
GIVEN = 0  # the first table of many lines


@pytest.fixture
async def chromium(tmp_path: Path) -> AsyncIterator[Page]:
    folder = tmp_path / "browser"
    folder.mkdir()
    async with browser(folder) as page:
        yield page


@pytest.fixture
def document() -> dict[str, Any]:
    return report_as_json(a_month())


@pytest.fixture
def page(document: dict[str, Any], tmp_path: Path) -> Path:
    path = tmp_path / "report.html"
    path.write_text(page_of(document))
    return path


def written(folder: Path, report: Report) -> Path:
    path = folder / "report.html"
    path.write_text(page_of(report_as_json(report)))
    return path


async def search(chromium: Page, words: str, table: int = GIVEN) -> list[str]:
    found: list[str] = await chromium.evaluate(f"({SEARCH % (table, table)})({words!r})")
    return found


async def test_every_figure_is_that_of_the_json(
    chromium: Page, page: Path, document: dict[str, Any]
) -> None:
    await chromium.open(page, width=1200)
    figures = await chromium.evaluate(FIGURES)
    assert len(figures) > 60
    for each in figures:
        assert each["value"] == resolved(document, each["pointer"]), each["pointer"]
    shown = {each["pointer"] for each in figures}
    assert {f"/figures/{name}" for name in document["figures"]} <= shown
    assert chromium.complaints == []
    assert chromium.requests == [page.as_uri()]
    keep(await chromium.screenshot(PICTURE_HEIGHT), "report-light.png")


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_it_fits_and_can_be_read(
    chromium: Page, page: Path, width: int, *, dark: bool
) -> None:
    await chromium.open(page, width=width, dark=dark)
    await assert_can_be_read(chromium, width=width, dark=dark)
    if width == 390:
        keep(await chromium.screenshot(PICTURE_HEIGHT), "report-narrow.png")


def numbers(name: str) -> list[int]:
    """As a person sorts `rg-3/virtualMachines/vm-10`."""
    return [int(each) for each in re.findall(r"\d+", name)]


def changed(page: Path, before: str, after: str) -> Path:
    page.write_text(page.read_text().replace(before, after))
    return page


async def test_all_bars_are_on_one_scale(chromium: Page, page: Path) -> None:
    await chromium.open(page, width=1200)
    figures = await chromium.evaluate(FIGURES)
    bars = [each for each in figures if re.match(r"/rules/", each["pointer"])]
    assert len(bars) >= 9
    widest = max(bars, key=lambda each: int(each["value"]))
    for each in bars:
        wanted = each["value"] * widest["drawn"] / widest["value"]
        assert each["drawn"] == pytest.approx(wanted, abs=2.1)


async def test_tables_are_searched_by_every_word(chromium: Page, page: Path) -> None:
    await chromium.open(page)
    every = await search(chromium, "")
    found = await search(chromium, "vm-1 Blob")
    assert 0 < len(found) < len(every)
    assert all("vm-1" in each and "Blob" in each for each in found)
    assert await search(chromium, "no such thing") == []
    # By what is not shown, too: the id of a decision.
    (one,) = await search(chromium, "2026-10-05T000000000004")
    assert "vm-4" in one
    assert len(await search(chromium, "")) == len(every)


async def test_tables_are_sorted_by_a_click_and_turned_by_another(
    chromium: Page, page: Path
) -> None:
    await chromium.open(page)
    table = f"document.querySelectorAll('table.data')[{GIVEN}]"
    cells = f"[...{table}.tBodies[0].rows].map(row => row.cells[2].textContent)"
    click = f"{table}.tHead.querySelectorAll('button')[2].click()"
    await chromium.evaluate(click)
    names = await chromium.evaluate(cells)
    assert [numbers(name) for name in names] == sorted(numbers(name) for name in names)
    assert numbers(names[0]) != numbers(names[-1])
    await chromium.evaluate(click)
    turned = await chromium.evaluate(cells)
    assert [numbers(name) for name in turned] == sorted(map(numbers, names), reverse=True)
    assert chromium.complaints == []


async def test_names_from_outside_stay_names(chromium: Page, tmp_path: Path) -> None:
    path = written(tmp_path, a_month(rule=HOSTILE, person=HOSTILE, reason=HOSTILE))
    await chromium.open(path)
    assert chromium.complaints == []
    assert chromium.requests == [path.as_uri()]
    assert await chromium.evaluate("document.images.length") == 0
    assert await chromium.evaluate("document.scripts.length") == 1
    assert MONTH in await chromium.evaluate("document.title")
    text = await chromium.evaluate("document.body.textContent")
    assert HOSTILE.replace("\u202e", "\ufffd") in text


async def test_its_policy_runs_no_other_script(chromium: Page, page: Path) -> None:
    await chromium.open(changed(page, "<main>", "<main><script>document.title=1</script>"))
    (complaint,) = chromium.complaints
    assert "Content Security Policy" in complaint
    assert MONTH in await chromium.evaluate("document.title")
    assert await chromium.evaluate("document.querySelectorAll('.search').length") > 0


async def test_it_prints_whole_and_without_its_search(chromium: Page, page: Path) -> None:
    await chromium.open(page, dark=True)
    await chromium.call("Emulation.setEmulatedMedia", media="print")
    assert (
        await chromium.evaluate("getComputedStyle(document.querySelector('.search')).display")
        == "none"
    )
    behind, ink = [brightness(each) for each in await chromium.evaluate(COLOURS)]
    assert behind > 250
    assert ink < 60
    answer = await chromium.call("Page.printToPDF", printBackground=True)
    assert len(answer["data"]) > 10_000
