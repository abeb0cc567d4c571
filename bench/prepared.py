"""Azure's answers and the tables' rows, prepared beforehand: what is left is the product's own.

A first run meets the simulator and keeps each answer; from then on the same requests get the same
answers, which cost nothing to make.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from time import thread_time
from typing import Any
from unittest import mock

from azure.core.rest import HttpRequest
from azure.core.rest._http_response_impl_async import AsyncHttpResponseImpl

from lanyard.ports.tables import Row
from simulator.transport import InProcessTransport
from tests.support.memory_table import MemoryTable

_PAGE = 1000

type _Asked = tuple[str, str, str]


class PreparedAnswers(InProcessTransport):
    """Answers a request that came before as it did then."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._answers: dict[_Asked, Any] = {}
        #: Whether every request must have come before.
        self.complete = False

    async def send(self, request: Any, **options: Any) -> Any:
        """From the app the first time."""
        content = request.content if isinstance(request, HttpRequest) else request.data
        asked = (request.method, request.url, str(content))
        known = self._answers.get(asked)
        if known is None:
            assert not self.complete, f"no answer is prepared: {asked}"
            known = self._answers[asked] = await super().send(request, **options)
            return known
        await asyncio.sleep(0)  # as a call over the network does
        return _again(request, known)


class PreparedTable(MemoryTable):
    """Lists its rows in pages, without sorting them each time."""

    def __init__(self) -> None:
        super().__init__()
        self._sorted: list[Row] = []

    async def everything(self) -> AsyncIterator[Row]:
        if len(self._sorted) != len(self.content):
            self._sorted = [row for _, row in sorted(self.content.items())]
        for number, row in enumerate(self._sorted):
            if number % _PAGE == 0:
                await asyncio.sleep(0)
            yield row


class Holds:
    """How long a turn of the event loop took at most, in seconds of this thread's CPU."""

    longest = 0.0

    def note(self, seconds: float) -> None:
        """One turn."""
        self.longest = max(self.longest, seconds)


@contextmanager
def watched() -> Iterator[Holds]:
    """Watch the event loop while the context is open."""
    holds, run = Holds(), asyncio.Handle._run

    def timed(handle: asyncio.Handle) -> None:
        started = thread_time()
        run(handle)
        holds.note(thread_time() - started)

    with mock.patch.object(asyncio.Handle, "_run", timed):
        yield holds


class _Response(AsyncHttpResponseImpl):
    """One that was read in full."""


class _Closed:
    async def close(self) -> None:
        """Nothing is open."""


def _again(request: Any, known: Any) -> Any:
    response = _Response(
        request=request,
        internal_response=_Closed(),
        status_code=known.status_code,
        reason="",
        content_type=known.content_type,
        headers=known.headers,
        stream_download_generator=None,
    )
    response._content = known.content
    return response
