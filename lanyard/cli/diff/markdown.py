"""A difference as Markdown, for a comment on a pull request."""

import re
from collections.abc import Iterator

from lanyard.cli.diff.groups import Json, headline, lines, rollout, source
from lanyard.cli.frame.lines import Line
from lanyard.cli.frame.shown import shown

#: By which a pipeline finds its own comment again.
MARK = "<!-- lanyard diff -->"
#: Rows of the table: a comment of GitHub holds 65,536 characters.
_MOST = 150
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
    if found:
        yield ""
        yield "| | what | whom | rule |"
        yield "|---|---|---|---|"
        yield from map(_row, found[:_MOST])
    if len(found) > _MOST:
        yield ""
        yield f"{len(found) - _MOST:,} more lines are in `lanyard diff --json`."
    yield ""
    yield from (f"- {_escaped(sentence)}" for sentence in rollout(document))
    yield f"- {_escaped(source(document))}"


def _row(line: Line) -> str:
    what = _escaped(line.what)
    if line.privileged:
        what = f"**privileged** by {_escaped(line.privileged)}: {what}"
    notes = "".join(f"<br>{_escaped(note)}" for note in line.notes)
    effect = f", **{line.effect}**" if line.effect else ""
    rules = _escaped("; ".join(line.rules))
    return f"| {_WORDS[line.mark]} | {what}{notes} | {_escaped(line.whom)}{effect} | {rules} |"


def _escaped(text: str) -> str:
    """Names are whatever somebody typed: no markup, no mention of anybody, no end of a row."""
    text = " ".join(shown(text).split())
    text = re.sub(r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", text)
    return text.replace("@", "&#64;")
