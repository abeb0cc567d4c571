"""One message of the queue: worked on, put back for later, or on record as failed."""

import logging
import random
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field, replace

from lanyard.app.giving_up import GivingUp
from lanyard.planning.attempts import is_over, next_look, refusals
from lanyard.ports.leases import End
from lanyard.ports.queue import Queue
from lanyard.queue.locks import Arrival, Locks, Ticket
from lanyard.queue.messages import decode
from lanyard.queue.retry import again, backoff
from lanyard.reconcile.reported import Report
from lanyard.reconcile.resource import Reconciler
from lanyard.record.decisions import Decision
from lanyard.record.refused import RefusedWork, name_of
from lanyard.sweep.at_once import at_once
from lanyard.telemetry import Outcome, reconciling
from lanyard.values.change import Change, cause_of
from lanyard.values.errors import (
    FEW_ATTEMPTS,
    MAX_ATTEMPTS,
    AtWork,
    GivenUp,
    MayPass,
    NotYet,
    Permanent,
    Temporary,
)

_UNKNOWN = Arrival()
# How often many messages are tried to be put on the queue.
_ROUNDS = 3
# What is refused where it could not begin.
_ALL = "reconcile"

# Seconds after which what failed by a fault of Lanyard's own is tried again, at first.
_FAULT_DELAY = 30.0

log = logging.getLogger("lanyard")
faults = logging.getLogger("lanyard.faults")


