"""Values and predicates of a query. A property that is not there is null, as in Kusto."""

import json
import re
from collections.abc import Callable
from typing import Any

from simulator.resource_graph.tokens import InvalidQuery, Token
from simulator.state import Json

type Value = Callable[[Json], Any]
type Predicate = Callable[[Json], bool]

_ABSENT = object()
_LITERALS = {"true": True, "false": False}


def _text(value: Any) -> str:
    """As `tostring`: JSON of what is not plain text."""
    if isinstance(value, str):
        return value
    return "" if value is None else json.dumps(value, separators=(",", ":"), ensure_ascii=False)


def _folded(value: Any) -> str:
    return _text(value).lower()


def _has(value: Any, term: Any) -> bool:
    """`has` looks for whole terms: the ends of `term` must be ends of words."""
    pattern = rf"(?<![A-Za-z0-9]){re.escape(_folded(term))}(?![A-Za-z0-9])"
    return re.search(pattern, _folded(value)) is not None


_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "==": lambda left, right: _text(left) == _text(right),
    "=~": lambda left, right: _folded(left) == _folded(right),
    "has": _has,
    "contains": lambda left, right: _folded(right) in _folded(left),
    "startswith": lambda left, right: _folded(left).startswith(_folded(right)),
    "endswith": lambda left, right: _folded(left).endswith(_folded(right)),
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
        terms = [self._all()]
        while self.accept("or"):
            terms.append(self._all())
        return terms[0] if len(terms) == 1 else lambda row: any(term(row) for term in terms)

    def value(self) -> Value:
        """A literal, a property path, or a function of one value."""
        token = self.next("string", "number", "word")
        if token.kind == "string":
            return lambda _row: token.text
        if token.kind == "number":
            return lambda _row: int(token.text)
        if self.accept("("):
            return self._call(token.text)
        if token.text in _LITERALS:
            return lambda _row: _LITERALS[token.text]
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
        terms = [self._term()]
        while self.accept("and"):
            terms.append(self._term())
        return terms[0] if len(terms) == 1 else lambda row: all(term(row) for term in terms)

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
        function = _FUNCTIONS.get(name.lower())
        if function is None:
            raise InvalidQuery(f"the function '{name}' is not simulated")
        inner = self.value()
        self.expect(")")
        return lambda row: function(inner(row))

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
                return lambda row: _walk(row, steps)


def _compared(left: Value, operator: str, right: Value) -> Predicate:
    negated = operator in _NEGATED
    compare = _COMPARE[_NEGATED[operator] if negated else operator]
    return lambda row: compare(left(row), right(row)) is not negated


def _column(name: str) -> Value:
    def value(row: Json) -> Any:
        found = row.get(name, _ABSENT)
        return _walk(row, [name]) if found is _ABSENT else found

    return value


def _walk(row: Json, steps: list[str]) -> Any:
    """Keys are compared as Resource Graph does: exactly, else without regard to case."""
    found: Any = row
    for step in steps:
        if not isinstance(found, dict):
            return None
        if step in found:
            found = found[step]
            continue
        found = next((v for k, v in found.items() if k.lower() == step.lower()), None)
    return found
