"""`python -m simulator.functions_host.worker_process FD FOLDER LEVEL`: the app's own process.

It imports the app in FOLDER, says over the socket FD which functions there are, and runs what it is
told to. It ends, at once and whatever it is doing, when its host does.
"""

import asyncio
import ctypes
import logging
import os
import signal
import socket
import sys
from pathlib import Path

from simulator.functions_host import worker
from simulator.functions_host.invocation import Invocation
from simulator.functions_host.logs import set_up_logging
from simulator.functions_host.worker_pipe import Pipe

#: What the process ends with where the app cannot be imported.
FAILED = 1
#: <sys/prctl.h>: the signal that a process gets when the one that started it ends.
_PR_SET_PDEATHSIG = 1


def _end_with_host() -> None:
    """Elsewhere than on Linux the end of the socket alone says so, once the app lets go."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


async def _run(connection: socket.socket, folder: Path) -> None:
    pipe = Pipe(*await asyncio.open_connection(sock=connection))
    pipe.send(await worker.load_app(folder))
    running: set[asyncio.Task[None]] = set()
    while True:
        try:
            invocation = await pipe.receive()
        except EOFError:
            os._exit(0)
        task = asyncio.create_task(_answer(pipe, invocation))
        running.add(task)
        task.add_done_callback(running.discard)


async def _answer(pipe: Pipe, invocation: Invocation) -> None:
    worker.enter_invocation(invocation.id)
    pipe.send((invocation.id, await worker.invoke(invocation)))


def main() -> int:
    """Never returns but where the app cannot be imported, which it says at the level Debug."""
    number, folder, level = int(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3])
    _end_with_host()
    # Its host decides when it ends; what the app prints belongs to the log.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    sys.stdout = sys.stderr
    set_up_logging(level, worker.current_invocation)
    os.chdir(folder)
    try:
        asyncio.run(_run(socket.socket(fileno=number), folder))
    except (worker.AppError, SystemExit) as error:
        logging.getLogger("host.worker").debug("the app cannot be imported: %s", error)
    return FAILED


if __name__ == "__main__":
    code = main()
    sys.stderr.flush()
    os._exit(code)
