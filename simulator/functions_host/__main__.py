"""`python -m simulator.functions_host --script-root DIR [--port N] [--keys FILE]`"""

import argparse
import asyncio
import os
import sys
from pathlib import Path

from simulator.functions_host.errors import HostFailure, StartError
from simulator.functions_host.host import Options, run_host
from simulator.functions_host.queue_listener import VISIBILITY


def parse_options() -> Options:
    parser = argparse.ArgumentParser(
        prog="python -m simulator.functions_host",
        description="Runs an Azure Functions app by Microsoft's worker library. "
        "Prints one JSON line when it is ready; logs go to stderr.",
    )
    parser.add_argument(
        "--script-root", type=Path, required=True, help="folder of function_app.py and host.json"
    )
    parser.add_argument("--port", type=int, default=0, help="on 127.0.0.1; default: a free one")
    parser.add_argument("--keys", type=Path, help="JSON file of the keys; made when missing")
    parser.add_argument(
        "--stop-at-eof", action="store_true", help="stop when stdin ends, as after SIGTERM"
    )
    parser.add_argument(
        "--message-seconds",
        type=int,
        default=VISIBILITY,
        help="how long a queue message is taken for, and thus hidden after a crash (600 in Azure)",
    )
    given = parser.parse_args()
    keys = given.keys.resolve() if given.keys else None
    return Options(
        given.script_root.resolve(), given.port, keys, given.stop_at_eof, given.message_seconds
    )


def main() -> int:
    options = parse_options()
    # stdout carries the ready line and nothing else: what the app prints belongs to the log.
    ready, sys.stdout = sys.stdout, sys.stderr
    try:
        asyncio.run(run_host(options, ready))
    except (StartError, OSError) as error:
        print(f"the Functions host did not start: {error}", file=sys.stderr)
        return 1
    except HostFailure as failure:
        print(f"the Functions host ended: {failure}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    # Not sys.exit: it would wait for threads of synchronous functions that outlived the stop.
    os._exit(code)
