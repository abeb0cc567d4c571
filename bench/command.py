"""What the command costs each time that somebody types it, beside Python that does nothing."""

import resource
import subprocess
import sys
from pathlib import Path
from statistics import median

from bench.figures import Budget, Figure, Tell
from bench.options import Options

_PROJECT = Path(__file__).parents[1]
_NOTHING = "python -c pass"
_COMMANDS = {
    _NOTHING: ("-c", "pass"),
    "lanyard --help": ("-m", "lanyard.cli", "--help"),
    "lanyard validate": ("-m", "lanyard.cli", "validate", "lanyard.yaml"),
}
_TIMES = Budget(50)
# Python that does nothing is near what the kernel can tell apart: many times are counted together.
_AT_ONCE = 10


def measure(options: Options, tell: Tell) -> list[Figure]:
    """Seconds of user CPU; the commands take turns, so that a slow moment meets them all."""
    seconds: dict[str, list[float]] = {name: [] for name in _COMMANDS}
    for number in range(options.runs + 1):
        tell(f"run {number} of {options.runs}" if number else "once to warm up")
        for name, arguments in _COMMANDS.items():
            used = _user_seconds(arguments)
            if number:
                seconds[name].append(used)
    nothing = median(seconds.pop(_NOTHING))
    return [
        Figure(
            f"{name}: user CPU ÷ {_NOTHING}",
            median(used) / nothing,
            "",
            budget=_TIMES,
            detail=f"{median(used):.3f} s by {nothing:.4f} s",
        )
        for name, used in seconds.items()
    ]


def _user_seconds(arguments: tuple[str, ...]) -> float:
    """Of one run of this Python, on the average of some."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    for _ in range(_AT_ONCE):
        subprocess.run([sys.executable, *arguments], cwd=_PROJECT, capture_output=True, check=True)  # noqa: S603 (our own command)
    return (resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before) / _AT_ONCE
