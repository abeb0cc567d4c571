"""Where two answers to one request differ: status, error, every member of the body, the headers
that steer a client. Ids, times and what a recording left out are compared by their form alone."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from tests.support.conformance.recordings import DROPPED

_GUID = re.compile(r"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|\b[0-9a-f]{32}\b", re.IGNORECASE)
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
#: ETags that are moments in hexadecimal: form alone.
_STAMP = re.compile(r'"(0x8D|1D)[0-9A-F]{9,}"')
_STEERING = (
    "etag",
    "retry-after",
    "azure-asyncnotification",
    "x-ms-async-operation-timeout",
    "x-ms-failure-cause",
)
_LINKS = ("location", "azure-asyncoperation")
_QUOTA = "x-ms-ratelimit-remaining-"
_JOB = re.compile(r"(/operations?(?:results|status|statuses)?/)[^/?]+", re.IGNORECASE)


@dataclass(frozen=True)
class Difference:
    """`where`: "status", "header etag", "body properties.state"; `theirs` is Azure's, `ours` the
    simulator's, None for absent.
    """

    where: str
    theirs: Any
    ours: Any
    #: Whether an earlier answer of the simulator about the same thing had this member.
    shown_before: bool = False

    def __str__(self) -> str:
        return f"{self.where}: Azure {_short(self.theirs)}, here {_short(self.ours)}"


_ABSENT = object()


def body_differences(theirs: Any, ours: Any, where: str = "body") -> Iterator[Difference]:
    """Member by member; lists of objects are matched by `id`, `name` or place."""
    if isinstance(theirs, dict) and isinstance(ours, dict):
        left = {_masked(key): value for key, value in theirs.items()}
        right = {_masked(key): value for key, value in ours.items()}
        for key in [*left, *(each for each in right if each not in left)]:
            inner = f"{where} {key}" if where == "body" else f"{where}.{key}"
            yield from body_differences(left.get(key, _ABSENT), right.get(key, _ABSENT), inner)
    elif isinstance(theirs, list) and isinstance(ours, list):
        yield from _row_differences(theirs, ours, f"{where}[]")
    elif theirs != DROPPED and _alike(theirs) != _alike(ours):
        yield Difference(where, _shown(theirs), _shown(ours))


def member_paths(body: Any, where: str = "body") -> Iterator[str]:
    """The `where` of every member of a body that is not null."""
    if isinstance(body, dict):
        for key, value in body.items():
            if value is None:
                continue
            inner = f"{where} {_masked(key)}" if where == "body" else f"{where}.{_masked(key)}"
            yield inner
            yield from member_paths(value, inner)
    elif isinstance(body, list):
        for each in body:
            yield from member_paths(each, f"{where}[]")


def _row_differences(theirs: list[Any], ours: list[Any], where: str) -> Iterator[Difference]:
    left, right = _ordered(theirs), _ordered(ours)
    if DROPPED in theirs:  # how many rows there were is not known
        return
    if len(left) != len(right):
        yield Difference(where, f"{len(left)} rows", f"{len(right)} rows")
        return
    for one, other in zip(left, right, strict=True):
        yield from body_differences(one, other, where)


def header_differences(theirs: Any, ours: Any) -> Iterator[Difference]:
    """Those that tell a client what to do next, links by their path, and the quota's names."""
    for name in _STEERING:
        left, right = theirs.get(name), ours.get(name)
        if _alike(left) != _alike(right):
            yield Difference(f"header {name}", left, right)
    for name in _LINKS:
        left, right = (_link(each.get(name)) for each in (theirs, ours))
        if left != right:
            yield Difference(f"header {name}", left, right)
    for name in sorted(_quota(theirs) ^ _quota(ours)):
        present = name in _quota(theirs)
        yield Difference(f"quota {name}", present or None, not present or None)


def _quota(headers: Any) -> set[str]:
    names = {name.lower() for name in headers if name.lower().startswith(_QUOTA)}
    buckets = headers.get(f"{_QUOTA}resource") or ""
    return names | {part.partition(";")[0] for part in buckets.split(",") if part}


def _ordered(rows: list[Any]) -> list[Any]:
    """By what is compared of ids and names, then by what they are."""

    def order(row: Any) -> tuple[str, str]:
        named = row.get("id") or row.get("name") if isinstance(row, dict) else ""
        return json.dumps(_key(row)), str(named).lower()

    return sorted((each for each in rows if each != DROPPED), key=order)


def _key(row: Any) -> Any:
    if not isinstance(row, dict):
        return _alike(row)
    named = [_alike(row.get(key)) for key in ("id", "name") if key in row]
    return [str(each).lower() for each in named] or _alike(row)


def _alike(value: Any) -> Any:
    """GUIDs and times replaced."""
    if isinstance(value, dict):
        return {_masked(key): _alike(inner) for key, inner in sorted(value.items())}
    if isinstance(value, list):
        return [_alike(each) for each in value]
    return _masked(value) if isinstance(value, str) else value


def _masked(text: str) -> str:
    return _STAMP.sub('"<stamp>"', _GUID.sub("<guid>", _TIME.sub("<time>", text)))


def _link(url: str | None) -> str | None:
    if url is None:
        return None
    parts = urlsplit(url)
    path = _JOB.sub(r"\1<job>", parts.path)
    return ("absolute " if parts.netloc else "relative ") + _masked(path)


def _shown(value: Any) -> Any:
    return None if value is _ABSENT else ("null" if value is None else value)


def _short(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return text if len(text) < 160 else f"{text[:157]}…"
