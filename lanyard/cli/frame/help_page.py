"""The help of a command, as wide as the terminal, and 80 columns where there is none."""

from collections.abc import Iterable
from typing import Any

from typer.core import TyperCommand

from lanyard.cli.frame.glossary import terms_of
from lanyard.cli.frame.layout import columns, laid_out

#: A help is no wider, however wide the terminal is.
WIDEST = 100
_FIRST_COLUMN = 24
_KINDS = {"argument": "Arguments:", "option": "Options:"}


class HelpPage(TyperCommand):
    """A command whose help stands in order: usage, what it does, its arguments and options,
    examples and exit codes, and the terms that are private to Lanyard.
    """

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's
        """What it does."""
        write_text(formatter, self.help)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Arguments and options, each with what it is for."""
        write_options(formatter, self, ctx)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:
        """Examples, exit codes and terms."""
        write_text(formatter, self.epilog)
        shown = [text for kind in _KINDS for _, text in _records(self, ctx, kind)]
        terms = list(terms_of("\n".join([self.help or "", self.epilog or "", *shown])))
        if terms:
            rows = [(f"  {term}", meaning) for term, meaning in terms]
            lines = columns(rows, formatter.width - 2, _FIRST_COLUMN)
            write(formatter, "", ["terms:", *lines])


def write_text(formatter: Any, text: str | None) -> None:
    """A text as `laid_out` has it."""
    write(formatter, "", laid_out(text or "", formatter.width - 2))


def write_options(formatter: Any, command: Any, ctx: Any) -> None:
    """The arguments and the options of a command."""
    for kind, title in _KINDS.items():
        write_rows(formatter, title, _records(command, ctx, kind))


def write_rows(formatter: Any, title: str, rows: list[tuple[str, str]]) -> None:
    """A title, and below it rows of two columns."""
    if rows:
        write(formatter, title, columns(rows, formatter.width - 2, _FIRST_COLUMN))


def write(formatter: Any, title: str, lines: Iterable[str]) -> None:
    """Lines, indented, after an empty one."""
    written = [title] if title else []
    written += [f"  {line}".rstrip() for line in lines]
    formatter.write("".join(f"{line}\n" for line in ["", *written]))


def _records(command: Any, ctx: Any, kind: str) -> list[tuple[str, str]]:
    """What Typer has of each parameter: how it is written, and what it is for."""
    of_kind = (each for each in command.get_params(ctx) if each.param_type_name == kind)
    return [record for each in of_kind if (record := each.get_help_record(ctx)) is not None]
