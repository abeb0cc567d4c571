"""A scan as one page to look at and to mail: nothing from elsewhere, and no script but its own.

The page shows the document of `lanyard scan --json`, and every figure on it names its place there
(`data-figure`, a JSON pointer).
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lanyard.cli.frame.figures import figure
from lanyard.cli.frame.html import escaped, tag, whole_page
from lanyard.cli.scan import page_sections as sections
from lanyard.sweep.listings import LIMIT

type Json = dict[str, Any]


def page(document: Json) -> str:
    """The whole page."""
    return whole_page(
        "Identities and access: a scan of the estate", "\n".join(_sections(document)), script=True
    )


def _sections(document: Json) -> Iterator[str]:
    yield _header(document)
    yield _tiles(document)
    yield sections.compute(document)
    yield sections.subscriptions(document)
    yield sections.matrix(document)
    yield sections.without_identity(document)
    yield sections.roles(document)
    yield sections.orphans(document)
    yield sections.privileged(document)
    yield sections.identities(document)
    yield sections.access(document)
    if document["policy"] is not None:
        yield sections.policy(document)
    yield _notes()


def _header(document: Json) -> str:
    at = datetime.fromisoformat(document["at"])
    when = tag("time", f"{at:%d %B %Y, %H:%M} UTC".lstrip("0"), datetime=document["at"])
    seen = f"{figure(document, '/summary/subscriptions')} subscriptions, read on {when}"
    return tag(
        "header",
        tag("p", "lanyard scan", class_="eyebrow")
        + tag("h1", "Identities and access")
        + tag("p", seen, class_="lead"),
    )


def _tiles(document: Json) -> str:
    summary = document["summary"]
    share = summary["withoutIdentity"] / summary["compute"] if summary["compute"] else 0.0
    tiles = [
        ("compute", "compute resources", ""),
        ("withoutIdentity", f"without an identity ({share:.0%})", "none"),
        ("identities", "user-assigned identities", ""),
        ("unusedIdentities", "attached to nothing", "warn"),
        ("assignments", "role assignments", ""),
        ("orphans", "orphaned", "bad"),
        ("privileged", "privileged, held by managed identities", "bad"),
        ("nearLimit", f"subscriptions near {LIMIT:,} assignments", "bad"),
    ]
    return tag("div", "".join(_tile(document, *tile) for tile in tiles), class_="tiles")


def _tile(document: Json, name: str, words: str, style: str) -> str:
    value = document["summary"][name]
    shown = figure(document, f"/summary/{name}") if value is not None else "?"
    words = words if value is not None else f"{words}: not determined"
    emphasis = style if value or value is None else ""
    return tag(
        "div",
        tag("p", shown, class_="number") + tag("p", escaped(words), class_="words"),
        class_=f"tile {emphasis}".strip(),
    )


def _notes() -> str:
    notes = [
        "Read with the rights of whoever ran it: what they cannot see is not counted, and an "
        "identity of a resource that they cannot see counts as an application.",
        "By Azure Resource Graph, which lags behind ARM by seconds to minutes.",
        "Assignments that are only eligible (Privileged Identity Management) are not listed, nor "
        "are directory roles.",
        "Orphaned means unknown to the directory now; read an assignment again before deleting it.",
    ]
    items = "".join(tag("li", escaped(note)) for note in notes)
    return tag("footer", tag("h2", "How to read this") + tag("ul", items))
