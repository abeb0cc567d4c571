"""A difference as one page to look at and to mail."""

from collections.abc import Iterator

from lanyard.cli.diff.groups import Json, headline, lines, rollout, source
from lanyard.cli.frame.html import escaped, tag, whole_page
from lanyard.cli.frame.lines import lines_as_table


def page(document: Json) -> str:
    """The whole page."""
    return whole_page("A change of the policy", "\n".join(_sections(document)))


def _sections(document: Json) -> Iterator[str]:
    old, new = document["old"]["name"], document["new"]["name"]
    yield tag(
        "header",
        tag("p", "lanyard diff", class_="eyebrow")
        + tag("h1", "A change of the policy")
        + tag("p", escaped(f"{old} → {new}: {headline(document)}"), class_="lead"),
    )
    found = lines(document)
    nothing = tag("p", "Nothing changes.", class_="none-found")
    yield tag("section", tag("h2", "What changes") + (lines_as_table(found) if found else nothing))
    sentences = [*rollout(document), source(document)]
    items = "".join(tag("li", escaped(sentence)) for sentence in sentences)
    yield tag("footer", tag("h2", "How it goes") + tag("ul", items))
