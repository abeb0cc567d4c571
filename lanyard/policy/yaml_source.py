"""YAML with positions: the data of a file, and the line and column of each of its parts."""

from dataclasses import dataclass, field
from typing import Any

import yaml

from lanyard.policy.problems import Path, PolicyError, Problem

#: More than any policy needs; a few lines of aliases to aliases would fill the memory.
MAX_VALUES = 200_000
MAX_CHARACTERS = 1_000_000
#: PyYAML takes the longer for a character the deeper it is nested.
MAX_DEPTH = 50
#: Of a number or date. Python takes very long for long ones, and does not print them.
MAX_SCALAR = 100

_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"
_PLAIN_TAGS = ("tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


@dataclass
class Source:
    """The data as plain values, and where each part begins: file, line and column (from 1)."""

    file: str
    data: Any = None
    values: int = 0
    marks: dict[Path, tuple[str, int, int]] = field(default_factory=dict)

    def problem(self, path: Path, message: str) -> Problem:
        """A problem at `path`, or at the nearest part around it that the file has."""
        while path and path not in self.marks:
            path = path[:-1]
        return Problem(*self.marks.get(path, (self.file, 1, 1)), message)


def read_yaml(file: str, text: str) -> Source:
    """Read one YAML document. Raises PolicyError with the place of a syntax error."""
    source = Source(file)
    if len(text) > MAX_CHARACTERS:
        raise PolicyError([Problem(file, 1, 1, f"more than {MAX_CHARACTERS:,} characters")])
    loader = _loader(file, text)
    try:
        node = loader.get_single_node()
        source.data = _value(loader, node, (), source) if node is not None else None
    except RecursionError:
        problem = Problem(file, 1, 1, "nested too deeply, or an alias that contains itself")
        raise PolicyError([problem]) from None
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise PolicyError(
            [Problem(file, line, column, f"no valid YAML: {error.problem}")]
        ) from None
    except (OverflowError, ValueError) as error:
        # What PyYAML raises for "\UFFFFFFFF" and the like: no such character.
        problem = Problem(file, loader.line + 1, loader.column + 1, f"no valid YAML: {error}")
        raise PolicyError([problem]) from None
    finally:
        loader.dispose()
    return source


def place_of(before: str) -> tuple[int, int]:
    """Line and column (from 1) of what follows the text `before`."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


class _Loader(yaml.SafeLoader):
    """Stops where it gets too deep, not where Python does."""

    _depth = 0

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self._depth == MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            problem = f"nested more than {MAX_DEPTH} levels deep"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        self._depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self._depth -= 1


def _loader(file: str, text: str) -> _Loader:
    try:
        return _Loader(text)
    except yaml.reader.ReaderError as error:
        message = f"no valid YAML: the character U+{error.character:04X} is not allowed"
        problem = Problem(file, *place_of(text[: error.position]), message)
        raise PolicyError([problem]) from None


def _value(loader: yaml.SafeLoader, node: yaml.Node, path: Path, source: Source) -> Any:
    source.values += 1
    if source.values > MAX_VALUES:
        raise PolicyError([source.problem(path, f"more than {MAX_VALUES} values")])
    source.marks.setdefault(path, _place(source, node))
    if not isinstance(node, yaml.ScalarNode) and node.tag not in _PLAIN_TAGS:
        raise _tagged(source, node)
    match node:
        case yaml.MappingNode():
            return {
                key: _value(loader, value, (*path, key), source)
                for key, value in _entries(loader, node, path, source)
            }
        case yaml.SequenceNode():
            return [
                _value(loader, child, (*path, index), source)
                for index, child in enumerate(node.value)
            ]
    return _scalar(loader, node, source)


def _scalar(loader: yaml.SafeLoader, node: yaml.Node, source: Source) -> Any:
    if not isinstance(node, yaml.ScalarNode):
        raise PolicyError([Problem(*_place(source, node), "a key must be text")])
    if node.tag != _TEXT and len(node.value) > MAX_SCALAR:
        raise _tagged(source, node)
    try:
        return loader.construct_object(node, deep=True)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # What PyYAML raises for a text that its tag does not fit: !!int x, 2026-02-31.
        raise _tagged(source, node) from None


def _tagged(source: Source, node: yaml.Node) -> PolicyError:
    tag = node.tag.replace("tag:yaml.org,2002:", "!!")
    shown = repr(node.value[:60]) if isinstance(node, yaml.ScalarNode) else "this"
    message = f"no valid YAML: {shown} cannot be read as {tag}"
    return PolicyError([Problem(*_place(source, node), message)])


def _entries(
    loader: yaml.SafeLoader, node: yaml.MappingNode, path: Path, source: Source
) -> list[tuple[str, yaml.Node]]:
    entries: dict[str, yaml.Node] = {}
    for key_node, value in node.value:
        place = _place(source, key_node)
        if key_node.tag == _MERGE:
            message = "'<<' is not supported; use an alias for a whole value, or write it out"
            raise PolicyError([Problem(*place, message)])
        key = str(_scalar(loader, key_node, source))
        if key in entries:
            raise PolicyError([Problem(*place, f"the key {key!r} is given twice")])
        # A mistake in a value is shown at its key: that is what a person looks for.
        source.marks[(*path, key)] = place
        entries[key] = value
    return list(entries.items())


def _place(source: Source, node: yaml.Node) -> tuple[str, int, int]:
    return source.file, node.start_mark.line + 1, node.start_mark.column + 1
