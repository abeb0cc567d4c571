"""The kill switch: a person, or Lanyard itself, stops removals or everything, in all instances at
once.

Two rows, read before every reconcile and again right before every removal: a pause, and the version
of the policy whose difference was reported. Under another version nothing is removed yet.
"""

from collections.abc import Callable
from datetime import UTC, datetime

from lanyard.planning.orders import Pause, Paused
from lanyard.ports.tables import Row, Table
from lanyard.record.rows import Columns, DamagedRow

_PARTITION, _KEY, _POLICY = "pause", "pause", "policy"
_BY_ITSELF = "lanyard"


class KillSwitch:
    """Sets, clears and reads the kill switch. `now`: seconds since the epoch.

    `policy` is the version (digest) that the caller works by; "" for who works by none.
    """

    def __init__(self, table: Table, now: Callable[[], float], policy: str = "") -> None:
        self._table = table
        self._now = now
        self._policy = policy

    async def read(self) -> Pause | None:
        """The pause in force, or None. Raises Temporary where it cannot be read: then stop, too.

        A damaged row is a pause of everything: somebody meant to stop something.
        """
        rows = {row.key: row async for row in self._table.rows(_PARTITION)}
        if _KEY in rows:
            return self._pause(rows[_KEY])
        return self._unreported(rows.get(_POLICY))

    async def reported(self) -> bool | None:
        """Whether the difference that this version of the policy makes was reported; None where
        none was ever in force: the first one makes none.
        """
        row = await self._table.get(_PARTITION, _POLICY)
        return None if row is None else row.values.get("version") == self._policy

    async def adopt(self) -> None:
        """This version of the policy is in force from now on."""
        now = datetime.fromtimestamp(self._now(), UTC).isoformat()
        await self._table.put(_PARTITION, _POLICY, {"version": self._policy, "at": now})

    def _unreported(self, row: Row | None) -> Pause | None:
        if row is None or not self._policy or row.values.get("version") == self._policy:
            return None
        now = datetime.fromtimestamp(self._now(), UTC)
        reason = "the policy changed, and what it would remove is not reported yet"
        return Pause(Paused.REMOVALS, _BY_ITSELF, now, reason)

    def _pause(self, row: Row) -> Pause:
        columns = Columns("control", row)
        try:
            what, at = columns.choice("what", Paused), columns.moment("at")
            return Pause(what, columns.text("by"), at, columns.text("reason"))
        except DamagedRow as error:
            now = datetime.fromtimestamp(self._now(), UTC)
            return Pause(Paused.EVERYTHING, _BY_ITSELF, now, str(error))

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
