"""The app put together: settings, policy and clients, built once and shared by all invocations.

The handlers import it when there is work to do, and it imports the Azure SDKs when that begins: an
instance that only takes events in needs neither.
"""

import logging
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from lanyard.app.policy_source import DeliveredPolicy, PackagedPolicy, PolicySource
from lanyard.planning.orphans import OrphanKind
from lanyard.policy import Policy
from lanyard.queue.locks import Arrival, Place, Turns
from lanyard.queue.retry import MAX_ATTEMPTS, again, backoff
from lanyard.reconcile.identity import IDENTITY_TYPE
from lanyard.reconcile.resource import Reconciler, Report
from lanyard.reconcile.services import assemble
from lanyard.record.decisions import Author, Decision, Decisions
from lanyard.record.last_good_policy import LastGood
from lanyard.settings import settings
from lanyard.sweep.report import SweepReport, describe, difference
from lanyard.sweep.sweep import Sweep
from lanyard.telemetry import Outcome, orphans_known, reconciling, sweeping
from lanyard.values.change import Change
from lanyard.values.errors import NotYet, Permanent, Temporary

if TYPE_CHECKING:
    from lanyard.azure.connection import Storage
    from lanyard.azure.notifications import Notifications
    from lanyard.azure.storage.queue import WorkQueue
    from lanyard.ports.azure import Azure

_UNKNOWN = Arrival()

log = logging.getLogger("lanyard")

# How often many messages are tried to be put on the queue.
_ROUNDS = 3


@dataclass(frozen=True, slots=True)
class Runtime:
    """What a worker process holds on to."""

    reconciler: Reconciler
    queue: "WorkQueue"
    turns: Turns
    dice: random.Random = field(default_factory=random.Random)

    async def process(self, change: Change, arrival: Arrival = _UNKNOWN) -> None:
        """Work on one message. Returns when it may be deleted: done, recorded, or put back later.

        Raises Temporary when all attempts failed: then the host moves it to the poison queue.
        """
        with reconciling(change, self.reconciler.services.now) as told:
            told.outcome = await self._work(change, arrival)

    async def _work(self, change: Change, arrival: Arrival) -> Outcome:
        if change.resource.is_resource_group:
            await self._put_all([b async for b in self.reconciler.expand(change.resource)])
            return Outcome.EXPANDED
        place = self.turns.line_up(change, arrival)
        if place is None:
            log.info("%s: another message in hand serves for this one, too", change.resource)
            return Outcome.SERVED
        try:
            return await self._in_turn(place)
        except NotYet as error:
            return await self._later(place.change, error)
        except Temporary as error:
            return await self._retry(place.change, error.delay, str(error))
        except Permanent as error:
            return await self._record_failure(place.change, error)

    async def _in_turn(self, place: Place) -> Outcome:
        try:
            if not await self._concerns_us(place.change):
                log.info("%s: no rule is for its type", place.change.resource)
                return Outcome.IGNORED
            self.reconciler.services.compute.hold(place.change.resource)
            async with self.turns.turn(place) as needed:
                if needed:
                    report = await self.reconciler.reconcile(place.change)
                    return await self._follow_up(place.change, report)
            log.info("%s: worked on since this message came", place.change.resource)
            return Outcome.SERVED
        finally:
            # Before it is put back: nobody may join a message whose copy is on its way already.
            self.turns.leave(place)

    async def _concerns_us(self, change: Change) -> bool:
        """Events come for every type; one that the policy does not name only matters where there
        is a record: it may have named it before.
        """
        named = self.reconciler.policy.types() | {IDENTITY_TYPE}
        if change.source not in ("event", "replay") or change.resource.type.lower() in named:
            return True
        record = await self.reconciler.services.ledger.resource(change.resource)
        return record.row is not None

    async def sweep(self) -> SweepReport:
        """Look over the whole estate; what needs it is put on the queue.

        Raises Temporary, Permanent where something cannot be read whole: then nothing is.
        """
        with sweeping():
            report = await self._sweep()
        found = Counter(orphan.kind for orphan in report.orphans)
        orphans_known({kind.value: found[kind] for kind in OrphanKind})
        return report

    async def sweep_under_a_new_policy(self) -> SweepReport | None:
        """A sweep, if none has told yet what the policy in force would do; else nothing.

        Raises as the sweep does.
        """
        if await self.reconciler.services.brake.reported():
            return None
        return await self.sweep()

    async def _sweep(self) -> SweepReport:
        reconciler, decisions = self.reconciler, self.reconciler.services.decisions
        try:
            first = await self._report_policy()
            report = await Sweep(reconciler.policy, reconciler.services, self.queue.put).run()
        except (Temporary, Permanent) as error:
            reason = f"{error}: this sweep puts nothing on the queue and removes nothing"
            await decisions.add(Decision("", "sweep", "failed", reason))
            raise
        # Who sees not even its own rights has none yet: its first look is still to come.
        if first and report.assignments:
            await reconciler.services.brake.adopt()
        missed = {"drifted": str(report.drifted), "missing": str(report.missing)}
        await decisions.add(Decision("", "sweep", "done", describe(report), cause=missed))
        await decisions.forget_older(reconciler.policy.records.keep_days)
        return report

    async def _report_policy(self) -> bool:
        """A new version of the policy removes nothing before its difference is on record. Whether
        it is the first of all: that one makes no difference.
        """
        reconciler, services = self.reconciler, self.reconciler.services
        reported = await services.brake.reported()
        if reported is False:
            ahead = await Sweep(reconciler.policy, services).run()
            reason = f"version {reconciler.policy.digest}: {difference(ahead)}"
            log.warning("the policy changed: %s", reason)
            await services.decisions.add(Decision("", "policy changed", "done", reason))
            await services.brake.adopt()
        return reported is None

    async def _follow_up(self, change: Change, report: Report) -> Outcome:
        for outcome in report.outcomes:
            log.info("%s: %s: %s", change.resource, outcome.action, outcome.failure or "done")
        await self._put_all([Change(resource, "identity") for resource in report.look_at])
        if report.retry_in is None:
            return _ended(report)
        if report.failing:
            return await self._retry(change, report.retry_in, "part of the plan failed")
        wait = backoff(0, report.retry_in, self.dice)
        await self.queue.put(again(change, failing=False), wait)
        return Outcome.WAITING

    async def _put_all(self, changes: list[Change]) -> None:
        """Those that fail are tried again after the others: where one of hundreds fails, all of
        them would come once more. Raises Temporary.
        """
        for _ in range(_ROUNDS):
            failed: list[Change] = []
            for change in changes:
                try:
                    await self.queue.put(change)
                except Temporary as error:
                    failed.append(change)
                    failure = error
            if not failed:
                return
            changes = failed
        raise failure

    async def _retry(self, change: Change, delay: float, reason: str) -> Outcome:
        if change.attempt >= MAX_ATTEMPTS:
            raise Temporary(f"{change.resource}: given up after {MAX_ATTEMPTS}: {reason}", delay)
        wait = backoff(change.attempt, delay, self.dice)
        log.info("%s: again in %.0f s: %s", change.resource, wait, reason)
        await self.queue.put(again(change, failing=True), wait)
        return Outcome.RETRIED

    async def _later(self, change: Change, error: NotYet) -> Outcome:
        """Nothing was tried, so it does not count as an attempt."""
        wait = backoff(0, error.delay, self.dice)
        log.info("%s: in %.0f s: %s", change.resource, wait, error)
        await self.queue.put(change, wait)
        return Outcome.WAITING

    async def _record_failure(self, change: Change, error: Permanent) -> Outcome:
        log.warning("%s: %s", change.resource, error)
        cause = {"source": change.source, "eventId": change.event_id}
        decision = Decision(change.resource.text, "reconcile", "failed", str(error), cause=cause)
        await self.reconciler.services.decisions.add(decision)
        return Outcome.FAILED


