"""Files of tests: where they are, and what stands in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from lanyard.desk.policy_tests.shape import PolicyTests
from lanyard.policy.load import TEST_ENDINGS, read_text
from lanyard.policy.named_files import Unreadable, entries_of, is_folder
from lanyard.policy.problems import PolicyError, Problem
from lanyard.policy.section import read_part
from lanyard.policy.validation_errors import explain
from lanyard.policy.yaml_source import Source, read_yaml
from lanyard.values.errors import LanyardError

#: Folders that hold what others wrote.
_PASSED_BY = {"node_modules"}


@dataclass(frozen=True, slots=True)
class ReadTests:
    """A file of tests, and where its parts stand."""

    file: Path
    tests: PolicyTests
    source: Source

    @property
    def policy(self) -> Path:
        """The file or folder that is tested."""
        if self.tests.policy is not None:
            return self.file.parent / self.tests.policy
        beside = self.file.with_suffix("").with_suffix(self.file.suffix)
        return beside if beside.exists() else self.file.parent

    @property
    def estate(self) -> Path | None:
        """The saved estate that its resources are in."""
        return None if self.tests.estate is None else self.file.parent / self.tests.estate

    def problem(self, case: int, message: str) -> Problem:
        """A mistake in the case of that number (from 0)."""
        return self.source.problem(("tests", case), message)

    def line(self, case: int) -> int:
        """Where the case of that number (from 0) begins."""
        return self.problem(case, "").line


def found_tests(places: Sequence[Path]) -> list[Path]:
    """The files of tests that are named, and those in and below the folders, each once. Raises
    LanyardError where a place has none.
    """
    found: dict[Path, None] = {}
    for place in places:
        files = sorted(_below(place)) if is_folder(place) else [place]
        if not files:
            raise LanyardError(f"{place}: no file of tests (*.test.yaml) in it, nor below it")
        found |= dict.fromkeys(files)
    return list(found)


def read_tests(file: Path) -> ReadTests:
    """What stands in a file of tests. Raises PolicyError with every mistake at its place."""
    source = read_yaml(str(file), read_text(file))
    if not isinstance(source.data, dict):
        message = "a file of tests is a mapping that has the list 'tests'"
        raise PolicyError([source.problem((), message)])
    try:
        tests = read_part(PolicyTests, source.data)
    except ValidationError as error:
        raise PolicyError(explain(source, error, PolicyTests)) from None
    return ReadTests(file, tests, source)


def is_test_file(path: Path) -> bool:
    """Whether it holds tests, by its name."""
    return path.name.lower().endswith(TEST_ENDINGS)


def _below(folder: Path) -> Iterator[Path]:
    try:
        entries = entries_of(folder)
    except Unreadable as error:
        raise LanyardError(f"{folder}: cannot be read: {error}") from None
    for path in entries:
        if path.is_dir() and not path.name.startswith(".") and path.name not in _PASSED_BY:
            yield from _below(path)
        elif path.is_file() and is_test_file(path):
            yield path
