"""Run everything until a stop, or until something ends the host; and then stop, as the real one."""

import asyncio
import logging
import socket
from collections.abc import Sequence
from typing import Protocol

from simulator.functions_host.language_worker import LanguageWorker
from simulator.functions_host.server import STOP_SECONDS, Server

log = logging.getLogger("host")

_LAST_SECONDS = 2
"""How long listeners may take to complete what had ended."""


class Listener(Protocol):
    """A trigger that looks for work by itself."""

    async def run(self) -> None: ...
    def stop(self) -> None: ...


async def serve(
    server: Server,
    listening: socket.socket,
    listeners: Sequence[Listener],
    worker: LanguageWorker,
    stop: asyncio.Event,
) -> None:
    """Raises HostFailure where that ended it."""
    served = asyncio.create_task(server.serve([listening]))
    work = [asyncio.create_task(listener.run()) for listener in listeners]
    watched = asyncio.create_task(worker.run())
    stopped = asyncio.create_task(stop.wait())
    await asyncio.wait([served, watched, stopped, *work], return_when=asyncio.FIRST_COMPLETED)
    await _stop(server, served, worker)
    for listener in listeners:
        listener.stop()
    if work:
        await asyncio.wait(work, timeout=_LAST_SECONDS)
    await _end([stopped, *work])
    _raise_failure([served, watched, *work])


async def _stop(server: Server, served: asyncio.Task[None], worker: LanguageWorker) -> None:
    """No new connection; requests in progress end; then what the worker has in hand may, for ten
    seconds. Listeners go on meanwhile, and what they take is lost with the worker, which is killed.
    """
    log.info("Stopping: no new connection is taken")
    server.should_exit = True
    await asyncio.wait([served])
    try:
        async with asyncio.timeout(STOP_SECONDS):
            await worker.drained()
    except TimeoutError:
        log.warning("Stopped with work still running after %d s", STOP_SECONDS)
    worker.kill()


async def _end(tasks: Sequence[asyncio.Task[object]]) -> None:
    """A timer that is cut off gives its lock back."""
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _raise_failure(tasks: Sequence[asyncio.Task[None]]) -> None:
    for task in tasks:
        if task.done() and not task.cancelled():
            task.result()
