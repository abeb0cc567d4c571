"""Azurite, Microsoft's storage emulator, as a child process: blobs, queues and tables over TLS.

It takes bearer tokens only from callers here. Its `--oauth basic` checks a token's issuer (prefix
`https://sts.windows.net/`), audience (`https://storage.azure.com`), `nbf`, `iat` and `exp`, not the
signature (QueueTokenAuthenticator in its sources).
"""

import os
import re
from asyncio.subprocess import STDOUT
from pathlib import Path
from types import TracebackType
from typing import Self

from simulator.certificates import Certificates
from simulator.child_process import ChildError, ChildProcess

_HERE = Path(__file__).parent
_NODE = _HERE.parents[1] / ".venv" / "node" / "node"
_LISTENING = re.compile(r"Azurite (Blob|Queue|Table) service is successfully listening at (\S+)")
START_SECONDS = 120
_STOP_SECONDS = 5


class AzuriteError(Exception):
    """Azurite is not installed or did not start; the text holds its output."""


class Azurite:
    """`async with Azurite(certificates) as azurite:` on free ports of loopback.

    Everything is kept in memory and gone at the end, unless `location` names a folder.
    """

    account = "devstoreaccount1"

    def __init__(self, certificates: Certificates, *, location: Path | None = None) -> None:
        self._certificates = certificates
        self._location = location
        self._services: dict[str, str] = {}
        self._child: ChildProcess | None = None

    @property
    def blob_url(self) -> str:
        """The account's blob endpoint, e.g. https://127.0.0.1:40001/devstoreaccount1."""
        return self._url("Blob")

    @property
    def queue_url(self) -> str:
        return self._url("Queue")

    @property
    def table_url(self) -> str:
        return self._url("Table")

    @property
    def pid(self) -> int:
        if self._child is None:
            raise RuntimeError("Azurite is not running")
        return self._child.pid

    async def start(self) -> None:
        """Raises AzuriteError."""
        if not _NODE.exists() or not (_HERE / "node_modules").exists():
            raise AzuriteError("Azurite is not installed: run `make setup`")
        self._services.clear()
        self._child = await ChildProcess.start(
            self._command(),
            environment={k: v for k, v in os.environ.items() if not k.startswith("AZURITE_")},
            directory=_HERE,
            stderr=STDOUT,
        )
        try:
            await self._child.wait_until(self._read_line, START_SECONDS)
        except ChildError as error:
            said, self._child = "\n".join(self._child.tail), None
            raise AzuriteError(f"Azurite {error}\n{said}") from None

    async def stop(self) -> None:
        if self._child is not None:
            child, self._child = self._child, None
            await child.stop(_STOP_SECONDS)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()

    def _url(self, service: str) -> str:
        if service not in self._services:
            raise RuntimeError("Azurite is not running")
        return f"{self._services[service]}/{self.account}"

    def _read_line(self, line: str) -> bool:
        if found := _LISTENING.search(line):
            self._services[found[1]] = found[2]
        return len(self._services) == 3

    def _command(self) -> list[str]:
        script = _HERE / "node_modules" / "azurite" / "dist" / "src" / "azurite.js"
        keep = ["--location", str(self._location.resolve())] if self._location else None
        return [
            *(str(_NODE), "--require", str(_HERE / "exit_with_parent.cjs"), str(script)),
            *("--blobPort", "0", "--queuePort", "0", "--tablePort", "0"),
            *("--cert", str(self._certificates.cert_file.resolve())),
            *("--key", str(self._certificates.key_file.resolve())),
            *("--oauth", "basic", "--skipApiVersionCheck", "--disableTelemetry", "--silent"),
            *(keep or ["--inMemoryPersistence"]),
        ]
