"""The texts of a help, laid out to a width: prose is filled, what stands in columns stays so while
it fits, and no line breaks within a word. Pure.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from textwrap import wrap

#: Two or more spaces part what is explained from what explains it.
_COLUMNS = re.compile(r"(?P<indent> +)(?P<key>\S.*?)(?:(?P<gap> {2,})(?P<text>\S.*))?")
_COMMANDS = ("lanyard ", "az ")
_HANGING = 4


@dataclass(slots=True)
class _Entry:
    """A line of a list: `key`, and the text that explains it, which begins at `column`."""

    indent: int
    key: str
    column: int
    text: str

    def lines(self, width: int) -> Iterator[str]:
        head = " " * self.indent + self.key
        whole = head.ljust(self.column) + self.text
        if len(whole) <= width:
            yield whole.rstrip()
        elif self.text and self.column <= width // 3:
            yield from filled(self.text, width, head.ljust(self.column), " " * self.column)
        else:
            yield from _key(self.key, width, self.indent)
            # What a shell passes over, where it is the shell's.
            mark = "# " if self.key.startswith(_COMMANDS) else ""
            below = " " * (self.indent + _HANGING) + mark
            yield from filled(self.text, width, below, below) if self.text else ()


def laid_out(text: str, width: int) -> Iterator[str]:
    """The lines of the text, none wider than `width` unless a word alone is.

    A line that is not indented is prose. An indented one is an entry of a list, in one or in two
    columns; lines indented deeper belong to it.
    """
    for index, paragraph in enumerate(text.strip("\n").split("\n\n")):
        if index:
            yield ""
        for indented, lines in groupby(paragraph.split("\n"), lambda line: line.startswith(" ")):
            if indented:
                for entry in _entries(lines):
                    yield from entry.lines(width)
            else:
                yield from filled(" ".join(lines), width)


def columns(rows: list[tuple[str, str]], width: int, most: int) -> Iterator[str]:
    """Rows of two columns, of which the first is as wide as it has to be, and `most` at most: the
    text of a wider one begins below it. A text with a word that its column is too narrow for stands
    below, too, further left.
    """
    column = 2 + min(most, max((len(key) for key, _ in rows), default=0))
    for key, text in rows:
        fits = column + max(map(len, text.split()), default=0) <= width
        begin = " " * (column if fits else _HANGING)
        if fits and len(key) + 2 <= column:
            yield from filled(text, width, key.ljust(column), begin)
        else:
            yield key
            yield from filled(text, width, begin, begin)


def filled(text: str, width: int, first: str = "", others: str = "") -> list[str]:
    """The lines of a paragraph, which breaks at spaces alone; `first` and `others` begin them."""
    return wrap(
        text,
        width,
        initial_indent=first,
        subsequent_indent=others,
        break_long_words=False,
        break_on_hyphens=False,
    ) or [first.rstrip()]


def _entries(lines: Iterator[str]) -> Iterator[_Entry]:
    entry: _Entry | None = None
    for line in lines:
        found = _COLUMNS.fullmatch(line)
        assert found is not None, line
        if entry is not None and len(found["indent"]) > entry.indent:
            entry.text = f"{entry.text} {line.strip()}".strip()
            continue
        if entry is not None:
            yield entry
        column = found.start("text") if found["text"] else 0
        entry = _Entry(len(found["indent"]), found["key"], column, found["text"] or "")
    if entry is not None:
        yield entry


def _key(key: str, width: int, indent: int) -> Iterator[str]:
    """A command that goes on in the next line says so to the shell, and can be pasted."""
    is_command = key.startswith(_COMMANDS)
    end = " \\" if is_command else ""
    lines = filled(key, width - len(end), " " * indent, " " * (indent + _HANGING))
    quoted = False
    for line in lines[:-1]:
        quoted ^= line.count("'") % 2 == 1
        yield line if quoted else line + end
    yield lines[-1]
