"""The tables of the page."""

from collections.abc import Sequence
from typing import Any

from lanyard.cli.frame.data_tables import Cell, Line, data_table
from lanyard.cli.frame.figures import figure, resolved
from lanyard.cli.frame.html import escaped, tag
from lanyard.cli.scan.words import Places, most_important_first

type Json = dict[str, Any]
type Cells = Sequence[str]

# The first rows are on the page, the next ones behind a click, the rest in --json alone: a mail
# has its limits.
_OPEN, _MOST = 10, 500


def table(title: str, heads: Sequence[str], lines: Sequence[Cells], style: str = "short") -> str:
    """Cells are markup. A head that starts with # stands over numbers."""
    rows = [Line([Cell(markup) for markup in line]) for line in lines[:_MOST]]
    content = data_table(title, heads, rows[:_OPEN], style=style)
    if more := rows[_OPEN:]:
        summary = tag("summary", f"{len(more):,} more")
        content += tag("details", summary + data_table(title, heads, more, style=style))
    if len(lines) > _MOST:
        left = f"{len(lines) - _MOST:,} more are in lanyard scan --json."
        content += tag("p", left, class_="none-found")
    return content


def assignment_table(document: Json, pointer: str) -> str:
    """Role assignments, the most important first."""
    places = Places(document)
    rows = most_important_first(resolved(document, pointer))
    heads = ["role", "scope", "held by", "#age"]
    return table("Role assignments", heads, [_assignment(row, places) for row in rows])


def resource_table(document: Json, pointer: str) -> str:
    """Resources in the document's order."""
    places = Places(document)
    rows = resolved(document, pointer)
    lines = [[_place(row["id"], places), escaped(row["type"])] for row in rows]
    return table("Compute without an identity", ["resource", "type"], lines)


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
    heads = ["identity", *(["#resources"] if uses else []), "#roles"]
    return table("User-assigned identities", heads, lines)


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
    # The name of a subscription is whatever somebody chose, with any character.
    is_path = name not in (resource_id, subscription)
    above, _, last = name.rpartition("/") if is_path else ("", "", name)
    where = "/".join(each for each in (subscription, above) if each and each != last)
    small = where if where else "subscription" if last == subscription else ""
    return tag("span", tag("b", escaped(last)) + tag("small", escaped(small)), title=resource_id)
