"""Standard output and standard error. Colours only on a terminal, and never with NO_COLOR.

Whatever is written comes through here, and is made harmless here: a text from outside can neither
begin a line nor move the cursor, nor command the pipeline in whose log it stands.
"""

import json
import re
import sys
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
)
from rich.table import Table
from rich.text import Text

from lanyard.values.shown import acts, commands_nothing, shown

if TYPE_CHECKING:
    from lanyard.policy import Problem

#: A text, or a text and its style.
type Part = str | tuple[str, str]

# What JSON may have as it is, and a terminal may not.
_ACTS_IN_JSON = re.compile(r"[^\n\x20-\x7e]")
# What would make a command of a pipeline of what follows.
_COMMANDS_IN_JSON = re.compile("#(?=#)")
# So much deeper than a line begins, in columns, it goes on.
_DEEPER = 4
# A person waits as long without a sign of life.
_PROGRESS_AFTER = 2.0


def harmless(part: Part) -> Part:
    """The part with what acts instead of being seen made visible; line breaks act, too."""
    return shown(part) if isinstance(part, str) else (shown(part[0]), part[1])


def cell(*lines: Part) -> Text:
    """What stands in a cell of a table, a line for each part."""
    found = Text("\n").join(Text.assemble(harmless(line)) for line in lines)
    found.plain = commands_nothing(found.plain, begins_anywhere=True)
    return found


class Terminal:
    """Where a command writes: what was asked for on standard output, errors on standard error.

    `quiet` keeps back what is shown. What is reported is always written: problems, and what an
    option asks for, as are JSON and errors.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._err = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    @property
    def width(self) -> int:
        """Columns of standard output; 80 where it is no terminal and says nothing else."""
        return self._out.width

    def show(self, *parts: Part) -> None:
        """A line of parts: none of them begins another."""
        if not self.quiet:
            self.report(*parts)

    def report(self, *parts: Part) -> None:
        """The same, quiet or not."""
        line = Text.assemble(*map(harmless, parts))
        line.plain = commands_nothing(line.plain)
        _write(self._out, line)

    def note(self, message: str) -> None:
        """What a person should know of what they asked for, quiet or not, on standard error: beside
        a JSON document, too.
        """
        _write(self._err, Text(commands_nothing(shown(message)), style="yellow"))

    def command(self, text: str) -> None:
        """A line for the pipeline in whose log it stands."""
        self._out.print(Text(shown(text)))

    def table(self, table: Table) -> None:
        """A table as wide as it says, or as the terminal is where that is less, unless quiet. What
        is from outside stands in a `cell`.
        """
        if not self.quiet:
            table.width = min(table.width or self._out.width, self._out.width)
            self._out.print(table, soft_wrap=False)

    def error(self, message: str, hint: str = "") -> None:
        """What went wrong, in red, on standard error: further lines of the message are indented, so
        that none can pass for another message. `hint`: a line of its own below it.
        """
        for index, line in enumerate(message.split("\n")):
            begin = "  " if index else "lanyard: "
            _write(self._err, Text(commands_nothing(begin + shown(line)), style="red"))
        if hint:
            _write(self._err, Text(commands_nothing(shown(hint)), style="red"))

    def problems(self, problems: "Iterable[Problem]") -> None:
        """Mistakes of a policy that was to be used, on standard error."""
        for problem in problems:
            _write(self._err, Text(commands_nothing(shown(str(problem))), style="red"))

    @contextmanager
    def progress(
        self, title: str, after: float = _PROGRESS_AFTER
    ) -> Iterator[Callable[[int, int], None]]:
        """A bar on standard error where that is a terminal, once it takes longer than `after`
        seconds. Yields what is to be called with how many are done, and of how many.
        """
        bar = self._bar(TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
        task = bar.add_task(title, total=None)
        with _shown_after(bar, after):
            yield lambda done, of: bar.update(task, completed=done, total=of)

    @contextmanager
    def counting(self, after: float = _PROGRESS_AFTER) -> Iterator[Callable[[str, int], None]]:
        """As `progress`, where nobody knows of how many. Yields what is to be called with what is
        counted, and how many of it so far.
        """
        bar = self._bar(SpinnerColumn(), TextColumn("{task.description} {task.completed:.0f}"))
        task = bar.add_task("", total=None)
        with _shown_after(bar, after):
            yield lambda what, count: bar.update(task, description=shown(what), completed=count)

    def _bar(self, *columns: ProgressColumn) -> Progress:
        hidden = self.quiet or not self._err.is_terminal
        return Progress(*columns, console=self._err, transient=True, disable=hidden)

    @staticmethod
    def json(value: Any) -> None:
        """One JSON document, with what acts instead of being seen, or as a command of a pipeline,
        as \\uXXXX.
        """
        text = json.dumps(value, indent=2, ensure_ascii=False)
        text = _COMMANDS_IN_JSON.sub(r"\\u0023", text)
        sys.stdout.write(_ACTS_IN_JSON.sub(_escaped, text) + "\n")


def _write(console: Console, text: Text) -> None:
    """A line. On a terminal it breaks between words where it is too long, and in no id, and goes on
    indented below its beginning; in a pipe and a file it stays one.
    """
    if not console.is_terminal:
        console.print(text)
        return
    below = " " * _hanging(text.plain, console.width)
    breaks = list(_breaks(text.plain, console.width, len(below)))
    for begin, line in zip(["", *(below for _ in breaks)], text.divide(breaks), strict=True):
        line.rstrip()
        console.print(Text.assemble(begin, line))


def _hanging(text: str, width: int) -> int:
    """How far further lines of a text are indented."""
    return min(len(text) - len(text.lstrip(" ")) + _DEEPER, width // 3)


def _breaks(text: str, width: int, hanging: int) -> Iterator[int]:
    """Where further lines begin, which are indented: at a word with which the line would be too
    long.
    """
    begin, room, is_first = 0, width, True
    for word in re.finditer(r"\S+", text):
        if word.end() - begin > room and not is_first:
            yield word.start()
            begin, room = word.start(), width - hanging
        is_first = False


def _escaped(found: re.Match[str]) -> str:
    return json.dumps(found[0])[1:-1] if acts(found[0]) else found[0]


@contextmanager
def _shown_after(bar: Progress, seconds: float) -> Iterator[None]:
    timer = threading.Timer(seconds, bar.start)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()
        bar.stop()
