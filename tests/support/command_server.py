"""`python -m tests.support.command_server`: runs `lanyard` as the installed script does, each call
in a process of its own, which is forked from this one and so has imported all of it already.

A line of its input is a call as JSON (`arguments`, `environment`: what differs from this one's, and
the files `out` and `err`); the line that it answers with is the exit code.
"""

import gc
import json
import os
import pkgutil
import sys
from importlib import import_module
from typing import Any

import lanyard
from lanyard.cli import main


def serve() -> None:
    for module in pkgutil.walk_packages(lanyard.__path__, "lanyard."):
        if not module.name.endswith(".__main__"):
            import_module(module.name)
    gc.freeze()
    for line in sys.stdin:
        if not (child := os.fork()):
            _become(json.loads(line))
            sys.exit(main())
        _, status = os.waitpid(child, 0)
        sys.stdout.write(f"{os.waitstatus_to_exitcode(status)}\n")
        sys.stdout.flush()


def _become(call: dict[str, Any]) -> None:
    """The process that a shell would have started."""
    os.environ.update(call["environment"])
    sys.argv = ["lanyard", *call["arguments"]]
    for number, name in ((0, os.devnull), (1, call["out"]), (2, call["err"])):
        opened = os.open(
            name, os.O_RDONLY if number == 0 else os.O_WRONLY | os.O_CREAT | os.O_TRUNC
        )
        os.dup2(opened, number)
        os.close(opened)


if __name__ == "__main__":
    serve()
