"""The command line: its arguments, its help, and what its exit code says.

Exit code 1 is every error, wrong arguments included, so that 2 can mean one thing: changes.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Sequence
from typing import NoReturn

from lanyard.cli import plan, schema, validate
from lanyard.cli.terminal import Terminal
from lanyard.errors import LanyardError
from lanyard.policy import PolicyError

_ABOUT = """\
Check a policy, and see what it would do, before anything happens.

  lanyard validate lanyard.yaml           every mistake with its line and column
  lanyard plan /subscriptions/…           what would be done; nothing is changed
  lanyard schema                          the JSON Schema, for editors
"""
_END = "`lanyard COMMAND --help` has examples and the exit codes. NO_COLOR=1 turns colours off."
#: As a shell reports a program that Ctrl-C ended.
_INTERRUPTED = 130


class _Parser(argparse.ArgumentParser):
    """argparse ends with 2 for wrong arguments; here 2 means changes."""

    def error(self, message: str) -> NoReturn:
        self.print_usage(sys.stderr)
        self.exit(1, f"{self.prog}: {message}\n")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments (default: the process's); returns the exit code."""
    _make_writable()
    parsed = _parser().parse_args(arguments)
    terminal = Terminal(quiet=parsed.quiet)
    try:
        code: int = parsed.run(parsed, terminal)
        sys.stdout.flush()
    except PolicyError as error:
        terminal.problems(error.problems)
        return 1
    except LanyardError as error:
        terminal.error(str(error))
        return 1
    except KeyboardInterrupt:
        terminal.error("interrupted")
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader left (`lanyard … | head`): nothing is wrong, and nothing more can be said.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="lanyard",
        description=_ABOUT,
        epilog=_END,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for module in (validate, plan, schema):
        module.add(commands)
    return parser


def _make_writable() -> None:
    """A terminal without UTF-8 shows a "?" rather than ending the command."""
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(AttributeError):
            stream.reconfigure(errors="replace")  # type: ignore[union-attr]
