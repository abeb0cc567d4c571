"""The app put together: settings, policy and clients, built once and shared by all invocations.

The handlers import it when there is work to do, and it imports the Azure SDKs when that begins: an
instance that only takes events in needs neither.
"""

import time
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from lanyard.app.giving_up import GivingUp
from lanyard.app.listed_policy import ListedPolicy
from lanyard.app.lost_attempts import LostAttempts
from lanyard.app.policy_source import DeliveredPolicy, PackagedPolicy, PolicySource
from lanyard.app.sweeping import Sweeps
from lanyard.app.worker import Worker
from lanyard.policy import Policy
from lanyard.ports.azure import Index
from lanyard.ports.dead_letters import Poison
from lanyard.ports.queue import Queue
from lanyard.queue.locks import Locks
from lanyard.reconcile.resource import Reconciler
from lanyard.reconcile.services import Services, assemble
from lanyard.record.decisions import Author, Decisions, app_name
from lanyard.record.last_good_policy import LastGood
from lanyard.record.subscription_listing import KeptListing
from lanyard.settings import settings

if TYPE_CHECKING:
    from lanyard.azure.connection import Connection


@cache
def connected() -> "Connection":
    """What the app reaches, built on first use; telemetry begins here."""
    from lanyard.azure.connection import connect  # the SDKs are imported here, not at start

    if settings().exported:
        from lanyard.azure.collecting import collect

        collect()

    return connect(settings())


@cache
def policies() -> ListedPolicy:
    """The policy in force."""
    return ListedPolicy(_policy_source(), _kept_listing, _index, decisions, time.time)


def _kept_listing() -> KeptListing:
    return KeptListing(connected().storage.tables.control)


def _index() -> Index:
    return connected().azure.index


def _policy_source() -> PolicySource:
    """Where the policy comes from."""
    own = settings().identity
    if not settings().policy_url:
        return PackagedPolicy(settings().policy, decisions, own)
    storage = connected().storage
    assert storage.policy is not None, "a blob is read where the settings name one"
    good, fetch = LastGood(storage.tables.control), storage.policy.fetch
    return DeliveredPolicy(settings().policy_url, fetch, good, decisions(), time.time, own)


@cache
def decisions() -> Decisions:
    """The record, whatever the policy: also where none can be used."""
    author = Author(_author(), "")
    return Decisions(connected().storage.tables.decisions, author, time.time)


@cache
def locks() -> Locks:
    """The locks of this process, whatever the policy."""
    return Locks(connected().storage.leases, settings().settle)


@dataclass(frozen=True, slots=True)
class App:
    """What the triggers start, under one policy."""

    worker: Worker
    sweeps: Sweeps
    lost_attempts: LostAttempts


async def app() -> App:
    """The app under the policy in force now. Raises PolicyError with file, line and reason."""
    return _composition().under(await policies().current())


async def sweeping_app() -> App:
    """The same for a sweep, which lists anew the subscriptions that the policy names."""
    return _composition().under(await policies().relisted())


@dataclass(slots=True)
class _Composition:
    """The app over the real Azure: put together anew when the policy changes, over the same
    clients, the same locks.
    """

    _policy: Policy | None = None
    _app: App | None = None

    def under(self, policy: Policy) -> App:
        if self._app is None or policy is not self._policy:
            to = connected()
            services = assemble(
                to.azure,
                to.storage.tables,
                policy,
                _author(),
                time.time,
                to.notifications,
                to.storage.mark,
            )
            self._app = composed(policy, services, to.storage.queue, to.storage.poison, locks())
            self._policy = policy
        return self._app


def composed(policy: Policy, services: Services, queue: Queue, poison: Poison, locks: Locks) -> App:
    """The app over these."""
    reconciler, giving_up = Reconciler(policy, services), GivingUp(services.decisions, poison)
    worker = Worker(reconciler, queue, giving_up, locks, services.now)
    sweeps = Sweeps(policy, services, queue, locks)
    return App(worker, sweeps, LostAttempts(queue, giving_up))


@cache
def _composition() -> _Composition:
    return _Composition()


def _author() -> str:
    return app_name(settings().client_id)
