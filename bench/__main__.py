"""`python -m bench`: measures, prints one table, writes JSON; 1 where a budget is missed."""

import argparse
import json
import platform
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from bench import (
    burst,
    calls,
    cold_start,
    command,
    delivery,
    idle_host,
    ingest,
    large_sweep,
    one_machine,
    pages,
    plan,
    real_host,
    sweep,
)
from bench.figures import Figure, Tell
from bench.options import Options
from simulator.arm.throttling import ARM_LIMITS

type Bench = Callable[[Options, Tell], list[Figure]]

BENCHES: dict[str, Bench] = {
    "burst": burst.measure,
    "burst-instances": burst.by_many_instances,
    "one-machine": one_machine.measure,
    "delivery": delivery.measure,
    "calls": calls.measure,
    "sweep": sweep.measure,
    "cold-start": cold_start.measure,
    "ingest": ingest.measure,
    "plan": plan.measure,
    "pages": pages.measure,
    "command": command.measure,
    "real-host": real_host.measure,
}
#: Only by name: they take minutes, and the large sweep misses the budget of its processor time
#: (docs/dev/scale.md).
BY_NAME: dict[str, Bench] = {
    "idle-host": idle_host.measure,
    "large-sweep": large_sweep.measure,
}
RESULTS = Path(__file__).parent / "results" / "latest.json"
#: Columns of the table where it does not go to a terminal.
_FILE_WIDTH = 180

_EXAMPLES = """
examples:
  make bench                                   everything
  make bench ARGS="--only calls"               one of them
  make bench ARGS="--only burst --instances 4" the burst with another number of instances
  python -m bench --json out.json              the figures to a file of your own

docs/dev/bench.md tells what each figure means and how it is measured.
"""


def main() -> int:
    """0 where every budget is kept, 1 where one is missed, 2 for a wrong command line."""
    arguments = _parser().parse_args()
    options = Options(arguments.machines, arguments.instances, arguments.runs)
    figures: dict[str, list[Figure]] = {}
    for name in arguments.only or BENCHES:
        with _progress(name) as tell:
            figures[name] = (BENCHES | BY_NAME)[name](options, tell)
    every = [figure for found in figures.values() for figure in found]
    _write(arguments.json, figures)
    console = Console(width=None if sys.stdout.isatty() else _FILE_WIDTH)
    console.print(_table(every))
    missed = [figure for figure in every if figure.missed]
    console.print(f"{len(missed)} of {_budgets(every)} budgets missed · figures: {arguments.json}")
    return 1 if missed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description="Measures Lanyard beside what a careful tutorial does (bench/baseline.py).",
        epilog=_EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add(
        "--only",
        action="append",
        choices=BENCHES | BY_NAME,
        metavar="NAME",
        help=f"only this one; may be given again. {', '.join(BENCHES | BY_NAME)}",
    )
    add("--json", type=Path, default=RESULTS, metavar="FILE", help="default: bench/results/")
    add("--machines", type=_burst_size, default=1000, help="of the burst (default 1000)")
    scaled = "of the app in the burst (default: as many as target-based scaling starts)"
    add("--instances", type=_positive, default=0, help=scaled)
    add("--runs", type=_positive, default=7, help="of what this computer's clock times (default 7)")
    return parser


def _positive(text: str) -> int:
    if (number := int(text)) < 1:
        raise argparse.ArgumentTypeError("at least 1")
    return number


def _burst_size(text: str) -> int:
    smallest = ARM_LIMITS["writes"].size
    if (number := int(text)) <= smallest:
        raise argparse.ArgumentTypeError(f"more than {smallest}, which the bucket holds at once")
    return number


@contextmanager
def _progress(name: str) -> Iterator[Tell]:
    """On a terminal one line that changes, elsewhere a line each; both on stderr."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield lambda text: console.print(f"{name}: {text}", highlight=False)
        return
    with console.status(name) as status:
        yield lambda text: status.update(f"{name}: {text}")


def _table(figures: Sequence[Figure]) -> Table:
    table = Table("figure", title="Lanyard beside a careful tutorial", title_justify="left")
    for title in ("Lanyard", "baseline", "budget"):
        table.add_column(title, justify="right", no_wrap=True)
    table.add_column("made of", style="dim")
    for figure in figures:
        table.add_row(
            figure.name,
            f"[{'red' if figure.missed else 'green'}]{_number(figure.value, figure.unit)}[/]",
            "" if figure.baseline is None else _number(figure.baseline, figure.unit),
            _verdict(figure),
            figure.detail,
        )
    return table


def _number(value: float, unit: str) -> str:
    if 0 < value < 0.01:
        return f"{value:.1g} {unit}".rstrip()
    digits = 0 if value >= 100 or unit == "calls" else 2
    return f"{value:,.{digits}f} {unit}".rstrip()


def _verdict(figure: Figure) -> str:
    if figure.budget is None:
        return ""
    return f"{figure.budget} {'missed' if figure.missed else 'kept'}"


def _budgets(figures: Sequence[Figure]) -> int:
    return sum(figure.budget is not None for figure in figures)


def _write(file: Path, figures: dict[str, list[Figure]]) -> None:
    content = {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "python": platform.python_version(),
        "machine": f"{platform.system()} {platform.machine()}",
        "figures": {name: [f.as_json() for f in found] for name, found in figures.items()},
    }
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps(content, indent=2, ensure_ascii=False) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
