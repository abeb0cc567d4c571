"""What a new instance costs before its first event: the app imported and indexed by the worker."""

import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from statistics import median

from bench.figures import Budget, Figure, Tell
from bench.options import Options

_PROJECT = Path(__file__).parents[1]
APPS = {
    "Lanyard": _PROJECT,
    "empty": _PROJECT / "bench" / "apps" / "empty",
    "baseline": _PROJECT / "bench" / "apps" / "tutorial",
}


@dataclass(frozen=True)
class Run:
    """One process: `loading` is import and indexing, `whole` from its start to its end."""

    loading: float
    whole: float
    megabytes: float


def measure(options: Options, tell: Tell) -> list[Figure]:
    """Medians; the three apps take turns, so that a slow moment of this computer meets them all."""
    runs: dict[str, list[Run]] = {name: [] for name in APPS}
    for number in range(options.runs + 1):
        tell(f"run {number} of {options.runs}, three apps" if number else "once to warm up")
        for name, folder in APPS.items():
            run = load(folder)
            if number:
                runs[name].append(run)
    loading = {name: median(run.loading for run in found) for name, found in runs.items()}
    whole = {name: median(run.whole for run in found) for name, found in runs.items()}
    megabytes = {name: median(run.megabytes for run in found) for name, found in runs.items()}
    return [
        _ratio("cold start: import and indexing ÷ an empty app", loading, "s", Budget(1.6)),
        _ratio("cold start: the whole process ÷ an empty app", whole, "s"),
        _ratio("cold start: peak memory ÷ an empty app", megabytes, "MB", Budget(1.6)),
    ]


def _ratio(name: str, of: dict[str, float], unit: str, budget: Budget | None = None) -> Figure:
    shown = ", ".join(f"{app} {value:,.3g} {unit}" for app, value in of.items())
    return Figure(
        name, of["Lanyard"] / of["empty"], "", of["baseline"] / of["empty"], budget, shown
    )


def load(folder: Path) -> Run:
    """One process that loads the app in `folder`. Raises RuntimeError where it does not load."""
    started = time.perf_counter()
    done = subprocess.run(  # noqa: S603 (our own module and folders)
        [sys.executable, "-m", "bench.probe", str(folder)],
        cwd=_PROJECT,
        env={**os.environ, "PYTHONPATH": str(_PROJECT), **SETTINGS},
        capture_output=True,
        check=False,
    )
    whole = time.perf_counter() - started
    if done.returncode:
        raise RuntimeError(f"{folder} does not load:\n{done.stderr.decode()[-2000:]}")
    found = json.loads(done.stdout)
    return Run(found["seconds"], whole, found["megabytes"])


#: Enough for the app to load; nothing is called.
SETTINGS = {
    "AZURE_CLIENT_ID": "00000000-0000-0000-0000-000000000001",
    "LANYARD_PRINCIPAL_ID": "00000000-0000-0000-0000-000000000002",
    "LANYARD_INSTALLATION": "00000000-0000-0000-0000-000000000003",
    "AzureWebJobsStorage__accountName": "none",
    "LANYARD_POLICY": "demo/lanyard.yaml",
}
