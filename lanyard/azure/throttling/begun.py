"""Work that was begun and has not sent its write yet. Pure: times are given.

Whoever begins behind it would read and then find no token left to write with, and read again.
"""

from dataclasses import dataclass, field

# So many seconds it is counted on: what has not written by then waits for something else.
_COUNTED = 3.0


@dataclass(slots=True)
class Begun:
    """In one bucket. `path`: of what is to be written, in lower case."""

    _since: dict[str, float] = field(default_factory=dict)

    def add(self, path: str, now: float) -> None:
        """It begins now."""
        self._since[path] = now

    def end(self, path: str) -> None:
        """Its write is on its way, or does not come."""
        self._since.pop(path, None)

    def ahead(self, now: float) -> int:
        """How many tokens others wait for."""
        return sum(now - since < _COUNTED for since in self._since.values())
