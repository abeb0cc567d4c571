"""A difference as Markdown, for a comment on a pull request."""

import re
from collections.abc import Iterable, Iterator

from lanyard.cli.diff.groups import Json, headline, lines, rollout, source
from lanyard.cli.frame.lines import Line
from lanyard.values.shown import shown

#: By which a pipeline finds its own comment again.
MARK = "<!-- lanyard diff -->"
#: Characters of the table's rows: a comment of GitHub holds 65,536 in all.
_MOST = 60_000
_MARKUP = re.compile(r"([\\`*_{}\[\]<>#|!~&])")
#: What becomes a link or a mention with what follows it.
_LINKED = re.compile(r"@|[#!](?=\d)|GH(?=-\d)|:(?=//)|www(?=\.)", re.IGNORECASE)
_PARTED = "&#8203;"
_WORDS = {"-": "🔴 loses", "+": "🟢 gains", "‖": "⏸ held"}


def as_markdown(document: Json) -> str:
    """The text of the comment."""
    return "\n".join(_lines(document)) + "\n"


def _lines(document: Json) -> Iterator[str]:
    old, new = document["old"], document["new"]
    yield MARK
    yield f"### Lanyard: {_escaped(headline(document))}"
    yield ""
    yield f"{_escaped(old['name'])} (`{old['digest']}`, {old['mode']}) → "
    yield f"{_escaped(new['name'])} (`{new['digest']}`, {new['mode']})"
    found = lines(document)
    rows = list(_fitting(map(_row, found)))
    if rows:
        yield ""
        yield "| | what | whom | rule |"
        yield "|---|---|---|---|"
        yield from rows
    if len(found) > len(rows):
        yield ""
        yield f"{len(found) - len(rows):,} more lines are in `lanyard diff --json`."
    yield ""
    yield from (f"- {_escaped(sentence)}" for sentence in rollout(document))
    yield f"- {_escaped(source(document))}"


def _fitting(rows: Iterable[str]) -> Iterator[str]:
    """The first ones: of all that there is room for."""
    left = _MOST
    for row in rows:
        left -= len(row) + 1
        if left < 0:
            return
        yield row


def _row(line: Line) -> str:
    what = _escaped(line.what)
    if line.privileged:
        what = f"**privileged** by {_escaped(line.privileged)}: {what}"
    notes = "".join(f"<br>{_escaped(note)}" for note in line.notes)
    effect = f", **{line.effect}**" if line.effect else ""
    rules = _escaped("; ".join(line.rules))
    return f"| {_WORDS[line.mark]} | {what}{notes} | {_escaped(line.whom)}{effect} | {rules} |"


def _escaped(text: str) -> str:
    """Names are whatever somebody typed: no markup, no link, no mention, no end of a row.

    GitHub looks for mentions, numbers of issues and addresses in what was rendered, where neither a
    backslash nor an entity is left (github.com/github/cmark-gfm/issues/181): a space without width
    parts what would be one.
    """
    text = " ".join(shown(text).split())
    text = _MARKUP.sub(r"\\\1", text)
    return _LINKED.sub(rf"\g<0>{_PARTED}", text)
