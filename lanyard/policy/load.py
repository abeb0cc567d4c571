"""From the file to a checked Policy, or to every problem at once with its line and column."""

from pathlib import Path as FilePath
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from lanyard.policy.checks import check
from lanyard.policy.document import Policy
from lanyard.policy.problems import PolicyError, Problem
from lanyard.policy.yaml_source import Source, read_yaml


def load_policy(path: FilePath) -> Policy:
    """Read and check a policy file. Raises PolicyError, also where the file cannot be read."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise PolicyError([Problem(str(path), 1, 1, f"cannot be read: {reason}")]) from None
    return parse_policy(str(path), text)


def parse_policy(file: str, text: str) -> Policy:
    """Check the text of a policy file; `file` is its name in error messages."""
    source = read_yaml(file, text)
    if not isinstance(source.data, dict):
        raise PolicyError(
            [source.problem((), "a policy is a mapping that begins with 'version: 1'")]
        )
    try:
        policy = Policy.model_validate(source.data)
    except ValidationError as error:
        raise PolicyError([_explain(source, detail) for detail in error.errors()]) from None
    if problems := [source.problem(path, message) for path, message in check(policy)]:
        raise PolicyError(problems)
    return policy


def _explain(source: Source, detail: ErrorDetails) -> Problem:
    path = detail["loc"]
    return source.problem(path, _sentence(detail, str(path[-1]) if path else ""))


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
