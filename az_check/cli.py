"""The Azure CLI as separate processes, each session with a configuration folder of its own."""

import asyncio
import json
import os
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from az_check.azure import PROJECT
from az_check.command import Result
from az_check.environment import client_variables
from az_check.outside import Outside

AZ = PROJECT / ".venv-az" / "bin" / "az"
_TIMEOUT_SECONDS = 120


def _pinned() -> str:
    text = (PROJECT / "az_check" / "requirements.in").read_text("utf-8")
    match = re.search(r"^azure-cli==(\S+)$", text, re.MULTILINE)
    assert match is not None
    return match[1]


#: The CLI's version, as requirements.in pins it.
VERSION = _pinned()


@dataclass(frozen=True)
class Cli:
    """`directory` holds the sessions; whatever would leave loopback goes to `outside`."""

    directory: Path
    ca_file: str
    outside: Outside

    async def run(self, arguments: list[str], session: str, extra: Mapping[str, str]) -> Result:
        """Run one command to its end. `extra`: variables that only this session has."""
        started, asked = time.monotonic(), len(self.outside.asked)
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
            stdout, stderr = b"", f"stopped after {_TIMEOUT_SECONDS} s".encode()
        finally:
            if process.returncode is None:
                process.kill()
        code = await process.wait()
        return Result(
            code,
            stdout.decode(),
            stderr.decode(),
            time.monotonic() - started,
            tuple(self.outside.asked[asked:]),
        )

    def _environment(self, session: str) -> dict[str, str]:
        """Nothing of the caller's: no other cloud's sign-in, no settings, no proxy."""
        home = self.directory / session
        if not home.exists():
            _make_home(home)
        return client_variables(self.ca_file, home / "azure") | {
            "PATH": os.environ.get("PATH", ""),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "AZURE_CORE_NO_COLOR": "true",
            "AZURE_CORE_OUTPUT": "json",
            "HTTP_PROXY": self.outside.url,
            "HTTPS_PROXY": self.outside.url,
        }


def _make_home(home: Path) -> None:
    """A new session's folder, with the CLI's own note that it looked for updates just now.

    Without it the first command of a session asks the internet for the newest version.
    """
    (home / "azure").mkdir(parents=True)
    versions = {name: {"local": VERSION} for name in ("azure-cli", "core")}
    note = {"versions": versions, "update_time": f"{datetime.now():%Y-%m-%d %H:%M:%S.%f}"}
    (home / "azure" / "versionCheck.json").write_text(json.dumps(note), "utf-8")
