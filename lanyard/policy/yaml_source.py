"""YAML with positions: the data of a file, and the line and column of each of its parts."""

import re
from dataclasses import dataclass, field
from typing import Any

import yaml

from lanyard.policy.problems import MOST_REPORTED, Path, PolicyError, Problem, shortened
from lanyard.policy.yaml_mistakes import QuotedOverLines, mistake
from lanyard.values.shown import hidden

#: More than any policy needs; a few lines of aliases to aliases would fill the memory.
MAX_VALUES = 200_000
MAX_CHARACTERS = 1_000_000
#: PyYAML takes the longer for a character the deeper it is nested.
MAX_DEPTH = 50
#: Of a number or date. Python takes very long for long ones, and does not print them.
MAX_SCALAR = 100

_MERGE = "tag:yaml.org,2002:merge"
_TEXT = "tag:yaml.org,2002:str"
#: Of << and =, which YAML 1.1 has a meaning for.
_SIGNS = (_MERGE, "tag:yaml.org,2002:value")
_NULL = "tag:yaml.org,2002:null"
#: Of a text that looks like another value, what it looks like.
_LOOKS_LIKE = {
    "tag:yaml.org,2002:timestamp": "a date",
    "tag:yaml.org,2002:int": "a number",
    "tag:yaml.org,2002:float": "a number",
}
_NUMBERS = ("tag:yaml.org,2002:int", "tag:yaml.org,2002:float")
#: To YAML 1.1 alone, which is read here, numbers of another base: 010 is 8, and 1:30 is 90. Editors
# go by YAML 1.2, to which they are 10 and a text.
_OF_ANOTHER_BASE = re.compile(r"[-+]?0[\db].*|.*[_:].*")
#: The key whose text may have more lines than one.
_OF_LINES = "condition"


@dataclass(frozen=True, slots=True)
class Written:
    """How a value is written: the text of its file, and where in that it stands."""

    file: str
    text: str
    start: int
    end: int

    def __str__(self) -> str:
        return self.text[self.start : self.end]

    def at(self, value: str, character: int) -> tuple[str, int, int]:
        """The place of a character (from 0) of the value: where what is written has as many before
        it. Blanks are left out, for YAML folds them; escapes of double quotes are passed by.
        """
        wanted = "".join(value[: character + 1].split())
        found = self.start - 1
        for each in wanted:
            found = self.text.find(each, found + 1, self.end)
            if found < 0:
                return self.file, *place_of(self.text[: self.start])
        beyond = 0 if value[character : character + 1].strip() else 1
        return self.file, *place_of(self.text[: max(found, self.start) + beyond])


@dataclass
class Source:
    """The data as plain values, and where each part begins: file, line and column (from 1)."""

    file: str
    data: Any = None
    values: int = 0
    marks: dict[Path, tuple[str, int, int]] = field(default_factory=dict)
    written: dict[Path, Written] = field(default_factory=dict)
    #: Mistakes that reading goes on after.
    mistakes: list[Problem] = field(default_factory=list)

    def problem(self, path: Path, message: str) -> Problem:
        """A problem at `path`, or at the nearest part around it that the file has."""
        while path and path not in self.marks:
            path = path[:-1]
        return Problem(*self.marks.get(path, (self.file, 1, 1)), message)

    def problem_within(self, path: Path, value: str, character: int, message: str) -> Problem:
        """A problem at a character (from 0) of the text that `path` has as its value."""
        if path not in self.written:
            return self.problem(path, message)
        return Problem(*self.written[path].at(value, character), message)


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
        raise PolicyError([Problem(file, *mistake(error, loader.quoted))]) from None
    except (OverflowError, ValueError):
        # What PyYAML raises for "\UFFFFFFFF" and the like.
        message = "no valid YAML: no character has the number that is written here"
        problem = Problem(file, loader.line + 1, loader.column + 1, message)
        raise PolicyError([problem]) from None
    finally:
        loader.dispose()
    if source.mistakes:
        raise PolicyError(source.mistakes[:MOST_REPORTED])
    return source


def place_of(before: str) -> tuple[int, int]:
    """Line and column (from 1) of what follows the text `before`."""
    return before.count("\n") + 1, len(before) - before.rfind("\n")


class _Loader(yaml.SafeLoader):
    """Stops where it gets too deep, not where Python does; keeps which quoted text went over lines
    last.
    """

    _depth = 0
    text = ""
    quoted: QuotedOverLines | None = None

    def __init__(self, text: str) -> None:
        super().__init__(text)
        #: With a tag that is written, not found by how the value looks.
        self.tagged: set[yaml.Node] = set()

    def scan_flow_scalar(self, style: str) -> yaml.ScalarToken:
        token: yaml.ScalarToken = super().scan_flow_scalar(style)
        if token.start_mark.line != token.end_mark.line:
            self.quoted = QuotedOverLines(token.start_mark, token.end_mark)
        return token

    def compose_node(self, parent: yaml.Node | None, index: int) -> yaml.Node | None:
        if self._depth == MAX_DEPTH:
            mark = self.peek_event().start_mark  # type: ignore[no-untyped-call]
            problem = f"nested more than {MAX_DEPTH} levels deep"
            raise yaml.MarkedYAMLError(problem=problem, problem_mark=mark)
        tag = getattr(self.peek_event(), "tag", None)  # type: ignore[no-untyped-call]
        self._depth += 1
        try:
            node = super().compose_node(parent, index)
        finally:
            self._depth -= 1
        if tag is not None and node is not None:
            self.tagged.add(node)
        return node


