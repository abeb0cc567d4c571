"""The pages use the words of the field, and define each term of Lanyard's own once."""

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
#: Made from the code, which has its own words.
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
