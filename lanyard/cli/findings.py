"""What `lanyard doctor` can find, how bad it is, and how to fix it. Pure."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum

from lanyard.cli.app_status import Reason, Status
from lanyard.desk.azure.app_setup import Subscribed
from lanyard.policy import Policy
from lanyard.policy.unmet_names import changed, unmet
from lanyard.ports.queue import WaitingEvents
from lanyard.queue.messages import EVENTS
from lanyard.values.resource_id import folded, is_within

_EVENTS = ("Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources.ResourceDeleteSuccess")
#: Tokens are refused from five minutes on; storage and Azure's own clocks differ by less.
_CLOCK_SECONDS = 60.0
#: A queue's messages are taken within seconds, and after a start of the app within a minute or two.
_EVENT_SECONDS = 300.0


class State(StrEnum):
    """How bad it is. A problem keeps Lanyard from its work, a warning from some of it."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `fix` is what to do, "" where all is well."""

    check: str
    state: State
    message: str
    fix: str = ""

    @property
    def wrong(self) -> bool:
        """Whether there is something to do."""
        return self.state is not State.OK


@dataclass(frozen=True, slots=True)
class _Remedy:
    """How bad a reason to look is, and what to do about it."""

    state: State
    fix: str


_SWEEP = _Remedy(
    State.PROBLEM, "look at the app's log: does it run, and may it read every subscription?"
)
_REMEDIES = {
    Reason.PAUSED: _Remedy(State.WARNING, "'lanyard resume' goes on"),
    Reason.HELD: _Remedy(State.WARNING, "'lanyard held' lists each with what would have it done"),
    Reason.POISONED: _Remedy(
        State.WARNING,
        "'lanyard history --outcome failed' shows why, 'lanyard replay --poison' tries again",
    ),
    Reason.DEAD_LETTERS: _Remedy(
        State.WARNING,
        "'lanyard replay --dead-letters' puts them on the queue, as the app does every hour",
    ),
    Reason.NO_SWEEP: _SWEEP,
    Reason.SWEEP_OVERDUE: _SWEEP,
    Reason.SWEEP_FAILED: _SWEEP,
    Reason.DAMAGED: _Remedy(
        State.WARNING, "delete the row in its table; the next sweep puts on record what stands"
    ),
}


def clock(date: str, now: float) -> Finding:
    """This machine's clock (seconds since the epoch) beside the header `Date` of ARM."""
    apart = abs(parsedate_to_datetime(date).timestamp() - now)
    if apart <= _CLOCK_SECONDS:
        return Finding("clock", State.OK, "this machine and Azure agree on the time")
    message = f"this machine's clock is {apart:.0f} s from Azure's"
    return Finding("clock", State.WARNING, message, "set it by NTP: tokens fail from 300 s on")


def events(subscription: str, found: Iterable[Subscribed]) -> Iterator[Finding]:
    """What of the changes in a subscription reaches a function or webhook."""
    place = f"/subscriptions/{subscription}"
    relevant = [
        one for one in found if is_within(one.source, place) and _wants(one) and one.endpoint
    ]
    if not relevant:
        message = f"no event subscription reports changes in subscription {subscription}"
        fix = "deploy infra/ for it; until then only the hourly sweep finds what is new"
        yield Finding("events", State.PROBLEM, message, fix)
    for one in relevant:
        yield _delivery(one)


def shared_installations(subscription: str, found: Iterable[Subscribed]) -> Iterator[Finding]:
    """Apps that are one installation by the labels of their event subscriptions: what one made, the
    other takes for its own.
    """
    apps: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for one in found:
        for installation in one.installations:
            # One app may hear by both ways for a while: which queue is whose does not show.
            apps[installation, one.way].add(folded(one.endpoint))
    for (installation, _), endpoints in sorted(apps.items()):
        if len(endpoints) > 1:
            message = (
                f"{len(endpoints)} apps in subscription {subscription} are one installation, "
                f"{installation}: {', '.join(sorted(endpoints))}"
            )
            fix = (
                "each takes away what the other one made: pause one, give it a setting "
                "LANYARD_INSTALLATION of its own, and onboard the subscription with it again"
            )
            yield Finding("installation", State.PROBLEM, message, fix)


def _wants(one: Subscribed) -> bool:
    return not one.types or any(kind in one.types for kind in _EVENTS)