def _loader(file: str, text: str) -> _Loader:
    try:
        loader = _Loader(text)
    except yaml.reader.ReaderError as error:
        message = f"no valid YAML: the character U+{error.character:04X} is not allowed"
        problem = Problem(file, *place_of(text[: error.position]), message)
        raise PolicyError([problem]) from None
    loader.text = text
    return loader


def _value(loader: _Loader, node: yaml.Node, path: Path, source: Source) -> Any:
    source.values += 1
    if source.values > MAX_VALUES:
        raise PolicyError([source.problem(path, f"more than {MAX_VALUES} values")])
    source.marks.setdefault(path, _place(source, node))
    if node in loader.tagged:
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
        case yaml.ScalarNode():
            source.written[path] = _written(loader, node, source)
            return _scalar(loader, node, path, source)


def _written(loader: _Loader, node: yaml.Node, source: Source) -> Written:
    """Without the quote, or the line of the | or >, that it begins with."""
    start, text = node.start_mark.index, loader.text
    if isinstance(node, yaml.ScalarNode) and node.style in ("|", ">"):
        start = max(text.find("\n", start), start)
    elif isinstance(node, yaml.ScalarNode) and node.style:
        start += 1
    return Written(source.file, text, start, node.end_mark.index)


def _scalar(loader: _Loader, node: yaml.ScalarNode, path: Path, source: Source) -> Any:
    if node.tag in _SIGNS:
        source.mistakes.append(source.problem(path, f"put {node.value!r} in quotes"))
        return node.value
    if node.tag != _TEXT and len(node.value) > MAX_SCALAR:
        raise _unlike(source, node)
    try:
        value = loader.construct_object(node, deep=True)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError):
        # What PyYAML raises for a text that is not what it looks like: 2026-02-31.
        raise _unlike(source, node) from None
    if node.tag in _NUMBERS and _OF_ANOTHER_BASE.fullmatch(node.value):
        message = f"{node.value!r} is read as {value}: write that number, or put it in quotes"
        source.mistakes.append(source.problem(path, message))
    if isinstance(value, str):
        allowed = "\n\t" if path and path[-1] == _OF_LINES else ""
        if message := _hidden_problem(value, allowed):
            source.mistakes.append(source.problem(path, message))
    return value


def _hidden_problem(text: str, allowed: str = "") -> str:
    character = hidden(text, allowed)
    if character == "U+000A":
        return "a line break stands in it; write it in one line"
    return character and f"the character {character} cannot be seen where it stands; leave it out"


def _tagged(source: Source, node: yaml.Node) -> PolicyError:
    tag = node.tag.replace("tag:yaml.org,2002:", "!!")[:MAX_SCALAR]
    message = f"no valid YAML: tags are not supported, and {tag} is one"
    return PolicyError([Problem(*_place(source, node), message)])


def _unlike(source: Source, node: yaml.ScalarNode) -> PolicyError:
    """Of a text that looks like another value, and is none."""
    value = shortened(repr(node.value))
    why = "too long" if len(node.value) > MAX_SCALAR else "none"
    message = f"no valid YAML: {value} looks like {_LOOKS_LIKE[node.tag]}, and is {why}"
    return PolicyError([Problem(*_place(source, node), message)])


def _entries(
    loader: _Loader, node: yaml.MappingNode, path: Path, source: Source
) -> list[tuple[str, yaml.Node]]:
    entries: dict[str, yaml.Node] = {}
    for key_node, value in node.value:
        if key_node in loader.tagged:
            raise _tagged(source, key_node)
        place = _place(source, key_node)
        key = key_node.value if isinstance(key_node, yaml.ScalarNode) else ""
        twice = f"the key {shortened(repr(key))} is given twice" if key in entries else ""
        if message := _key_problem(key_node) or twice:
            source.mistakes.append(Problem(*place, message))
            continue
        # A mistake in a value is shown at its key: that is what a person looks for.
        source.marks[(*path, key)] = place
        entries[key] = value
    return list(entries.items())


def _key_problem(node: yaml.Node) -> str:
    """What is wrong with a key, "" for nothing. One that looks like another value is no text to
    YAML: `on`, `010` and `null` would come to be True, 8 and None.
    """
    if not isinstance(node, yaml.ScalarNode):
        return "a key must be text"
    if node.tag == _MERGE:
        return "'<<' is not supported; use an alias for a whole value, or write it out"
    if not node.value and node.tag == _NULL:
        return "no key stands before the ':'"
    if node.tag != _TEXT:
        return f"the key {shortened(repr(node.value))} must be text; put it in quotes"
    return _hidden_problem(node.value)


def _place(source: Source, node: yaml.Node) -> tuple[str, int, int]:
    return source.file, node.start_mark.line + 1, node.start_mark.column + 1
