"""A small storm as `make chaos` runs it."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from demo.hosts import PROJECT

#: The app as it is, after a change.
APP = """
import importlib.util

from lanyard.planning import deletion, life
from lanyard.reconcile import apply_removals, moves
from lanyard.record import assignment_deletion, grant_rows, granted

{change}
spec = importlib.util.spec_from_file_location("real_app", {path!r})
real_app = importlib.util.module_from_spec(spec)
spec.loader.exec_module(real_app)
app = real_app.app
"""
#: A removal that was cut off is waited for two minutes, what was written and is not there for five,
#: and two looks at the users of an identity are an hour apart: too long for every run of the tests.
HURRIED = """
assignment_deletion.CALL_SECONDS = 6.0
grant_rows.REVOKE_SECONDS = granted.REVOKE_SECONDS = 15.0
life.WRITE_LAG, life.SECOND_LOOK = 20.0, 10.0
deletion.APART, deletion.ROLES_APART = 20.0, 10.0
deletion.LISTING_LAG = apply_removals.LISTING_LAG = 10.0
moves._LISTED_DELAY, moves._LISTED_LATE = 3.0, 9.0
"""


def app(directory: Path, change: str) -> str:
    """A folder to run; returns its path."""
    folder = directory / "app"
    folder.mkdir()
    shutil.copy(PROJECT / "host.json", folder)
    source = APP.format(change=change, path=str(PROJECT / "function_app.py"))
    (folder / "function_app.py").write_text(source)
    return str(folder)


def storm(scale: int, kills: int, *more: str) -> tuple[int, dict[str, Any]]:
    ran = subprocess.run(
        [
            *(sys.executable, "-m", "chaos", "--json", "--seed", "1"),
            *("--scale", str(scale), "--kills", str(kills), *more),
        ],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        timeout=560,
    )
    assert ran.stdout, ran.stderr
    return ran.returncode, json.loads(ran.stdout)


@pytest.mark.timeout(600)
def test_after_a_small_storm_everything_is_as_the_policy_says(tmp_path: Path) -> None:
    code, result = storm(40, 2, "--app", app(tmp_path, HURRIED))
    assert result["violations"] == []
    assert (code, result["ok"]) == (0, True)
    counts = result["counts"]
    assert counts["host killed"] == 2
    assert counts["policies changed"] == 2
    assert counts["policies mistyped and corrected"] == 1
    assert counts["people: Move"] > 0
    assert counts["tables copied, lost or put back"] == 3
    assert counts["events lost"] > 0
    assert counts["writes that succeeded"] > 0
    for kind in ("arm: ", "storage: "):
        assert sum(count for name, count in counts.items() if name.startswith(kind)) > 0
