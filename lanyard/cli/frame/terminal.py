"""Standard output and standard error. Colours only on a terminal, and never with NO_COLOR."""

import json
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

if TYPE_CHECKING:
    from lanyard.policy import Problem

#: A text, or a text and its style.
type Part = str | tuple[str, str]

# A person waits as long without a sign of life.
_PROGRESS_AFTER = 2.0


class Terminal:
    """Where a command writes: what was asked for on standard output, errors on standard error.

    `quiet` keeps back what is shown; what is reported, JSON and errors are always written.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._err = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def show(self, *parts: Part) -> None:
        """A line of parts."""
        if not self.quiet:
            self.report(*parts)

    def report(self, *parts: Part) -> None:
        """The same, quiet or not."""
        self._out.print(Text.assemble(*parts))

    def table(self, table: Table) -> None:
        """A table as wide as it says, unless quiet."""
        if not self.quiet:
            self._out.print(table, soft_wrap=False)

    def error(self, message: str) -> None:
        """What went wrong, in red, on standard error."""
        self._err.print(Text(f"lanyard: {message}", style="red"))

    def problems(self, problems: "Iterable[Problem]") -> None:
        """Mistakes of a policy that was to be used, on standard error."""
        for problem in problems:
            self._err.print(Text(str(problem), style="red"))

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
            yield lambda what, count: bar.update(task, description=what, completed=count)

    def _bar(self, *columns: ProgressColumn) -> Progress:
        hidden = self.quiet or not self._err.is_terminal
        return Progress(*columns, console=self._err, transient=True, disable=hidden)

    @staticmethod
    def json(value: Any) -> None:
        """One JSON document."""
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")


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
