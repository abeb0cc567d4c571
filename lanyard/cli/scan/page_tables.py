"""The tables of the page."""

from collections.abc import Iterable, Sequence
from typing import Any

from lanyard.cli.frame.figures import figure, resolved
from lanyard.cli.frame.html import escaped, tag
from lanyard.cli.scan.words import Places, most_important_first

type Json = dict[str, Any]
type Cells = Sequence[str]

# The first rows are on the page, the next ones behind a click, the rest in --json alone: a mail
# has its limits.
_OPEN, _MOST = 10, 500


def table(heads: Sequence[str], lines: Sequence[Cells], style: str = "") -> str:
    """Cells are markup. A head that starts with # stands over numbers."""
    numeric = [head.startswith("#") for head in heads]
    row = "".join(
        tag("th", escaped(head.lstrip("#")), class_="number" if right else "", scope="col")
        for head, right in zip(heads, numeric, strict=True)
    )
    open_, more = lines[:_OPEN], lines[_OPEN:_MOST]
    content = _table(row, open_, numeric, style)
    if more:
        summary = tag("summary", f"{len(more):,} more")
        content += tag("details", summary + _table(row, more, numeric, style))
    if len(lines) > _MOST:
        left = f"{len(lines) - _MOST:,} more are in lanyard scan --json."
        content += tag("p", left, class_="none-found")
    return content


def assignment_table(document: Json, pointer: str) -> str:
    """Role assignments, the most important first."""
    places = Places(document)
    rows = most_important_first(resolved(document, pointer))
    heads = ["role", "scope", "held by", "#age"]
    return table(heads, [_assignment(row, places) for row in rows])


def resource_table(document: Json, pointer: str) -> str:
    """Resources in the document's order."""
    places = Places(document)
    rows = resolved(document, pointer)
    lines = [[_place(row["id"], places), escaped(row["type"])] for row in rows]
    return table(["resource", "type"], lines)


def identity_table(document: Json, pointer: str, *, uses: bool = False) -> str:
    """User-assigned identities in the document's order, and how many resources use them."""
    places, shown = Places(document), ["resources", "assignments"] if uses else ["assignments"]
    lines = [
        [
            _place(row["id"], places),
            *(figure(document, f"{pointer}/{number}/{name}") for name in shown),
        ]
        for number, row in enumerate(resolved(document, pointer))
    ]
    return table(["identity", *(["#resources"] if uses else []), "#roles"], lines)


def _assignment(row: Json, places: Places) -> Cells:
    why = tag("small", escaped(row["privileged"]), class_="why") if row["privileged"] else ""
    age = "" if row["ageDays"] is None else f"{row['ageDays']:,} d"
    made = tag("span", age, title=row["created"] or "")
    scope = _place(row["scope"], places)
    return [escaped(row["role"]["name"]) + why, scope, _holder(row, places), made]


def _holder(row: Json, places: Places) -> str:
    resource, principal = row["holder"]["resource"], row["principalId"]
    if resource is None:
        return tag("code", escaped(principal), title="; ".join(row["evidence"]))
    return _place(resource, places)


def _place(resource_id: str, places: Places) -> str:
    """What a person knows it by; the whole id shows when pointed at."""
    name, subscription = places.within(resource_id), places.subscription(resource_id)
    above, _, last = name.rpartition("/") if name != resource_id else ("", "", name)
    where = "/".join(each for each in (subscription, above) if each and each != last)
    small = where if where else "subscription" if last == subscription else ""
    return tag("span", tag("b", escaped(last)) + tag("small", escaped(small)), title=resource_id)


def _table(row: str, lines: Iterable[Cells], numeric: Sequence[bool], style: str) -> str:
    body = "".join(tag("tr", _cells(line, numeric)) for line in lines)
    content = tag("thead", tag("tr", row)) + tag("tbody", body)
    return tag("div", tag("table", content, class_=style), class_="scroll")


def _cells(line: Cells, numeric: Sequence[bool]) -> str:
    return "".join(
        tag("td", content, class_="number" if right else "")
        for content, right in zip(line, numeric, strict=True)
    )
