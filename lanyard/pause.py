"""The brake: a person, or Lanyard itself, stops removals or everything, for all instances at once.

One row, read before every reconcile and again right before every removal.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from lanyard.orders import Pause, Paused
from lanyard.rows import Columns, DamagedRow
from lanyard.tables import Table

_PARTITION, _KEY = "pause", "pause"


class Brake:
    """Pulls, releases and reads the brake. `now`: seconds since the epoch."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    async def read(self) -> Pause | None:
        """The pause in force, or None. Raises Temporary where it cannot be read: then stop, too.

        A damaged row is a pause of everything: somebody meant to stop something.
        """
        row = await self._table.get(_PARTITION, _KEY)
        if row is None:
            return None
        columns = Columns("control", row)
        try:
            what, at = columns.word("what", Paused), columns.moment("at")
            return Pause(what, columns.text("by"), at, columns.text("reason"))
        except DamagedRow as error:
            now = datetime.fromtimestamp(self._now(), UTC)
            return Pause(Paused.EVERYTHING, "lanyard", now, str(error))

    async def pause(self, what: Paused, by: str, reason: str) -> Pause:
        """Stop; a wider pause is never narrowed by another one."""
        current = await self.read()
        if current is not None and current.what is Paused.EVERYTHING:
            return current
        made = Pause(what, by, datetime.fromtimestamp(self._now(), UTC), reason)
        values = {"what": what.value, "by": by, "at": made.at.isoformat(), "reason": reason}
        await self._table.put(_PARTITION, _KEY, values)
        return made

    async def resume(self) -> Pause | None:
        """Go on; returns the pause that was in force, if one was."""
        current = await self.read()
        await self._table.delete(_PARTITION, _KEY)
        return current
