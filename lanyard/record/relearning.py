"""Whether the tables are as the last sweep left them.

Each sweep that read everything, and each look between two of them, writes its time into every table
that taking goes by, and into a blob. A table without it, or with an older one, is new, lost, or put
back from an older moment, by itself or with the others: what the tables say of who needs what may
be wrong, so nothing is taken until a sweep has read every subscription that earlier ones knew. In
the control table the row is beside the pause, with which it is read.
"""

import asyncio
from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass

from lanyard.ports.cache import Cache
from lanyard.ports.marks import Mark, Marks
from lanyard.ports.tables import Journal, Row, Table, Tables
from lanyard.record.ownership import CLOCK_DOUBT
from lanyard.record.rows import MARK, Columns, DamagedRow

#: Where the row is in the control table: kill_switch.py reads the partition as a whole.
PARTITION, KEY = "pause", MARK
_CONTROL, _HELD, _RESOURCES = "control", "held", "resources"
# What is kept in memory is read anew after so long (seconds): nobody puts a table back faster.
_SERVES = 60.0
_STEP = 0.001
_BEGINS = "nothing is taken until a sweep has read everything; one begins within five minutes"


@dataclass(frozen=True, slots=True)
class _Times:
    """What the blob has, and each table but the control table (seconds since the epoch; None: it
    has none).
    """

    mark: Mark
    tables: Mapping[str, float | None]


class Relearning:
    """Reads and writes the times. `others`: the tables that taking goes by, by name, besides the
    control table. `now`: seconds since the epoch.
    """

    def __init__(
        self,
        control: Table,
        marks: Marks,
        now: Callable[[], float],
        others: Mapping[str, Table] | None = None,
    ) -> None:
        self._control = control
        self._others = others or {}
        self._marks = marks
        self._now = now
        self._times: Cache[str, _Times] = Cache(_SERVES, now)

    @classmethod
    def over[T: Journal](
        cls, tables: Tables[T], marks: Marks, now: Callable[[], float]
    ) -> "Relearning":
        """Of all tables that taking goes by: what is decided is a journal."""
        others = {
            "grants": tables.grants,
            _HELD: tables.held,
            "identities": tables.identities,
            _RESOURCES: tables.resources,
        }
        return cls(tables.control, marks, now, others)

    async def reason(self, row: Row | None) -> str:
        """Why nothing may be taken yet, "" where something may. `row`: as the control table has it.
        Raises Temporary, Permanent.
        """
        if row is None:
            return _lost([_CONTROL])
        columns = Columns(_CONTROL, row)
        if waits := columns.text("waits"):
            return (
                f"rows were lost or put back, and what earlier sweeps knew cannot be read: "
                f"{waits}; give the rights back, or 'lanyard offboard' it"
            )
        at = columns.number("at")
        if not _doubt(at, await self._times.get("", self._read)):
            return ""
        return _doubt(at, await self._read_anew())  # a sweep may have ended since

    async def under_way(self) -> bool:
        """Whether nothing may be taken yet, by what is there now."""
        await self._read_anew()
        return bool(await self.reason(await self._control.get(PARTITION, KEY)))

    async def put_back(self) -> float | None:
        """The moment before which the records are in doubt (seconds since the epoch), where they
        are those of an older one, and no sweep has seen to that yet; None otherwise.

        What was written after the last mark was written to the table as it is now: one that was
        put back had been copied before it.
        """
        return await self._put_back(_RESOURCES)

    async def answers_put_back(self) -> float | None:
        """As `put_back`, of what people answered."""
        return await self._put_back(_HELD)

    async def _put_back(self, table: str) -> float | None:
        times = await self._read_anew()
        at = times.tables[table]
        if at is not None and at >= times.mark.at:
            return None
        return times.mark.at + CLOCK_DOUBT

    async def confirm(self) -> None:
        """Between two sweeps, of tables that are believed: those of an earlier moment than this are
        noticed when they are put back.
        """
        mark = await self._marks.read()
        await self._keep(Mark(self._later(mark), mark.subscriptions))

    async def subscriptions(self) -> frozenset[str]:
        """Those (lower case) that sweeps saw, or had something of on record, and that nobody
        offboarded.
        """
        return (await self._marks.read()).subscriptions

    async def rows_lost(self, seen: Set[str], offboarded: Set[str]) -> None:
        """A sweep, which sees these subscriptions (lower case), found that rows are gone: those of
        what it cannot read may be, too. Where it reads everything that earlier ones knew, nothing
        waits for it.
        """
        mark = await self._marks.read()
        if missing := mark.subscriptions - seen - offboarded:
            await self._wait_for(missing)

    async def swept(self, seen: Set[str], unread: Set[str], offboarded: Set[str]) -> None:
        """A sweep has read everything that it sees: these subscriptions (lower case); `unread` are
        on record besides. Where earlier ones knew more that nobody offboarded, and the tables were
        lost, it goes on waiting.
        """
        mark = await self._marks.read()
        missing = mark.subscriptions - seen - offboarded
        if missing and await self.under_way():
            await self._wait_for(missing)
            await self._write_others(self._later(mark))
            return
        known = (mark.subscriptions | unread) - offboarded
        await self._keep(Mark(self._later(mark), frozenset(seen) | known))

    def _later(self, mark: Mark) -> float:
        """Now, and after every other mark, whatever the clocks of the instances say."""
        return max(self._now(), mark.at + _STEP)

    async def _keep(self, mark: Mark) -> None:
        """The blob last: no table may seem older than it."""
        await self._write_others(mark.at)
        await self._write_control(mark.at, "")
        await self._marks.write(mark)
        self._times.put("", _Times(mark, dict.fromkeys(self._others, mark.at)))

    async def _wait_for(self, missing: Set[str]) -> None:
        await self._write_control(0.0, ", ".join(sorted(missing)))

    async def _write_control(self, at: float, waits: str) -> None:
        await self._control.put(PARTITION, KEY, {"at": str(at), "waits": waits})

    async def _write_others(self, at: float) -> None:
        for table in self._others.values():
            await table.put(MARK, MARK, {"at": str(at)})

    async def _read_anew(self) -> _Times:
        times = await self._read()
        self._times.put("", times)
        return times

    async def _read(self) -> _Times:
        """The blob first: what is written meanwhile makes no table seem older than it."""
        mark = await self._marks.read()
        rows = await asyncio.gather(*(each.get(MARK, MARK) for each in self._others.values()))
        found = zip(self._others, rows, strict=True)
        return _Times(mark, {name: _at(name, row) for name, row in found})


def _doubt(control: float, times: _Times) -> str:
    """Why the tables are not believed, "" where they are. `control`: the control table's time."""
    known = {_CONTROL: control, **times.tables}
    if lost := [name for name, at in known.items() if at is None]:
        return _lost(lost)
    older = [name for name, at in known.items() if at is not None and at < times.mark.at]
    if older:
        names = _named(older)
        return f"the tables are of an older moment than the last sweep: {names}; {_BEGINS}"
    return ""


def _lost(tables: list[str]) -> str:
    return f"the tables are new or were lost: {_named(tables)}; {_BEGINS}"


def _named(tables: list[str]) -> str:
    return ", ".join(f"lanyard{name}" for name in tables)


def _at(table: str, row: Row | None) -> float | None:
    """One that cannot be read is as good as none, and written anew."""
    try:
        return None if row is None else Columns(table, row).number("at")
    except DamagedRow:
        return None