def _ended(report: Report) -> Outcome:
    """Of a reconcile that leaves nothing to do."""
    if any(outcome.failure is not None for outcome in report.outcomes):
        return Outcome.FAILED
    return Outcome.VERIFIED if report.outcomes else Outcome.UNCHANGED


@cache
def connected() -> "tuple[Azure, Storage, Notifications | None]":
    """Azure, the app's storage and who tells others, built on first use; telemetry begins here."""
    from lanyard.azure.connection import connect  # the SDKs are imported here, not at start

    if settings().exported:
        from lanyard.azure.collecting import collect

        collect()

    return connect(settings())


@cache
def policies() -> PolicySource:
    """Where the policy comes from."""
    if not settings().policy_url:
        return PackagedPolicy(settings().policy)
    _, storage, _ = connected()
    assert storage.policy is not None, "a blob is read where the settings name one"
    tables, by = storage.tables, Author(_author(), "")
    decisions = Decisions(tables.decisions, by, time.time)
    good = LastGood(tables.control)
    return DeliveredPolicy(settings().policy_url, storage.policy.fetch, good, decisions, time.time)


@cache
def turns() -> Turns:
    """The turns of this process, whatever the policy."""
    _, storage, _ = connected()
    return Turns(storage.leases, settings().settle)


async def runtime() -> Runtime:
    """The app under the policy in force now. Raises PolicyError with file, line and reason."""
    return _app().under(await policies().current())


@dataclass(slots=True)
class _App:
    """The app over the real Azure: put together anew when the policy changes, over the same
    clients, the same turns.
    """

    _policy: Policy | None = None
    _made: Runtime | None = None

    def under(self, policy: Policy) -> Runtime:
        if self._made is None or policy is not self._policy:
            azure, storage, notifications = connected()
            services = assemble(azure, storage.tables, policy, _author(), time.time, notifications)
            self._made = Runtime(Reconciler(policy, services), storage.queue, turns())
            self._policy = policy
        return self._made


@cache
def _app() -> _App:
    return _App()


def _author() -> str:
    return f"app {settings().client_id}"
