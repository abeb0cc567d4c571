"""`python -m bench.probe FOLDER`: load the app in FOLDER in the worker library, once.

Prints one line of JSON: `seconds` for import and indexing, `megabytes` that the process took at
most. It is a process of its own so that nothing is imported before.
"""

import asyncio
import json
import os
import sys
import time
from pathlib import Path

from simulator.functions_host import worker


def main() -> int:
    """0; whatever keeps the app from loading is raised."""
    folder = Path(sys.argv[1]).resolve()
    os.chdir(folder)
    started = time.perf_counter()
    functions = asyncio.run(worker.load_app(folder))
    seconds = time.perf_counter() - started
    sys.stdout.write(json.dumps({"seconds": seconds, "megabytes": _peak_megabytes()}) + "\n")
    return 0 if functions else 1


def _peak_megabytes() -> float:
    """This program's own. Not getrusage's ru_maxrss: that outlives exec, so that it would tell of
    whoever started this.
    """
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) / 1024  # KiB


if __name__ == "__main__":
    # Threads of the worker library would keep the process.
    code = main()
    sys.stdout.flush()
    os._exit(code)