@dataclass(frozen=True, slots=True)
class Worker:
    """Works on messages under one policy."""

    reconciler: Reconciler
    queue: Queue
    giving_up: GivingUp
    locks: Locks
    #: Seconds since the epoch.
    now: Callable[[], float]
    dice: random.Random = field(default_factory=random.Random)

    async def take(self, body: bytes, arrival: Arrival = _UNKNOWN) -> None:
        """Work on what came from the queue, as `process` does. What is no message of this queue is
        given up at once.
        """
        try:
            change = decode(body)
        except Permanent as error:
            await self.giving_up.unreadable(body, str(error))
            return
        await self.process(change, arrival)

    async def process(self, change: Change, arrival: Arrival = _UNKNOWN) -> None:
        """Work on one message. Returns when it may be deleted: done, recorded, put back for later
        with one more attempt behind it, or given up.

        Raises only where none of that could be written: no attempt is counted then.
        """
        with reconciling(change, self.now) as message:
            message.outcome = await self._work(change, arrival)

    async def _work(self, change: Change, arrival: Arrival) -> Outcome:
        if change.resource.is_resource_group:
            return await self._counted(self._expanded(change), lambda: change)
        ticket = self.locks.enter(change, arrival)
        if ticket is None:
            log.info("%s: another message in hand serves for this one, too", change.resource)
            return Outcome.SERVED
        return await self._counted(self._in_order(ticket), lambda: ticket.change)

    async def _counted(
        self, work: Coroutine[None, None, Outcome], change: Callable[[], Change]
    ) -> Outcome:
        """What fails is an attempt of the message; `change` is what it has come to stand for."""
        try:
            return await work
        except AtWork as error:
            return await self._work_first(change(), error)
        except NotYet as error:
            return await self._later(change(), error)
        except Temporary as error:
            return await self._failed(change(), error)
        except Permanent as error:
            return await self._record_failure(change(), error)
        except Exception as error:
            return await self._fault(change(), error)

    async def _expanded(self, change: Change) -> Outcome:
        await self._put_all([below async for below in self.reconciler.expand(change)])
        return Outcome.EXPANDED

    async def _in_order(self, ticket: Ticket) -> Outcome:
        try:
            if not await self.reconciler.concerns(ticket.change):
                log.info("%s: no rule is for its type", ticket.change.resource)
                return Outcome.IGNORED
            with self.reconciler.sparing_quota(ticket.change):
                return await self._under_lock(ticket)
        finally:
            # Before it is put back: nobody may join a message whose copy is on its way already.
            self.locks.leave(ticket)

    async def _under_lock(self, ticket: Ticket) -> Outcome:
        async with self.locks.hold(ticket) as held:
            if held.needed:
                report = await self.reconciler.reconcile(ticket.change)
                outcome = await self._follow_up(ticket.change, report)
                held.end = _end(report, outcome)
                return outcome
        log.info("%s: worked on since this message came", ticket.change.resource)
        return Outcome.SERVED

    async def _follow_up(self, change: Change, report: Report) -> Outcome:
        for outcome in report.outcomes:
            log.info("%s: %s: %s", change.resource, outcome.action, outcome.failure or "done")
        if report.at_work is None:
            await self._note(change, [*refusals(report.outcomes), *report.held])
        await self._put_all([Change(resource, "identity") for resource in report.look_at])
        if report.retry_in is None:
            return _ended(report)
        if report.failing:
            return await self._retry(change, report.retry_in, "part of the plan failed")
        if report.at_work is not None:
            waiting = replace(again(change, failing=False), waits_since=change.waits_since)
            return await self._work_first(waiting, report.at_work)
        wait = backoff(0, report.retry_in, self.dice)
        await self.queue.put(again(change, failing=False), wait)
        return Outcome.WAITING

    async def _put_all(self, changes: list[Change]) -> None:
        """Side by side: a group that was deleted may have had thousands. Those that fail are tried
        again after the others: where one of hundreds fails, all of them would come once more.
        Raises Temporary, Permanent.
        """
        failed: dict[Change, Temporary] = {}

        async def put(change: Change) -> None:
            try:
                await self.queue.put(change)
            except Temporary as error:
                failed[change] = error

        for _ in range(_ROUNDS):
            failed.clear()
            await at_once(changes, put)
            if not failed:
                return
            changes = list(failed)
        raise next(iter(failed.values()))

    async def _failed(self, change: Change, error: Temporary) -> Outcome:
        """It could not begin. Where it never could, a person has it done again when that is over:
        an outage is no answer about the resource. The sweep does so, too, less and less often; what
        it was given up for before is no outage, nor is what Azure names a time for.
        """
        if not is_over(error, change):
            return await self._retry(change, error.delay, str(error))
        if isinstance(error, MayPass) or change.refused or change.attempt < MAX_ATTEMPTS:
            return await self._record_failure(change, GivenUp(error))
        await self._note(change, [_ALL])
        return await self._give_up(change, f"it failed {MAX_ATTEMPTS} times, at last: {error}")

    async def _fault(self, change: Change, error: Exception) -> Outcome:
        """Lanyard's own: a few tries, for it may hang on what was read."""
        faults.error("%s: a fault of Lanyard's own", change.resource, exc_info=error)
        if change.attempt < FEW_ATTEMPTS:
            return await self._retry(change, _FAULT_DELAY, repr(error))
        return await self._give_up(change, repr(error))

    async def _give_up(self, change: Change, reason: str) -> Outcome:
        await self.giving_up.give_up(change, reason)
        return Outcome.FAILED

    async def _retry(self, change: Change, delay: float, reason: str) -> Outcome:
        wait = backoff(change.attempt, delay, self.dice)
        log.info("%s: again in %.0f s: %s", change.resource, wait, reason)
        await self.queue.put(again(change, failing=True), wait)
        return Outcome.RETRIED

    async def _work_first(self, change: Change, error: AtWork) -> Outcome:
        """Nothing was tried, so it does not count as an attempt. What lasts is given up."""
        now = self.now()
        delay = next_look(error, change, now)
        if delay is None:
            return await self._record_failure(change, GivenUp(error))
        since = now if change.waits_since is None else change.waits_since
        return await self._later(replace(change, waits_since=since), error, delay)

    async def _later(self, change: Change, error: NotYet, delay: float | None = None) -> Outcome:
        """Nothing was tried, so it does not count as an attempt. `delay`: another one than the
        error's, in seconds.
        """
        wait = backoff(0, error.delay if delay is None else delay, self.dice)
        log.info("%s: in %.0f s: %s", change.resource, wait, error)
        await self.queue.put(change, wait)
        return Outcome.WAITING

    async def _note(self, change: Change, refused: list[str]) -> None:
        """The sweep puts what is refused again and again on the queue less and less often."""
        services = self.reconciler.services
        work = RefusedWork(services.control, services.now)
        if refused:
            await work.note(change, refused)
        elif change.refused:
            await work.forget(name_of(change))

    async def _record_failure(self, change: Change, error: Permanent) -> Outcome:
        log.warning("%s: %s", change.resource, error)
        await self._note(change, [_ALL])
        decision = Decision(
            change.resource.text, "reconcile", "failed", str(error), cause=cause_of(change)
        )
        await self.giving_up.decisions.add(decision)
        return Outcome.FAILED


def _end(report: Report, outcome: Outcome) -> End:
    """Without a message put back, what waits goes on by its own."""
    if not report.gone:
        return End.WELL
    return End.WAITS if outcome is Outcome.WAITING else End.OPEN


def _ended(report: Report) -> Outcome:
    """Of a reconcile that leaves nothing to do."""
    if any(outcome.failure is not None for outcome in report.outcomes):
        return Outcome.FAILED
    return Outcome.VERIFIED if report.outcomes else Outcome.UNCHANGED
