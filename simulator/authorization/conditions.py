"""Role assignment conditions, version 2.0 (Azure ABAC): the expressions as the portal writes them.

Grammar and operators after Microsoft's "Azure role assignment condition format and syntax".
Strings, GUIDs, booleans and numbers; no dates, times or IP addresses.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from simulator.authorization.operators import OPERATORS, QUANTIFIERS, Compare, Quantifier
from simulator.authorization.wildcards import matches


class InvalidCondition(ValueError):
    """The text is not a condition; the message says where it breaks off."""


@dataclass(frozen=True)
class Facts:
    """What a condition is judged on. Attribute names are compared without regard to case.

    `sources`: "request", "resource", "principal" or "environment" → attribute name → value.
    """

    action: str
    sources: Mapping[str, Mapping[str, str]]

    def value(self, source: str, name: str) -> str | None:
        """The attribute's value, None where it is not known."""
        known = {key.lower(): value for key, value in self.sources.get(source, {}).items()}
        return known.get(name.lower())


type Condition = Callable[[Facts], bool]
type Operand = Callable[[Facts], list[str] | None]


@lru_cache(maxsize=512)
def parse_condition(text: str) -> Condition:
    """The condition as a predicate. Raises InvalidCondition."""
    return _Parser(_tokens(text)).whole()


_TOKEN = re.compile(
    r"\s*(?:(?P<attribute>@(?P<source>\w+)\[(?P<name>[^\]]+)\])|(?P<string>'(?:[^'\\]|\\.|'')*')"
    r"|(?P<symbol>&&|\|\||[(){},!])|(?P<word>[\w.:/*-]+))"
)
_SOURCES = {"request", "resource", "principal", "environment"}


@dataclass(frozen=True)
class _Token:
    kind: str  # "attribute" | "string" | "symbol" | "word"
    text: str
    source: str = ""


def _tokens(text: str) -> list[_Token]:
    tokens, at, end = [], 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None:
            raise InvalidCondition(f"unexpected text at position {at}")
        tokens.append(_token(match))
        at = match.end()
    return tokens


def _token(match: re.Match[str]) -> _Token:
    kind = match.lastgroup or ""
    if match["attribute"]:
        source = match["source"].lower()
        if source not in _SOURCES:
            raise InvalidCondition(f"unknown attribute source '{match['source']}'")
        return _Token("attribute", match["name"].strip(), source)
    if match["string"]:
        return _Token("string", match["string"][1:-1].replace("''", "'"))
    return _Token(kind, match[kind])


class _Parser:
    """Recursive descent over the tokens: OR binds weakest, then AND, then NOT."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._at = 0

    def whole(self) -> Condition:
        condition = self._or()
        if self._at < len(self._tokens):
            raise InvalidCondition(f"unexpected '{self._tokens[self._at].text}'")
        return condition

    def _or(self) -> Condition:
        terms = [self._and()]
        while self._accept("||", "or"):
            terms.append(self._and())
        return terms[0] if len(terms) == 1 else lambda facts: any(term(facts) for term in terms)

    def _and(self) -> Condition:
        terms = [self._not()]
        while self._accept("&&", "and"):
            terms.append(self._not())
        return terms[0] if len(terms) == 1 else lambda facts: all(term(facts) for term in terms)

    def _not(self) -> Condition:
        if self._accept("!", "not"):
            inner = self._not()
            return lambda facts: not inner(facts)
        if self._accept("("):
            inner = self._or()
            self._expect(")")
            return inner
        return self._primary()

    def _primary(self) -> Condition:
        if self._accept("actionmatches"):
            pattern = self._braced_string()
            return lambda facts: matches(pattern, facts.action)
        if self._accept("suboperationmatches"):
            self._braced_string()
            return lambda _facts: False  # nothing here reports sub-operations
        if self._accept("exists"):
            operand = self._operand()
            return lambda facts: operand(facts) is not None
        return self._comparison()

    def _comparison(self) -> Condition:
        left = self._operand()
        over_left, over_right, compare = self._operator()
        right = self._operand()

        def holds(facts: Facts) -> bool:
            lefts, rights = left(facts), right(facts)
            if lefts is None or rights is None:
                return False  # an attribute that is not there satisfies nothing
            return over_left(over_right(compare(one, other) for other in rights) for one in lefts)

        return holds

    def _operator(
        self,
    ) -> tuple[Quantifier, Quantifier, Compare]:
        token = self._next("word")
        quantifier, _, name = token.text.rpartition(":")
        compare = OPERATORS.get(name.lower())
        quantifiers = QUANTIFIERS.get(quantifier.lower()) if quantifier else (any, any)
        if compare is None or quantifiers is None:
            raise InvalidCondition(f"unknown operator '{token.text}'")
        return (*quantifiers, compare)

    def _operand(self) -> Operand:
        if self._accept("{"):
            return self._set()
        token = self._next("attribute", "string", "word")
        if token.kind == "attribute":
            return lambda facts: _listed(facts.value(token.source, token.text))
        return lambda _facts: [token.text]

    def _set(self) -> Operand:
        values = [self._next("string", "word").text]
        while self._accept(","):
            values.append(self._next("string", "word").text)
        self._expect("}")
        return lambda _facts: values

    def _braced_string(self) -> str:
        self._expect("{")
        text = self._next("string").text
        self._expect("}")
        return text

    def _accept(self, *texts: str) -> bool:
        token = self._peek()
        if token is None or token.kind not in ("symbol", "word") or token.text.lower() not in texts:
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._accept(text):
            found = self._peek()
            raise InvalidCondition(f"expected '{text}', found '{found.text if found else 'end'}'")

    def _next(self, *kinds: str) -> _Token:
        token = self._peek()
        if token is None or token.kind not in kinds:
            raise InvalidCondition(f"unexpected '{token.text if token else 'end'}'")
        self._at += 1
        return token

    def _peek(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None


def _listed(value: str | None) -> list[str] | None:
    return None if value is None else [value]
