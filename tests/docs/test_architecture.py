"""docs/architecture.md shows the way to what is there: its paths, its names, the folders and floors
of lanyard/, and one file for each question of a newcomer.
"""

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.pages import PROJECT, page

TEXT = (PROJECT / "docs" / "architecture.md").read_text()
PRODUCT = PROJECT / "lanyard"
QUESTIONS = {
    "Where is the limit of 150 identities a write?",
    "Where is the removal budget enforced, and by whom is it called?",
    "What decides that a principal is orphaned?",
    "Who talks to queue storage?",
    "When is something tried no more?",
    "When does the sweep try it again?",
    "Where does `lanyard undo` write?",
    "Where does `lanyard adopt` write?",
    "Where is the IMDS trap?",
    "What happens on a group delete?",
    "Where are tables named?",
    "Where are retries computed?",
    "Which code runs only at a desk?",
    "Where does the policy come from?",
    "Where do two events of one resource become one?",
    "Where is a person's release kept?",
    "Where is the stamp?",
    "What makes the sweep put a resource on the queue?",
}
_PATH = re.compile(
    r"(?:bench|demo|docs|handlers|infra|lanyard|scripts|simulator|tests)/[\w./-]*[\w/]"
)


def rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its head."""
    section = TEXT.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    lines = [line for line in section.splitlines() if line.startswith("| ")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[1:]]


ANSWERS = rows("Where is …?")


def spans(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def defined(file: Path) -> set[str]:
    """The names that a module defines: constants, functions, classes and their methods."""
    return set(_defined(ast.parse(file.read_text())))


def _defined(node: ast.Module | ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        match each:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name):
                yield name
            case ast.ClassDef(name=name):
                yield name
                yield from _defined(each)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                yield name


def test_every_path_exists() -> None:
    paths = set(_PATH.findall(TEXT))
    assert len(paths) > 50
    assert sorted(path for path in paths if not (PROJECT / path).exists()) == []


def test_the_questions_of_a_newcomer_are_there() -> None:
    assert {question for question, *_ in ANSWERS} == QUESTIONS
    assert len(ANSWERS) == len(QUESTIONS)


@pytest.mark.parametrize("answer", ANSWERS, ids=lambda answer: answer[0])
def test_a_question_is_answered_by_one_path(answer: list[str]) -> None:
    _, where, names, _ = answer
    (path,) = spans(where)
    assert where == f"`{path}`"
    assert (PROJECT / path).exists()
    if names or path.endswith(".py"):
        assert spans(names)
        assert set(spans(names)) <= defined(PROJECT / path)


def folders() -> set[str]:
    """Those of lanyard/ that hold modules."""
    found = {file.parent for file in PRODUCT.rglob("*.py")} - {PRODUCT}
    return {f"{folder.relative_to(PROJECT).as_posix()}/" for folder in found}


def test_every_folder_has_its_line() -> None:
    named = [span for folder, _ in rows("The floors") for span in spans(folder)]
    assert sorted(named) == sorted(folders() | {"handlers/"})


def floors() -> list[set[str]]:
    """As `make lint` checks them, from above."""
    contracts = tomllib.loads((PROJECT / "pyproject.toml").read_text())["tool"]["importlinter"]
    (layers,) = [each for each in contracts["contracts"] if each.get("containers") == ["lanyard"]]
    return [{name.strip() for name in floor.split("|")} for floor in layers["layers"]]


def test_the_picture_shows_the_floors_from_above() -> None:
    (picture,) = [
        each.text
        for each in page(PROJECT / "docs" / "architecture.md").blocks
        if each.section == "The floors"
    ]
    shown = [set(re.findall(r"(\w+)(?:/|\.py)", line)) for line in picture.splitlines()]
    drawn = [name for line in shown for name in sorted(line & set().union(*floors()))]
    expected = [name for floor in floors() for name in sorted(floor)]
    assert drawn == expected
