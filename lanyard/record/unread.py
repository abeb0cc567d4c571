"""Subscriptions on record in which nothing can be read any more: what is in use there is not seen.

Each sweep writes them down, a row each in the control table. A person takes one off
(`lanyard offboard`): nothing there counts any more.
"""

from collections.abc import Callable, Set

from lanyard.ports.tables import Row, Table

_PARTITION = "unread"
_STATE, _AT, _UNREAD, _OFFBOARDED = "state", "at", "unread", "offboarded"
#: Seconds for which what was taken off may still be readable: rights take a while to go.
_GOING = 86_400.0


class UnreadSubscriptions:
    """Reads and writes of the rows. Ids are lower case. `now`: seconds since the epoch."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    async def read(self) -> frozenset[str]:
        """Those that nobody took off."""
        rows = self._table.rows(_PARTITION)
        return frozenset([row.key async for row in rows if not _is_off(row)])

    async def offboarded(self) -> frozenset[str]:
        """Those that a person took off."""
        rows = self._table.rows(_PARTITION)
        return frozenset([row.key async for row in rows if _is_off(row)])

    async def found(self, unread: Set[str]) -> None:
        """What a sweep found: all that are on record and cannot be read. One that can be read again
        is forgotten.
        """
        known = {row.key: row async for row in self._table.rows(_PARTITION)}
        for subscription in sorted(unread - known.keys()):
            await self._put(subscription, _UNREAD)
        for subscription in sorted(known.keys() - unread):
            if not _is_off(known[subscription], self._now() - _GOING):
                await self._table.delete(_PARTITION, subscription)

    async def take_off(self, subscription: str) -> None:
        """A person says that it is not Lanyard's to look at any more."""
        await self._put(subscription, _OFFBOARDED)

    async def _put(self, subscription: str, state: str) -> None:
        values = {_STATE: state, _AT: str(self._now())}
        await self._table.put(_PARTITION, subscription, values)


def _is_off(row: Row, since: float = 0.0) -> bool:
    """Whether a person took it off, not before `since`; what does not say so forbids."""
    try:
        return row.values.get(_STATE) == _OFFBOARDED and float(row.values[_AT]) >= since
    except (KeyError, ValueError):
        return False
