"""How conditions of role assignments are written (Azure ABAC, version 2.0), and where one is not
written so. Pure.

Grammar, functions and operators: "Azure role assignment condition format and syntax"
(learn.microsoft.com, role-based access control). Which attributes there are is not looked at: each
service adds its own.
"""

import re
from collections.abc import Callable
from difflib import get_close_matches
from functools import lru_cache
from typing import NamedTuple

from lanyard.values.resource_id import folded, is_guid

#: Conditions of people are far from it, and Python's own stack has an end.
_DEEPEST = 40
_SOURCES = ("Environment", "Principal", "Request", "Resource")
_FUNCTIONS = ("ActionMatches", "SubOperationMatches", "Exists")
_ORDERS = ("Equals", "NotEquals", "GreaterThan", "GreaterThanEquals", "LessThan", "LessThanEquals")
_OPERATORS = (
    *(
        f"String{negated}{how}{case}"
        for how in ("Equals", "StartsWith", "Like")
        for negated in ("", "Not")
        for case in ("", "IgnoreCase")
    ),
    *(f"{kind}{order}" for kind in ("Numeric", "DateTime") for order in _ORDERS),
    *(f"{kind}{negated}Equals" for kind in ("Bool", "Guid") for negated in ("", "Not")),
)
_ACROSS = tuple(f"For{one}Of{other}Values" for one in ("Any", "All") for other in ("Any", "All"))
_DATE = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,7})?Z")
_TOKEN = re.compile(
    r"(?P<blank>\s+)|(?P<attribute>@\w*\[[^\]\[@'(){}]*\])|(?P<text>'(?:[^'\\]|\\.|'')*')"
    r"|(?P<symbol>&&|\|\||[(){},!])|(?P<word>[\w.:-]+)",
    re.DOTALL,
)


class ConditionProblem(NamedTuple):
    """What is wrong with a condition, and the character (from 0) at which it shows."""

    at: int
    message: str


class _Broken(Exception):
    """Raised where the condition breaks off."""

    def __init__(self, at: int, message: str) -> None:
        super().__init__(message)
        self.problem = ConditionProblem(at, message)


class _Token(NamedTuple):
    kind: str  # "attribute", "text", "symbol", "word", or "end"
    text: str
    at: int


class Attribute(NamedTuple):
    """An attribute of a source ("request", …), both folded."""

    source: str
    name: str


class Call(NamedTuple):
    """A function (folded) of a pattern, or of an attribute."""

    function: str
    of: "str | Attribute"


class Comparison(NamedTuple):
    """Two operands under an operator; `across` says of several values how many: "" for one each.
    Both are folded.
    """

    operator: str
    across: str
    left: "Operand"
    right: "Operand"


class Not(NamedTuple):
    """The contrary."""

    part: "Expression"


class Joined(NamedTuple):
    """Parts between which stands AND, or OR; `every`: AND."""

    parts: tuple["Expression", ...]
    every: bool


type Operand = Attribute | tuple[str, ...]
type Expression = Call | Comparison | Not | Joined


def condition_problem(text: str) -> ConditionProblem | None:
    """What keeps the text from being a condition, None where it is one."""
    try:
        _Parser(_tokens(text)).whole()
    except _Broken as broken:
        return broken.problem
    return None


@lru_cache(maxsize=64)
def read_condition(text: str) -> Expression | None:
    """What a condition says, None where the text is none."""
    try:
        return _Parser(_tokens(text)).whole()
    except _Broken:
        return None


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    at = 0
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise _Broken(at, _unreadable(text, at))
        if found.lastgroup != "blank":
            tokens.append(_Token(str(found.lastgroup), found[0], at))
        at = found.end()
    return [*tokens, _Token("end", "", len(text.rstrip()))]


