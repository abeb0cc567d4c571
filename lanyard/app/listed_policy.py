"""The policy in force, with what the subscriptions that it names by name or by management group
come to: by the listing that sweeps keep, for all instances alike.

Another listing may make another version of the policy, and for that all holds that holds for a
policy that was changed: what it takes is reported first. A listing that fails changes nothing.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field

from lanyard.app.policy_source import REFRESH, PolicySource
from lanyard.policy import Policy
from lanyard.policy.unmet_names import changed
from lanyard.ports.azure import Index
from lanyard.record.decisions import Decision, Decisions
from lanyard.record.subscription_listing import KeptListing
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.subscriptions import NOT_LISTED, Subscriptions

log = logging.getLogger("lanyard.policy")


@dataclass(slots=True)
class ListedPolicy:
    """A policy of a `source`. `now`: seconds since the epoch."""

    source: PolicySource
    kept: Callable[[], KeptListing]
    index: Callable[[], Index]
    decisions: Callable[[], Decisions]
    now: Callable[[], float]
    _listing: Subscriptions = field(init=False, default_factory=lambda: NOT_LISTED)
    _next: float = field(init=False, default=0.0)
    #: What the source gave last, and what that is under the listing.
    _given: Policy | None = field(init=False, default=None)
    _policy: Policy | None = field(init=False, default=None)

    async def current(self) -> Policy:
        """By the listing that is kept. Raises as the source does, and Temporary."""
        policy = await self.source.current()
        if policy.named_subscriptions and self.now() >= self._next:
            await self._read()
        return self._under(policy)

    async def relisted(self) -> Policy:
        """By what is listed now, which is kept: for a sweep. Raises as the source does, and
        Temporary.
        """
        policy = await self.source.current()
        if policy.named_subscriptions:
            await self._read()
            await self._list(policy)
        return self._under(policy)

    async def _read(self) -> None:
        self._take(await self.kept().read())
        self._next = self.now() + REFRESH

    async def _list(self, policy: Policy) -> None:
        try:
            listing = await self.index().subscriptions()
        except (Temporary, Permanent) as error:
            log.warning("the listing of subscriptions stays as it was: %s", error)
            return
        if listing == self._listing:
            return
        await self.kept().keep(listing)
        if differences := changed(policy, self._listing, listing):
            log.warning("the subscriptions that the policy names changed: %s", differences)
            await self.decisions().add(Decision("", "subscriptions", "done", differences))
        self._take(listing)

    def _take(self, listing: Subscriptions) -> None:
        if listing != self._listing:
            self._listing, self._policy = listing, None

    def _under(self, policy: Policy) -> Policy:
        """One and the same as long as nothing changes."""
        if self._policy is None or policy is not self._given:
            self._given, self._policy = policy, policy.under(self._listing)
        return self._policy
