"""Microsoft's own Functions host as a child process, with the face of ours.

It is no package of a registry: `../shared/tools` beside the project has it ready to run, with a
worker for Python 3.13. What it does is written down in `../shared/host`.
"""

import asyncio
import hashlib
import json
import os
import secrets
import signal
import socket
import ssl
import subprocess
import sys
from asyncio.subprocess import DEVNULL, Process
from collections.abc import Mapping
from contextlib import suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx

from simulator.functions_host.process import HOST_ID, HostProcess, HostStartError

_REPOSITORY = Path(__file__).parents[2]
#: What a person has to unpack by hand nowhere: it is done once, and kept here.
_CACHE = _REPOSITORY / ".cache" / "functions-host"
_TOOLS = _REPOSITORY.parent / "shared" / "tools"
_ARCHIVE = "functions-host.tar.xz"
_START_SECONDS = 600.0
#: The host lets go of what it has in hand ten seconds after SIGTERM.
_STOP_SECONDS = 20.0
_LOOK_SECONDS = 0.2
_TAIL = 6000
_HOST_ID = "lanyard"
_EVENT_GRID = "eventgrid_extension"


class NoMicrosoftHost(Exception):
    """There is none on this machine; the text says what was looked for."""


def missing(tools: Path = _TOOLS) -> str:
    """Why Microsoft's host cannot be run here; "" where it can."""
    archive = tools / _ARCHIVE
    if not archive.is_file():
        return f"Microsoft's Functions host is not at hand: no {_ARCHIVE} in ../shared/tools"
    if sys.platform != "linux":
        return f"Microsoft's Functions host is for Linux here, and this is {sys.platform}"
    if find_spec("grpc") is None:
        return "the worker of Microsoft's Functions host needs grpcio: run `make host`"
    return ""


def unpacked(tools: Path = _TOOLS) -> Path:
    """The folder of the host; unpacked at the first call (some seconds). Raises NoMicrosoftHost."""
    if reason := missing(tools):
        raise NoMicrosoftHost(reason)
    archive = tools / _ARCHIVE
    with archive.open("rb") as content:
        digest = hashlib.file_digest(content, "sha256").hexdigest()
    folder = _CACHE / digest[:16]
    if not folder.is_dir():
        # Several may do so at once: who is first gives it its name.
        part = folder.with_name(f"{folder.name}.{os.getpid()}")
        part.mkdir(parents=True)
        subprocess.run(["tar", "xJf", archive, "-C", part], check=True)  # noqa: S603, S607
        with suppress(OSError):
            part.rename(folder)
    return folder / "functions-host"


