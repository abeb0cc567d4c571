"""Whether the tables are as the last sweep left them.

Each sweep that read everything, and each look between two of them, writes its time into the tables
and into a blob. Tables without it, or with an older one, are new, lost, or put back from an older
moment: what they say of who needs what may be wrong, so nothing is taken until a sweep has read
every subscription that earlier ones saw. The row is beside the pause, with which it is read.
"""

from collections.abc import Callable, Set
from functools import partial

from lanyard.ports.cache import Cache
from lanyard.ports.marks import Mark, Marks
from lanyard.ports.tables import Row, Table
from lanyard.record.rows import Columns

#: Where the row is: kill_switch.py reads the partition as a whole.
PARTITION, KEY = "pause", "swept"
# A mark only grows: an older one, from a moment ago, is never too new.
_SERVES = 60.0
_STEP = 0.001
_BEGINS = "nothing is taken until a sweep has read everything; one begins within five minutes"


class Relearning:
    """Reads and writes both times. `now`: seconds since the epoch."""

    def __init__(self, table: Table, marks: Marks, now: Callable[[], float]) -> None:
        self._table = table
        self._marks = marks
        self._now = now
        self._read: Cache[str, Mark] = Cache(_SERVES, now)

    async def reason(self, row: Row | None) -> str:
        """Why nothing may be taken yet, "" where something may. `row`: as the table has it. Raises
        Temporary, Permanent.
        """
        if row is None:
            return f"the tables are new or were lost: {_BEGINS}"
        columns = Columns("control", row)
        if waits := columns.text("waits"):
            return (
                f"rows were lost or put back, and what earlier sweeps knew cannot be read: "
                f"{waits}; give the rights back, or 'lanyard offboard' it"
            )
        mark = await self._read.get("", partial(_read, self._marks))
        if columns.number("at") < mark.at:
            return f"the tables are of an older moment than the last sweep: {_BEGINS}"
        return ""

    async def under_way(self) -> bool:
        """Whether nothing may be taken yet."""
        return bool(await self.reason(await self._row()))

    async def put_back(self) -> float | None:
        """The moment before which what the tables hold is in doubt (seconds since the epoch), where
        they are those of an older one, and no sweep has seen to that yet; None otherwise.

        What was written after the last mark was written to the tables as they are now: those that
        were put back had been copied before it.
        """
        row = await self._row()
        if row is None or Columns("control", row).text("waits") or not await self.reason(row):
            return None
        return (await self._marks.read()).at

    async def confirm(self) -> None:
        """Between two sweeps, of tables that are believed: those of an earlier moment than this are
        noticed when they are put back.
        """
        mark = await self._marks.read()
        at = self._later(mark)
        await self._write(at, "")
        await self._keep(Mark(at, mark.subscriptions))

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
            return
        at = self._later(mark)
        await self._write(at, "")
        known = (mark.subscriptions | unread) - offboarded
        await self._keep(Mark(at, frozenset(seen) | known))

    async def _wait_for(self, missing: Set[str]) -> None:
        await self._write(0.0, ", ".join(sorted(missing)))

    def _later(self, mark: Mark) -> float:
        """Now, and after every other mark, whatever the clocks of the instances say."""
        return max(self._now(), mark.at + _STEP)

    async def _keep(self, mark: Mark) -> None:
        await self._marks.write(mark)
        self._read.put("", mark)

    async def _row(self) -> Row | None:
        return await self._table.get(PARTITION, KEY)

    async def _write(self, at: float, waits: str) -> None:
        await self._table.put(PARTITION, KEY, {"at": str(at), "waits": waits})


async def _read(marks: Marks) -> Mark:
    return await marks.read()
