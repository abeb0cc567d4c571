"""`make az-check`: the unmodified Azure CLI against a freshly started local Azure."""

import argparse
import asyncio
import signal
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from string import Template

from az_check.azure import LocalAzure, NotStarted, running
from az_check.cli import AZ, Cli
from az_check.command import Command, Outcome, judge
from az_check.commands import CHAPTERS, MACHINES
from az_check.outside import watched
from az_check.report import Report


def main() -> int:
    """Run every command; 0 when all did as expected, 1 when not, 130 after Ctrl-C or SIGTERM."""
    parser = argparse.ArgumentParser(
        prog="python -m az_check",
        description="The unmodified Azure CLI at work on a local Azure. Needs no subscription.",
        epilog="examples:  make az-check    python -m az_check --json | jq .ok    "
        "exit code: 0 all as expected, 1 not",
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    report = Report(as_json=parser.parse_args().json)
    if not AZ.exists():
        sys.stderr.write("az-check: the Azure CLI is not installed; run 'make az-check'\n")
        return 1
    started = time.monotonic()
    try:
        asyncio.run(_check(report))
    except (KeyboardInterrupt, asyncio.CancelledError):
        return 130
    except NotStarted as error:
        sys.stderr.write(f"az-check: {error}\n")
        return 1
    report.end(time.monotonic() - started)
    return 0 if report.ok else 1


async def _check(report: Report) -> None:
    task = asyncio.current_task()
    assert task is not None
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    with tempfile.TemporaryDirectory(prefix="az-check-") as name:
        directory = Path(name)
        report.starting("starting a local Azure")
        async with running(directory) as azure, watched() as outside:
            run = _Run(azure, Cli(directory, azure.ca_file, outside))
            for chapter in CHAPTERS:
                report.chapter(chapter.title)
                async with azure.behaving(chapter.behaviour):
                    for command in chapter.commands:
                        report.tell(await run.one(command))


@dataclass
class _Run:
    """`known` grows with what commands are told to keep."""

    azure: LocalAzure
    cli: Cli
    known: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known.update(self.azure.names)

    async def one(self, command: Command) -> Outcome:
        """A command that needs what an earlier one failed to print fails too."""
        try:
            arguments = command.arguments(self.known)
        except KeyError as missing:
            return Outcome.not_run(command, f"nothing was kept as {missing}")
        if command.later:
            await self.azure.advance(command.later)
        result = await self.cli.run(arguments, command.by, self._session(command.by))
        outcome = judge(command, result, self.known)
        if command.keep and not outcome.faults:
            self.known[command.keep] = str(outcome.printed)
        return outcome

    def _session(self, name: str) -> Mapping[str, str]:
        machine = MACHINES.get(name)
        return self.azure.sign_in(machine and Template(machine).substitute(self.known))


if __name__ == "__main__":
    sys.exit(main())
