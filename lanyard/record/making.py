"""What many need at once is made once: an identity, or the role assignment of a grant.

In a process one makes it, and who comes meanwhile waits. Across instances whoever makes it is on
record as its maker for a while: who meets that looks again, a short while long, and takes over once
the maker's time is over. Neither is what makes it correct (claims.py says what is): two makers
would meet each other's versions. It saves them that; and nobody who waits has failed.
"""

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from contextlib import suppress

from lanyard.ports.tables import Row, RowChanged, RowExists, Table, key_of
from lanyard.record.rows import Columns
from lanyard.values.errors import NotYet, Permanent, Temporary
from lanyard.values.resource_id import ResourceId

#: How long a maker has (seconds): a read, the write and a look after it, each with its deadline.
MAKE_SECONDS = 60.0
#: The partition, in the table of identities, of those that are being made.
MAKING = "making"
# A maker takes a second or two. Who waits in vain for so many looks comes back later (seconds).
_LOOK_SECONDS = 0.5
_LOOKS = 10
_LATER = 5.0

type Sleep = Callable[[float], Awaitable[None]]


class BeingMade(NotYet):
    """Another instance is making it."""


def being_made(what: str, maker: str, left: float) -> BeingMade:
    """`left`: the seconds of its maker's time that are left."""
    return BeingMade(f"{what} is being made, for {maker}", min(left, _LATER))


class _Flight:
    """One that makes something, until it has `ended`; `failure`: why it could not."""

    def __init__(self) -> None:
        self.ended = asyncio.Event()
        self.failure: Temporary | Permanent | None = None


class MadeOnce:
    """The flights of one process. `sleep` waits seconds; so many `looks` at what another instance
    makes are made before the message comes back later.
    """

    def __init__(self, sleep: Sleep = asyncio.sleep, looks: int = _LOOKS) -> None:
        self._sleep = sleep
        self._looks = looks
        self._flights: dict[Hashable, _Flight] = {}

    async def ensure[T](
        self,
        key: Hashable,
        there: Callable[[], Awaitable[T | None]],
        make: Callable[[], Awaitable[T]],
    ) -> T:
        """What `make` makes, or what is `there` once another has made it: who waited looks for
        itself, because what the other saw may be older than its own claim.

        Raises what `make` raises: to all who waited for it, too. Each for itself would meet the
        same, one after the other.
        """
        while (ahead := self._flights.get(key)) is not None:
            await ahead.ended.wait()
            if ahead.failure is not None:
                raise ahead.failure
            if (found := await there()) is not None:
                return found
        return await self._fly(key, make)

    async def _fly[T](self, key: Hashable, make: Callable[[], Awaitable[T]]) -> T:
        flight = self._flights[key] = _Flight()
        try:
            return await self._patiently(make)
        except (Temporary, Permanent) as failure:
            flight.failure = failure
            raise
        finally:
            del self._flights[key]
            flight.ended.set()

    async def _patiently[T](self, make: Callable[[], Awaitable[T]]) -> T:
        for _ in range(self._looks):
            try:
                return await make()
            except BeingMade:
                await self._sleep(_LOOK_SECONDS)
        return await make()


class Makers:
    """Who makes which identity, for all instances. `now`: seconds since the epoch."""

    def __init__(self, table: Table, now: Callable[[], float]) -> None:
        self._table = table
        self._now = now

    async def begin(self, identity: ResourceId, maker: ResourceId) -> Row:
        """On record as its maker. One that died is its own successor. Raises BeingMade,
        DamagedRow, Temporary.
        """
        values = {"by": maker.key, "until": str(self._now() + MAKE_SECONDS)}
        key = key_of(identity.key)
        try:
            return await self._table.insert(MAKING, key, values)
        except RowExists:
            found = await self._table.get(MAKING, key)
        if found is None:
            raise being_made(str(identity), "another", _LOOK_SECONDS)
        columns = Columns("identities", found)
        by, left = columns.text("by"), columns.number("until") - self._now()
        if by != maker.key and left > 0:
            raise being_made(str(identity), by, left)
        try:
            return await self._table.replace(found, values)
        except RowChanged as error:
            raise being_made(str(identity), "another", _LOOK_SECONDS) from error

    async def end(self, begun: Row) -> None:
        """Its maker is done."""
        with suppress(RowChanged, Temporary):  # taken over; or it ends by itself
            await self._table.remove(begun)
