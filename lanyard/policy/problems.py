"""What is wrong with a policy file, and where."""

import difflib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from lanyard.values.errors import LanyardError

#: So many characters of a value are shown at most.
_LONGEST_SHOWN = 60
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


def shortened(text: str) -> str:
    """As much of a value as is shown."""
    return text if len(text) <= _LONGEST_SHOWN else text[:_LONGEST_SHOWN] + "…"


def near(name: str, known: Iterable[str]) -> str:
    """The one of the known names that was meant, as far as its letters show it; "" for none."""
    by_lower = {entry.lower(): entry for entry in known}
    found = difflib.get_close_matches(name.lower(), by_lower, n=1)
    return by_lower[found[0]] if found else ""


def unknown(what: str, name: str, known: Iterable[str]) -> str:
    """The message for a name that does not resolve: the nearest one that would, or all of them."""
    names = list(dict.fromkeys(known))
    if meant := near(name, names):
        return f"unknown {what} {name!r}; did you mean {meant!r}?"
    more = ", …" if len(names) > MOST_SHOWN else ""
    return f"unknown {what} {name!r}; known: {', '.join(names[:MOST_SHOWN]) or 'none'}{more}"
