"""What host and worker process say to each other: pickled values over a pair of sockets."""

import asyncio
import pickle
import struct
from typing import Any

_LENGTH = struct.Struct("!I")


class Pipe:
    """One end. Both ends are this project's own processes, so that pickle is no risk."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer

    def send(self, value: object) -> None:
        """Never waits: what a function puts out is small beside memory."""
        content = pickle.dumps(value)
        self._writer.write(_LENGTH.pack(len(content)) + content)

    async def receive(self) -> Any:
        """The next value. Raises EOFError where the other end is gone."""
        try:
            head = await self._reader.readexactly(_LENGTH.size)
            content = await self._reader.readexactly(*_LENGTH.unpack(head))
        except (asyncio.IncompleteReadError, ConnectionError):
            raise EOFError from None
        return pickle.loads(content)  # noqa: S301 (see above)

    def close(self) -> None:
        self._writer.close()