def _delivery(one: Subscribed) -> Finding:
    if one.state != "Succeeded":
        fix = "create it again, when the app runs: Event Grid asks the endpoint first"
        return Finding("events", State.PROBLEM, f"{one.id} is {one.state or 'unknown'}", fix)
    if missing := [kind for kind in _EVENTS if one.types and kind not in one.types]:
        message = f"{one.id} leaves out {', '.join(missing)}"
        fix = "add the event type to its filter"
        return Finding("events", State.WARNING, message, fix)
    if not one.dead_letters:
        message = f"{one.id} keeps no dead letters: an event that cannot be delivered is lost"
        fix = "set a dead-letter destination; the hourly sweep makes up for lost events meanwhile"
        return Finding("events", State.WARNING, message, fix)
    message = f"{one.id} delivers by {one.way} to {one.endpoint}"
    return Finding("events", State.OK, message)


def sender(one: Subscribed, *, allowed: bool) -> Finding:
    """Whether a topic that delivers by queue has its role there: without it Event Grid gives each
    event up (403) and keeps it as a dead letter.
    """
    queue = one.endpoint.rpartition("/")[2]
    if allowed:
        return Finding("events", State.OK, f"the topic of {one.id} may send to queue {queue}")
    who = one.sender or "which has no system-assigned identity"
    message = f"the topic of {one.id} ({who}) may not send to queue {queue}: no event comes"
    fix = "'lanyard onboard --delivery queue' gives it Storage Queue Data Message Sender there"
    return Finding("events", State.PROBLEM, message, fix)


def no_events_queue(account: str) -> Finding:
    """Event Grid delivers into a queue that is not there: it tries for a day, then keeps what it
    could not deliver as dead letters.
    """
    message = f"storage account {account} has no queue {EVENTS}: no event comes (404)"
    fix = "'azd provision' makes it; what Event Grid could not put there comes then, or is replayed"
    return Finding("events", State.PROBLEM, message, fix)


def waiting_events(waiting: WaitingEvents, now: datetime) -> Finding:
    """How long the oldest message of the queue of events waits."""
    if waiting.oldest is None:
        return Finding("events", State.OK, "no event waits in the queue")
    seconds = max((now - waiting.oldest).total_seconds(), 0.0)
    message = f"the oldest event in the queue waits for {seconds:,.0f} s"
    if seconds < _EVENT_SECONDS:
        return Finding("events", State.OK, message)
    fix = "does the app run? It takes them in when it does; none of them is lost meanwhile"
    return Finding("events", State.WARNING, message, fix)


def work(status: Status) -> Iterator[Finding]:
    """What the app's own record and queues show."""
    attention = list(status.attention())
    for needed in attention:
        remedy = _REMEDIES[needed.reason]
        yield Finding("app", remedy.state, needed.text, remedy.fix)
    if not attention:
        message = f"{status.resources} resources, {status.waiting} messages waiting, none given up"
        yield Finding("app", State.OK, message)


def delivery(status: Status) -> Iterator[Finding]:
    """Whether events come, by what the last sweep found that none had named."""
    sweep = status.last_sweep
    if sweep is None or sweep.decision.outcome != "done":
        return
    missed = sum(int(sweep.decision.cause.get(name, "0")) for name in ("drifted", "missing"))
    if not missed:
        yield Finding("delivery", State.OK, "the last sweep found nothing that no event had named")
        return
    message = f"the last sweep found {missed} resources that events had not brought to the policy"
    fix = (
        "they came late or were lost, unless the policy changed: look at the delivery metrics of "
        "the system topic, and at 'lanyard history --outcome failed'"
    )
    yield Finding("delivery", State.WARNING, message, fix)


def policy_in_force(status: Status, policy: Policy) -> Finding:
    """The policy at hand beside the one that the app swept under."""
    sweep = status.last_sweep
    if sweep is None or not sweep.policy:
        return Finding("policy", State.WARNING, "no sweep shows which policy is in force", "wait")
    if sweep.policy == policy.digest:
        return Finding("policy", State.OK, f"the app works by this policy ({policy.digest})")
    message = f"the app works by another policy ({sweep.policy}) than this one ({policy.digest})"
    return Finding("policy", State.WARNING, message, "deploy this one, or look at that one")


def named_subscriptions(policy: Policy, now: Policy) -> Iterator[Finding]:
    """What the subscriptions come to that the policy names by name or management group: as the app
    has them on record, and as they are listed `now`.
    """
    odd = list(unmet(policy))
    for note in odd:
        fix = "name them as 'lanyard scan' lists them, or by their ids; wait for a sweep of the app"
        yield Finding("subscriptions", State.WARNING, note, fix)
    if differences := changed(policy, policy.subscriptions.listing, now.subscriptions.listing):
        message = f"the app goes by an older listing: {differences}"
        fix = "wait: a sweep of the app has it within five minutes, and reports what it makes of it"
        yield Finding("subscriptions", State.WARNING, message, fix)
    elif not odd:
        number = len(policy.named_subscriptions)
        message = f"{number} names of subscriptions in the policy are known to the app"
        yield Finding("subscriptions", State.OK, message)
