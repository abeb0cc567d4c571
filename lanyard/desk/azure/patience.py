"""Waiting, for who has nobody to put failed work back: a person at a command line.

The app never waits so: its work goes back to the queue with a delay (lanyard/queue/retry.py).
"""

from contextlib import AbstractAsyncContextManager
from typing import Any, Self

from azure.core.pipeline.transport import AsyncHttpTransport

from lanyard.azure.arm.failures import retry_after

#: So many seconds a call may wait in all. ARM's throttling asks for about ten.
PATIENCE = 60.0
_BUSY = {429, 503}
_FAILED = {500, 502, 504}
_DELAY = 2.0


class Patient(AsyncHttpTransport[Any, Any], AbstractAsyncContextManager[Any]):
    """Sends again what was refused for now, after the delay that the answer asks for, within
    reason; and a read that failed on the other side.
    """

    def __init__(self, inner: AsyncHttpTransport[Any, Any], patience: float = PATIENCE) -> None:
        self._inner = inner
        self._patience = patience

    async def send(self, request: Any, **options: Any) -> Any:
        """The first answer that is final, or the last one when patience is at its end."""
        again = _BUSY | (_FAILED if request.method in ("GET", "HEAD") else set())
        waited, delay = 0.0, _DELAY
        while True:
            answer = await self._inner.send(request, **options)
            if answer.status_code not in again:
                return answer
            pause = max(retry_after(answer, delay), 1.0)
            if waited + pause > self._patience:
                return answer
            await self._inner.sleep(pause)
            waited, delay = waited + pause, delay * 2

    async def sleep(self, duration: float) -> None:
        """As the transport inside keeps time."""
        await self._inner.sleep(duration)

    async def open(self) -> None:
        """Open the transport inside."""
        await self._inner.open()

    async def close(self) -> None:
        """Close the transport inside."""
        await self._inner.close()

    async def __aenter__(self) -> Self:
        await self.open()
        return self

    async def __aexit__(self, *_exception: object) -> None:
        await self.close()
