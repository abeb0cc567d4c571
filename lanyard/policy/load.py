"""From files to one checked Policy, or to every problem at once with its file, line and column."""

from collections.abc import Iterable
from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lanyard.policy.checks import check
from lanyard.policy.document import Policy
from lanyard.policy.merge import merge
from lanyard.policy.problems import Path, PolicyError, Problem
from lanyard.policy.yaml_source import Source, read_yaml

_ENDINGS = (".yaml", ".yml")


def load_policy(path: FilePath) -> Policy:
    """Read and check a policy file, or all of a folder added up.

    Raises PolicyError, also where something cannot be read.
    """
    return parse_policies([(str(file), _read(file)) for file in _files(path)])


def parse_policy(file: str, text: str) -> Policy:
    """Check the text of one policy file; `file` is its name in error messages."""
    return parse_policies([(file, text)])


def parse_policies(texts: Iterable[tuple[str, str]]) -> Policy:
    """Check the texts of several files, added up to one policy."""
    source = merge([read_yaml(file, text) for file, text in texts])
    try:
        policy = Policy.model_validate(source.data)
    except ValidationError as error:
        raise PolicyError([_explain(source, detail) for detail in error.errors()]) from None
    if problems := [source.problem(path, message) for path, message in check(policy)]:
        raise PolicyError(problems)
    return policy


def _files(path: FilePath) -> list[FilePath]:
    if not path.is_dir():
        return [path]
    files = sorted(file for file in path.iterdir() if file.suffix in _ENDINGS)
    if not files:
        raise PolicyError([Problem(str(path), 1, 1, "the folder has no .yaml file")])
    return files


def _read(path: FilePath) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise PolicyError([Problem(str(path), 1, 1, f"cannot be read: {reason}")]) from None


def _explain(source: Source, detail: ErrorDetails) -> Problem:
    # A union adds the name of its member to the path; the file has no such part.
    path: Path = tuple(part for part in detail["loc"] if not _is_union_member(part))
    return source.problem(path, _sentence(detail, str(path[-1]) if path else ""))


def _is_union_member(part: str | int) -> bool:
    return isinstance(part, str) and (part.startswith(("literal[", "list[")))


def _sentence(detail: ErrorDetails, key: str) -> str:
    context: dict[str, Any] = detail.get("ctx", {})
    match detail["type"]:
        case "extra_forbidden":
            return f"unknown key {key!r}"
        case "missing":
            return f"{key!r} is missing"
        case "enum" | "literal_error":
            return f"{key!r} must be {context['expected']}, not {detail['input']!r}"
        case _:
            return f"{key!r}: {detail['msg'][0].lower()}{detail['msg'][1:]}"
