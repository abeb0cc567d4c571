"""What `lanyard doctor` looks at: one check after the other, and one that cannot be made stops no
other.
"""

from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import chain

from lanyard.cli.app_status import last_refused_policy, status_of
from lanyard.cli.findings import (
    Finding,
    State,
    clock,
    delivery,
    events,
    named_subscriptions,
    no_events_queue,
    policy_in_force,
    sender,
    shared_installations,
    waiting_events,
    work,
)
from lanyard.cli.frame.connect import App
from lanyard.cli.host_findings import (
    functions_there,
    host_state,
    no_site,
    policy_refused,
    settings_read,
    settings_unread,
    sites,
    tenants_agree,
)
from lanyard.cli.rights_findings import Standing, is_by_group, rights_held
from lanyard.desk.at_groups import Kind
from lanyard.desk.azure.app_setup import Setup, Subscribed
from lanyard.desk.delegation import ASSIGN
from lanyard.desk.onboarding.parts import group_role_of
from lanyard.desk.rights_by_group import is_boundable
from lanyard.desk.rights_compared import Allowed, Needs, gaps
from lanyard.desk.within import EVERYWHERE, Within
from lanyard.policy import Policy
from lanyard.queue.messages import EVENTS
from lanyard.values.errors import LanyardError, Permanent
from lanyard.values.resource_id import folded

