"""What is wrong with a policy file, and where."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lanyard.values.errors import LanyardError

#: So many known names are listed where none is near.
MOST_SHOWN = 8
#: So many problems of a file are reported at most: nobody reads on, and each takes a while to put.
MOST_REPORTED = 1000
#: Keys and indexes from the top of the file down to a part of it.
type Path = tuple[str | int, ...]
type Found = Iterator[tuple[Path, str]]


@dataclass(frozen=True, slots=True, order=True)
class Problem:
    """One mistake, at a line and column of the file (both from 1)."""

    file: str
    line: int
    column: int
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}: {self.message}"


class PolicyError(LanyardError):
    """The policy cannot be used; the problems found are listed, one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The message for a name that does not resolve: the nearest one that would, or all of them."""
    by_lower = {entry.lower(): entry for entry in known}
    near = difflib.get_close_matches(name.lower(), by_lower, n=1)
    if near:
        return f"unknown {what} {name!r}; did you mean {by_lower[near[0]]!r}?"
    shown = list(by_lower.values())
    more = ", …" if len(shown) > MOST_SHOWN else ""
    return f"unknown {what} {name!r}; known: {', '.join(shown[:MOST_SHOWN]) or 'none'}{more}"
