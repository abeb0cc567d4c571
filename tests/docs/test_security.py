"""docs/security.md: each threat has a control, what that leaves, and tests that are collected."""

import re
import subprocess
import sys
from collections.abc import Collection

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


@pytest.fixture(scope="module")
def collected(request: pytest.FixtureRequest) -> set[str]:
    """What pytest finds of all that the page names, without parameters: in this run, where it is of
    all tests, else in the files of what this one has not.
    """
    named = {test for row in ROWS for test in _TEST.findall(row[-1])}
    here = {_without_parameters(item.nodeid) for item in request.session.items}
    return named & here | _found_in({_file(test) for test in named - here})


def _found_in(files: Collection[str]) -> set[str]:
    if not files:
        return set()
    found = subprocess.run(
        [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files],
        cwd=PROJECT,
        capture_output=True,
        text=True,
        check=True,
    )
    return {_without_parameters(line) for line in found.stdout.splitlines() if "::" in line}


def _without_parameters(test: str) -> str:
    return test.partition("[")[0]


def _file(test: str) -> str:
    return test.partition("::")[0]


def test_it_says_what_is_left_beside_what_is_done() -> None:
    assert HEAD == ["threat", "control", "residual risk", "shown by"]


@every_row
def test_no_cell_is_empty(row: list[str]) -> None:
    assert len(row) == len(HEAD)
    assert all(row)


@every_row
def test_each_test_that_shows_it_is_collected(row: list[str], collected: set[str]) -> None:
    named = set(_TEST.findall(row[-1]))
    assert named
    assert named - collected == set()
    assert _TEST.sub("", row[-1]).replace("<br>", "") == ""


def test_what_does_not_exist_is_not_collected() -> None:
    found = _found_in(["tests/docs/test_security.py"])
    assert f"tests/docs/test_security.py::{test_no_cell_is_empty.__name__}" in found
    assert "tests/docs/test_security.py::test_that_nobody_wrote" not in found