def _unreadable(text: str, at: int) -> str:
    match text[at]:
        case "'":
            return "the quote that opens here is not closed"
        case '"':
            return "texts stand in single quotes"
        case "@":
            return "an attribute is written @Resource[name], with its brackets closed"
        case "[":
            return "an attribute begins with its source, as in @Resource[name]"
        case "&" | "|":
            return "write AND or &&, OR or ||"
    return f"{text[at]!r} means nothing in a condition"


class _Parser:
    """Recursive descent. AND and OR side by side need parentheses: Azure gives them no order."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self._depth = 0

    def whole(self) -> Expression:
        found = self._expression()
        if self._token.kind == "end":
            return found
        if self._token.text == ")":
            raise _Broken(self._token.at, "no parenthesis is open that this one could close")
        raise self._unexpected("AND, OR or the end of the condition")

    @property
    def _token(self) -> _Token:
        return self._tokens[self._next]

    def _expression(self) -> Expression:
        parts = [self._term()]
        first = ""
        while operator := self._logical():
            if first and operator != first:
                message = f"{first} and {operator} side by side: show their order by parentheses"
                raise _Broken(self._token.at, message)
            first = operator
            self._next += 1
            parts.append(self._term())
        return Joined(tuple(parts), first == "AND") if first else parts[0]

    def _logical(self) -> str:
        """AND or OR where the next token is one, else ""."""
        return {"and": "AND", "&&": "AND", "or": "OR", "||": "OR"}.get(folded(self._token.text), "")

    def _term(self) -> Expression:
        contrary = False
        while self._accept("!") or self._accept("not"):
            contrary = not contrary
        found = self._parenthesis() if self._token.text == "(" else self._primary()
        return Not(found) if contrary else found

    def _parenthesis(self) -> Expression:
        opening = self._token
        self._next += 1
        self._depth += 1
        if self._depth > _DEEPEST:
            message = f"parentheses are nested more than {_DEEPEST} deep"
            raise _Broken(opening.at, message)
        found = self._expression()
        self._depth -= 1
        if self._token.kind == "end":
            raise _Broken(opening.at, "the parenthesis that opens here is not closed")
        if not self._accept(")"):
            raise self._unexpected("AND, OR or a closing parenthesis")
        return found

    def _primary(self) -> Expression:
        if self._token.kind == "word" and (call := self._call()):
            return call
        left = self._operand("an attribute (@Resource[name]) or ActionMatches{'…'}")
        across, operator = self._operator()
        right = self._operand("the value that it is compared with")
        takes = _TAKES[next(kind for kind in _TAKES if operator.startswith(kind))]
        for value in (*self._written(left), *self._written(right)):
            takes(value)
        return Comparison(operator, across, _meant(left), _meant(right))

    @staticmethod
    def _written(operand: Attribute | list[_Token]) -> list[_Token]:
        return [] if isinstance(operand, Attribute) else operand

    def _call(self) -> Call | None:
        name, after = self._token, self._tokens[self._next + 1]
        known = {folded(each): each for each in _FUNCTIONS}
        if folded(name.text) == "exists":
            self._next += 1
            if self._token.kind != "attribute":
                raise self._unexpected("an attribute (@Request[name])")
            return Call("exists", self._attribute())
        if folded(name.text) in known:
            self._next += 1
            return Call(folded(name.text), self._pattern(known[folded(name.text)]))
        if after.text == "{":
            raise _Broken(name.at, _unknown("function", name.text, _FUNCTIONS))
        return None

    def _pattern(self, function: str) -> str:
        written = f"{function}{{'…'}}"
        if not self._accept("{"):
            raise self._unexpected(f"a pattern in braces: {written}")
        pattern = self._token
        if pattern.kind != "text" or pattern.text == "''":
            raise self._unexpected(f"a pattern in single quotes: {written}")
        self._next += 1
        if not self._accept("}"):
            raise self._unexpected(f"the closing brace of {written}")
        return _unquoted(pattern)

    def _operand(self, expected: str) -> Attribute | list[_Token]:
        if self._token.kind == "attribute":
            return self._attribute()
        if self._token.text == "{":
            return self._set()
        return [self._value(expected)]

    def _attribute(self) -> Attribute:
        source, _, name = self._token.text[1:-1].partition("[")
        if folded(source) not in map(folded, _SOURCES):
            raise _Broken(self._token.at, _unknown("source", source, _SOURCES))
        if not name.strip():
            raise _Broken(self._token.at, f"the attribute has no name: @{source}[name]")
        self._next += 1
        return Attribute(folded(source), folded(name.strip()))

    def _set(self) -> list[_Token]:
        opening = self._token
        self._next += 1
        values = [self._value("a value")]
        while self._accept(","):
            values.append(self._value("a value"))
        if self._token.kind == "end":
            raise _Broken(opening.at, "the brace that opens here is not closed")
        if not self._accept("}"):
            raise self._unexpected("a comma or a closing brace")
        return values

    def _value(self, expected: str) -> _Token:
        token = self._token
        if token.kind not in ("text", "word") or self._logical():
            raise self._unexpected(expected)
        self._next += 1
        return token

    def _operator(self) -> tuple[str, str]:
        """How many of several values, "" for one each; and the operator. Both are folded."""
        token = self._token
        if token.kind != "word" or self._logical():
            raise self._unexpected("an operator such as StringEquals")
        across, colon, name = token.text.rpartition(":")
        if colon and folded(across) not in map(folded, _ACROSS):
            raise _Broken(token.at, _unknown("comparison of several values", across, _ACROSS))
        if folded(name) not in map(folded, _OPERATORS):
            at = token.at + len(across) + len(colon)
            raise _Broken(at, _unknown("operator", name, _OPERATORS))
        self._next += 1
        return folded(across), folded(name)

    def _accept(self, text: str) -> bool:
        token = self._token
        if token.kind not in ("symbol", "word") or folded(token.text) != text:
            return False
        self._next += 1
        return True

    def _unexpected(self, expected: str) -> _Broken:
        token = self._token
        if token.kind == "end":
            return _Broken(token.at, f"the condition ends where {expected} is expected")
        return _Broken(token.at, f"{token.text!r} stands where {expected} is expected")


def _unknown(what: str, name: str, known: tuple[str, ...]) -> str:
    names = {folded(each): each for each in known}
    near = get_close_matches(folded(name), names, n=1)
    if near:
        return f"unknown {what} {name!r}; did you mean {names[near[0]]!r}?"
    if len(known) > 4:
        return f"unknown {what} {name!r}"
    return f"unknown {what} {name!r}; known: {', '.join(known)}"


def _meant(operand: Attribute | list[_Token]) -> Operand:
    if isinstance(operand, Attribute):
        return operand
    return tuple(map(_unquoted, operand))


def _unquoted(token: _Token) -> str:
    if token.kind != "text":
        return token.text
    return token.text[1:-1].replace("''", "'")


def _text(value: _Token) -> None:
    if value.kind != "text":
        raise _Broken(value.at, f"texts stand in single quotes: '{value.text}'")


def _whole_number(value: _Token) -> None:
    if not re.fullmatch(r"-?\d+", value.text):
        raise _Broken(value.at, f"{value.text} is no whole number")


def _date(value: _Token) -> None:
    if not _DATE.fullmatch(value.text.strip("'")) or value.kind != "text":
        raise _Broken(value.at, f"{value.text} is no moment: write '2026-06-01T00:00:00.0Z'")


def _truth(value: _Token) -> None:
    if folded(value.text.strip("'")) not in ("true", "false"):
        raise _Broken(value.at, f"{value.text} is neither true nor false")


def _guid(value: _Token) -> None:
    if not is_guid(value.text.strip("'")):
        raise _Broken(value.at, f"{value.text} is no GUID")


#: What the values of an operator must be, by how its name begins.
_TAKES: dict[str, Callable[[_Token], None]] = {
    "string": _text,
    "numeric": _whole_number,
    "datetime": _date,
    "bool": _truth,
    "guid": _guid,
}
