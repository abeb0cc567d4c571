"""A child that cannot outlive its parent: its stdin is a pipe that ends with the parent."""

import asyncio
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO

_KEPT_LINES = 40


class ChildError(Exception):
    """The child ended, or did not become ready in time; the text holds what it last said."""


class ChildProcess:
    """Reads the child's stdout line by line for as long as it runs; keeps the last lines."""

    def __init__(self, process: Process) -> None:
        self._process = process
        self.tail: deque[str] = deque(maxlen=_KEPT_LINES)
        self._reading: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls,
        command: Sequence[str],
        *,
        environment: Mapping[str, str],
        directory: Path,
        stderr: IO[bytes] | int,
    ) -> "ChildProcess":
        process = await asyncio.create_subprocess_exec(
            *command, stdin=PIPE, stdout=PIPE, stderr=stderr, env=environment, cwd=directory
        )
        return cls(process)

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.returncode is None

    async def wait(self) -> None:
        """Return once it has ended, for whatever reason."""
        await self._process.wait()

    async def wait_until(self, ready: Callable[[str], bool], seconds: float) -> None:
        """Read until `ready` is True of a line. Raises ChildError; the child is gone then."""
        try:
            async with asyncio.timeout(seconds):
                found = await self._read_until(ready)
            problem = "ended"
        except TimeoutError:
            found, problem = False, f"was not ready within {seconds:g} s"
        if not found:
            await self.kill()
            raise ChildError(f"{problem}, exit code {self._process.returncode}")
        self._reading = asyncio.create_task(self._read_on())

    async def _read_until(self, ready: Callable[[str], bool]) -> bool:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            self.tail.append(line.decode(errors="replace").rstrip())
            if ready(self.tail[-1]):
                return True
        return False

    async def _read_on(self) -> None:
        await self._read_until(lambda _line: False)

    async def stop(self, seconds: float) -> int:
        """SIGTERM, and SIGKILL after `seconds`. Returns the exit code."""
        return await self._end(self._process.terminate, seconds)

    async def kill(self) -> int:
        """SIGKILL: the child gets no chance to tidy up. Returns the exit code."""
        return await self._end(self._process.kill, 10)

    async def _end(self, signal: Callable[[], None], seconds: float) -> int:
        with suppress(ProcessLookupError):
            signal()
        try:
            code = await asyncio.wait_for(self._process.wait(), seconds)
        except TimeoutError:
            self._process.kill()
            code = await self._process.wait()
        await self._release()
        return code

    async def _release(self) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        waits: list[Awaitable[None]] = [self._process.stdin.wait_closed()]
        if self._reading is not None:
            waits.append(self._reading)
        await asyncio.gather(*waits, return_exceptions=True)
