"""What a run shows: a line for each command as it ends, then a table and the summary; or JSON."""

import json
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from az_check.command import Outcome


@dataclass
class Report:
    """Tells of outcomes as they come, on stdout; with `as_json` one document at the end instead."""

    as_json: bool = False
    chapters: dict[str, list[Outcome]] = field(default_factory=dict)
    console: Console = field(default_factory=lambda: Console(highlight=False))

    def chapter(self, title: str) -> None:
        """What follows belongs to it."""
        self.chapters[title] = []
        self._say(Text(f"\n{title}", style="bold"))

    def starting(self, what: str) -> None:
        """A line about what is under way."""
        self._say(Text(what, style="dim"))

    def tell(self, outcome: Outcome) -> None:
        """One command has ended."""
        self.chapters[next(reversed(self.chapters))].append(outcome)
        number = sum(len(each) for each in self.chapters.values())
        mark = Text("FAIL", style="red bold") if outcome.faults else Text("ok  ", style="green")
        command = outcome.command
        who = "" if command.by == "operator" else f"({command.by}) "
        refused = f"  → {command.error}" if command.error else ""
        line = Text.assemble(
            f"{number:>3} ",
            mark,
            f" {outcome.result.seconds:5.1f} s  {who}az {_short(command.line)}",
        )
        self._say(line.append(refused, style="yellow"))
        for fault in outcome.faults:
            self._say(Text(f"        {fault}", style="red"))
        if outcome.faults:
            self._say(Text(outcome.result.stderr.strip()[-1500:], style="dim"))

    @property
    def outcomes(self) -> Sequence[Outcome]:
        """All of them, in order."""
        return [each for chapter in self.chapters.values() for each in chapter]

    @property
    def ok(self) -> bool:
        """Whether every command did as expected, which includes to ask for nothing outside."""
        return bool(self.outcomes) and not self._failed()

    def end(self, seconds: float) -> None:
        """The table and the summary, or the JSON document."""
        if self.as_json:
            sys.stdout.write(json.dumps(self._document(seconds)) + "\n")
            return
        self.console.print()
        self.console.print(self._table())
        failed, total = len(self._failed()), len(self.outcomes)
        verdict = f"az-check: {'ok' if self.ok else 'failed'}"
        refusals = sum(1 for each in self.outcomes if each.command.error)
        self.console.print(
            f"{verdict}, {total - failed} of {total} commands as expected, {refusals} of them "
            f"refusals; {self._outside()} requests left this machine; {seconds:.0f} s",
            soft_wrap=True,
        )

    def _failed(self) -> list[Outcome]:
        return [each for each in self.outcomes if each.faults]

    def _outside(self) -> int:
        return sum(len(each.result.outside) for each in self.outcomes)

    def _table(self) -> Table:
        table = Table("chapter", "commands", "as expected", "refusals", "seconds")
        for title, outcomes in self.chapters.items():
            good = sum(1 for each in outcomes if not each.faults)
            refusals = sum(1 for each in outcomes if each.command.error)
            seconds = sum(each.result.seconds for each in outcomes)
            table.add_row(title, str(len(outcomes)), str(good), str(refusals), f"{seconds:.1f}")
        return table

    def _document(self, seconds: float) -> dict[str, Any]:
        return {
            "ok": self.ok,
            "seconds": round(seconds, 1),
            "outside": self._outside(),
            "commands": [
                {
                    "chapter": title,
                    "session": each.command.by,
                    "command": f"az {each.command.line}",
                    "exitCode": each.result.exit_code,
                    "seconds": round(each.result.seconds, 2),
                    "error": each.command.error or None,
                    "faults": list(each.faults),
                }
                for title, outcomes in self.chapters.items()
                for each in outcomes
            ],
        }

    def _say(self, line: Text) -> None:
        if not self.as_json:
            self.console.print(line, soft_wrap=True)


def _short(line: str) -> str:
    """The line without its query and body: what it does, not what is looked at."""
    for option in (" --query ", " --body ", " --properties ", " --role-definition "):
        line = line.partition(option)[0]
    return line.strip()
