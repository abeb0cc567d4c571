"""A report as one page to look at, to print and to keep: nothing from elsewhere.

Every figure names its place in the document of `lanyard report --json` (`data-figure`).
"""

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

from lanyard.cli.frame.charts import Bar, Column, Part, columns, legend, stacked_bars
from lanyard.cli.frame.data_tables import Cell, Line, data_table, text
from lanyard.cli.frame.figures import figure
from lanyard.cli.frame.html import escaped, none_found, section, tag, whole_page
from lanyard.cli.frame.names import short
from lanyard.cli.report.labels import BY_RULE, FIGURES
from lanyard.cli.report.text import begins_late

type Json = dict[str, Any]

_SHARES = {"given": "given", "held": "held", "removed": "removed"}
_TILES = {
    "rolesGiven": "role assignments given",
    "identitiesAttached": "identities attached",
    "rolesRemoved": "role assignments removed",
    "identitiesDetached": "identities detached",
    "held": "held",
    "putRight": "given by a sweep",
    "decided": "decided by persons",
    "failed": "failed for good",
}
_BAD = ("failed", "held")
_BECAME = {
    "done": "",
    "unknown": "no answer came: it may be done",
    "undone": "put back by a person",
    "withdrawn": "put back by a person, and let go again",
    "failed": "refused: nothing was taken",
    "givenBack": "nothing was taken: tried again",
    "intended": "under way, or cut off: it may be done",
}


def page(document: Json) -> str:
    """The whole page."""
    title = f"Access given and taken away: {document['month']}"
    return whole_page(title, "\n".join(_sections(document)), script=True)


def _sections(document: Json) -> Iterator[str]:
    yield _header(document)
    if not document["onRecord"]:
        yield _waiting(document)
        return
    yield _tiles(document)
    yield _by_day(document)
    yield _by_rule(document)
    yield _figures(document)
    yield _lines(document, "given", "Given", ("what", "resource", "rule"), _given)
    yield _lines(document, "removed", "Removed", ("what", "resource", "evidence"), _removed)
    yield _waiting(document)
    yield _lines(document, "held", "Held in this month", ("what", "resource", "why"), _held)
    yield _lines(document, "decided", "Decided by persons", ("what", "resource", "by"), _decided)
    yield _lines(document, "failed", "Failed for good", ("what", "resource", "why"), _held)
    yield _lines(document, "policies", "The policy", ("what", "version", "difference"), _policy)


def _header(document: Json) -> str:
    so_far = ", so far" if document["soFar"] else ""
    at = tag("time", _time(document["at"]), datetime=document["at"])
    late = begins_late(document)
    damaged = (f"Left out, it cannot be read: {each}" for each in document["damaged"])
    notices = [*([late] if late else []), *damaged]
    return tag(
        "header",
        tag("p", "lanyard report", class_="eyebrow")
        + tag("h1", escaped(f"{_month(document)}{so_far}"))
        + tag("p", f"By the app's own record, read on {at}. Days are UTC.", class_="lead")
        + "".join(tag("div", tag("p", escaped(each)), class_="notice") for each in notices),
    )


def _tiles(document: Json) -> str:
    return tag("div", "".join(_tile(document, *each) for each in _TILES.items()), class_="tiles")


def _tile(document: Json, name: str, words: str) -> str:
    before = document["before"]
    earlier = "nothing on record" if before is None else f"{before[name]:,}"
    bad = "bad" if name in _BAD and document["figures"][name] else ""
    return tag(
        "div",
        tag("p", figure(document, f"/figures/{name}"), class_="number")
        + tag("p", escaped(words) + tag("small", f"month before: {earlier}"), class_="words"),
        class_=f"tile {bad}".strip(),
    )


def _by_day(document: Json) -> str:
    days = [
        Column(day["day"][-2:].lstrip("0"), _parts(day, f"/days/{number}"))
        for number, day in enumerate(document["days"])
    ]
    lead = "Role assignments and identities on resources, and what began to wait."
    return section("By day", lead, legend(_SHARES) + columns("By day", days))


def _by_rule(document: Json) -> str:
    bars = [
        Bar(rule["name"], rule["name"], _parts(rule, f"/rules/{number}"))
        for number, rule in enumerate(document["rules"])
    ]
    lead = f"{BY_RULE[0].upper()}{BY_RULE[1:]}"
    picture = legend(_SHARES) + stacked_bars("By rule", bars)
    return section("By rule", lead, picture if bars else none_found("Nothing by any rule."))


def _parts(share: Json, pointer: str) -> list[Part]:
    return [Part(share[name], name, words, f"{pointer}/{name}") for name, words in _SHARES.items()]


def _figures(document: Json) -> str:
    lines = [
        Line((text(words), Cell(figure(document, f"/figures/{name}")), _before(document, name)))
        for name, words in FIGURES.items()
    ]
    heads = ("", f"#{document['month']}", "#month before")
    return section("All figures", "", data_table("All figures", heads, lines, style="figures"))


def _before(document: Json, name: str) -> Cell:
    if document["before"] is None:
        return Cell("?")
    return Cell(figure(document, f"/before/{name}"))


def _lines(
    document: Json,
    name: str,
    title: str,
    heads: tuple[str, str, str],
    cells: Callable[[Json], tuple[Cell, ...]],
) -> str:
    rows = document[name]
    if not rows:
        return section(title, "", none_found("Nothing."))
    lines = [Line((_when(row), *cells(row)), f"{row['id']} {row['resource']}") for row in rows]
    return section(title, "", data_table(title, ("when (UTC)", *heads), lines))


def _given(row: Json) -> tuple[Cell, ...]:
    how = f"it was there: {row['reason']}" if row["happening"] == "shared" else ""
    seen = how or ("by a sweep" if row["bySweep"] else "")
    return text(row["words"], seen), _resource(row), _rules(row)


def _removed(row: Json) -> tuple[Cell, ...]:
    style = "why" if row["happening"] == "notRemoved" else ""
    what = text(row["words"], _BECAME[row["became"]], style=style)
    return what, _resource(row), text("; ".join(row["evidence"]), "; ".join(row["rules"]))


def _held(row: Json) -> tuple[Cell, ...]:
    return text(row["words"]), _resource(row), text(row["reason"], "; ".join(row["rules"]))


def _decided(row: Json) -> tuple[Cell, ...]:
    return text(row["words"], row["reason"]), _resource(row), text(row["by"])


def _policy(row: Json) -> tuple[Cell, ...]:
    return text(row["words"]), text(row["policy"]), text(row["reason"])


def _waiting(document: Json) -> str:
    rows, title = document["waiting"], "Waits now"
    if not rows:
        return section(title, "", none_found("Nothing."))
    lines = [
        Line(
            (
                Cell(_time(row["since"]), row["since"]),
                text(row["action"], row["id"]),
                _resource(row),
                text(row["reason"], row["release"]),
            ),
            row["resource"],
        )
        for row in rows
    ]
    heads = ("since (UTC)", "what", "resource", "why, and what ends it")
    return section(title, "The longest first.", data_table(title, heads, lines))


def _when(row: Json) -> Cell:
    return Cell(tag("time", _time(row["at"]), datetime=row["at"], title=row["id"]), row["at"])


def _resource(row: Json) -> Cell:
    return text(short(row["resource"]), title=row["resource"]) if row["resource"] else Cell("")


def _rules(row: Json) -> Cell:
    return text("; ".join(row["rules"]), f"policy {row['policy']}")


def _time(written: str) -> str:
    return escaped(written[:16].replace("T", " "))


def _month(document: Json) -> str:
    return f"{datetime.fromisoformat(document['since']):%B %Y}"
