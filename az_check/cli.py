"""The Azure CLI as separate processes, each session with a configuration folder of its own."""

import asyncio
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from az_check.command import Result

PROJECT = Path(__file__).parents[1]
AZ = PROJECT / ".venv-az" / "bin" / "az"
_TIMEOUT_SECONDS = 120


@dataclass(frozen=True)
class Cli:
    """`directory` holds the sessions; `proxy` is where every request that leaves loopback goes."""

    directory: Path
    ca_file: str
    proxy: str

    async def run(self, arguments: list[str], session: str, extra: Mapping[str, str]) -> Result:
        """Run one command to its end. `extra`: variables that only this session has."""
        started = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            AZ,
            *arguments,
            "--only-show-errors",
            env={**self._environment(session), **extra},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_TIMEOUT_SECONDS):
                stdout, stderr = await process.communicate()
        except TimeoutError:
            process.kill()
            stdout, stderr = await process.communicate()
            stderr += f"\nstopped after {_TIMEOUT_SECONDS} s".encode()
        code = await process.wait()
        return Result(code, stdout.decode(), stderr.decode(), time.monotonic() - started)

    def _environment(self, session: str) -> dict[str, str]:
        """Nothing of the caller's: no other cloud's sign-in, no settings, no proxy."""
        home = self.directory / session
        home.mkdir(exist_ok=True)
        return {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "AZURE_CONFIG_DIR": str(home / "azure"),
            "AZURE_EXTENSION_USE_DYNAMIC_INSTALL": "no",
            "AZURE_CORE_COLLECT_TELEMETRY": "false",
            "AZURE_CORE_NO_COLOR": "true",
            "AZURE_CORE_OUTPUT": "json",
            "REQUESTS_CA_BUNDLE": self.ca_file,
            "HTTP_PROXY": self.proxy,
            "HTTPS_PROXY": self.proxy,
            "NO_PROXY": "127.0.0.1",
        }
