"""`python -m simulator` as a process of its own, and the sessions that sign in to it."""

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

PROJECT = Path(__file__).parents[1]
_START_SECONDS = 30
_STOP_SECONDS = 10


class NotStarted(Exception):
    """The local Azure ended, or said nothing, before it was ready."""


@dataclass(frozen=True)
class LocalAzure:
    """What it printed when it was ready (docs/dev/az-on-the-local-azure.md)."""

    printed: Mapping[str, Any]

    @property
    def names(self) -> dict[str, str]:
        """What commands may use as `$name` from the start."""
        subscription = self.printed["subscriptions"][0]
        return {
            "arm": self.printed["arm"],
            "metadata": self.printed["metadata"],
            "subscription": subscription,
            "tenant": self.printed["tenantId"],
            "operator": self.printed["operator"]["objectId"],
            "groups": f"/subscriptions/{subscription}/resourceGroups",
        }

    @property
    def ca_file(self) -> str:
        """What clients have to trust."""
        return str(self.printed["caFile"])

    def sign_in(self, machine_id: str | None) -> dict[str, str]:
        """The variables by which `az login --identity` finds its token endpoint.

        The operator's is App Service's; on a machine it is IMDS, as seen from there.
        """
        if machine_id is not None:
            return {
                "AZURE_POD_IDENTITY_AUTHORITY_HOST": f"{self.printed['metadata']}/imds{machine_id}"
            }
        operator = self.printed["operator"]
        return {
            "IDENTITY_ENDPOINT": operator["identityEndpoint"],
            "IDENTITY_HEADER": operator["identityHeader"],
        }

    @asynccontextmanager
    async def behaving(self, behaviour: Mapping[str, float]) -> AsyncIterator[None]:
        """Flip switches of its behaviour while the context is open (simulator/control.py)."""
        before = (await self.control("PATCH", "switches", {}))["behaviour"]
        await self.control("PATCH", "switches", {"behaviour": behaviour})
        yield
        kept = {name: before[name] for name in behaviour}
        await self.control("PATCH", "switches", {"behaviour": kept})

    async def advance(self, seconds: float) -> None:
        """Move its clock on: the work that is due by then ends."""
        await self.control("POST", "clock", {"advance": seconds})

    async def control(self, method: str, path: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """One request to its control endpoint; the answer."""
        key = {"authorization": f"Bearer {self.printed['operator']['identityHeader']}"}
        async with httpx.AsyncClient(headers=key, trust_env=False) as http:
            answer = await http.request(method, f"{self.printed['control']}/{path}", json=body)
        told: dict[str, Any] = answer.raise_for_status().json()
        return told


@asynccontextmanager
async def running(directory: Path) -> AsyncIterator[LocalAzure]:
    """Start it, and stop it at the end. Raises NotStarted."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulator", "--operation-seconds", "0"),
        *("--state-dir", directory),
        cwd=PROJECT,
        env=os.environ | {"PYTHONPATH": str(PROJECT)},
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield LocalAzure(await _printed(process))
    finally:
        await _stop(process)


async def _printed(process: asyncio.subprocess.Process) -> Mapping[str, Any]:
    assert process.stdout is not None
    try:
        async with asyncio.timeout(_START_SECONDS):
            line = await process.stdout.readline()
    except TimeoutError:
        raise NotStarted(f"the local Azure said nothing for {_START_SECONDS} s") from None
    if not line:
        raise NotStarted("the local Azure ended before it was ready")
    printed: Mapping[str, Any] = json.loads(line)
    return printed


async def _stop(process: asyncio.subprocess.Process) -> None:
    if process.returncode is not None:
        return
    process.terminate()
    try:
        async with asyncio.timeout(_STOP_SECONDS):
            await process.wait()
    except TimeoutError:
        process.kill()
        await process.wait()
