"""The installed `lanyard`, run against a deployed app, or against an Azure alone."""

import asyncio
import os
import sys
from pathlib import Path

from demo import desk
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
