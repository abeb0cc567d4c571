"""What outlives the tables: when a sweep last read everything, and where.

The tables can be lost, or put back from an older moment, and do not show it themselves.
"""

from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Mark:
    """`at`: when a sweep last ended well (seconds since the epoch). `subscriptions`: those (lower
    case) that it or one before saw, or had something of on record, and that nobody offboarded.
    """

    at: float = 0.0
    subscriptions: frozenset[str] = frozenset()


class Marks(Protocol):
    """Where the mark is kept: not in the tables."""

    async def read(self) -> Mark:
        """The mark; an empty one where there is none. Raises Temporary, Permanent."""

    async def write(self, mark: Mark) -> None:
        """Keep another one. Raises Temporary, Permanent."""


class Unmarked:
    """For who keeps no mark, and only looks at the tables."""

    async def read(self) -> Mark:
        """None."""
        return Mark()

    async def write(self, mark: Mark) -> None:
        """Nothing sweeps without one."""
        raise NotImplementedError(f"no place for {mark}")
