"""Stands before Azurite, over TLS on both sides, and lets tables, queues and blobs fail.

HTTP/1.1 as the SDKs speak it: one request at a time on a connection, bodies with Content-Length.
"""

import asyncio
import ssl
from asyncio import IncompleteReadError, StreamReader, StreamWriter
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from chaos.weather import Dice
from simulator.azurite import Azurite
from simulator.certificates import Certificates

_SERVICES = ("blob", "queue", "table")
_SLOW_SECONDS = 1.5
#: Of each hundred requests: what becomes of them, in this order.
EFFECTS = {
    "500": 0.006,
    "503": 0.01,
    "429": 0.004,
    "reset before it acted": 0.004,
    "reset after it acted": 0.004,
    "slow": 0.004,
}
_CODES = {"500": "InternalError", "503": "ServerBusy", "429": "TooManyRequests"}
_END = b"\r\n\r\n"
_TEN_MINUTES = b"visibilitytimeout=600"


class _Reset(Exception):
    """The connection is to be cut."""


@dataclass(frozen=True)
class _Request:
    head: bytes
    body: bytes

    @property
    def key(self) -> str:
        """Method and target without what differs from one sending to the next."""
        method, target, _ = self.head.split(b" ", 2)
        return f"{method.decode()} {target.decode().partition('?')[0]}"


@dataclass
class StorageFront:
    """`async with StorageFront(azurite, certificates, seed) as front:`

    `blob_url`, `queue_url` and `table_url` are what the app is told. While `raging` is True some
    requests fail; `hits` counts them. `hidden_seconds`: for so long messages are hidden from
    others that a host asks to have hidden for ten minutes. `down`: the effect that befalls every
    request, "" where none does.
    """

    azurite: Azurite
    certificates: Certificates
    seed: int
    raging: bool = False
    hidden_seconds: int = 0
    down: str = ""
    hits: Counter[str] = field(default_factory=Counter)
    requests: int = 0

    def __post_init__(self) -> None:
        self._servers: dict[str, asyncio.Server] = {}
        self._dice = Dice(self.seed, "storage")
        self._connections: set[asyncio.Task[None]] = set()
        self._trust = ssl.create_default_context(cafile=str(self.certificates.ca_file))

    @property
    def blob_url(self) -> str:
        """The account's blob endpoint."""
        return self._url("blob")

    @property
    def queue_url(self) -> str:
        """The account's queue endpoint."""
        return self._url("queue")

    @property
    def table_url(self) -> str:
        """The account's table endpoint."""
        return self._url("table")

    async def __aenter__(self) -> Self:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.certificates.cert_file, self.certificates.key_file)
        for service in _SERVICES:
            port = urlsplit(getattr(self.azurite, f"{service}_url")).port or 0
            self._servers[service] = await asyncio.start_server(
                partial(self._accept, port),
                "127.0.0.1",
                ssl=context,
            )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for server in self._servers.values():
            server.close()
        for task in self._connections:
            task.cancel()
        await asyncio.gather(*self._connections, return_exceptions=True)

    def _url(self, service: str) -> str:
        port = self._servers[service].sockets[0].getsockname()[1]
        return f"https://127.0.0.1:{port}/{self.azurite.account}"

    async def _accept(self, port: int, reader: StreamReader, writer: StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._connections.add(task)
        with suppress(OSError, IncompleteReadError, _Reset, asyncio.CancelledError):
            await self._converse(port, reader, writer)
        self._connections.discard(task)
        writer.transport.abort()

    async def _converse(self, port: int, reader: StreamReader, writer: StreamWriter) -> None:
        there, onward = await self._open(port)
        try:
            while True:
                request = await _read_request(reader)
                self.requests += 1
                if there.at_eof():  # Azurite closes what is idle for some seconds
                    onward.transport.abort()
                    there, onward = await self._open(port)
                await self._answer(request, there, onward, writer)
                await writer.drain()
        finally:
            onward.transport.abort()

    async def _open(self, port: int) -> tuple[StreamReader, StreamWriter]:
        return await asyncio.open_connection("127.0.0.1", port, ssl=self._trust)

    async def _answer(
        self, request: _Request, there: StreamReader, onward: StreamWriter, back: StreamWriter
    ) -> None:
        effect = self._effect(request)
        if effect in _CODES:
            back.write(_refusal(effect))
            return
        if effect == "reset before it acted":
            raise _Reset
        if effect == "slow":
            await asyncio.sleep(_SLOW_SECONDS)
        onward.write(self._hidden(request.head) + request.body)
        answer = await _read_answer(there, head_only=request.head.startswith(b"HEAD "))
        if effect == "reset after it acted":
            raise _Reset
        back.write(answer)

    def _hidden(self, head: bytes) -> bytes:
        if not self.hidden_seconds:
            return head
        return head.replace(_TEN_MINUTES, _TEN_MINUTES[:-3] + str(self.hidden_seconds).encode(), 1)

    def _effect(self, request: _Request) -> str:
        if self.down or not self.raging:
            return self.down
        thrown = self._dice.throw(request.key)
        for name, rate in EFFECTS.items():
            if thrown < rate:
                self.hits[name] += 1
                return name
            thrown -= rate
        return ""


async def _read_request(reader: StreamReader) -> _Request:
    head = await reader.readuntil(_END)
    return _Request(head, await reader.readexactly(_length(head)))


async def _read_answer(reader: StreamReader, *, head_only: bool) -> bytes:
    head = await reader.readuntil(_END)
    status = int(head.split(b" ", 2)[1])
    if head_only or status in (204, 304):
        return head
    if b"transfer-encoding: chunked" in head.lower():
        return head + await _read_chunks(reader)
    return head + await reader.readexactly(_length(head))


async def _read_chunks(reader: StreamReader) -> bytes:
    parts: list[bytes] = []
    while True:
        size = await reader.readuntil(b"\r\n")
        parts += [size, await reader.readexactly(int(size, 16) + 2)]
        if int(size, 16) == 0:
            return b"".join(parts)


def _length(head: bytes) -> int:
    for line in head.split(b"\r\n")[1:]:
        name, _, value = line.partition(b":")
        if name.strip().lower() == b"content-length":
            return int(value)
    return 0


def _refusal(status: str) -> bytes:
    """As Azure Storage refuses, in JSON: the SDKs of tables read it, those of queues the header."""
    code = _CODES[status]
    body = (
        f'{{"odata.error":{{"code":"{code}","message":{{"lang":"en-US","value":"injected"}}}}}}'
    ).encode()
    head = (
        f"HTTP/1.1 {status} {code}\r\ncontent-type: application/json\r\nx-ms-error-code: {code}\r\n"
        f"content-length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body
