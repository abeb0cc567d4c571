"""`python -m bench.probe FOLDER`: load the app in FOLDER in the worker library, once.

Prints one line of JSON: `seconds` for import and indexing, `megabytes` that the process took at
most. It is a process of its own so that nothing is imported before.
"""

import asyncio
import json
import os
import resource
import sys
import time
from pathlib import Path

from simulator.functions_host import worker
from simulator.functions_host.settings import Settings


def main() -> int:
    """0; whatever keeps the app from loading is raised."""
    folder = Path(sys.argv[1]).resolve()
    os.chdir(folder)
    started = time.perf_counter()
    functions = asyncio.run(worker.load_app(folder, Settings(dict(os.environ))))
    seconds = time.perf_counter() - started
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024  # KiB on Linux
    sys.stdout.write(json.dumps({"seconds": seconds, "megabytes": peak}) + "\n")
    return 0 if functions else 1


if __name__ == "__main__":
    # Threads of the worker library would keep the process.
    code = main()
    sys.stdout.flush()
    os._exit(code)
