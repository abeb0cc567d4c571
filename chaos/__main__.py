"""`make chaos SEED=1 SCALE=2000`: exit code 0 when every promise was kept, 1 when one was not."""

import argparse
import asyncio
import json
import sys
import time
from collections import Counter
from dataclasses import asdict
from pathlib import Path

from rich.console import Console
from rich.table import Table

from chaos.storm import Options, Result, run
from demo.events import BY_WEBHOOK, WAYS
from demo.hosts import NAMES, OURS
from simulator.functions_host.microsoft import NoMicrosoftHost

_SHOWN = 25


def main() -> int:
    """Run a storm; 0, 1 for a broken promise, 2 without the host, 130 after Ctrl-C."""
    arguments = _parser().parse_args()
    console = Console(stderr=True, highlight=False)
    options = Options(
        arguments.seed,
        arguments.scale,
        arguments.kills if arguments.kills is not None else min(20, arguments.scale // 20),
        arguments.app.resolve() if arguments.app else None,
        arguments.patience,
        arguments.keep.resolve() if arguments.keep else None,
        arguments.host,
        arguments.delivery,
    )
    try:
        with console.status("starting") as status:
            show = status.update if console.is_terminal else _Lines(console).show
            result = asyncio.run(run(options, show))
    except NoMicrosoftHost as error:
        sys.stderr.write(f"chaos: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    _print(result, options, as_json=arguments.json)
    return 0 if result.ok else 1


class _Lines:
    """Where no line can be written over, one every ten seconds will do."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._next = 0.0

    def show(self, text: str) -> None:
        if time.monotonic() >= self._next:
            self._next = time.monotonic() + 10
            self._console.print(text, soft_wrap=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m chaos",
        description="Resources live and die on a local Azure while calls fail, events are lost and "
        "the host is killed; then everything is held against the policy.",
        epilog="examples:  make chaos SEED=1 SCALE=2000    python -m chaos --scale 100 --json | jq "
        ".violations    exit code: 0 every promise was kept, 1 one was not, 2 no such host",
    )
    parser.add_argument("--seed", type=int, default=1, help="decides what happens (1)")
    parser.add_argument("--scale", type=int, default=200, help="resources over the run (200)")
    parser.add_argument("--kills", type=int, help="of the host, by SIGKILL (scale/20, at most 20)")
    parser.add_argument("--app", type=Path, help="the folder of another function_app.py to run")
    parser.add_argument(
        "--patience", type=float, default=1800, help="seconds until all must be quiet (1800)"
    )
    parser.add_argument("--keep", type=Path, help="a folder for logs, kept after the run")
    parser.add_argument("--host", choices=NAMES, default=OURS, help="the Functions host (ours)")
    parser.add_argument(
        "--delivery", choices=WAYS, default=BY_WEBHOOK, help="how events come to the app (webhook)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON document instead of tables")
    return parser


def _print(result: Result, options: Options, *, as_json: bool) -> None:
    if as_json:
        violations = [asdict(each) for each in result.violations]
        document = {
            "ok": result.ok,
            "seed": options.seed,
            "scale": options.scale,
            "delivery": options.way,
            "counts": result.counts,
            "violations": violations,
        }
        sys.stdout.write(json.dumps(document, indent=2) + "\n")
        return
    console = Console(highlight=False, soft_wrap=True)
    title = f"chaos, seed {options.seed}, scale {options.scale}, events by {options.way}"
    table = Table(title=title, show_header=False)
    for name, count in result.counts.items():
        table.add_row(name, f"{count:,}")
    console.print(table)
    for violation in sorted(result.violations)[:_SHOWN]:
        console.print(f"[red]✗[/red] {violation.kind}: {violation.subject}\n    {violation.text}")
    kinds = Counter(violation.kind for violation in result.violations)
    told = ", ".join(f"{count} {kind}" for kind, count in kinds.most_common())
    console.print(f"chaos: {'ok' if result.ok else 'failed: ' + told}")


if __name__ == "__main__":
    sys.exit(main())
