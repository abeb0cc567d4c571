"""From files to one checked Policy, or to every problem at once with its file, line and column."""

from codecs import BOM_UTF8
from collections.abc import Iterable
from itertools import chain, islice
from pathlib import Path as FilePath

from pydantic import ValidationError

from lanyard.policy.app_identity import names_own
from lanyard.policy.checks import check
from lanyard.policy.document import Policy
from lanyard.policy.merge import merge
from lanyard.policy.named_files import Unreadable, content_of, entries_of, is_folder
from lanyard.policy.problems import MOST_REPORTED, PolicyError, Problem
from lanyard.policy.section import read_part
from lanyard.policy.still_readable import check_readable
from lanyard.policy.validation_errors import explain
from lanyard.policy.yaml_source import MAX_CHARACTERS, Source, place_of, read_yaml
from lanyard.values.resource_id import ResourceId

_ENDINGS = (".yaml", ".yml")
# A character of UTF-8 has so many at most.
_MOST_BYTES = 4 * MAX_CHARACTERS
#: Of files with the tests of a policy, which are never a part of one.
TEST_ENDINGS = (".test.yaml", ".test.yml")


def load_policy(path: FilePath, own: ResourceId | None = None) -> Policy:
    """Read and check a policy file, or all of a folder added up. `own`: the app's own identity,
    where it is known; a policy that names it is refused.

    Raises PolicyError, also where something cannot be read.
    """
    return _checked(read_source(path), own)


def read_source(path: FilePath) -> Source:
    """What stands in a policy file, or in all of a folder, and where. Raises PolicyError."""
    return merge(_sources([(str(file), read_text(file)) for file in _files(path)]))


def parse_policy(file: str, text: str, own: ResourceId | None = None) -> Policy:
    """Check the text of one policy file; `file` is its name in error messages."""
    return parse_policies([(file, text)], own)


def parse_policies(texts: Iterable[tuple[str, str]], own: ResourceId | None = None) -> Policy:
    """Check the texts of several files, added up to one policy."""
    return _checked(merge(_sources(texts)), own)


def _checked(source: Source, own: ResourceId | None) -> Policy:
    try:
        policy = read_part(Policy, source.data)
    except ValidationError as error:
        beside = islice(check_readable(source.data, error), MOST_REPORTED)
        more = [source.problem(path, message) for path, message in beside]
        raise PolicyError([*explain(source, error), *more]) from None
    mistakes = [check(policy), names_own(policy, own) if own is not None else ()]
    found = islice(chain.from_iterable(mistakes), MOST_REPORTED)
    if problems := [source.problem(path, message) for path, message in found]:
        raise PolicyError(problems)
    return policy


def rule_places(path: FilePath) -> dict[str, str]:
    """Where each rule stands, by its name: "lanyard.yaml:12". Raises PolicyError."""
    return _places(read_source(path))


def rule_places_of(texts: Iterable[tuple[str, str]]) -> dict[str, str]:
    """The same of the texts of several files, added up to one policy."""
    return _places(merge(_sources(texts)))


def _places(source: Source) -> dict[str, str]:
    places: dict[str, str] = {}
    for index, rule in enumerate(source.data.get("rules", ())):
        at = source.problem(("rules", index, "name"), "")
        places.setdefault(str(rule["name"]), f"{at.file}:{at.line}")
    return places


def _sources(texts: Iterable[tuple[str, str]]) -> list[Source]:
    sources: list[Source] = []
    problems: list[Problem] = []
    for file, text in texts:
        try:
            sources.append(read_yaml(file, text))
        except PolicyError as error:
            problems += error.problems
    if problems:
        raise PolicyError(problems)
    return sources


def is_policy_file(name: str) -> bool:
    """Whether a file of this name in a folder is a part of its policy, in any case; one that begins
    with a dot is hidden, and none.
    """
    lower = name.lower()
    hidden = name.startswith(".")
    return lower.endswith(_ENDINGS) and not lower.endswith(TEST_ENDINGS) and not hidden


def _files(path: FilePath) -> list[FilePath]:
    if not is_folder(path):
        return [path]
    try:
        files = [file for file in entries_of(path) if is_policy_file(file.name)]
    except Unreadable as error:
        raise PolicyError([Problem(str(path), 1, 1, f"cannot be read: {error}")]) from None
    if not files:
        raise PolicyError([Problem(str(path), 1, 1, "the folder has no .yaml file")])
    return files


def read_text(path: FilePath) -> str:
    """What stands in a file. Raises PolicyError where it cannot be read, or is no UTF-8."""
    try:
        content = content_of(path, _MOST_BYTES)
    except Unreadable as error:
        problem = Problem(str(path), 1, 1, f"cannot be read: {error}")
        raise PolicyError([problem]) from None
    if len(content) > _MOST_BYTES:
        raise PolicyError([Problem(str(path), 1, 1, f"more than {MAX_CHARACTERS:,} characters")])
    content = content.removeprefix(BOM_UTF8)
    try:
        return content.decode()
    except UnicodeDecodeError as error:
        line, column = place_of(content[: error.start].decode())
        problem = Problem(str(path), line, column, "cannot be read: it is no UTF-8 text")
        raise PolicyError([problem]) from None
