"""Values and predicates of a query. A property that is not there is null, as in Kusto."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from simulator.resource_graph.tokens import InvalidQuery, Token
from simulator.state import Json

type Value = Callable[[Json], Any]
type Predicate = Callable[[Json], bool]
#: Of a comparison whose right side is known: whether it holds of a left side.
type Test = Callable[[Any], bool]

_ABSENT = object()
_LITERALS = {"true": True, "false": False}
_to_json = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False).encode


@dataclass(frozen=True)
class Literal:
    """A value that is the same for every row: what is made of it is made once a query."""

    value: Any

    def __call__(self, _row: Json) -> Any:
        return self.value


def _text(value: Any) -> str:
    """As `tostring`: JSON of what is not plain text."""
    if isinstance(value, str):
        return value
    return "" if value is None else _to_json(value)


def _folded(value: Any) -> str:
    return value.lower() if isinstance(value, str) else _text(value).lower()


def _equals(right: Any) -> Test:
    wanted = _text(right)
    return lambda left: _text(left) == wanted


def _equals_folded(right: Any) -> Test:
    wanted = _folded(right)
    return lambda left: _folded(left) == wanted


def _has(term: Any) -> Test:
    """`has` looks for whole terms: the ends of `term` must be ends of words."""
    pattern = re.compile(rf"(?<![A-Za-z0-9]){re.escape(_folded(term))}(?![A-Za-z0-9])")
    return lambda left: pattern.search(_folded(left)) is not None


def _contains(right: Any) -> Test:
    wanted = _folded(right)
    return lambda left: wanted in _folded(left)


def _starts_with(right: Any) -> Test:
    wanted = _folded(right)
    return lambda left: _folded(left).startswith(wanted)


def _ends_with(right: Any) -> Test:
    wanted = _folded(right)
    return lambda left: _folded(left).endswith(wanted)


_COMPARE: dict[str, Callable[[Any], Test]] = {
    "==": _equals,
    "=~": _equals_folded,
    "has": _has,
    "contains": _contains,
    "startswith": _starts_with,
    "endswith": _ends_with,
}
_NEGATED = {"!=": "==", "!~": "=~"} | {f"!{name}": name for name in list(_COMPARE)[2:]}
_IN = {"in": _text, "in~": _folded, "!in": _text, "!in~": _folded}

_FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "tolower": _folded,
    "toupper": lambda value: _text(value).upper(),
    "tostring": _text,
    "isempty": lambda value: _text(value) == "",
    "isnotempty": lambda value: _text(value) != "",
    "isnull": lambda value: value is None,
    "isnotnull": lambda value: value is not None,
}


class Reader:
    """Reads expressions off a list of tokens; `at` is the next one."""

    def __init__(self, tokens: list[Token]) -> None:
        self._tokens = tokens
        self.at = 0

    def predicate(self) -> Predicate:
        """`and` binds tighter than `or`."""
        found = self._all()
        while self.accept("or"):
            found = _either(found, self._all())
        return found

    def value(self) -> Value:
        """A literal, a property path, or a function of one value."""
        token = self.next("string", "number", "word")
        if token.kind == "string":
            return Literal(token.text)
        if token.kind == "number":
            return Literal(int(token.text))
        if self.accept("("):
            return self._call(token.text)
        if token.text in _LITERALS:
            return Literal(_LITERALS[token.text])
        return self._path(token.text)

    def name(self) -> str:
        """A plain word."""
        return self.next("word").text

    def accept(self, *texts: str) -> bool:
        """Step over the next token if it is one of these words or symbols."""
        token = self.peek()
        if token is None or token.kind == "string" or token.text.lower() not in texts:
            return False
        self.at += 1
        return True

    def expect(self, text: str) -> None:
        """Step over exactly this."""
        if not self.accept(text):
            raise self.unexpected(text)

    def peek(self) -> Token | None:
        """The next token, None at the end."""
        return self._tokens[self.at] if self.at < len(self._tokens) else None

    def next(self, *kinds: str) -> Token:
        """Step over a token of one of these kinds."""
        token = self.peek()
        if token is None or token.kind not in kinds:
            raise self.unexpected(" or ".join(kinds))
        self.at += 1
        return token

    def words_since(self, start: int) -> list[str]:
        """The words and strings from the token at `start` to here."""
        return [each.text for each in self._tokens[start : self.at] if each.kind != "symbol"]

    def unexpected(self, wanted: str) -> InvalidQuery:
        """The error at this place."""
        token = self.peek()
        return InvalidQuery(f"expected {wanted}, found '{token.text if token else 'end'}'")

    def _all(self) -> Predicate:
        found = self._term()
        while self.accept("and"):
            found = _both(found, self._term())
        return found

    def _term(self) -> Predicate:
        if self.accept("not"):
            self.expect("(")
            inner = self.predicate()
            self.expect(")")
            return lambda row: not inner(row)
        if self.accept("("):
            inner = self.predicate()
            self.expect(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Predicate:
        left = self.value()
        token = self.peek()
        operator = token.text.lower() if token and token.kind != "string" else ""
        if operator in _IN:
            self.at += 1
            return self._membership(left, operator)
        if operator in _COMPARE or operator in _NEGATED:
            self.at += 1
            return _compared(left, operator, self.value())
        return lambda row: left(row) is True

    def _membership(self, left: Value, operator: str) -> Predicate:
        fold, wanted = _IN[operator], not operator.startswith("!")
        self.expect("(")
        values = [self.value()]
        while self.accept(","):
            values.append(self.value())
        self.expect(")")
        members = {fold(value({})) for value in values}
        return lambda row: (fold(left(row)) in members) is wanted

    def _call(self, name: str) -> Value:
        if name.lower() == "iff":
            return self._choice()
        if name.lower() == "bag_pack":
            return self._bag()
        function = _FUNCTIONS.get(name.lower())
        if function is None:
            raise InvalidQuery(f"the function '{name}' is not simulated")
        inner = self.value()
        self.expect(")")
        return lambda row: function(inner(row))

    def _choice(self) -> Value:
        holds = self.predicate()
        self.expect(",")
        then = self.value()
        self.expect(",")
        otherwise = self.value()
        self.expect(")")
        return lambda row: then(row) if holds(row) else otherwise(row)

    def _bag(self) -> Value:
        """Names and values by turns; a value that is not there is null in it."""
        pairs: list[tuple[Value, Value]] = []
        while not pairs or self.accept(","):
            name = self.value()
            self.expect(",")
            pairs.append((name, self.value()))
        self.expect(")")
        return lambda row: {name(row): value(row) for name, value in pairs}

    def _path(self, first: str) -> Value:
        steps = [first]
        while True:
            if self.accept("."):
                steps.append(self.name())
            elif self.accept("["):
                steps.append(self.next("string").text)
                self.expect("]")
            elif len(steps) == 1:
                return _column(first)
            else:
                return _walk(steps)


def _either(first: Predicate, second: Predicate) -> Predicate:
    return lambda row: first(row) or second(row)


def _both(first: Predicate, second: Predicate) -> Predicate:
    return lambda row: first(row) and second(row)


def _compared(left: Value, operator: str, right: Value) -> Predicate:
    negated = operator in _NEGATED
    compare = _COMPARE[_NEGATED[operator] if negated else operator]
    if isinstance(right, Literal):
        holds = compare(right.value)
        return (lambda row: not holds(left(row))) if negated else (lambda row: holds(left(row)))
    return lambda row: compare(right(row))(left(row)) is not negated


def _column(name: str) -> Value:
    walk = _walk([name])

    def value(row: Json) -> Any:
        found = row.get(name, _ABSENT)
        return walk(row) if found is _ABSENT else found

    return value


def _walk(names: list[str]) -> Value:
    """Keys are compared as Resource Graph does: exactly, else without regard to case."""
    steps = [(name, name.lower()) for name in names]

    def value(row: Json) -> Any:
        found: Any = row
        for name, folded in steps:
            if not isinstance(found, dict):
                return None
            if name in found:
                found = found[name]
                continue
            found = next((v for k, v in found.items() if k.lower() == folded), None)
        return found

    return value
