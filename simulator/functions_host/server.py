"""uvicorn, run inside the host's own event loop: the host decides what a signal means."""

import contextlib
import socket
from collections.abc import Iterator

import uvicorn
from starlette.applications import Starlette

REQUEST_SECONDS = 30
"""How long requests in progress may take to end after a stop."""
STOP_SECONDS = 10
"""How long what the worker has in hand may take then."""


class Server(uvicorn.Server):
    def __init__(self, app: Starlette) -> None:
        super().__init__(
            uvicorn.Config(
                app,
                log_config=None,
                log_level="warning",
                access_log=False,  # it would write the keys of the query into the log
                lifespan="off",
                timeout_graceful_shutdown=REQUEST_SECONDS,
            )
        )

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


def listen(port: int) -> socket.socket:
    """A listening socket on loopback; port 0 takes a free one."""
    listening = socket.socket()
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen(128)
    return listening
