"""Of a worker, from inside: what memory it takes, and how long its event loop was held at most.

An app that begins with `begin(file)` writes both there again and again, and is the deployed one
otherwise.
"""

import json
import threading
import time
from asyncio import events
from dataclasses import asdict, dataclass
from pathlib import Path

_SECONDS = 1.0


@dataclass(frozen=True)
class Pulse:
    """`megabytes`: resident now; `held`: the longest that one callback took, in seconds, since the
    last `reset`.
    """

    megabytes: float
    held: float


def begin(file: Path) -> None:
    """From now on, in this process."""
    threading.Thread(target=_beat, args=(file, _Longest()), daemon=True).start()


def read(file: Path) -> Pulse | None:
    """What was written last; None before the first."""
    try:
        return Pulse(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None


def reset(file: Path) -> None:
    """The longest counts anew."""
    _reset_of(file).touch()


class _Longest:
    """Times every callback of every event loop here."""

    def __init__(self) -> None:
        self.held = 0.0
        run = events.Handle._run

        def timed(handle: events.Handle) -> None:
            began = time.perf_counter()
            run(handle)
            self.held = max(self.held, time.perf_counter() - began)

        events.Handle._run = timed  # type: ignore[method-assign,assignment]


def _beat(file: Path, longest: _Longest) -> None:
    while True:
        if _reset_of(file).exists():
            longest.held = 0.0
            _reset_of(file).unlink(missing_ok=True)
        found = Pulse(_megabytes(), longest.held)
        new = file.with_suffix(".new")
        new.write_text(json.dumps(asdict(found)))
        new.replace(file)
        time.sleep(_SECONDS)


def _reset_of(file: Path) -> Path:
    return file.with_suffix(".reset")


def _megabytes() -> float:
    status = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    return int(line.split()[1]) / 1024  # KiB
