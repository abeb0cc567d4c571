"""docs/security.md: each threat has a control, what that leaves, and tests that are collected."""

import re
import subprocess
import sys
from functools import cache

import pytest

from tests.support.pages import PROJECT, page

THREATS = page(PROJECT / "docs" / "security.md").prose.split("\n## Threats\n")[1]
_TEST = re.compile(r"`(tests/[\w/]+\.py::\w+)`")
HEAD, _, *ROWS = (
    [cell.strip() for cell in line.strip("|").split("|")]
    for line in THREATS.splitlines()
    if line.startswith("|")
)

every_row = pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])


@cache
def collected() -> set[str]:
    """What pytest finds of all that the page names, without parameters."""
    named = sorted({test for row in ROWS for test in _TEST.findall(row[-1])})
    files = sorted({test.partition("::")[0] for test in named})
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {line.partition("[")[0] for line in found.stdout.splitlines() if "::" in line}


def test_it_says_what_is_left_beside_what_is_done() -> None:
    assert HEAD == ["threat", "control", "residual risk", "shown by"]


@every_row
def test_no_cell_is_empty(row: list[str]) -> None:
    assert len(row) == len(HEAD)
    assert all(row)


@every_row
def test_each_test_that_shows_it_is_collected(row: list[str]) -> None:
    named = set(_TEST.findall(row[-1]))
    assert named
    assert named - collected() == set()
    assert _TEST.sub("", row[-1]).replace("<br>", "") == ""


def test_what_does_not_exist_is_not_collected() -> None:
    assert "tests/docs/test_security.py::test_that_nobody_wrote" not in collected()
    assert "tests/infra/test_security.py::someone" not in collected()
