"""The kill switch: a person, or Lanyard itself, stops removals or everything, in all instances at
once.

Read before every reconcile and again right before every removal: a pause, and the version of the
policy whose difference was reported. Under another version nothing is removed yet. Beside them
stands when a person last ended a stop that Lanyard had made itself.
"""

from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from lanyard.planning.orders import Pause, Paused
from lanyard.ports.marks import Unmarked
from lanyard.ports.tables import Row, RowChanged, RowExists, Table
from lanyard.record.relearning import KEY as SWEPT
from lanyard.record.relearning import Relearning
from lanyard.record.rows import Columns, DamagedRow
from lanyard.values.errors import Temporary

_PARTITION, _KEY, _POLICY, _ENDED = "pause", "pause", "policy", "ended"
_BY_ITSELF = "lanyard"
_CONFLICT_DELAY = 2.0
_LONGEST_REASON = 4_000
_ATTEMPTS = 8
#: The clocks of two machines may differ: a pause ends so much later than it says, never sooner.
_CLOCKS = timedelta(minutes=2)


class KillSwitch:
    """Sets, clears and reads the kill switch. `now`: seconds since the epoch.

    `policy` is the version (digest) that the caller works by; "" for who works by none. Without
    `relearning` only the tables show whether they were lost.
    """

    def __init__(
        self,
        table: Table,
        now: Callable[[], float],
        policy: str = "",
        relearning: Relearning | None = None,
    ) -> None:
        self._table = table
        self._now = now
        self._policy = policy
        self._relearning = relearning or Relearning(table, Unmarked(), now)

    async def read(self) -> Pause | None:
        """The pause in force, or None. Raises Temporary where it cannot be read: then stop, too.

        A damaged row is a pause of everything: somebody meant to stop something. One whose time is
        over is none any more, in every instance at once.
        """
        rows = {row.key: row async for row in self._table.rows(_PARTITION)}
        if _KEY in rows and not self._is_over(pause := self._pause(rows[_KEY])):
            return pause
        if reason := await self._relearning.reason(rows.get(SWEPT)):
            return self._own_stop(reason)
        return self._unreported(rows.get(_POLICY))

    async def reported(self) -> bool | None:
        """Whether the difference that this version of the policy makes was reported; None where
        none was ever in force: the first one makes none.
        """
        row = await self._table.get(_PARTITION, _POLICY)
        return None if row is None else row.values.get("version") == self._policy

    async def adopt(self) -> None:
        """This version of the policy is in force from now on."""
        now = self._moment().isoformat()
        await self._table.put(_PARTITION, _POLICY, {"version": self._policy, "at": now})

    def _unreported(self, row: Row | None) -> Pause | None:
        if row is None or not self._policy or row.values.get("version") == self._policy:
            return None
        return self._own_stop("the policy changed, and what it would remove is not reported yet")

    def _own_stop(self, reason: str) -> Pause:
        return Pause(Paused.REMOVALS, _BY_ITSELF, self._moment(), reason)

    def _pause(self, row: Row) -> Pause:
        columns = Columns("control", row)
        try:
            what, at = columns.choice("what", Paused), columns.moment("at")
            until = columns.moment("until") if columns.text("until") else None
            return Pause(what, columns.text("by"), at, columns.text("reason"), until)
        except DamagedRow as error:
            return Pause(Paused.EVERYTHING, _BY_ITSELF, self._moment(), str(error))

    def _is_over(self, pause: Pause) -> bool:
        return pause.until is not None and self._moment() >= pause.until + _CLOCKS

    async def pause(
        self, what: Paused, by: str, reason: str, until: datetime | None = None
    ) -> Pause:
        """Stop, up to a moment (with a zone; None: until somebody goes on). A pause is neither
        narrowed nor shortened by another one; returns what is in force.
        """
        return await self._set(Pause(what, by, self._moment(), reason, until))

    async def stop(self, reason: str) -> Pause:
        """Lanyard stops its removals itself; returns the pause in force, a person's where there is
        one, which has no end from then on. Raises Temporary.
        """
        return await self._set(Pause(Paused.REMOVALS, _BY_ITSELF, self._moment(), reason))

    async def resume(self) -> Pause | None:
        """Go on; returns the pause that was in force, if one was. Raises Temporary where another
        one is made at this moment: that one stays.
        """
        row = await self._table.get(_PARTITION, _KEY)
        if row is None:
            return await self.read()
        current = self._pause(row)
        if _stopped(row):
            await self._table.put(_PARTITION, _ENDED, {"at": self._moment().isoformat()})
        try:
            await self._table.remove(row)
        except RowChanged as error:
            raise Temporary("somebody makes another pause", _CONFLICT_DELAY) from error
        return current

    async def over(self) -> Pause | None:
        """The pause whose time is over, and that still is on record; None where there is none."""
        row = await self._table.get(_PARTITION, _KEY)
        pause = None if row is None else self._pause(row)
        return pause if pause is not None and self._is_over(pause) else None

    async def end(self) -> None:
        """Forget the pause whose time is over; not one that is made at this moment."""
        row = await self._table.get(_PARTITION, _KEY)
        if row is not None and self._is_over(self._pause(row)):
            with suppress(RowChanged):
                await self._table.remove(row)

    async def stop_ended(self) -> float | None:
        """When a person last ended a stop that Lanyard had made itself; seconds since the epoch."""
        row = await self._table.get(_PARTITION, _ENDED)
        return None if row is None else Columns("control", row).moment("at").timestamp()

    async def _set(self, pause: Pause) -> Pause:
        for _ in range(_ATTEMPTS):
            row = await self._table.get(_PARTITION, _KEY)
            current = None if row is None else self._pause(row)
            if current is not None and not self._is_over(current):
                together = _together(pause, current)
                if together == current:
                    return current
            else:
                together = pause
            try:
                await self._write(row, together, stopped=pause.by == _BY_ITSELF)
            except (RowChanged, RowExists):
                continue
            return together
        raise Temporary("the pause is changing too fast", _CONFLICT_DELAY)

    async def _write(self, row: Row | None, pause: Pause, *, stopped: bool) -> None:
        # A person's pause on top of Lanyard's own stop: whoever ends it ends both.
        stopped = stopped or (row is not None and _stopped(row))
        values = {
            "what": pause.what.value,
            "by": pause.by,
            "at": pause.at.isoformat(),
            "reason": pause.reason,
            "until": "" if pause.until is None else pause.until.isoformat(),
            "stopped": str(stopped),
        }
        if row is None:
            await self._table.insert(_PARTITION, _KEY, values)
        else:
            await self._table.replace(row, values)

    def _moment(self) -> datetime:
        return datetime.fromtimestamp(self._now(), UTC)


