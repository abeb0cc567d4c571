"""Pages and code use the words of the field, and each term of Lanyard's own is defined once."""

import re
from pathlib import Path

import pytest

from tests.support.pages import PAGES, PROJECT, page

#: What is written instead: show, report, fix, lock, kill switch, chaos, source, control principal.
RETIRED = re.compile(
    r"\b(?:told|tell|tells|telling|mend|mends|mended|said|brakes?|storms?|witness(?:es)?|canary"
    r"|(?:a|the|take|takes|whose) turns?)\b",
    re.IGNORECASE,
)
#: Made from the code, whose words are looked at where they are written.
GENERATED = {"docs/commands.md"}
_MADE_BELOW = "<!-- from here on made by "
_SPAN = re.compile(r"`[^`]+`")
CONCEPTS = page(PROJECT / "docs" / "concepts.md")
TERMS = ("Claim", "Stamp", "Orphan", "Held", "Guard", "Sweep", "Ledger", "Decision")


def prose(path: Path) -> str:
    """What is written for people: code left out, comments in commands and pictures not."""
    read = page(path)
    shown = [block.text for block in read.blocks if block.language in ("sh", "mermaid")]
    return _SPAN.sub("", read.prose.partition(_MADE_BELOW)[0]) + "\n" + "\n".join(shown)


WRITTEN = [
    *(path for path in PAGES if page(path).name not in GENERATED),
    PROJECT / "CHANGELOG.md",
]


@pytest.mark.parametrize("path", WRITTEN, ids=lambda path: page(path).name)
def test_a_page_uses_the_words_of_the_field(path: Path) -> None:
    lines = prose(path).splitlines()
    assert [line for line in lines if RETIRED.search(line)] == []


CODE = [
    PROJECT / "function_app.py",
    *(file for top in ("handlers", "lanyard") for file in sorted((PROJECT / top).rglob("*.py"))),
]
_WORDS_OF_A_NAME = re.compile(r"_+|(?<=[a-z])(?=[A-Z])")


def retired(line: str) -> bool:
    """Whether a retired word is in a line of code: in a name, a comment or a text."""
    return RETIRED.search(_WORDS_OF_A_NAME.sub(" ", line)) is not None


def test_code_uses_the_words_of_the_field() -> None:
    """In names, docstrings, comments, and in what the command shows."""
    found = [
        f"{file.relative_to(PROJECT)}:{number}: {line.strip()}"
        for file in CODE
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if retired(line)
    ]
    assert found == []


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("def _told_apart(path: Path) -> Found:", True),
        ("class WitnessOfRemoval:", True),
        ("# the brake pulled itself", True),
        ("self._canary = folded(name)", True),
        ("def retold(untold: str) -> None:  # in turn", False),
    ],
)
def test_a_retired_word_is_found_in_a_name(line: str, found: bool) -> None:
    assert retired(line) == found


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("the second witness", True),
        ("it is told once", True),
        ("instances take turns", True),
        ("it returns in turn, untold", False),
    ],
)
def test_a_retired_word_is_found(line: str, found: bool) -> None:
    assert bool(RETIRED.search(line)) == found


def test_each_term_is_defined_once() -> None:
    headings = re.findall(r"^## (.+)$", CONCEPTS.prose, re.MULTILINE)
    assert [term for term in TERMS if headings.count(term) != 1] == []
