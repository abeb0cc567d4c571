"""`python -m fuzz TARGET SECONDS`: libFuzzer, led by atheris, looks for what breaks a property.

Exit code 0 when nothing was found.

What it learnt is kept in .cache/fuzz/TARGET and read by the next run. What breaks the property is
kept by hypothesis, too: the next `pytest tests/fuzz` shows it, made as small as can be.
"""

import argparse
import random
import subprocess
import sys
from pathlib import Path
from typing import NoReturn

import atheris

from fuzz.targets import DIFF, HISTORIES, NAMES, target

CACHE = Path(__file__).parents[1] / ".cache" / "fuzz"
#: Bytes: enough for every draw of the largest property.
LONGEST = 8192
_SEEDS = 20


def main() -> int:
    """Fuzz until the time is over (exit code 0) or something is found (another one)."""
    told = _arguments()
    if told.target == DIFF:
        return _differences()
    if told.target != HISTORIES or told.as_it_is:
        _fuzz(told)
    account = _histories(told.seconds)
    sys.stdout.write(f"{account}\n")
    return 1 if account else 0


def _differences() -> int:
    from fuzz.differences import by_chance  # imports the product, not instrumented

    account = by_chance()
    sys.stdout.write(f"{account}\n")
    return 1 if account else 0


def _histories(seconds: int) -> str:
    """The account of the first that fails; "" for none."""
    from fuzz.histories import by_chance, smallest  # imports the product, not instrumented

    if account := by_chance(seconds / 2):
        return account
    # libFuzzer ends its process with what it finds: this one makes that small.
    again = [sys.executable, "-m", "fuzz", HISTORIES, str(seconds // 2), "--as-it-is"]
    failed = subprocess.run(again, check=False).returncode != 0  # noqa: S603
    return smallest() if failed else ""


def _fuzz(told: argparse.Namespace) -> NoReturn:
    """Ends the process."""
    with atheris.instrument_imports(include=["lanyard", "handlers"]):
        consume = target(told.target)
    corpus = _corpus(told.target)
    options = [
        f"-max_total_time={told.seconds}",
        f"-max_len={LONGEST}",
        f"-artifact_prefix={CACHE}/{told.target}-",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, str(corpus)], consume)
    atheris.Fuzz()
    raise AssertionError("libFuzzer ends the process")


def _arguments() -> argparse.Namespace:
    listed = "\n".join(f"  {name:<12} {property}" for name, property in NAMES.items())
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        description=f"Targets, each with its property in tests/fuzz or fuzz:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", choices=NAMES, metavar="TARGET")
    parser.add_argument("seconds", type=int, metavar="SECONDS")
    parser.add_argument("--as-it-is", action="store_true", help="do not make small what is found")
    return parser.parse_args()


def _corpus(name: str) -> Path:
    """From nothing, libFuzzer takes long to find out that a property wants many bytes."""
    folder = CACHE / name
    folder.mkdir(parents=True, exist_ok=True)
    dice = random.Random(name)
    for number in range(_SEEDS):
        (folder / f"seed-{number}").write_bytes(dice.randbytes(LONGEST >> number % 5))
    return folder


if __name__ == "__main__":
    sys.exit(main())
