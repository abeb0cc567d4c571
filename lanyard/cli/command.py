"""The command line: its commands, and what its exit codes mean.

Exit code 1 is every error, wrong arguments included, so that 2 can mean one thing: changes.
"""

import contextlib
import os
import sys
from collections.abc import Callable, Sequence
from importlib.metadata import version
from typing import Annotated, Any, TextIO

import typer
from typer.core import TyperGroup
from typer.main import get_command

from lanyard.cli.catalogue import COMMANDS, GROUPS
from lanyard.cli.frame.help_page import WIDEST, write_options, write_rows, write_text
from lanyard.cli.frame.terminal import Terminal
from lanyard.values.errors import LanyardError

_ABOUT = """\
Compute gets its identity on arrival, and its access is taken back when it leaves. This command
looks at policies, at Azure, and at a deployed app, with your own identity and rights.

Begin with `lanyard scan`: it needs nothing deployed, and changes nothing. A deployed app is named
with --storage ACCOUNT, or LANYARD_STORAGE.
"""
_END = """\
`lanyard help COMMAND` has examples and the exit codes. NO_COLOR=1 turns colours off.
`lanyard --install-completion` lets the Tab key complete commands and options.
"""
#: As a shell reports a program that Ctrl-C ended; Typer makes it of a KeyboardInterrupt.
_INTERRUPTED = 130


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (default: the process's); returns the exit code."""
    if not _make_writable():
        Terminal().error("standard output is closed: nothing can be shown")
        return 1
    given = _asked(sys.argv[1:] if arguments is None else arguments)
    return _guarded(lambda: _app()(given, prog_name="lanyard", standalone_mode=False))


def _asked(arguments: Sequence[str]) -> list[str]:
    """`lanyard` alone asks for help, and so does `lanyard help`, of all or of a command."""
    if not arguments or arguments[0] == "help":
        return [*arguments[1:], "--help"]
    return [*arguments]


def _guarded(run: Callable[[], int]) -> int:
    """Whatever goes wrong is reported without a stack trace, and in the exit code."""
    terminal = Terminal()
    try:
        code = run()
        sys.stdout.flush()
    except typer.TyperException as error:
        terminal.error(_message(error), hint=_help(error))
        return 1
    except LanyardError as error:
        _show(error, terminal)
        return 1
    except typer.Abort:
        code = _INTERRUPTED
    except BrokenPipeError:
        # The reader left (`lanyard … | head`): nothing is wrong, and nothing more can be shown.
        _write_no_more(sys.stdout)
        return 1
    except OSError as error:
        _write_no_more(sys.stdout)
        _say_what_failed(error, terminal)
        return 1
    if code == _INTERRUPTED:
        terminal.error("interrupted")
    return code


def _say_what_failed(error: OSError, terminal: Terminal) -> None:
    what = error.filename or "what the command wrote"
    try:
        terminal.error(f"{what}: {error.strerror or error}")
    except OSError:  # standard error is as full
        _write_no_more(sys.stderr)


def _write_no_more(stream: TextIO) -> None:
    """What is left to write goes nowhere, or the process ended with a stack trace for it."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _show(error: LanyardError, terminal: Terminal) -> None:
    """A policy's mistakes are a line each. What is of policies is imported only here: most commands
    have done so, and `--help` does without.
    """
    from lanyard.policy import PolicyError

    if isinstance(error, PolicyError):
        terminal.problems(error.problems)
    else:
        terminal.error(str(error))


def _help(error: typer.TyperException) -> str:
    context = getattr(error, "ctx", None)
    command = context.command_path if context is not None else "lanyard"
    return f"`{command} --help` has examples"


def _message(error: typer.TyperException) -> str:
    """As it was raised where a command did, which names the option itself."""
    if isinstance(error, typer.BadParameter) and error.param is None and error.param_hint is None:
        return error.message
    # Typer has Python's name of what its own types raise in it.
    return error.format_message().replace("Value error, ", "")


class _Lazy(TyperGroup):
    """Imports a command when it is the one that is asked for. Its help lists all, by what one wants
    to do.
    """

    def format_help_text(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's
        """What the whole is."""
        write_text(formatter, _ABOUT)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's
        """Where there is more."""
        write_text(formatter, _END)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """The commands first: who asks for this help looks for one."""
        for group in GROUPS:
            rows = [(each.name, each.title) for each in group.commands]
            write_rows(formatter, f"{group.title}:", rows)
        write_options(formatter, self, ctx)

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[str | None, Any, list[str]]:
        """As Typer does, but with the command itself in place of `_not_imported`."""
        name, known, rest = super().resolve_command(ctx, args)
        return name, known and _command(str(name)), rest


def _app() -> typer.Typer:
    app = typer.Typer(
        cls=_Lazy,
        rich_markup_mode=None,  # examples and lists in a help stay as they are written
        pretty_exceptions_enable=False,
        no_args_is_help=False,
        context_settings={"help_option_names": ["-h", "--help"], "max_content_width": WIDEST},
    )
    app.callback(help=_ABOUT)(_root)
    for each in COMMANDS:
        app.command(each.name, short_help=each.title)(_not_imported)
    return app


def _command(name: str) -> Any:
    """What Typer makes of the command with this name."""
    (listed,) = (each for each in COMMANDS if each.name == name)
    alone = typer.Typer(rich_markup_mode=None, add_completion=False)
    listed.command().add_to(alone, name)
    return get_command(alone)


def _not_imported() -> None:
    """Stands for each command where only names and titles are needed."""


def _show_version(asked: bool) -> None:
    if asked:
        Terminal().report(f"lanyard {version('lanyard')}")
        raise typer.Exit(0)


def _root(
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version."),
    ] = False,
) -> None:
    """What stands before any command."""


def _make_writable() -> bool:
    """A terminal without UTF-8 shows a "?" rather than ending the command. Returns whether there is
    a standard output: a shell can close it.
    """
    writable = sys.stdout is not None
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w"))  # noqa: SIM115 - as long as the process
        with contextlib.suppress(AttributeError):
            getattr(sys, name).reconfigure(errors="replace")
    return writable