class MicrosoftHost(HostProcess):
    """As HostProcess. It is started again where it ends by itself, as the platform does; a killed
    one's messages stay hidden for the ten minutes that it asks storage for, whatever was said.
    """

    def __init__(
        self,
        script_root: Path,
        settings: Mapping[str, str],
        directory: Path,
        *,
        port: int = 0,
        python: Path = Path(sys.executable),
        tools: Path = _TOOLS,
    ) -> None:
        super().__init__(script_root, settings, directory, port=port, python=python)
        self._folder, self._tools = unpacked(tools), tools
        self._home = directory.resolve() / "functions-host"
        self._process: Process | None = None
        self._watching: asyncio.Task[None] | None = None
        #: How often it was started again because it had ended by itself.
        self.ended = 0

    async def start(self) -> None:
        """Raises HostStartError where it ends, or has nothing to serve, within ten minutes."""
        self._port = self._port or free_port()
        self.url, self.keys = f"http://127.0.0.1:{self._port}", await self._written_keys()
        before = self.log_file.stat().st_size if self.log_file.exists() else 0
        await self._launch()
        try:
            async with asyncio.timeout(_START_SECONDS):
                self.functions = await self._served()
        except (TimeoutError, HostStartError) as error:
            await self.kill()
            said = self.log_file.read_bytes()[before:].decode(errors="replace")[-_TAIL:]
            raise HostStartError(
                f"Microsoft's Functions host did not start: {error}\n{said}"
            ) from None
        self._watching = asyncio.create_task(self._watch())

    async def stop(self) -> int:
        """SIGTERM; what is in hand may end within ten seconds. Returns the exit code."""
        return await self._end(signal.SIGTERM, _STOP_SECONDS)

    async def kill(self) -> int:
        """SIGKILL of the host and its worker. Returns the exit code (negative)."""
        return await self._end(signal.SIGKILL, _STOP_SECONDS)

    async def version(self) -> str:
        """Which one it is, by its own account."""
        return str((await self._asked("/admin/host/status"))["version"])

    @property
    def running(self) -> bool:
        """Whether there is one to stop."""
        return self._process is not None

    async def _launch(self) -> None:
        self._home.mkdir(parents=True, exist_ok=True)
        with self.log_file.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                str(self._folder / "host" / "Microsoft.Azure.WebJobs.Script.WebHost"),
                cwd=self._folder / "host",
                env=self._environment(),
                stdin=DEVNULL,
                stdout=log,
                stderr=log,
                # Its worker outlives it otherwise.
                start_new_session=True,
            )
        self.pid = self._process.pid

    async def _watch(self) -> None:
        """Start it again where it ended by itself."""
        while self._process is not None:
            await self._process.wait()
            self.ended += 1
            await self._launch()

    async def _end(self, how: signal.Signals, seconds: float) -> int:
        process, self._process = self._process, None
        if process is None:
            raise RuntimeError("the Functions host is not running")
        if self._watching is not None:
            self._watching.cancel()
            self._watching = None
        if process.returncode is None:
            _signal(process.pid, how)
        try:
            code = await asyncio.wait_for(process.wait(), seconds)
        except TimeoutError:
            _signal(process.pid, signal.SIGKILL)
            code = await process.wait()
        _signal(process.pid, signal.SIGKILL)  # what of its session is left
        return code

    async def _served(self) -> list[dict[str, str]]:
        """The functions, once it runs and has some: its `ping` answers long before."""
        process = self._process
        assert process is not None
        while process.returncode is None:
            with suppress(httpx.HTTPError, KeyError, ValueError):
                if (await self._asked("/admin/host/status"))["state"] == "Running":
                    found = await self._asked("/admin/functions")
                    if found:
                        return [_function(each) for each in found]
            await asyncio.sleep(_LOOK_SECONDS)
        raise HostStartError(f"it ended, exit code {process.returncode}")

    async def _asked(self, path: str) -> Any:
        async with httpx.AsyncClient(trust_env=False) as http:
            answer = await http.get(
                f"{self.url}{path}", headers={"x-functions-key": self.keys["master"]}
            )
            answer.raise_for_status()
            return answer.json()

    def _environment(self) -> dict[str, str]:
        """Nothing of this process's own: a CONTAINER_NAME makes it believe that it is in Azure."""
        home, folder = str(self._home), self._folder
        return {
            "PATH": "/usr/bin:/bin",
            "HOME": home,
            "TMPDIR": home,
            "DOTNET_SYSTEM_GLOBALIZATION_INVARIANT": "1",
            "AzureWebJobsScriptRoot": str(self._script_root.resolve()),
            "FUNCTIONS_WORKER_RUNTIME": "python",
            "FUNCTIONS_EXTENSION_VERSION": "~4",
            "languageWorkers__workersDirectory": str(self._tools / "workers"),
            "languageWorkers__python__defaultExecutablePath": str(self._python),
            "AzureFunctionsJobHost__extensionBundle__downloadPath": str(folder / "bundles"),
            "AzureFunctionsJobHost__logging__console__isEnabled": "true",
            HOST_ID: _HOST_ID,
            "ASPNETCORE_URLS": self.url,
            "WEBSITE_HOSTNAME": f"127.0.0.1:{self._port}",
            **self.settings,
        }

    async def _written_keys(self) -> dict[str, str]:
        """Its keys, in the blob where it looks for them: made once, so that nothing has to be asked
        for. As the app's own identity, as the host itself reads them.
        """
        if self._keys_file.exists():
            keys: dict[str, str] = json.loads(self._keys_file.read_text())
            return keys
        keys = {name: secrets.token_urlsafe(40) for name in ("master", "function", _EVENT_GRID)}
        url = f"{self.settings['AzureWebJobsStorage__blobServiceUri']}/azure-webjobs-secrets"
        trusted = ssl.create_default_context(cafile=self.settings["SSL_CERT_FILE"])
        async with httpx.AsyncClient(trust_env=False, verify=trusted) as http:
            headers = {"x-ms-version": "2021-12-02", **await self._authorized(http)}
            made = await http.put(f"{url}?restype=container", headers=headers)
            assert made.status_code in (201, 409), made.text
            written = await http.put(
                f"{url}/{_HOST_ID}/host.json",
                headers={**headers, "x-ms-blob-type": "BlockBlob"},
                json=_as_kept(keys),
            )
            written.raise_for_status()
        self._keys_file.write_text(json.dumps(keys))
        return keys

    async def _authorized(self, http: httpx.AsyncClient) -> dict[str, str]:
        answer = await http.get(
            self.settings["IDENTITY_ENDPOINT"],
            params={
                "resource": "https://storage.azure.com",
                "api-version": "2019-08-01",
                "client_id": self.settings["AzureWebJobsStorage__clientId"],
            },
            headers={"X-IDENTITY-HEADER": self.settings["IDENTITY_HEADER"]},
        )
        answer.raise_for_status()
        return {"authorization": f"Bearer {answer.json()['access_token']}"}


def _function(listed: Mapping[str, Any]) -> dict[str, str]:
    bindings = listed["config"]["bindings"]
    kind = next(each["type"] for each in bindings if each["type"].endswith("Trigger"))
    return {"name": str(listed["name"]), "type": str(kind)}


def _as_kept(keys: Mapping[str, str]) -> dict[str, Any]:
    """As the host keeps them."""

    def key(name: str, value: str) -> dict[str, Any]:
        return {"name": name, "value": value, "encrypted": False}

    return {
        "masterKey": key("master", keys["master"]),
        "functionKeys": [key("default", keys["function"])],
        "systemKeys": [key(_EVENT_GRID, keys[_EVENT_GRID])],
    }


def _signal(group: int, how: signal.Signals) -> None:
    with suppress(ProcessLookupError):
        os.killpg(group, how)


def free_port() -> int:
    """One of loopback that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port
