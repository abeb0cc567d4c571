"""What `lanyard validate` found, as pipelines take it: annotations in a log, and SARIF. Pure."""

import json
from collections.abc import Callable, Iterator, Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote

from lanyard.policy import Problem


class Level(StrEnum):
    """How bad it is, by the word that both kinds of report have for it."""

    ERROR = "error"
    WARNING = "warning"


class Annotate(StrEnum):
    """The service that a pipeline runs in."""

    GITHUB = "github"
    AZURE = "azure"


class Found(NamedTuple):
    """A mistake or a warning."""

    level: Level
    problem: Problem


def annotation(found: Found, service: Annotate) -> str:
    """The line of a log that the service shows at its place in the file."""
    return _WRITTEN[service](found)


def _github(found: Found) -> str:
    """A workflow command (GitHub Actions, workflow commands)."""
    data = {"%": "%25", "\r": "%0D", "\n": "%0A"}
    problem = found.problem
    file = _escaped(problem.file, data | {":": "%3A", ",": "%2C"})
    place = f"file={file},line={problem.line},col={problem.column}"
    return f"::{found.level} {place}::{_escaped(problem.message, data)}"


def _azure(found: Found) -> str:
    """A logging command (Azure Pipelines, task.logissue)."""
    data = {"%": "%AZP25", "\r": "%0D", "\n": "%0A"}
    problem = found.problem
    file = _escaped(problem.file, data | {";": "%3B", "]": "%5D"})
    place = f"sourcepath={file};linenumber={problem.line};columnnumber={problem.column}"
    message = _escaped(problem.message, data)
    return f"##vso[task.logissue type={found.level};{place}]{message}"


_WRITTEN: Mapping[Annotate, Callable[[Found], str]] = {
    Annotate.GITHUB: _github,
    Annotate.AZURE: _azure,
}


def _escaped(text: str, by: Mapping[str, str]) -> str:
    return "".join(by.get(each, each) for each in text)


def as_sarif(found: Iterator[Found], version: str) -> str:
    """The text of a SARIF 2.1.0 log (OASIS). `version`: of this program."""
    driver = {
        "name": "lanyard",
        "version": version,
        "rules": [{"id": f"policy-{level}"} for level in Level],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(each) for each in found],
    }
    log = {
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [run],
    }
    return json.dumps(log, indent=2) + "\n"


def _result(found: Found) -> dict[str, Any]:
    problem = found.problem
    location = {
        "artifactLocation": {"uri": quote(Path(problem.file).as_posix())},
        "region": {"startLine": problem.line, "startColumn": problem.column},
    }
    return {
        "ruleId": f"policy-{found.level}",
        "level": found.level.value,
        # [a](b) would be a link.
        "message": {"text": problem.message.replace("](", "] (")},
        "locations": [{"physicalLocation": location}],
    }
