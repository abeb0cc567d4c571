"""The installed `lanyard`, run against a deployed app, or against an Azure alone."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from demo import desk
from demo.hosts import PROJECT
from demo.stack import Stack
from simulator.serve import Addresses

LANYARD = Path(sys.executable).parent / "lanyard"


def environment(stack: Stack) -> dict[str, str]:
    shell = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "")}
    return shell | desk.environment(stack.addresses, stack.azurite)


def signed_in(addresses: Addresses) -> dict[str, str]:
    """The environment of whoever works as the operator of an Azure that is served."""
    return {
        "LANYARD_ARM_ENDPOINT": addresses.arm,
        "LANYARD_ARM_AUDIENCE": "https://management.azure.com",
        "LANYARD_GRAPH_ENDPOINT": addresses.graph,
        "LANYARD_GRAPH_AUDIENCE": "https://graph.microsoft.com",
        "SSL_CERT_FILE": str(addresses.certificates.ca_file),
        "IDENTITY_ENDPOINT": addresses.identity_endpoint,
        "IDENTITY_HEADER": addresses.operator.identity_header,
    }


async def lanyard_of(
    addresses: Addresses, folder: Path, *arguments: str, **more: str
) -> tuple[int, str, str]:
    """In the folder, against that Azure: exit code, output, errors. `more` of the environment."""
    shell = {"PATH": os.environ["PATH"], "HOME": str(folder)}
    return await _ran(folder, shell | signed_in(addresses) | more, *arguments)


async def lanyard(stack: Stack, *arguments: str, **more: str) -> tuple[int, str, str]:
    return await _ran(None, environment(stack) | more, *arguments)


async def _ran(
    folder: Path | None, environment: dict[str, str], *arguments: str
) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        LANYARD,
        *arguments,
        cwd=folder,
        env=environment,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


class ForkedCommand:
    """`lanyard` without the second that each process takes to import it; one call at a time.

    `server`: a tests.support.command_server. `out` and `err`: files for what a call prints.
    """

    def __init__(self, server: asyncio.subprocess.Process, out: Path, err: Path) -> None:
        self._server, self._out, self._err = server, out, err

    async def run(self, *arguments: str, **more: str) -> tuple[int, str, str]:
        """Exit code, output, errors; `more` of the environment."""
        call = {
            "arguments": arguments,
            "environment": more,
            "out": str(self._out),
            "err": str(self._err),
        }
        assert self._server.stdin is not None
        assert self._server.stdout is not None
        self._server.stdin.write(json.dumps(call).encode() + b"\n")
        code = int(await self._server.stdout.readline())
        return code, self._out.read_text(), self._err.read_text()


@asynccontextmanager
async def forked_command(stack: Stack, folder: Path, name: str) -> AsyncIterator[ForkedCommand]:
    """One that is ready, until its context is left; its files in the folder have this name. aiohttp
    reads which certificates to trust when it is imported: the stack's, for all calls.
    """
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.support.command_server"),
        cwd=PROJECT,
        env=environment(stack),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield ForkedCommand(server, folder / f"{name}.out", folder / f"{name}.err")
    finally:
        assert server.stdin is not None
        server.stdin.close()
        await server.wait()
