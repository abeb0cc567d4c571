"""The page of `lanyard scan --html`, looked at with a browser: on a wide and a narrow screen, light
and dark.
"""

import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from lanyard.cli.frame.figures import resolved
from lanyard.cli.scan import command as scan
from tests.support.browser import Page, browser
from tests.support.desk import Desk
from tests.support.pictures import FIGURES, HOSTILE, assert_can_be_read, keep
from tests.support.scanned import show_to

PICTURE_HEIGHT = 1210


@dataclass
class Scanned:
    """An estate of three subscriptions, and a person who may read it and the directory."""

    desk: Desk
    folder: Path

    async def page(self) -> Path:
        path = self.folder / "page.html"
        ran = await self.desk.lanyard(
            "scan", "--policy", str(self.desk.policy), "--html", str(path)
        )
        assert (ran.code, ran.err) == (2, "")
        return path

    async def document(self) -> dict[str, Any]:
        ran = await self.desk.lanyard("scan", "--policy", str(self.desk.policy), "--json")
        found: dict[str, Any] = json.loads(ran.out)
        return found


@pytest.fixture
def scanned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Scanned:
    desk = Desk(tmp_path, monkeypatch, capsys)
    azure = desk.estate.azure
    monkeypatch.setattr(scan, "now", lambda: datetime.fromtimestamp(azure.clock.now(), UTC))
    show_to(azure, desk.person)
    return Scanned(desk, tmp_path)


@pytest.fixture
async def chromium(tmp_path: Path) -> AsyncIterator[Page]:
    folder = tmp_path / "browser"
    folder.mkdir()
    async with browser(folder) as page:
        yield page


async def test_the_page_shows_the_figures_of_the_json_and_the_browser_complains_of_nothing(
    scanned: Scanned, chromium: Page
) -> None:
    document = await scanned.document()
    assert document["summary"]["subscriptions"] == 3
    page = await scanned.page()
    await chromium.open(page, width=1200)
    figures = await chromium.evaluate(FIGURES)
    assert len(figures) > 100
    for each in figures:
        assert each["value"] == resolved(document, each["pointer"]), each["pointer"]
        if each["text"] is not None:
            assert each["text"] == f"{each['value']:,}"
    shown = {each["pointer"] for each in figures}
    assert {f"/summary/{name}" for name in document["summary"]} <= shown
    assert chromium.complaints == []
    assert chromium.requests == [page.as_uri()]
    keep(await chromium.screenshot(PICTURE_HEIGHT), "scan-light.png")


async def test_the_length_of_each_bar_is_its_figure(scanned: Scanned, chromium: Page) -> None:
    await chromium.open(await scanned.page())
    figures = await chromium.evaluate(FIGURES)
    compute = parts(figures, r"/compute/\d+/\w+")
    assert len(compute) >= 12
    assert_proportional([(each["value"], each["width"]) for each in compute])
    ages = parts(figures, r"/orphans/byAge/\d+/count")
    assert sum(each["value"] for each in ages) == 22
    assert_proportional([(each["value"], each["height"]) for each in ages])
    held = parts(figures, r"/subscriptions/\d+/holders/\w+")
    assert_proportional([(each["value"], each["width"]) for each in held])
    assert all(each["drawn"] > 0 for each in compute)


@pytest.mark.parametrize("width", [390, 1200])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
async def test_it_fits_and_can_be_read(
    scanned: Scanned, chromium: Page, width: int, *, dark: bool
) -> None:
    await chromium.open(await scanned.page(), width=width, dark=dark)
    await assert_can_be_read(chromium, width=width, dark=dark)
    assert chromium.complaints == []
    name = {(1200, True): "scan-dark.png", (390, False): "scan-narrow.png"}.get((width, dark))
    if name is not None:
        keep(await chromium.screenshot(PICTURE_HEIGHT), name)


async def test_a_name_that_is_markup_stays_a_name(scanned: Scanned, chromium: Page) -> None:
    state = scanned.desk.estate.azure.state
    for subscription in state.subscriptions.values():
        subscription.display_name = HOSTILE
    for role in state.role_definitions.values():
        role.role_name = HOSTILE
    page = await scanned.page()
    await chromium.open(page)
    assert chromium.complaints == []  # what its policy has to refuse is a complaint
    assert chromium.requests == [page.as_uri()]
    assert await chromium.evaluate("document.images.length") == 0
    assert await chromium.evaluate("document.scripts.length") == 1
    assert (
        await chromium.evaluate("document.title") == "Identities and access: a scan of the estate"
    )
    text = await chromium.evaluate("document.body.textContent")
    assert HOSTILE.replace("\u202e", "\ufffd") in text
    assert "\u202e" not in text


async def test_its_policy_refuses_whatever_would_be_run_or_fetched(
    scanned: Scanned, chromium: Page
) -> None:
    page = await scanned.page()
    broken = page.read_text().replace("<main>", "<main><script>document.title=1</script>")
    broken = broken.replace("<main>", '<main><img src="https://example.com/x.png">')
    page.write_text(broken)
    await chromium.open(page)
    assert len(chromium.complaints) == 2
    assert all("Content Security Policy" in each for each in chromium.complaints)
    assert (
        await chromium.evaluate("document.title") == "Identities and access: a scan of the estate"
    )


async def test_a_machine_that_cannot_run_the_browser_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "chromium"
    program.write_bytes(b"\x7fELF of another machine")
    program.chmod(0o755)
    monkeypatch.setenv("CHROMIUM", str(program))
    with pytest.raises(AssertionError, match="name another Chromium or Chrome"):
        async with browser(tmp_path):
            pass


def parts(figures: list[dict[str, Any]], pattern: str) -> list[dict[str, Any]]:
    """The parts of pictures among the figures."""
    return [
        each
        for each in figures
        if each["width"] is not None and re.fullmatch(pattern, each["pointer"])
    ]


def assert_proportional(pairs: list[tuple[int, float]]) -> None:
    (value, length) = max(pairs)
    for each, drawn in pairs:
        assert drawn == pytest.approx(each * length / value, abs=0.1)
