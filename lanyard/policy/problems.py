"""What is wrong with a policy file, and where."""

from collections.abc import Sequence
from dataclasses import dataclass

from lanyard.errors import LanyardError


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
    """The policy cannot be used; every problem found is listed, one a line."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        self.problems = sorted(problems)
        super().__init__("\n".join(str(problem) for problem in self.problems))
