"""The words of a query."""

import re
from dataclasses import dataclass

_TOKEN = re.compile(
    r"\s*(?:(?P<string>'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")|(?P<number>\d+)"
    r"|(?P<word>!?[A-Za-z_$][\w$]*~?)|(?P<symbol>==|!=|=~|!~|[|(),.=\[\]]))"
)
_COMMENT = re.compile(r"//[^\n]*")


class InvalidQuery(ValueError):
    """The text is no query, or one of a kind that is not simulated; the message says which."""


@dataclass(frozen=True)
class Token:
    """`kind` is "string" (without its quotes), "number", "word" or "symbol"."""

    kind: str
    text: str


def tokens(text: str) -> list[Token]:
    """The words of `text`. Raises InvalidQuery."""
    source = _without_comments(text)
    found, at, end = [], 0, len(source.rstrip())
    while at < end:
        match = _TOKEN.match(source, at)
        if match is None:
            raise InvalidQuery(f"unexpected '{source[at:].strip()[:10]}'")
        found.append(_token(match))
        at = match.end()
    return found


def _token(match: re.Match[str]) -> Token:
    kind = match.lastgroup or ""
    text = match[kind]
    if kind == "string":
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    return Token(kind, text)


def _without_comments(text: str) -> str:
    """A `//` outside of quotes starts a comment."""
    parts = re.split(r"('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", text)
    return "".join(part if i % 2 else _COMMENT.sub("", part) for i, part in enumerate(parts))
