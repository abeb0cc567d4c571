"""The `lanyard` command, run against a deployed app.

A process of its own for each run, forked from one that has imported the command already: importing
it a hundred times would take more than all that the runs do.
"""

import asyncio
import multiprocessing
import os
import ssl
import sys
import tempfile
from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path

import aiohttp.connector

from demo import desk
from demo.stack import Stack

_PROCESSES = multiprocessing.get_context("forkserver")
_PROCESSES.set_forkserver_preload(["lanyard.cli"])


def environment(stack: Stack) -> dict[str, str]:
    shell = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "")}
    return shell | desk.environment(stack.addresses, stack.azurite)


async def lanyard(stack: Stack, *arguments: str, **more: str) -> tuple[int, str, str]:
    """What the installed entry point does: its exit code, and what it wrote."""
    return await asyncio.to_thread(_ran, arguments, environment(stack) | more)


def _ran(arguments: tuple[str, ...], variables: Mapping[str, str]) -> tuple[int, str, str]:
    with tempfile.TemporaryDirectory() as folder:
        out, err = Path(folder, "out"), Path(folder, "err")
        process = _PROCESSES.Process(target=_run, args=(arguments, variables, out, err))
        process.start()
        process.join()
        assert process.exitcode is not None
        return process.exitcode, out.read_text(), err.read_text()


def _run(arguments: tuple[str, ...], variables: Mapping[str, str], out: Path, err: Path) -> None:
    os.environ.clear()
    os.environ.update(variables)
    for descriptor, file in ((0, Path(os.devnull)), (1, out), (2, err)):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT), descriptor)
    sys.stdin, sys.stdout, sys.stderr = (open(n, mode) for n, mode in enumerate("rww"))  # noqa: SIM115
    # aiohttp reads which certificates to trust when it is imported.
    aiohttp.connector._SSL_CONTEXT_VERIFIED = ssl.create_default_context()
    sys.argv = ["lanyard", *arguments]
    (command,) = entry_points(group="console_scripts", name="lanyard")
    sys.exit(command.load()())
