"""What `lanyard doctor` looks at. Each check tells what it found and how to mend it, and one that
cannot be made stops no other.
"""

from collections.abc import AsyncIterator, Callable, Iterable, Iterator
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum

from lanyard.cli.frame.connect import App
from lanyard.cli.status import Status, status_of
from lanyard.desk.azure.app_setup import Setup, Subscribed
from lanyard.desk.rights import Rights, rights
from lanyard.policy import Policy
from lanyard.values.errors import LanyardError
from lanyard.values.resource_id import is_within

_EVENTS = ("Microsoft.Resources.ResourceWriteSuccess", "Microsoft.Resources.ResourceDeleteSuccess")
#: Tokens are refused from five minutes on; storage and Azure's own clocks differ by less.
_CLOCK_SECONDS = 60.0


class State(StrEnum):
    """How bad it is. A problem keeps Lanyard from its work, a warning from some of it."""

    OK = "ok"
    WARNING = "warning"
    PROBLEM = "problem"


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found; `mend` is what to do, "" where all is well."""

    check: str
    state: State
    message: str
    mend: str = ""


type Check = Callable[[], AsyncIterator[Finding]]


@dataclass(frozen=True, slots=True)
class Doctor:
    """Looks at a deployed app. `setup` asks ARM; `principal` is the app's; `watched` are the
    subscriptions (ids) it looks after.
    """

    app: App
    setup: Setup
    policy: Policy
    principal: str
    watched: tuple[str, ...]

    async def findings(self) -> list[Finding]:
        """Every check, in an order that tells causes before effects."""
        found = [Finding("storage", State.OK, f"the tables of {self.app.account} can be read")]
        if not self.watched:
            message = "the app knows no resource yet: rights and events are not looked at"
            found.append(Finding("watch", State.WARNING, message, "name subscriptions: --watch ID"))
        for name, check in self._checks().items():
            found += [finding async for finding in _guarded(name, check)]
        return found

    def _checks(self) -> dict[str, Check]:
        return {
            "clock": self._clock,
            "rights": self._rights,
            "directory": self._directory,
            "events": self._events,
            "app": self._app,
        }

    async def _clock(self) -> AsyncIterator[Finding]:
        for subscription in self.watched[:1]:
            date = await self.setup.date(subscription)
            if date:
                yield clock(date, self.app.now())

    async def _rights(self) -> AsyncIterator[Finding]:
        needed = rights(self.policy)
        for subscription in self.watched:
            permissions = await self.setup.permissions(self.principal, subscription)
            missing = [
                f"{action} at {scope}"
                for scope, action in _needed(needed, subscription)
                if not any(each.allows(action, scope) for each in permissions)
            ]
            yield _rights_finding(subscription, missing)

    async def _directory(self) -> AsyncIterator[Finding]:
        await self.app.azure.directory.existing([self.principal])
        message = "it can be read, as you: it knows the app's identity"
        yield Finding("directory", State.OK, message)

    async def _events(self) -> AsyncIterator[Finding]:
        for subscription in self.watched:
            found = await self.setup.event_subscriptions(subscription)
            for finding in events(subscription, found):
                yield finding

    async def _app(self) -> AsyncIterator[Finding]:
        status = await status_of(self.app)
        for finding in [*work(status), *delivery(status), policy_in_force(status, self.policy)]:
            yield finding


async def _guarded(name: str, check: Check) -> AsyncIterator[Finding]:
    try:
        async for finding in check():
            yield finding
    except LanyardError as error:
        mend = "see the message: this check could not be made with your rights"
        yield Finding(name, State.PROBLEM, str(error), mend)


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
        message = f"no event subscription tells of changes in subscription {subscription}"
        mend = "deploy infra/ for it; until then only the hourly sweep finds what is new"
        yield Finding("events", State.PROBLEM, message, mend)
    for one in relevant:
        yield _delivery(one)


def _wants(one: Subscribed) -> bool:
    return not one.types or any(kind in one.types for kind in _EVENTS)


def _delivery(one: Subscribed) -> Finding:
    if one.state != "Succeeded":
        mend = "create it again, when the app runs: Event Grid asks the endpoint first"
        return Finding("events", State.PROBLEM, f"{one.id} is {one.state or 'unknown'}", mend)
    if missing := [kind for kind in _EVENTS if one.types and kind not in one.types]:
        message = f"{one.id} leaves out {', '.join(missing)}"
        mend = "add the event type to its filter"
        return Finding("events", State.WARNING, message, mend)
    if not one.dead_letters:
        message = f"{one.id} keeps no dead letters: an event that cannot be delivered is lost"
        mend = "set a dead-letter destination; the hourly sweep makes up for lost events meanwhile"
        return Finding("events", State.WARNING, message, mend)
    return Finding("events", State.OK, f"{one.id} delivers to {one.endpoint}")


def work(status: Status) -> Iterator[Finding]:
    """What the app's own record and queues tell."""
    for reason in status.attention():
        failed = "sweep" in reason
        state = State.PROBLEM if failed else State.WARNING
        yield Finding("app", state, reason, _mend(reason))
    if not list(status.attention()):
        found = f"{status.resources} resources, {status.waiting} messages waiting, none given up"
        yield Finding("app", State.OK, found)