def _together(pause: Pause, current: Pause) -> Pause:
    """What is in force where one is made on top of another: the wider of both, up to the later end,
    as the first one, for both reasons. A person's is never taken over by Lanyard's own stop, which
    only has no end; nor does a person's end what a damaged row stops.
    """
    ends = pause.until, current.until
    until = None if None in ends else max(filter(None, ends))
    if pause.by == _BY_ITSELF:
        if current.until is None:
            return current
        return replace(current, until=None, reason=f"{current.reason}; {pause.reason}")
    everything = Paused.EVERYTHING in (pause.what, current.what)
    what = Paused.EVERYTHING if everything else Paused.REMOVALS
    if current.by != _BY_ITSELF:
        return replace(current, what=what, until=until, reason=_reasons(current, pause))
    if current.what is Paused.EVERYTHING:
        return current
    return replace(pause, until=until, reason=_reasons(pause, current))


def _reasons(pause: Pause, other: Pause) -> str:
    """Of both, once each. The row has room for so much: a pause is never refused for its reason."""
    both = f"{pause.reason}; {other.by}: {other.reason}"
    is_there = other.reason in pause.reason
    return pause.reason if is_there or len(both) > _LONGEST_REASON else both


def _stopped(row: Row) -> bool:
    """Whether Lanyard's own stop is in it. What cannot be read is none: its end clears nothing."""
    return row.values.get("stopped") == "True"
