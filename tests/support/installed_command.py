"""The installed `lanyard`, run against a deployed app."""

import asyncio
import os
import sys
from pathlib import Path

from demo import desk
from demo.stack import Stack

LANYARD = Path(sys.executable).parent / "lanyard"


def environment(stack: Stack) -> dict[str, str]:
    shell = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "")}
    return shell | desk.environment(stack.addresses, stack.azurite)


async def lanyard(stack: Stack, *arguments: str, **more: str) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        LANYARD,
        *arguments,
        env=environment(stack) | more,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()
