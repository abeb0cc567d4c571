"""A plan as one page to look at and to mail."""

from collections.abc import Iterator, Sequence

from lanyard.cli.frame.html import escaped, tag, whole_page
from lanyard.cli.frame.lines import lines_as_table
from lanyard.cli.plan.batch import Looked
from lanyard.cli.plan.counts import count, in_words
from lanyard.cli.plan.groups import lines


def page(looked: Sequence[Looked], notes: Sequence[str]) -> str:
    """The whole page. `notes`: what to know of the plan as a whole, a sentence each."""
    return whole_page("A plan", "\n".join(_sections(looked, notes)))


def _sections(looked: Sequence[Looked], notes: Sequence[str]) -> Iterator[str]:
    yield tag(
        "header",
        tag("p", "lanyard plan", class_="eyebrow")
        + tag("h1", "What would be done")
        + tag("p", escaped(in_words(count(looked))), class_="lead"),
    )
    found = lines(looked)
    nothing = tag("p", "Nothing would be done.", class_="none-found")
    yield tag("section", lines_as_table(found) if found else nothing)
    failed = [each.error for each in looked if each.preview is None]
    if failed:
        items = "".join(tag("li", escaped(error)) for error in failed)
        yield tag("section", tag("h2", "Could not be read") + tag("ul", items))
    items = "".join(tag("li", escaped(note)) for note in notes)
    yield tag("footer", tag("h2", "How to read this") + tag("ul", items))
