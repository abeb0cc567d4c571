"""One uvicorn on loopback, inside a program that has its own life and its own signals."""

import asyncio
import contextlib
import socket
from collections.abc import AsyncIterator, Iterator
from typing import Any

import uvicorn
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from simulator.certificates import Certificates
from simulator.faults import ConnectionDropped

HOST = "127.0.0.1"


class _Protocol(H11Protocol):
    """Breaks the connection where a fault says so: the client sees a reset, not an error."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        inner = self.app

        async def breakable(scope: Any, receive: Any, send: Any) -> None:
            try:
                await inner(scope, receive, send)
            except ClientDisconnect:
                return  # a client that was killed in the middle of its request
            except ConnectionDropped:
                self.transport.abort()
                while (await receive())["type"] != "http.disconnect":
                    pass

        self.app = breakable

    def shutdown(self) -> None:
        """At the end: an idle connection is cut, as its client may never answer a TLS goodbye."""
        super().shutdown()
        idle = self.cycle is None or self.cycle.response_complete
        if idle and not self.transport.get_write_buffer_size():
            self.transport.abort()


class _Server(uvicorn.Server):
    """Tells when it listens, and leaves the signals to the program."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.listening = asyncio.Event()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.listening.set()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


@contextlib.asynccontextmanager
async def listen(
    app: ASGIApp,
    *,
    port: int = 0,
    certificates: Certificates | None = None,
    verbose: bool = False,
) -> AsyncIterator[int]:
    """Serve `app` on loopback, with TLS where certificates are given. Yields the port.

    `port` 0 takes a free one. Raises OSError when the port is taken. `verbose` logs requests.
    """
    # With its protocol named, asyncio turns Nagle's algorithm off: 40 ms less a request.
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP) as listening:
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listening.bind((HOST, port))
        server = _Server(_config(app, certificates, verbose))
        task = asyncio.create_task(server.serve(sockets=[listening]))
        ready = asyncio.create_task(server.listening.wait())
        await asyncio.wait([task, ready], return_when=asyncio.FIRST_COMPLETED)
        ready.cancel()
        try:
            if not task.done():
                yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await task


def _config(app: ASGIApp, certificates: Certificates | None, verbose: bool) -> uvicorn.Config:
    return uvicorn.Config(
        app,
        http=_Protocol,
        ws="none",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        log_level="info" if verbose else "error",
        access_log=verbose,
        timeout_graceful_shutdown=5,
        ssl_certfile=certificates.cert_file if certificates else None,
        ssl_keyfile=str(certificates.key_file) if certificates else None,
    )
