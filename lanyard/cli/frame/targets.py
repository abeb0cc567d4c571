"""What `lanyard plan` is to look at: one resource, a scope, or a list from a file."""

import json
import sys
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lanyard.policy.named_files import Unreadable, content_of
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import InvalidResourceId, ResourceId, folded

STANDARD_INPUT = "-"


class BadTargets(LanyardError):
    """Something that is to be planned is no resource id; each is named, one a line."""


@dataclass(frozen=True, slots=True)
class Targets:
    """Resources and scopes, each once, in the order given. `left_out`: how many are of types that
    no rule is for.
    """

    ids: tuple[ResourceId, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Entry:
    """An entry of a list, the place it has there, and its type where the list has it."""

    place: str
    id: str
    type: str = ""


def one_target(text: str) -> Targets:
    """A resource, a resource group or a subscription by its id. Raises BadTargets."""
    return Targets(tuple(_parsed([_Entry("", text)])))


def listed_targets(file: str, types: Collection[str]) -> Targets:
    """The ids in a file, or of standard input for "-": one a line, blank lines and # comments
    left out, or a JSON array of ids or of objects with an `id`, as `az resource list` gives.

    Scopes are kept, and of the resources those of `types` (lower case): a list of everything holds
    much that is no compute. Raises BadTargets, also for a file that cannot be read or has none.
    """
    text, name = _read(file)
    is_json = text.lstrip().startswith(("[", "{"))
    entries = list(_of_json(text, name) if is_json else _of_lines(text, name))
    if not entries:
        raise BadTargets(f"{name}: no resource id in it")
    # By the type that the list names, before its id is read: not every Azure id is one of ours.
    candidates = [entry for entry in entries if not entry.type or folded(entry.type) in types]
    parsed = list(_parsed(candidates))
    ids = [target for target in parsed if not target.type or folded(target.type) in types]
    left_out = len(entries) - len(candidates) + len(parsed) - len(ids)
    return Targets(tuple(dict.fromkeys(ids)), left_out)


def _read(file: str) -> tuple[str, str]:
    try:
        if file == STANDARD_INPUT:
            return sys.stdin.read(), "standard input"
        return content_of(Path(file)).decode("utf-8-sig"), file
    except Unreadable as error:
        raise BadTargets(f"{file}: cannot be read: {error}") from None
    except UnicodeDecodeError:
        raise BadTargets(f"{file}: cannot be read: it is no UTF-8 text") from None


def _of_lines(text: str, name: str) -> Iterator[_Entry]:
    for number, line in enumerate(text.splitlines(), 1):
        entry = line.strip()
        if entry and not entry.startswith("#"):
            yield _Entry(f"{name}:{number}: ", entry)


def _of_json(text: str, name: str) -> Iterator[_Entry]:
    try:
        entries = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadTargets(f"{name}: no valid JSON: {error}") from None
    if not isinstance(entries, list):
        raise BadTargets(f"{name}: a JSON array is expected, of ids or of objects with an 'id'")
    for index, entry in enumerate(entries):
        yield _of_value(entry, f"{name}: entry {index}: ")


def _of_value(value: Any, place: str) -> _Entry:
    fields = value if isinstance(value, dict) else {"id": value}
    found, kind = fields.get("id"), fields.get("type")
    text = found if isinstance(found, str) else json.dumps(value)
    return _Entry(place, text, kind if isinstance(kind, str) else "")


def _parsed(entries: Iterable[_Entry]) -> Iterator[ResourceId]:
    problems: list[str] = []
    for entry in entries:
        try:
            yield ResourceId.parse(entry.id)
        except InvalidResourceId as error:
            problems.append(f"{entry.place}{error}")
    if problems:
        raise BadTargets("\n".join(problems))
