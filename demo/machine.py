"""Runs the workload as if on a virtual machine: a process whose IMDS is that machine's."""

import asyncio
import json
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from simulator.serve import Addresses

_PROJECT = Path(__file__).parents[1]


class Workload:
    """One running program on one machine."""

    def __init__(self, process: Process) -> None:
        self._process = process

    async def read(self, url: str) -> dict[str, Any]:
        """Let it read a blob; `status`, and `text` or `code`."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(f"read {url}\n".encode())
        await self._process.stdin.drain()
        answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
        return answer


@asynccontextmanager
async def workload_on(machine_id: str, addresses: Addresses) -> AsyncIterator[Workload]:
    """The workload, running on the machine while the context is open."""
    environment = {
        **os.environ,
        "AZURE_POD_IDENTITY_AUTHORITY_HOST": addresses.imds(machine_id),
        "CA_FILE": str(addresses.certificates.ca_file),
    }
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "demo.workload"),
        stdin=PIPE,
        stdout=PIPE,
        env=environment,
        cwd=_PROJECT,
    )
    try:
        yield Workload(process)
    finally:
        assert process.stdin is not None
        process.stdin.close()
        await process.wait()
