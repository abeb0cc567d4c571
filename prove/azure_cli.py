"""The Azure CLI, for what no resource of ARM does: templates in Bicep, packages, log queries."""

import asyncio
from asyncio.subprocess import PIPE

from lanyard.values.errors import LanyardError


async def azure_cli(*arguments: str) -> str:
    """What `az` prints. Raises LanyardError with what it says where it fails."""
    try:
        # It keeps the files that are to be inherited: by one of them the next run waits for it.
        process = await asyncio.create_subprocess_exec(
            "az", *arguments, stdout=PIPE, stderr=PIPE, close_fds=False
        )
    except FileNotFoundError:
        raise LanyardError("the Azure CLI is needed: https://aka.ms/azure-cli") from None
    out, err = await process.communicate()
    if process.returncode:
        raise LanyardError(f"az {' '.join(arguments[:3])}: {err.decode(errors='replace').strip()}")
    return out.decode()
