"""What is refused the same way at each sweep, and how often: it is tried at lengthening intervals.

A row each in the control table: of a resource, an identity or an orphan that a message was about.
"""

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from lanyard.ports.tables import Row, Table
from lanyard.record.rows import Columns, DamagedRow
from lanyard.values.change import Change

_PARTITION = "refused"
_HOUR = 3600.0
_LONGEST_HOURS = 24
# A sweep begins each hour, and what it found is worked on some minutes later.
_EARLY = 900.0


@dataclass(frozen=True, slots=True)
class Refused:
    """`times`: by how many sweeps' messages in a row; `at`: when the last was (seconds since the
    epoch); `seen`: what a sweep saw of it then.
    """

    times: int
    at: float
    seen: str

    def is_due(self, now: float) -> bool:
        """Whether it is tried again at this moment: after 1, 2, 4 … 24 hours."""
        hours: int = min(1 << min(self.times - 1, _LONGEST_HOURS), _LONGEST_HOURS)
        return now >= self.at + hours * _HOUR - _EARLY


class RefusedWork:
    """Reads and writes of the rows. `now`: seconds since the epoch."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    async def note(self, change: Change, keys: Sequence[str]) -> None:
        """What these keys name was refused for good."""
        row = await self._table.get(_PARTITION, name_of(change))
        known, how = _read(row), json.dumps(list(keys))
        same = row is not None and row.values.get("keys") == how
        again = known is not None and same and bool(change.seen) and known.seen == change.seen
        values = {
            "resource": change.resource.text,
            "keys": how,
            "times": str(change.refused + 1 if again else 1),
            "at": str(self._now()),
            "seen": change.seen,
        }
        await self._table.put(_PARTITION, name_of(change), values)

    async def all(self) -> dict[str, Refused]:
        """By `name_of` what a message is about. A row that cannot be read puts nothing off."""
        found = {row.key: _read(row) async for row in self._table.rows(_PARTITION)}
        return {name: each or Refused(1, 0.0, "") for name, each in found.items()}

    async def forget(self, name: str) -> None:
        """It is refused no more."""
        await self._table.delete(_PARTITION, name)


def name_of(change: Change) -> str:
    """Distinguishes what a message is about, in hexadecimal digits."""
    about = "|".join((change.resource.key, change.principal, change.grant))
    return hashlib.sha256(about.encode()).hexdigest()[:32]


def _read(row: Row | None) -> Refused | None:
    if row is None:
        return None
    columns = Columns("control", row)
    try:
        return Refused(columns.count("times"), columns.number("at"), columns.text("seen"))
    except DamagedRow:
        return None
