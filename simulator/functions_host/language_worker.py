"""The app's process as the host sees it: started, told what to run, started again where it ends.

As the real host does with the Python worker: what was in hand fails at once when it dies, the third
death within half an hour ends the host, and a call that runs into functionTimeout takes the worker,
and whatever else that does, with it.
"""

import asyncio
import logging
import socket
import sys
import time
from asyncio.subprocess import DEVNULL, Process
from collections import deque
from collections.abc import Mapping
from contextlib import suppress
from datetime import timedelta
from pathlib import Path
from typing import Any

from simulator.functions_host.errors import HostFailure
from simulator.functions_host.functions import Indexed
from simulator.functions_host.invocation import Invocation, Result
from simulator.functions_host.worker_pipe import Pipe

log = logging.getLogger("host.worker")

_DEATHS = 3
"""So many end the host…"""
_DEATHS_SECONDS = 30 * 60
"""…within this time."""
_HOME = Path(__file__).parents[2]


class LanguageWorker:
    """`timeout`: how long a call may take (functionTimeout), None for ever."""

    def __init__(
        self, folder: Path, environment: Mapping[str, str], level: int, timeout: timedelta | None
    ) -> None:
        self._folder, self._environment, self._level = folder, environment, level
        self._timeout = None if timeout is None else timeout.total_seconds()
        self._process: Process | None = None
        self._pipe: Pipe | None = None
        self._ready = asyncio.Event()
        self._pending: dict[str, asyncio.Future[Result]] = {}
        self._deaths: deque[float] = deque(maxlen=_DEATHS)
        self._watching: asyncio.Task[None] | None = None
        self._indexed: asyncio.Future[list[Indexed]] = asyncio.get_running_loop().create_future()
        self._stopped = False

    async def start(self) -> list[Indexed]:
        """Start it; the functions of the app. Raises HostFailure where it dies too often."""
        self._watching = asyncio.create_task(self._watch())
        either: list[asyncio.Future[Any]] = [self._indexed, self._watching]
        await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
        if not self._indexed.done():
            await self._watching
        return await self._indexed

    async def run(self) -> None:
        """Raises HostFailure once it died too often."""
        assert self._watching is not None
        await self._watching

    async def invoke(self, invocation: Invocation) -> Result:
        """Run it; a failed Result where it raises, takes too long, or the process dies."""
        await self._ready.wait()
        assert self._pipe is not None
        answer: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._pending[invocation.id] = answer
        self._pipe.send(invocation)
        try:
            return await asyncio.wait_for(asyncio.shield(answer), self._timeout)
        except TimeoutError:
            self._end_process()
            return Result(False, error=f"Timeout value of {self._timeout} s was exceeded")
        finally:
            del self._pending[invocation.id]

    async def drained(self) -> None:
        """Return when what is in hand now has ended; what comes meanwhile is not waited for."""
        if self._pending:
            await asyncio.wait(list(self._pending.values()))

    def kill(self) -> None:
        """End it for good; what is in hand hears nothing any more, no `finally` runs."""
        self._stopped = True
        self._end_process()

    def _end_process(self) -> None:
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()

    async def _watch(self) -> None:
        while await self._lived():
            self._fail_pending()
            self._deaths.append(time.monotonic())
            if (
                len(self._deaths) == _DEATHS
                and self._deaths[-1] - self._deaths[0] < _DEATHS_SECONDS
            ):
                raise HostFailure(
                    "Exceeded language worker restart retry count for runtime:python. "
                    "Shutting down and proactively recycling the Functions Host to recover"
                )

    async def _lived(self) -> bool:
        """One life of the process, from its start to its end; whether it ended by itself."""
        ours, theirs = socket.socketpair()
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", f"{__package__}.worker_process"),
                *(str(theirs.fileno()), str(self._folder), str(self._level)),
                cwd=_HOME,
                env=dict(self._environment),
                stdin=DEVNULL,
                pass_fds=[theirs.fileno()],
            )
        self._pipe = Pipe(*await asyncio.open_connection(sock=ours))
        with suppress(EOFError):
            await self._converse(self._pipe)
        self._ready.clear()
        self._pipe.close()
        code = await self._process.wait()
        if not self._stopped:
            log.error("Language Worker Process exited. Pid=%d, code %d", self._process.pid, code)
        return not self._stopped

    async def _converse(self, pipe: Pipe) -> None:
        indexed = await pipe.receive()
        if not self._indexed.done():
            self._indexed.set_result(indexed)
        self._ready.set()
        while True:
            invocation_id, result = await pipe.receive()
            if (answer := self._pending.get(invocation_id)) and not answer.done():
                answer.set_result(result)

    def _fail_pending(self) -> None:
        for answer in self._pending.values():
            if not answer.done():
                answer.set_result(Result(False, error="WorkerProcessExitException"))
