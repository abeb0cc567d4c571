"""A witness on loopback: the proxy of everything that would leave this machine. It lets nothing."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field


@dataclass
class Outside:
    """`asked` are the first lines of the requests that were refused, such as "CONNECT host:443"."""

    url: str = ""
    asked: list[str] = field(default_factory=list)

    async def refuse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Note the request and answer 403."""
        line = (await reader.readline()).decode("latin-1").strip()
        self.asked.append(line.removesuffix(" HTTP/1.1"))
        writer.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        await writer.drain()
        writer.close()


@asynccontextmanager
async def watched() -> AsyncIterator[Outside]:
    """Listen on a free port while the context is open."""
    outside = Outside()
    server = await asyncio.start_server(outside.refuse, "127.0.0.1", 0)
    async with server:
        outside.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        yield outside
