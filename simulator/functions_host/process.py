"""The Functions host as a child process, for the demo and the end-to-end tests."""

import asyncio
import json
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from simulator.child_process import ChildError, ChildProcess
from simulator.functions_host.queue_listener import VISIBILITY
from simulator.functions_host.server import REQUEST_SECONDS, STOP_SECONDS

HOST_ID = "AzureFunctionsWebHost__hostid"
"""The setting by which the host finds its own blobs again."""
_REPOSITORY = Path(__file__).parents[2]
START_SECONDS = 180
_TAIL = 4000


class HostStartError(Exception):
    """The host did not start; the text ends with what it wrote to stderr."""


class HostProcess:
    """`async with HostProcess(script_root, settings, directory) as host:`

    `settings` come over this process's environment. `directory` takes the log (`host.log`, appended
    to by every start) and the keys, which a restart therefore keeps. `message_seconds`: for so long
    a killed host's messages stay hidden. `python`: the interpreter, and with it the packages, that
    the app runs on; `home`: the folder that has the package `simulator`.

    A host that ended by itself is started again at its old port, as the platform does.
    """

    url: str
    """Base address; another one after a restart unless a port was given."""
    keys: dict[str, str]
    """`master`, `function`, `eventgrid_extension`."""
    functions: list[dict[str, str]]
    """`name` and trigger `type` of each function."""
    pid: int

    def __init__(
        self,
        script_root: Path,
        settings: Mapping[str, str],
        directory: Path,
        *,
        port: int = 0,
        message_seconds: int = VISIBILITY,
        python: Path = Path(sys.executable),
        home: Path = _REPOSITORY,
    ) -> None:
        self.log_file = directory / "host.log"
        self._script_root = script_root
        #: The app settings.
        self.settings = dict(settings)
        self._keys_file = directory / "host-keys.json"
        self._port = port
        self._message_seconds = message_seconds
        self._python, self._home = python, home
        self._child: ChildProcess | None = None
        self._watching: asyncio.Task[None] | None = None
        #: How often it was started again because it had ended by itself.
        self.ended = 0

    async def start(self) -> None:
        """Raises HostStartError where it ends, or has no function to serve."""
        try:
            await self._begin(self._port)
        except HostStartError:
            self._child = None
            raise
        self._watching = asyncio.create_task(self._watch())

    async def _begin(self, port: int) -> None:
        self.log_file.parent.mkdir(parents=True, exist_ok=True)
        before = self.log_file.stat().st_size if self.log_file.exists() else 0
        with self.log_file.open("ab") as log:
            child = self._child = await ChildProcess.start(
                self._command(port),
                environment={**os.environ, HOST_ID: "lanyard", **self.settings},
                directory=self._home,
                stderr=log,
            )
        try:
            await child.wait_until(self._read_ready_line, START_SECONDS)
        except ChildError as error:
            said = self.log_file.read_bytes()[before:].decode(errors="replace")[-_TAIL:]
            raise HostStartError(f"the Functions host {error}\n{said}") from None

    async def _watch(self) -> None:
        """Start it again where it ended by itself, as often as that takes."""
        port = urlsplit(self.url).port or 0
        while (child := self._child) is not None:
            await child.wait()
            await child.kill()  # lets go of its pipes
            self.ended += 1
            with suppress(HostStartError):
                await self._begin(port)

    async def stop(self) -> int:
        """SIGTERM; running invocations may end. Returns the exit code."""
        return await self._taken().stop(REQUEST_SECONDS + STOP_SECONDS + 5)

    async def kill(self) -> int:
        """SIGKILL: what was being processed is left as it is. Returns the exit code (negative)."""
        return await self._taken().kill()

    async def restart(self) -> None:
        """Start again with the same keys; what still runs is stopped first."""
        await self.__aexit__(None, None, None)
        await self.start()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self.running:
            await self.stop()

    @property
    def running(self) -> bool:
        """Whether there is one to stop."""
        return self._child is not None

    def _taken(self) -> ChildProcess:
        if self._child is None:
            raise RuntimeError("the Functions host is not running")
        if self._watching is not None:
            self._watching.cancel()
        child, self._child, self._watching = self._child, None, None
        return child

    def _command(self, port: int) -> list[str]:
        return [
            *(str(self._python), "-m", "simulator.functions_host", "--stop-at-eof"),
            *("--script-root", str(self._script_root.resolve()), "--port", str(port)),
            *("--keys", str(self._keys_file.resolve())),
            *("--message-seconds", str(self._message_seconds)),
        ]

    def _read_ready_line(self, line: str) -> bool:
        try:
            ready = json.loads(line)
        except ValueError:
            return False
        self.url, self.keys, self.pid = ready["url"], ready["keys"], ready["pid"]
        self.functions = ready["functions"]
        return True
