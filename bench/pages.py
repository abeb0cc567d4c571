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
from lanyard.cli.report.page import page
from tests.support.browser import Page, browser
from tests.support.months import a_month

_MACHINES, _RULES = 2000, 40
_SECONDS = Budget(2.0)
_LOOKS = 100
# Milliseconds since the page was asked for; the load event ends once all scripts have run.
_LOADED = "performance.getEntriesByType('navigation')[0].loadEventEnd"


def measure(options: Options, tell: Tell) -> list[Figure]:
    """Seconds by this computer's clock."""
    return asyncio.run(_measured(options.runs, tell))


async def _measured(runs: int, tell: Tell) -> list[Figure]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "report.html"
        tell(f"a month of {_MACHINES:,} machines and {_RULES} rules")
        content = page(report_as_json(a_month(_MACHINES, _RULES)))
        await asyncio.to_thread(file.write_text, content)
        async with browser(folder) as shown:
            seconds = [await _opened(shown, file) for _ in range(runs)]
            rows = await shown.evaluate("document.querySelectorAll('table.data tbody tr').length")
    made_of = f"{rows:,} rows, {len(content) / 1e6:.1f} MB"
    what = f"report: {_MACHINES:,} machines and {_RULES} rules open in Chromium"
    return [Figure(what, median(seconds), "s", budget=_SECONDS, detail=made_of)]


async def _opened(shown: Page, file: Path) -> float:
    await shown.open(file)
    milliseconds = 0.0
    for _ in range(_LOOKS):  # the entry is written a moment after the event
        if milliseconds := float(await shown.evaluate(_LOADED)):
            break
        await asyncio.sleep(0.01)
    assert milliseconds, "the page has loaded"
    return milliseconds / 1000
