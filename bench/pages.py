"""How long pages of a large estate take to open in Chromium, from the file to the last of its
script; a median. `make .venv/chromium.stamp` unpacks the browser.
"""

import asyncio
import tempfile
from pathlib import Path
from statistics import median

from bench.figures import Budget, Figure, Tell
from bench.options import Options
from lanyard.cli.report.as_json import report_as_json
from lanyard.cli.report.page import page as report_page
from lanyard.cli.scan.page import page as scan_page
from tests.support.browser import Page, browser
from tests.support.months import a_month
from tests.support.scanned import large_scan

_MACHINES, _RULES = 2000, 40
_SECONDS = Budget(2.0)
_LOOKS = 100
# Milliseconds since the page was asked for; the load event ends once all scripts have run.
_LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def measure(options: Options, tell: Tell) -> list[Figure]:
    """Seconds by this computer's clock."""
    return asyncio.run(_measured(options.runs, tell))


async def _measured(runs: int, tell: Tell) -> list[Figure]:
    of = f"{_MACHINES:,} machines and {_RULES} rules"
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        async with browser(folder) as shown:
            tell(f"a month of {of}")
            month = report_page(report_as_json(a_month(_MACHINES, _RULES)))
            report = await _figure(f"report: {of}", month, runs, folder, shown)
            tell(f"a scan of {of}")
            found = scan_page(await large_scan(_MACHINES, _RULES))
            return [report, await _figure(f"scan: {of}", found, runs, folder, shown)]


async def _figure(what: str, content: str, runs: int, folder: Path, shown: Page) -> Figure:
    file = folder / "page.html"
    await asyncio.to_thread(file.write_text, content)
    seconds = [await _opened(shown, file) for _ in range(runs)]
    rows = await shown.evaluate("document.querySelectorAll('table.data tbody tr').length")
    made_of = f"{rows:,} rows, {len(content) / 1e6:.1f} MB"
    return Figure(f"{what} open in Chromium", median(seconds), "s", budget=_SECONDS, detail=made_of)


async def _opened(shown: Page, file: Path) -> float:
    await shown.open(file)
    milliseconds = 0.0
    for _ in range(_LOOKS):  # the entry is written a moment after the event
        if milliseconds := float(await shown.evaluate(_LOADED)):
            break
        await asyncio.sleep(0.01)
    assert milliseconds, "the page has loaded"
    return milliseconds / 1000
