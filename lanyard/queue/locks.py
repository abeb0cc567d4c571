"""One reconcile at a time for each resource, and one reconcile for many events.

An event is a hint, and a reconcile reads everything fresh: it serves every message that was on the
queue before it began. So a message needs no reconcile of its own where

    another message for the same resource is in hand in this process and has not begun, or
    a reconcile that began after the message came to the queue, in any process, has ended well, or,
    where the message only waits for time to pass, has put one of its own back.

The first is known exactly. The second is known by the blob whose lease the reconcile held, by the
storage's clock alone: when the reconcile began against when the message was inserted.

The lease is not what makes a reconcile correct: two at once would meet each other's ETags and
repeat themselves. It saves them that, and a killed holder delays the next for its duration at most.
"""

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace

from lanyard.ports.leases import (
    RENEW_SECONDS,
    End,
    Lease,
    LeaseLost,
    Leases,
    held_by_another,
)
from lanyard.queue.retry import waits
from lanyard.values.change import Change
from lanyard.values.errors import Temporary

log = logging.getLogger("lanyard.locks")


@dataclass(frozen=True, slots=True)
class Arrival:
    """How a message came from the queue.

    `inserted_at`: seconds since the epoch by the storage's clock, None where it is not known.
    `redelivered`: it was taken before, by somebody who did not finish. `message_id`: the queue's
    own, "" where it is not known.
    """

    inserted_at: float | None = None
    redelivered: bool = False
    message_id: str = ""


@dataclass(slots=True, eq=False)
class Ticket:
    """A message in hand that has not begun. `change.since` is that of the latest that it serves;
    None where it is not known: then it is worked on in any case. `message_id` is that of the one
    that has to end for it.
    """

    change: Change
    message_id: str = ""


@dataclass(slots=True)
class Hold:
    """A lock that is held. `needed`: there is something left to do."""

    needed: bool
    #: Which messages that came meanwhile it serves, too. A reconcile that finds its resource gone
    #: serves no event: that may say that the resource is there.
    end: End = End.WELL


@dataclass(slots=True)
class Locks:
    """The locks of one process. `settle`: seconds that an event waits for others to join it."""

    leases: Leases
    settle: float = 0.0
    renew_seconds: float = RENEW_SECONDS
    _waiting: dict[str, Ticket] = field(default_factory=dict)
    _running: dict[str, asyncio.Event] = field(default_factory=dict)

    def enter(self, change: Change, arrival: Arrival) -> Ticket | None:
        """A ticket for a message; None where another message in hand will serve for it, too.

        A message that is in hand already (the storage did not keep it hidden) does not serve for
        itself: it would be deleted now, and lost if the process ends before the work does.
        """
        change = replace(change, since=_since(change, arrival))
        name = _name(change)
        other = self._waiting.get(name)
        if other is not None and not _is_the_same(other, arrival):
            other.change = _merged(other.change, change)
            return None
        ticket = self._waiting[name] = Ticket(change, arrival.message_id)
        return ticket

    def leave(self, ticket: Ticket) -> None:
        """It begins, or goes back to the queue: whoever comes now needs a ticket of its own."""
        name = _name(ticket.change)
        if self._waiting.get(name) is ticket:
            del self._waiting[name]

    @asynccontextmanager
    async def hold(self, ticket: Ticket) -> AsyncIterator[Hold]:
        """Wait for the lock and hold it.

        Raises NotYet where another process has the lock, and Temporary where that cannot be asked.
        """
        name = _name(ticket.change)
        if self.settle and ticket.change.source == "event":
            await asyncio.sleep(self.settle)
        async with self._alone(name):
            lease, end = await self.leases.take(name), End.OPEN
            try:
                held = Hold(not await _is_served(ticket.change, lease))
                self.leave(ticket)
                async with self._kept(lease):
                    yield held
                end = held.end if held.needed else End.OPEN
            finally:
                with suppress(LeaseLost, Temporary):  # then it ends by itself
                    await lease.release(end=end)

    @asynccontextmanager
    async def exclusive(self, name: str) -> AsyncIterator[None]:
        """What only one does at a time, whoever comes second leaves. Raises NotYet where it is
        under way, and Temporary where that cannot be asked.
        """
        if name in self._running:
            raise held_by_another(name, 0.0)
        async with self._alone(name):
            lease = await self.leases.take(name)
            try:
                async with self._kept(lease):
                    yield
            finally:
                with suppress(LeaseLost, Temporary):  # then it ends by itself
                    await lease.release(end=End.OPEN)

    @asynccontextmanager
    async def _alone(self, name: str) -> AsyncIterator[None]:
        while (running := self._running.get(name)) is not None:
            await running.wait()
        ended = self._running[name] = asyncio.Event()
        try:
            yield
        finally:
            del self._running[name]
            ended.set()

    @asynccontextmanager
    async def _kept(self, lease: Lease) -> AsyncIterator[None]:
        keeper = asyncio.create_task(self._keep(lease))
        try:
            yield
        finally:
            keeper.cancel()
            with suppress(asyncio.CancelledError):
                await keeper

    async def _keep(self, lease: Lease) -> None:
        # What runs goes on where the lease is lost: a write that is cut off may have been made,
        # too, and whoever has the lease now reads what is true.
        while True:
            await asyncio.sleep(self.renew_seconds)
            try:
                await lease.renew()
            except LeaseLost:
                log.warning("a lease was lost to another instance")
                return
            except Temporary as error:
                log.info("a lease was not renewed: %s", error)


async def _is_served(change: Change, lease: Lease) -> bool:
    if change.since is None:
        return False
    return await lease.begun_since(change.since, waits=waits(change))


def _name(change: Change) -> str:
    return "|".join((change.resource.key, change.principal, change.grant))


def _since(change: Change, arrival: Arrival) -> float | None:
    """A message that was taken before may have served for others that are gone from the queue."""
    if arrival.redelivered:
        return None
    return change.since if change.since is not None else arrival.inserted_at


def _is_the_same(ticket: Ticket, arrival: Arrival) -> bool:
    return bool(arrival.message_id) and ticket.message_id == arrival.message_id


def _merged(change: Change, other: Change) -> Change:
    return replace(
        change,
        # What only waits says nothing: together they say what the other one says.
        source=other.source if waits(change) else change.source,
        since=_later(change.since, other.since),
        attempt=min(change.attempt, other.attempt),
        written=_latest(change.written, other.written),
        deleted=_latest(change.deleted, other.deleted),
    )


def _latest(one: float | None, other: float | None) -> float | None:
    return max((moment for moment in (one, other) if moment is not None), default=None)


def _later(one: float | None, other: float | None) -> float | None:
    return None if one is None or other is None else max(one, other)
