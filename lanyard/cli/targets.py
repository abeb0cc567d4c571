"""What `lanyard plan` is to look at: one resource, a scope, or a list from a file."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from lanyard.errors import LanyardError
from lanyard.model import InvalidResourceId, ResourceId

STANDARD_INPUT = "-"


class BadTargets(LanyardError):
    """Something that is to be planned is no resource id; every one is told, one a line."""


def one_target(text: str) -> list[ResourceId]:
    """A resource, a resource group or a subscription by its id. Raises BadTargets."""
    return _parsed([("", text)])


def listed_targets(file: str) -> list[ResourceId]:
    """The ids in a file, or of standard input for "-": one a line, blank lines and # comments
    left out, or a JSON array of ids or of objects with an `id`, as `az resource list` gives.

    Raises BadTargets, also for a file that cannot be read or has none.
    """
    text, name = _read(file)
    entries = _of_json(text, name) if text.lstrip().startswith("[") else _of_lines(text, name)
    targets = _parsed(entries)
    if not targets:
        raise BadTargets(f"{name}: no resource id in it")
    return targets


def _read(file: str) -> tuple[str, str]:
    try:
        if file == STANDARD_INPUT:
            return sys.stdin.read(), "standard input"
        return Path(file).read_text(encoding="utf-8-sig"), file
    except OSError as error:
        raise BadTargets(f"{file}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError:
        raise BadTargets(f"{file}: cannot be read: it is no UTF-8 text") from None


def _of_lines(text: str, name: str) -> Iterator[tuple[str, str]]:
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            yield f"{name}:{number}: ", entry


def _of_json(text: str, name: str) -> Iterator[tuple[str, str]]:
    try:
        entries = json.loads(text)
    except ValueError as error:
        raise BadTargets(f"{name}: no valid JSON: {error}") from None
    for index, entry in enumerate(entries):
        yield f"{name}: entry {index}: ", _id_of(entry)


def _id_of(entry: Any) -> str:
    found = entry.get("id") if isinstance(entry, dict) else entry
    return found if isinstance(found, str) else json.dumps(entry)


def _parsed(entries: Any) -> list[ResourceId]:
    """Each once, in the order given."""
    targets: list[ResourceId] = []
    problems: list[str] = []
    for place, text in entries:
        try:
            targets.append(ResourceId.parse(text))
        except InvalidResourceId as error:
            problems.append(f"{place}{error}")
    if problems:
        raise BadTargets("\n".join(problems))
    return list(dict.fromkeys(targets))
