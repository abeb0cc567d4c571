"""Standard output and standard error. Colours only on a terminal, and never with NO_COLOR."""

import json
import sys
from typing import Any

from rich.console import Console
from rich.text import Text


class Terminal:
    """Where a command writes: what was asked for on standard output, errors on standard error.

    `quiet` keeps back what `say` is told; problems, JSON and errors are always written.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self.quiet = quiet
        self._out = Console(file=sys.stdout, highlight=False, soft_wrap=True)
        self._err = Console(file=sys.stderr, highlight=False, soft_wrap=True)

    def say(self, *parts: str | tuple[str, str]) -> None:
        """A line of parts, each a text or (text, style)."""
        if not self.quiet:
            self.tell(*parts)

    def tell(self, *parts: str | tuple[str, str]) -> None:
        """The same, quiet or not."""
        self._out.print(Text.assemble(*parts))

    def error(self, message: str) -> None:
        """What went wrong, in red, on standard error."""
        self._err.print(Text(f"lanyard: {message}", style="red"))

    @staticmethod
    def json(value: Any) -> None:
        """One JSON document."""
        sys.stdout.write(json.dumps(value, indent=2, ensure_ascii=False) + "\n")
