"""A sweep as the app makes it: what it finds goes on the queue, on record and to telemetry."""

import logging
from collections import Counter
from dataclasses import dataclass

import lanyard
from lanyard.planning.orphans import OrphanKind
from lanyard.policy import Policy
from lanyard.ports.queue import Queue
from lanyard.queue.locks import Locks
from lanyard.reconcile.services import Services
from lanyard.record.decisions import POLICY_CHANGED, SWEEP, Decision
from lanyard.record.installation import record_installation
from lanyard.sweep.changed_roles import ChangedRoles
from lanyard.sweep.report import SweepReport, describe, difference
from lanyard.sweep.sweep import Sweep
from lanyard.telemetry import orphans_known, sweeping
from lanyard.values.errors import NotYet, Permanent, Temporary

#: Seconds that a sweep has. The host ends what runs longer than `functionTimeout` of host.json, and
#: with it the whole process.
SWEEP_SECONDS = 2400.0

log = logging.getLogger("lanyard")


@dataclass(frozen=True, slots=True)
class Sweeps:
    """The sweeps under one policy."""

    policy: Policy
    services: Services
    queue: Queue
    locks: Locks

    async def run_alone(self) -> SweepReport | None:
        """As `run`, but None where a sweep is under way, here or in another instance: timers that
        are past due come together.
        """
        try:
            async with self.locks.exclusive(SWEEP):
                return await self.run()
        except NotYet as error:
            log.info("no sweep now: %s", error)
            return None

    async def run(self) -> SweepReport:
        """Look over the whole estate; what needs it is put on the queue.

        Raises Temporary, Permanent where something cannot be read whole: then nothing is.
        """
        with sweeping():
            report = await self._sweep()
        found = Counter(orphan.kind for orphan in report.orphans)
        orphans_known({kind.value: found[kind] for kind in OrphanKind})
        return report

    async def run_for_new_policy(self) -> SweepReport | None:
        """A sweep, if none has reported yet what the policy in force would do, or the tables were
        lost or put back; else only the custom roles are looked at. Raises as the sweep does.
        """
        services = self.services
        await self._end_pause()
        if await services.kill_switch.reported() and not await services.relearning.under_way():
            await services.relearning.confirm()
            await ChangedRoles(self.policy, services, self.queue).look()
            return None
        return await self.run_alone()

    async def _end_pause(self) -> None:
        """A pause whose time is over stops nothing any more: what it held is looked at again."""
        services = self.services
        pause = await services.kill_switch.over()
        if pause is None:
            return
        for change in await services.held.of_the_pause("end of the pause"):
            await self.queue.put(change)
        reason = f"{pause.what} was {pause}; its time is over"
        await services.decisions.add(Decision("", "resume", "done", reason))
        await services.kill_switch.end()

    async def _sweep(self) -> SweepReport:
        services = self.services
        await record_installation(
            services.control,
            services.assignments.installation,
            lanyard.__version__,
            self.policy.mode.value,
            services.now,
        )
        until = services.now() + SWEEP_SECONDS
        sweep = Sweep(self.policy, services, self.queue.put, until=until)
        try:
            first = await self._report_policy()
            report = await sweep.run()
        except (Temporary, Permanent) as error:
            reason = f"{error}: {_cut_off(sweep.put)}"
            await services.decisions.add(Decision("", "sweep", "failed", reason, key=SWEEP))
            raise
        whole = bool(report.assignments) and not report.cut_short
        # Who sees not even its own rights has none yet: its first look is still to come.
        if first and whole:
            await services.kill_switch.adopt()
        # What lies on a damaged row is not known again yet.
        if whole and not report.damaged:
            offboarded = await services.unread.offboarded()
            unread = report.partly_seen | frozenset(report.unseen)
            await services.relearning.swept(report.seen - unread, unread, offboarded)
        counts = {"drifted": report.drifted, "missing": report.missing, "excluded": report.excluded}
        missed = {name: str(count) for name, count in counts.items()}
        await services.decisions.add(
            Decision("", "sweep", "done", describe(report), key=SWEEP, cause=missed)
        )
        await services.decisions.forget_older(self.policy.records.keep_days)
        return report

    async def _report_policy(self) -> bool:
        """A new version of the policy removes nothing before its difference is on record. Whether
        it is the first of all: that one makes no difference.
        """
        services = self.services
        reported = await services.kill_switch.reported()
        if reported is False:
            ahead = await Sweep(self.policy, services).run()
            reason = f"version {self.policy.digest}: {difference(ahead)}"
            log.warning("the policy changed: %s", reason)
            await services.decisions.add(Decision("", POLICY_CHANGED, "done", reason))
            await services.kill_switch.adopt()
        return reported is None


def _cut_off(put: int) -> str:
    """What a sweep that failed did all the same."""
    if not put:
        return "this sweep puts nothing on the queue and removes nothing"
    return (
        f"this sweep put {put} messages on the queue before that; the next one goes on from there"
    )
