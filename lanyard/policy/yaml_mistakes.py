"""What PyYAML finds wrong with a file, in the words of whoever wrote it."""

import re
from typing import NamedTuple

import yaml

_MISPLACED = "it does not belong to what stands above it: look at the indentation, and at quotes"
_DIRECTIVES = "directives (%) are not supported"
#: What is found by the words of PyYAML's problem, and what it is to a person. The groups of the
#: pattern stand for {0}, {1}.
_WORDS = tuple(
    (re.compile(pattern, re.DOTALL), message)
    for pattern, message in (
        (
            r"mapping values are not allowed",
            "a ':' stands where no key can be; is a quote missing?",
        ),
        (r"sequence entries are not allowed", "a '-' stands where no list can begin"),
        (r"mapping keys are not allowed", "a '?' stands where no key can be"),
        (r"could not find expected ':'", "no ':' follows this key"),
        (r"^(nested more than \d+ levels deep)$", "{0}"),
        (r"found character '\\t'", "a tab stands where blanks are needed"),
        (r"found character (.+) that cannot", "a text cannot begin with {0}; put it in quotes"),
        (r"found unknown escape character (.+)", "a \\ before {0} means nothing in double quotes"),
        (r"expected escape sequence", "a \\x, \\u or \\U in double quotes has too few digits"),
        (r"expected alphabetic or numeric character", "an anchor (&) or alias (*) has no name"),
        (r"chomping|indentation indicator", "after | or > comes nothing but -, + or a digit"),
        (r"expected a comment or a line break", "something stands behind | or >"),
        (r"expected ('<document start>'|<block end>)", _MISPLACED),
        (r"expected ',' or '(.)'", "a comma or {0} is missing before it"),
        (r"expected the node content", "a value is missing before it"),
        (r"but found another document", "a second document begins here; write one"),
        (r"found undefined alias '(.+?)'", "nothing above is named &{0}"),
        (r"found duplicate anchor '(.+?)'", "two parts are named &{0}"),
        (r"constructor for the tag", "tags (!x) are not supported"),
        (r"tag|URI", "a tag (!x) is not written as YAML has it"),
        (r"directive|version", _DIRECTIVES),
    )
)
_UNCLOSED = re.compile("end of stream|document separator")


class Mistake(NamedTuple):
    """A line and column (from 1), and what is wrong there."""

    line: int
    column: int
    message: str


class QuotedOverLines(NamedTuple):
    """Where a quoted text begins that ends in a later line, and where it ends."""

    start: yaml.Mark
    end: yaml.Mark


def mistake(error: yaml.MarkedYAMLError, quoted: QuotedOverLines | None) -> Mistake:
    """In own words; at the opening quote where it has no other. `quoted`: the last one that was
    read before it.
    """
    at, since = error.problem_mark or error.context_mark, error.context_mark
    problem = error.problem or ""
    if since is not None and "quoted" in (error.context or "") and _UNCLOSED.search(problem):
        return _at(since, "the quote that opens here is not closed")
    if at is not None and quoted is not None and at.line == quoted.end.line:
        line = quoted.end.line + 1
        return _at(quoted.start, f"the quote that opens here is closed in line {line} only")
    if since is not None and "directive" in (error.context or ""):
        return _at(since, _DIRECTIVES)
    if since is not None and "simple key" in (error.context or ""):
        at = since
    opened = f"; the part opens in line {since.line + 1}" if _is_flow(error) and since else ""
    return _at(at, _in_words(problem) + opened)


def _is_flow(error: yaml.MarkedYAMLError) -> bool:
    return "flow" in (error.context or "")


def _in_words(problem: str) -> str:
    for pattern, message in _WORDS:
        if found := pattern.search(problem):
            return message.format(*found.groups())
    return "it cannot be read"


def _at(mark: yaml.Mark | None, message: str) -> Mistake:
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    return Mistake(line, column, f"no valid YAML: {message}")
