"""A headless Chromium, by the DevTools protocol: what a page shows, and what it complains of.

`make test` unpacks it into .venv/chromium (scripts/setup.sh); CHROMIUM names another one, for
machines that cannot run that.
"""

import asyncio
import base64
import itertools
import os
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

PROJECT = Path(__file__).parents[2]
_UNPACKED = PROJECT / ".venv" / "chromium"
_DEADLINE = 30
_LISTENING = re.compile(r"DevTools listening on (ws://\S+)")
_OPTIONS = (
    "--headless=shell",
    "--no-sandbox",  # tests may run as root, where Chromium has none; the page is our own
    "--use-gl=angle",
    "--use-angle=swiftshader",
    "--enable-unsafe-swiftshader",
    "--hide-scrollbars",
    "--force-color-profile=srgb",
    "--remote-debugging-port=0",
)

type Json = dict[str, Any]


class Page:
    """One page. `complaints` are console errors and warnings, exceptions, and whatever the browser
    itself reports, a refusal by the Content-Security-Policy included; `requests` what it asked for.
    """

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.complaints: list[str] = []
        self.requests: list[str] = []
        self._socket = socket
        self._session = ""
        self._numbers = itertools.count(1)
        self._events: set[str] = set()

    async def open(self, path: Path, *, width: int = 1180, dark: bool = False) -> None:
        """Show a file; returns when it has loaded."""
        self.complaints.clear()
        self.requests.clear()
        if not self._session:
            await self._attach()
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        await self.call("Emulation.setEmulatedMedia", features=[scheme])
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": False}
        await self.call("Emulation.setDeviceMetricsOverride", **size)
        self._events.clear()
        await self.call("Page.navigate", url=path.as_uri())
        while "Page.loadEventFired" not in self._events:
            self._note(await self._receive())

    async def evaluate(self, expression: str) -> Any:
        """The value of an expression of JavaScript, run by the browser beside the page."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def screenshot(self, height: int) -> bytes:
        """The page from its top, so many pixels of it, as PNG."""
        width = await self.evaluate("innerWidth")
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        answer = await self.call(
            "Page.captureScreenshot", format="png", captureBeyondViewport=True, clip=clip
        )
        return base64.b64decode(answer["data"])

    async def call(self, method: str, **parameters: Any) -> Json:
        """One command of the protocol; what happens meanwhile is noted."""
        number = next(self._numbers)
        command: Json = {"id": number, "method": method, "params": parameters}
        if self._session:
            command["sessionId"] = self._session
        await self._socket.send_json(command)
        while True:
            message = await self._receive()
            if message.get("id") == number:
                assert "error" not in message, f"{method}: {message}"
                result: Json = message["result"]
                return result
            self._note(message)

    async def _attach(self) -> None:
        target = await self.call("Target.createTarget", url="about:blank")
        attached = await self.call(
            "Target.attachToTarget", targetId=target["targetId"], flatten=True
        )
        self._session = attached["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    async def _receive(self) -> Json:
        async with asyncio.timeout(_DEADLINE):
            message: Json = await self._socket.receive_json()
            return message

    def _note(self, message: Json) -> None:
        method, told = message.get("method", ""), message.get("params", {})
        self._events.add(method)
        match method:
            case "Runtime.consoleAPICalled" if told["type"] in ("error", "warning", "assert"):
                self.complaints.append(f"{told['type']}: {told['args']}")
            case "Runtime.exceptionThrown":
                self.complaints.append(str(told["exceptionDetails"]))
            case "Log.entryAdded" if told["entry"]["level"] in ("error", "warning"):
                self.complaints.append(told["entry"]["text"])
            case "Network.requestWillBeSent":
                self.requests.append(told["request"]["url"])


@asynccontextmanager
async def browser(folder: Path) -> AsyncIterator[Page]:
    """A browser with one page, while the context is open; `folder` is for what it keeps."""
    program = _program()
    process = await _started(program, folder)
    try:
        address = await _address(process, program)
        async with (
            aiohttp.ClientSession() as session,
            session.ws_connect(address, max_msg_size=0) as socket,
            asyncio.TaskGroup() as others,
        ):
            # Its log goes on, and must not fill the pipe.
            draining = others.create_task(process.communicate())
            yield Page(socket)
            draining.cancel()
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


def _program() -> Path:
    program = Path(os.environ.get("CHROMIUM") or _UNPACKED / "chromium")
    assert program.is_file(), f"{program} is not there: `make test` installs it"
    return program


async def _started(program: Path, folder: Path) -> asyncio.subprocess.Process:
    fonts = folder / "fonts.conf"
    fonts.write_text(
        f"<fontconfig><dir>{program.parent / 'fonts'}</dir>"
        f"<cachedir>{folder / 'font-cache'}</cachedir></fontconfig>"
    )
    environment = dict(os.environ)
    if program.parent == _UNPACKED:
        libraries = f"{_UNPACKED}:{_UNPACKED / 'lib'}"
        environment |= {"LD_LIBRARY_PATH": libraries, "FONTCONFIG_FILE": str(fonts)}
    try:
        return await asyncio.create_subprocess_exec(
            program,
            *_OPTIONS,
            f"--user-data-dir={folder / 'profile'}",
            "about:blank",
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
            env=environment,
        )
    except OSError as error:
        raise AssertionError(_cannot_run(program, str(error))) from error


async def _address(process: asyncio.subprocess.Process, program: Path) -> str:
    """Where it listens: it says so among its log."""
    assert process.stderr is not None
    said = []
    async with asyncio.timeout(_DEADLINE):
        while line := (await process.stderr.readline()).decode(errors="replace"):
            said.append(line)
            if found := _LISTENING.search(line):
                return found[1]
    raise AssertionError(_cannot_run(program, "".join(said)))


def _cannot_run(program: Path, why: str) -> str:
    return (
        f"{program} cannot run here ({why.strip()}). The one that is unpacked for the tests is for "
        "Linux on x86-64; name another Chromium or Chrome by the environment variable CHROMIUM"
    )
