"""What the person sees: each step as it happens with its time, each claim with its evidence."""

import json
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass

from rich.console import Console
from rich.table import Table


@dataclass(frozen=True)
class Check:
    """A claim and what ARM answered; `holds` says whether they agree."""

    claim: str
    evidence: str
    holds: bool


@dataclass(frozen=True)
class Step:
    """A thing done, and how long it took."""

    title: str
    seconds: float


class Narration:
    """Tells on the terminal, or keeps quiet and gives JSON at the end."""

    def __init__(self, *, as_json: bool) -> None:
        self._as_json = as_json
        self._console = Console(quiet=as_json, highlight=False)
        self._started = time.monotonic()
        #: In which the app ran, for the end; "" while it is not known.
        self.host = ""
        #: How events came to it.
        self.way = ""
        self.checks: list[Check] = []
        self.steps: list[Step] = []

    def act(self, title: str) -> None:
        """A new part of the story."""
        self._console.print(f"\n[bold]{title}[/bold]")

    @asynccontextmanager
    async def step(self, title: str) -> AsyncIterator[None]:
        """Something that takes time; its title is shown while it runs, its time when it ended."""
        started = time.monotonic()
        with self._console.status(title):
            yield
        seconds = time.monotonic() - started
        self.steps.append(Step(title, round(seconds, 2)))
        self._console.print(f"  [dim]{seconds:5.1f} s[/dim]  {title}")

    def check(self, claim: str, evidence: str, *, holds: bool) -> None:
        """Hold a claim against what was read back."""
        self.checks.append(Check(claim, evidence, holds))
        mark = "[green]✓[/green]" if holds else "[red]✗[/red]"
        self._console.print(f"        {mark}  {claim} [dim]({evidence})[/dim]")

    @property
    def ok(self) -> bool:
        """Whether every claim holds, and there were some."""
        return bool(self.checks) and all(check.holds for check in self.checks)

    def end(self) -> None:
        """The table, and the last line: `demo: ok, N checks` or `demo: failed, …`."""
        seconds = time.monotonic() - self._started
        failed = sum(not check.holds for check in self.checks)
        if self._as_json:
            checks, steps = map(asdict, self.checks), map(asdict, self.steps)
            told = {"ok": self.ok, "host": self.host, "delivery": self.way}
            result = {**told, "checks": [*checks], "steps": [*steps], "seconds": seconds}
            sys.stdout.write(json.dumps(result, indent=2) + "\n")
            return
        self._console.print()
        self._console.print(self._table())
        came = f", events by {self.way}" if self.way else ""
        self._console.print(f"{seconds:.0f} s in all, in {self.host or 'no host'}{came}")
        verdict = "ok" if self.ok else f"failed, {failed} of"
        self._console.print(f"demo: {verdict}{',' if self.ok else ''} {len(self.checks)} checks")

    def _table(self) -> Table:
        table = Table(title="What was claimed, and what ARM answered")
        table.add_column("", width=1)
        table.add_column("claim")
        table.add_column("read back")
        for check in self.checks:
            mark = "[green]✓[/green]" if check.holds else "[red]✗[/red]"
            table.add_row(mark, check.claim, check.evidence)
        return table
