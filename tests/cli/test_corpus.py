"""Broken policies: `lanyard validate` names the file, the line, the column and the cause of each.

Each file begins with what is expected of it: `# expect: LINE:COLUMN: part of the message`. A folder
is one policy.
"""

import re
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import pytest

from lanyard.cli import main

CORPUS = Path(__file__).parents[1] / "corpus" / "policies"
CASES = sorted(CORPUS.iterdir())
PROBLEM = re.compile(r"(?P<place>.+?:\d+:\d+): (?P<message>.+)")
EXPECTED = re.compile(r"\ufeff?# expect: (?P<line>\d+):(?P<column>\d+): (?P<message>.+)")


class Told(NamedTuple):
    """A problem, or one that is expected."""

    place: str
    message: str


def expected(case: Path) -> list[Told]:
    files = sorted(case.iterdir()) if case.is_dir() else [case]
    return [
        Told(f"{file}:{found['line']}:{found['column']}", found["message"])
        for file in files
        for line in file.read_text(encoding="utf-8", errors="replace").splitlines()
        if (found := EXPECTED.fullmatch(line))
    ]


def reported(lines: list[str]) -> list[Told]:
    found = [PROBLEM.fullmatch(line) for line in lines]
    assert all(found), lines
    return [Told(each["place"], each["message"]) for each in found if each]


def compare(case: Path, lines: list[str]) -> None:
    wanted, problems = expected(case), reported(lines)
    assert wanted, f"{case} begins with no '# expect:' line"
    assert [problem.place for problem in problems] == [want.place for want in wanted]
    for problem, want in zip(problems, wanted, strict=True):
        assert want.message in problem.message


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.stem)
def test_a_broken_policy_is_shown_at_its_place(
    case: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["validate", "--quiet", str(case)]) == 1
    output = capsys.readouterr()
    compare(case, output.out.splitlines())
    assert output.err == ""


@pytest.mark.parametrize("name", ["many-mistakes.yaml", "folder-mistake-in-the-second-file"])
def test_it_is_the_same_as_a_process(name: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", "lanyard.cli", "validate", "--quiet", CORPUS / name],
        capture_output=True,
        text=True,
        cwd=CORPUS.parents[2],
    )
    assert ran.returncode == 1
    compare(CORPUS / name, ran.stdout.splitlines())
    assert ran.stderr == ""


def test_there_are_many() -> None:
    assert len(CASES) >= 200
