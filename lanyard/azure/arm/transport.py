"""The one way to the network: a pool of connections that all clients share, and a deadline."""

import asyncio
import os
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from typing import Any, Self

from azure.core.exceptions import ServiceResponseTimeoutError
from azure.core.pipeline.transport import AioHttpTransport, AsyncHttpTransport

#: Seconds to reach a server, to hear from it, and for a call altogether, its answer read in full.
CONNECT_SECONDS = 10
READ_SECONDS = 25
CALL_SECONDS = 30
#: Seconds for the token of a call, which comes from beside the app.
TOKEN_SECONDS = 5


class Transport(AsyncHttpTransport[Any, Any], AbstractAsyncContextManager[Any]):
    """Connections over aiohttp. No call takes longer than `seconds`, however it drips in."""

    def __init__(self, seconds: float = CALL_SECONDS) -> None:
        self._seconds = seconds
        self._connections = AioHttpTransport(
            connection_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            # aiohttp looks for a proxy, and for a .netrc, in a thread at each request: a fifth of
            # what a busy instance works. Without a proxy there is nothing to be found.
            use_env_settings=_names_a_proxy(os.environ),
        )

    async def send(self, request: Any, **options: Any) -> Any:
        """Send `request`. Raises ServiceResponseTimeoutError past the deadline: the server may
        have acted.
        """
        try:
            async with asyncio.timeout(self._seconds):
                return await self._connections.send(request, **options)
        except TimeoutError as error:
            message = f"no whole answer within {self._seconds:g} s"
            raise ServiceResponseTimeoutError(message, error=error) from error

    async def open(self) -> None:
        """Open the pool."""
        await self._connections.open()

    async def close(self) -> None:
        """Close the connections; it cannot be opened again."""
        await self._connections.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()


def _names_a_proxy(variables: Iterable[str]) -> bool:
    """Whether any of these environment variables is HTTPS_PROXY or the like, in any case."""
    return any(name.lower().endswith("_proxy") for name in variables)
