"""docs/commands.md, made from the commands: `python -m lanyard.cli.docs.commands_page FILE`."""

import contextlib
import io
import os
import sys
from collections.abc import Iterator
from pathlib import Path

from lanyard.cli.catalogue import COMMANDS, GROUPS, Group, Listed
from lanyard.cli.command import main
from lanyard.cli.frame.options import Command

_WIDTH = "100"
_HEAD = """\
# The commands of `lanyard`

<!-- made by python -m lanyard.cli.docs.commands_page docs/commands.md -->

What `lanyard COMMAND --help` shows, and what is in each `--json` document: keys are added to it,
and what is there keeps its meaning as long as `version` stays. How they are used on a deployed app
is in [operate.md](operate.md).

Of every command: errors are on standard error, without a stack trace; exit code 1 is an error,
wrong arguments included; 130 is Ctrl-C. `NO_COLOR=1` turns colours off. With
`lanyard --install-completion` the Tab key completes commands, options and their values in bash,
zsh, fish and PowerShell.
"""


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *map(_index, GROUPS), *map(_section, COMMANDS)])


def _index(group: Group) -> str:
    rows = [f"| [`{each.name}`](#lanyard-{each.name}) | {each.title} |" for each in group.commands]
    return "\n".join([f"| {group.title} | |", "|---|---|", *rows, ""])


def _section(listed: Listed) -> str:
    return "\n".join(
        [
            f"## lanyard {listed.name}",
            "",
            "```text",
            _help(listed.name).strip("\n"),
            "```",
            "",
            *_shape(listed.command()),
        ]
    )


def _help(name: str) -> str:
    """As it is on a terminal of a fixed width, whatever this one is."""
    before = os.environ.get("COLUMNS")
    os.environ["COLUMNS"] = _WIDTH
    try:
        with contextlib.redirect_stdout(io.StringIO()) as output:
            main([name, "--help"])
    finally:
        del os.environ["COLUMNS"]
        if before is not None:
            os.environ["COLUMNS"] = before
    return "\n".join(line.rstrip() for line in output.getvalue().splitlines())


def _shape(command: Command) -> Iterator[str]:
    if not command.shape:
        return
    yield "| `--json` | is |"
    yield "|---|---|"
    for key, meaning in command.shape.items():
        yield f"| `{key}` | {meaning} |"
    yield ""


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(page(), encoding="utf-8")
