"""What happens to many resources alike, as one line: for the terminal and for a page."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lanyard.cli.frame.html import escaped, tag
from lanyard.cli.frame.names import in_words, short
from lanyard.cli.frame.terminal import Part, Terminal
from lanyard.values.resource_id import ResourceId

#: So many resources are named; of more it is shown how many there are.
_NAMED = 3
_STYLES = {"+": "green", "-": "red", "~": "yellow", "‖": "magenta", "!": "yellow", "i": "dim"}
#: What a page has in place of the mark.
_WORDS = {"+": "given", "-": "lost", "~": "changed", "‖": "held", "!": "not possible", "i": "note"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """What is so of many resources."""

    mark: str  # "+" given, "-" lost, "~" changed, "‖" held, "!" not possible, "i" to know
    what: str  # in words
    rules: tuple[str, ...] = ()  # by which it is so
    ids: tuple[str, ...]  # of the resources
    privileged: str = ""  # why a role is that, or ""
    restarts: int = 0  # how many of the resources restart with it
    notes: tuple[str, ...] = ()  # more to know, a sentence each

    @property
    def whom(self) -> str:
        """The resources: names where they are few, else how many."""
        if len(self.ids) <= _NAMED:
            return ", ".join(map(short, self.ids))
        return in_words(map(ResourceId.parse, self.ids))

    @property
    def effect(self) -> str:
        """What it does to the resources beside the change itself, or ""."""
        if not self.restarts:
            return ""
        if self.restarts == len(self.ids):
            return "each restarts" if self.restarts > 1 else "which restarts"
        return f"{self.restarts:,} restart"


def show_line(line: Line, terminal: Terminal, *, full: bool = False) -> None:
    """On the terminal. `full`: every resource by its whole id, below."""
    parts: list[Part] = [(f"{line.mark} {line.what}", _STYLES[line.mark])]
    if line.ids and not full:
        parts.append(f": {line.whom}")
    if line.effect:
        parts.append((f", {line.effect}", "red"))
    if line.privileged:
        parts.append((f"  privileged by {line.privileged}", "bold red"))
    if line.rules:
        parts.append((f"  (rule: {'; '.join(line.rules)})", "dim"))
    terminal.show(*parts)
    for note in line.notes:
        terminal.show(f"    {note}")
    for id_ in line.ids if full else ():
        terminal.show((f"    {id_}", "dim"))


def lines_as_table(lines: Iterable[Line]) -> str:
    """Markup of a page."""
    heads = "".join(tag("th", head, scope="col") for head in ("", "what", "resources", "rule"))
    rows = "".join(map(_row, lines))
    return tag("table", tag("thead", tag("tr", heads)) + tag("tbody", rows))


def _row(line: Line) -> str:
    mark = tag("small", _WORDS[line.mark], **({"class_": "why"} if line.mark == "-" else {}))
    what = escaped(line.what)
    if line.privileged:
        what += tag("small", escaped(f"privileged by {line.privileged}"), class_="why")
    what += "".join(tag("small", escaped(note)) for note in line.notes)
    cells = (mark, what, _whom(line), escaped("; ".join(line.rules)))
    return tag("tr", "".join(tag("td", cell) for cell in cells))


def _whom(line: Line) -> str:
    whom = escaped(line.whom)
    if line.effect:
        whom += tag("small", escaped(line.effect), class_="why")
    if len(line.ids) > _NAMED:
        whom += tag("details", tag("summary", f"{len(line.ids):,}") + _every(line.ids))
    return whom


def _every(ids: Sequence[str]) -> str:
    return "".join(tag("small", escaped(id_)) for id_ in ids)
