"""`make soak MINUTES=60 HOST=ours`: does anything grow? A line a minute; exit code 0 where memory
keeps to its budget and nothing is left over.

After the first ten minutes, or the first third of a shorter run, the worker's memory grows by at
most 5 % to the end: medians over so many minutes are compared.
"""

import argparse
import asyncio
import json
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from statistics import median

from rich.console import Console

from bench.soaked import AT_ONCE, Reading, soaking
from demo.hosts import NAMES, OURS
from simulator.functions_host.microsoft import NoMicrosoftHost

_MOST_GROWTH = 0.05
_WARM = 10
_OVER = 5
_HEADS = ("min", "lives", "MB", "held ms", "queue", "oldest s", "rows", "decisions")


def main() -> int:
    """0, 1 where something grew or was left over, 2 without the host, 130 after Ctrl-C."""
    arguments = _parser().parse_args()
    try:
        readings, left = asyncio.run(_run(arguments.minutes, arguments.host, Console(stderr=True)))
    except NoMicrosoftHost as error:
        sys.stderr.write(f"soak: {error}\n")
        return 2
    except KeyboardInterrupt:
        return 130
    grown = growth([reading.megabytes for reading in readings])
    ok = grown <= _MOST_GROWTH and not left
    if arguments.json:
        lines = [asdict(reading) for reading in readings]
        document = {"ok": ok, "host": arguments.host, "growth": grown, "left": left}
        sys.stdout.write(json.dumps(document | {"minutes": lines}, indent=2) + "\n")
        return 0 if ok else 1
    words = f"memory grew by {grown:.1%} of at most {_MOST_GROWTH:.0%}"
    words += f"; left over: {', '.join(left) or 'nothing'}"
    sys.stdout.write(f"soak: {'ok' if ok else 'failed'}, in {arguments.host}: {words}\n")
    return 0 if ok else 1


def growth(megabytes: Sequence[float]) -> float:
    """From when it is warm to the end, as a share of what it was then."""
    warm = min(_WARM, len(megabytes) // 3)
    over = max(min(_OVER, (len(megabytes) - warm) // 2), 1)
    return median(megabytes[-over:]) / median(megabytes[warm : warm + over]) - 1


async def _run(minutes: int, host: str, console: Console) -> tuple[list[Reading], list[str]]:
    readings: list[Reading] = []
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        async with soaking(Path(folder), host) as soak:
            console.print(f"{AT_ONCE} machines at a time for {minutes} min", highlight=False)
            console.print(_line(_HEADS), highlight=False)
            end = time.monotonic() + 60 * minutes
            living = asyncio.create_task(soak.live(lambda: time.monotonic() >= end))
            for minute in range(1, minutes + 1):
                await asyncio.sleep(max(end - time.monotonic() - 60 * (minutes - minute), 0))
                readings.append(await soak.read())
                console.print(_line(_cells(minute, readings[-1])), highlight=False)
            await living
            return readings, await soak.end()


def _cells(minute: int, found: Reading) -> tuple[str, ...]:
    return (
        f"{minute}",
        f"{found.lives:,}",
        f"{found.megabytes:.1f}",
        f"{found.held * 1000:.0f}",
        f"{found.queue}",
        f"{found.age:.0f}",
        f"{found.rows}",
        f"{found.decisions:,}",
    )


def _line(cells: Sequence[str]) -> str:
    return " ".join(f"{cell:>9}" for cell in cells)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m bench.soak",
        description="Machines come and go, twelve at a time, on the whole stack; each minute shows "
        "the worker's memory, the longest hold of its event loop, the queue and the tables.",
        epilog="examples:  make soak MINUTES=60    make soak MINUTES=60 HOST=microsoft    exit "
        "code: 0 nothing grew, 1 something did or was left over, 2 no such host",
    )
    add = parser.add_argument
    add("--minutes", type=_at_least_three, default=60, metavar="N", help="how long (60)")
    add("--host", choices=NAMES, default=OURS, help="the Functions host (ours)")
    add("--json", action="store_true", help="one JSON document at the end")
    return parser


def _at_least_three(text: str) -> int:
    if (number := int(text)) < 3:
        raise argparse.ArgumentTypeError("at least 3: the first third is for warming up")
    return number


if __name__ == "__main__":
    sys.exit(main())
