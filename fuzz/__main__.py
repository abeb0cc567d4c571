"""`python -m fuzz TARGET SECONDS`: libFuzzer, led by atheris, looks for what breaks a property.

What it learnt is kept in .cache/fuzz/TARGET and read by the next run. What breaks the property is
kept by hypothesis, too: the next `pytest tests/fuzz` shows it, made as small as can be.
"""

import argparse
import random
import sys
from pathlib import Path

import atheris

from fuzz.targets import NAMES, target

CACHE = Path(__file__).parents[1] / ".cache" / "fuzz"
#: Bytes: enough for every draw of the largest property.
LONGEST = 8192
_SEEDS = 20


def main() -> None:
    """Fuzz until the time is over (exit code 0) or something is found (another one)."""
    told = _arguments()
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


def _arguments() -> argparse.Namespace:
    listed = "\n".join(f"  {name:<12} {property}" for name, property in NAMES.items())
    parser = argparse.ArgumentParser(
        prog="python -m fuzz",
        description=f"Targets, each with its property in tests/fuzz:\n{listed}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", choices=NAMES, metavar="TARGET")
    parser.add_argument("seconds", type=int, metavar="SECONDS")
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
    main()