type Check = Callable[[], AsyncIterator[Finding]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Doctor:
    """Looks at a deployed app."""

    app: App
    #: Asks ARM.
    setup: Setup
    policy: Policy
    #: The app's own (object id).
    principal: str
    #: The subscriptions (ids) that it looks after, as far as they are asked for.
    watched: tuple[str, ...]
    #: What is asked for: of others nothing is looked at, also where the policy names them.
    part: Within = EVERYWHERE
    #: The function app (id), "" where it is not named.
    site: str = ""

    async def findings(self) -> list[Finding]:
        """Every check, in an order that has causes before effects."""
        findings = [Finding("storage", State.OK, f"the tables of {self.app.account} can be read")]
        if not self.watched:
            message = "the app knows no resource yet: rights and events are not looked at"
            findings.append(
                Finding("watch", State.WARNING, message, "name subscriptions: --watch ID")
            )
        for name, check in self._checks().items():
            findings += [finding async for finding in _guarded(name, check)]
        return findings

    def _checks(self) -> dict[str, Check]:
        return {
            "clock": self._clock,
            "rights": self._rights,
            "directory": self._directory,
            "events": self._events,
            "tenant": self._tenants,
            "host": self._host,
            "app": self._app,
            "subscriptions": self._subscriptions,
        }

    async def _clock(self) -> AsyncIterator[Finding]:
        for subscription in self.watched[:1]:
            date = await self.setup.date(subscription)
            if date:
                yield clock(date, self.app.now())

    async def _rights(self) -> AsyncIterator[Finding]:
        needed = Needs.of(self.policy)
        named = (one for one in needed.named() if self.part.holds(f"/subscriptions/{one}"))
        elsewhere = set(named).difference(map(folded, self.watched))
        for subscription in (*self.watched, *sorted(elsewhere)):
            look = partial(self._rights_in, subscription, needed)
            async for finding in _guarded("rights", look):
                yield finding

    async def _rights_in(self, subscription: str, needed: Needs) -> AsyncIterator[Finding]:
        """What the app may do there beside what the policy needs, scope by scope, role by role."""
        allowed = await self.setup.permissions(self.principal, subscription)
        if subscription in self.watched:
            groups = await self.setup.resource_groups(subscription)
            found = gaps(needed.within(subscription, groups), allowed)
        else:
            found = gaps(needed.elsewhere(subscription), allowed)
        by_group = is_by_group(subscription, allowed)
        if found and not by_group:  # perhaps every one of its groups was made anew
            by_group = await self._defines_group_roles(subscription, allowed)
        standing = Standing(subscription, allowed, by_group, is_boundable(self.policy))
        for finding in rights_held(standing, found):
            yield finding

    async def _defines_group_roles(self, subscription: str, allowed: Sequence[Allowed]) -> bool:
        """Whether its role at the subscription only reads, and there are roles for groups."""
        if any(each.allows(ASSIGN, f"/subscriptions/{subscription}") for each in allowed):
            return False
        role = group_role_of(subscription, Kind.GRANTS)
        return await self.setup.defines(subscription, role)

    async def _directory(self) -> AsyncIterator[Finding]:
        await self.app.azure.directory.existing([self.principal])
        message = "it can be read, as you: it knows the app's identity"
        yield Finding("directory", State.OK, message)

    async def _tenants(self) -> AsyncIterator[Finding]:
        try:
            heard = {each: await self.setup.event_subscriptions(each) for each in self.watched}
        except LanyardError:
            return  # the check before this one shows it
        for subscription, found in heard.items():
            tenant = await self.setup.tenant(subscription)
            for site in sites(found, self.site):
                if home := await self.setup.tenant_of_app(site):
                    yield tenants_agree(subscription, tenant, home)

    async def _host(self) -> AsyncIterator[Finding]:
        try:
            heard = [await self.setup.event_subscriptions(each) for each in self.watched]
        except LanyardError:
            return  # the check before this one shows it
        found = [*chain.from_iterable(heard)]
        looked_at = sites(found, self.site)
        if not looked_at and any(one.sender is not None for one in found):
            yield no_site()
        for site in looked_at:
            yield host_state(site, await self.setup.host(site))
            yield functions_there(site, await self.setup.functions(site))
            try:
                settings = await self.setup.app_settings(site)
            except Permanent as error:
                yield settings_unread(str(error))
            else:
                yield settings_read(settings)

    async def _events(self) -> AsyncIterator[Finding]:
        accounts: set[str] = set()
        for subscription in self.watched:
            found = await self.setup.event_subscriptions(subscription)
            accounts |= {one.account for one in found if self._into_own_queue(one)}
            for finding in [
                *events(subscription, found),
                *shared_installations(subscription, found),
            ]:
                yield finding
            async for finding in self._by_queue(found):
                yield finding
        for account in sorted(accounts):
            waiting = await self.app.events.waiting(account)
            if waiting is None:
                yield no_events_queue(account)
            else:
                yield waiting_events(waiting, self.app.time())

    def _into_own_queue(self, one: Subscribed) -> bool:
        """Whether it delivers into this app's queue, which may lie in an account of its own."""
        queue = one.sender is not None and folded(one.endpoint).endswith(f"/queues/{EVENTS}")
        own = one.account == folded(self.app.account)
        return queue and (own or self._installation() in one.installations)

    def _is_of_another(self, one: Subscribed) -> bool:
        """Whether another app hears by it, of whose queue this one's people may see nothing."""
        known = self._installation()
        return bool(known and one.installations) and known not in one.installations

    def _installation(self) -> str:
        return self.app.azure.assignments.installation

    async def _by_queue(self, found: Sequence[Subscribed]) -> AsyncIterator[Finding]:
        for one in found:
            if one.sender is not None and not self._is_of_another(one):
                allowed = bool(one.sender) and await self.setup.may_send(one.sender, one.endpoint)
                yield sender(one, allowed=allowed)

    async def _app(self) -> AsyncIterator[Finding]:
        status = await status_of(self.app)
        refused = policy_refused(await last_refused_policy(self.app), status.last_sweep)
        in_force = policy_in_force(status, self.policy)
        for finding in [*refused, *work(status), *delivery(status), in_force]:
            yield finding

    async def _subscriptions(self) -> AsyncIterator[Finding]:
        if self.policy.named_subscriptions:
            now = self.policy.under(await self.app.azure.index.subscriptions())
            for finding in named_subscriptions(self.policy, now):
                yield finding


async def _guarded(name: str, check: Check) -> AsyncIterator[Finding]:
    try:
        async for finding in check():
            yield finding
    except LanyardError as error:
        fix = "see the message: this check could not be made with your rights"
        yield Finding(name, State.PROBLEM, str(error), fix)
