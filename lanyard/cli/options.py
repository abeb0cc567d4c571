"""What every command has: its help with examples, and `--quiet`."""

import argparse
from collections.abc import Callable
from typing import Any

from lanyard.cli.terminal import Terminal

type Run = Callable[[argparse.Namespace, Terminal], int]


def add_command(
    commands: Any, name: str, title: str, about: str, examples: str, run: Run
) -> argparse.ArgumentParser:
    """A command with its help: `about` above the options, `examples` below them."""
    parser: argparse.ArgumentParser = commands.add_parser(
        name,
        help=title,
        description=about,
        epilog=examples,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="only what is wrong is told")
    parser.set_defaults(run=run)
    return parser