def delivery(status: Status) -> Iterator[Finding]:
    """Whether events come, by what the last sweep found that none had told of."""
    sweep = status.last_sweep
    if sweep is None or sweep.decision.outcome != "done":
        return
    missed = sum(int(sweep.decision.cause.get(name, "0")) for name in ("drifted", "missing"))
    if not missed:
        yield Finding("delivery", State.OK, "the last sweep found nothing that no event had told")
        return
    message = f"the last sweep found {missed} resources that events had not brought to the policy"
    mend = (
        "they came late or were lost, unless the policy changed: look at the delivery metrics of "
        "the system topic, and at 'lanyard history --outcome failed'"
    )
    yield Finding("delivery", State.WARNING, message, mend)


def _mend(reason: str) -> str:
    if "paused" in reason:
        return "'lanyard resume' goes on"
    if "given up" in reason:
        return "'lanyard history --outcome failed' tells why, 'lanyard replay --poison' tries again"
    if "dead letters" in reason:
        return "'lanyard replay --dead-letters' puts them on the queue, as the app does every hour"
    if "held" in reason:
        return "'lanyard held' lists them; release or dismiss each"
    return "look at the app's log: does it run, and may it read every subscription?"


def policy_in_force(status: Status, policy: Policy) -> Finding:
    """The policy at hand beside the one that the app swept under."""
    sweep = status.last_sweep
    if sweep is None or not sweep.policy:
        return Finding("policy", State.WARNING, "no sweep tells which policy is in force", "wait")
    if sweep.policy == policy.digest:
        return Finding("policy", State.OK, f"the app works by this policy ({policy.digest})")
    message = f"the app works by another policy ({sweep.policy}) than this one ({policy.digest})"
    return Finding("policy", State.WARNING, message, "deploy this one, or look at that one")


def _needed(needed: Rights, subscription: str) -> Iterator[tuple[str, str]]:
    scope = f"/subscriptions/{subscription}"
    for action in needed.actions:
        yield scope, action
    groups = [f"{scope}/resourceGroups/{name}" for name in needed.identity_groups] or [scope]
    plain = [group for group in groups if "{" not in group and "*" not in group]
    for action in needed.identity_actions:
        yield from ((group, action) for group in plain)


def _rights_finding(subscription: str, missing: list[str]) -> Finding:
    if not missing:
        message = f"the app's identity has the rights it needs in subscription {subscription}"
        return Finding("rights", State.OK, message)
    message = f"the app's identity lacks {len(missing)} rights: " + ", ".join(missing)
    mend = "'lanyard rights POLICY' tells the roles it needs; deploy them"
    return Finding("rights", State.PROBLEM, message, mend)
