"""Several files of a folder add up to one policy: lists are joined, names must differ, and what can
be given only once is given in one of them.
"""

from collections.abc import Sequence
from typing import Any

from lanyard.policy.problems import Path, PolicyError, Problem
from lanyard.policy.yaml_source import Source

_NAMED = ("identities", "standards", "vars")

type Marks = dict[Path, tuple[str, int, int]]


def merge(sources: Sequence[Source]) -> Source:
    """One source with the data of all; its marks still name the file that a part came from.

    Raises PolicyError for a file that is no mapping and for what is given in two files.
    """
    merged = Source(sources[0].file, data={})
    problems: list[Problem] = []
    for source in sources:
        if not isinstance(source.data, dict):
            message = "a policy is a mapping that begins with 'version: 1'"
            problems.append(source.problem((), message))
            continue
        marks = _marks_by_key(source)
        for key, value in source.data.items():
            problems += _add(merged, source, marks[key], key, value)
    if problems:
        raise PolicyError(problems)
    merged.marks.setdefault((), sources[0].marks.get((), (sources[0].file, 1, 1)))
    return merged


def _add(merged: Source, source: Source, marks: Marks, key: str, value: Any) -> list[Problem]:
    known = merged.data.get(key)
    if key == "version" and known == value:
        return []
    if isinstance(known, list) and isinstance(value, list):
        _copy_marks(merged, source, marks, len(known))
        merged.data[key] = known + value
        return []
    if key in _NAMED and isinstance(known, dict) and isinstance(value, dict):
        twice = [name for name in value if name in known]
        _copy_marks(merged, source, marks, 0)
        merged.data[key] = known | value
        return [
            source.problem((key, name), f"{name!r} is defined in another file too")
            for name in twice
        ]
    if key == "version" and key in merged.data:
        return [source.problem((key,), f"another file says 'version: {known}'")]
    if key in merged.data:
        return [source.problem((key,), f"{key!r} is given in another file too; give it once")]
    _copy_marks(merged, source, marks, 0)
    merged.data[key] = value
    return []


def _marks_by_key(source: Source) -> dict[str | int, Marks]:
    """The positions of a file, by the part of it that they are in."""
    marks: dict[str | int, Marks] = {}
    for path, mark in source.marks.items():
        if path:
            marks.setdefault(path[0], {})[path] = mark
    return marks


def _copy_marks(merged: Source, source: Source, marks: Marks, offset: int) -> None:
    """Positions of a part, with the indexes that its list entries have in the whole."""
    for path, mark in marks.items():
        moved: Path = path
        if offset and len(path) > 1 and isinstance(path[1], int):
            moved = (path[0], path[1] + offset, *path[2:])
        merged.marks.setdefault(moved, mark)
        if path in source.written:
            merged.written.setdefault(moved, source.written[path])
