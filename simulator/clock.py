"""Time of the local Azure: seconds since the epoch, which a person or a test can move forward."""

import asyncio
import time
from collections.abc import Callable
from datetime import UTC, datetime

#: A fixed start, so that two runs with the same seed print the same times.
DEFAULT_START = datetime(2026, 11, 2, 9, 0, tzinfo=UTC).timestamp()


class Clock:
    """`running=True` follows `monotonic` from `start`; else only `advance` moves it.

    `monotonic` counts seconds as the event loop does: the machine's, or a loop's own.
    """

    def __init__(
        self,
        start: float | None = None,
        *,
        running: bool = False,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        default = time.time() if running else DEFAULT_START
        self._start = default if start is None else start
        self._running = running
        self._monotonic = monotonic
        self._origin = monotonic()
        self._offset = 0.0
        self._moved = asyncio.Event()
        self._on_advance: list[Callable[[], None]] = []

    @property
    def running(self) -> bool:
        """Whether time passes by itself."""
        return self._running

    def on_advance(self, listener: Callable[[], None]) -> None:
        """Call `listener` after each jump forward."""
        self._on_advance.append(listener)

    def now(self) -> float:
        """Seconds since the epoch."""
        elapsed = self._monotonic() - self._origin if self._running else 0.0
        return self._start + self._offset + elapsed

    def utc(self) -> datetime:
        """The same moment as an aware datetime."""
        return datetime.fromtimestamp(self.now(), UTC)

    def advance(self, seconds: float) -> None:
        """Move forward and wake everything that sleeps until a moment now past."""
        if seconds < 0:
            raise ValueError("the clock only moves forward")
        self._offset += seconds
        moved, self._moved = self._moved, asyncio.Event()
        moved.set()
        for listener in self._on_advance:
            listener()

    async def sleep_until(self, moment: float) -> None:
        """Return once `now()` has reached `moment`."""
        while (left := moment - self.now()) > 0:
            timeout = left if self._running else None
            try:
                await asyncio.wait_for(self._moved.wait(), timeout)
            except TimeoutError:
                continue

    async def elapse(self, seconds: float) -> None:
        """Let so much time pass: by waiting, or by moving a clock that stands still.

        What several tasks let pass at once overlaps, as it would in real time.
        """
        if self._running:
            await asyncio.sleep(seconds)
            return
        end = self.now() + seconds
        await asyncio.sleep(0)
        if (left := end - self.now()) > 0:
            self.advance(left)
