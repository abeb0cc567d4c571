"""Where the policy comes from: the app's own package, or a blob that is looked at every minute.

A new version that cannot be used is refused, loudly, and the last good one stays in force, also for
instances that start later: its text is kept in the app's own storage.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from lanyard.policy import Policy, PolicyError, load_policy
from lanyard.policy.load import parse_policy
from lanyard.ports.policy import Fetched
from lanyard.record.decisions import REFUSED, Decision, Decisions
from lanyard.record.last_good_policy import LastGood
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.resource_id import ResourceId

#: Seconds after which a delivered policy is looked at again.
REFRESH = 60.0

log = logging.getLogger("lanyard.policy")


class PolicySource(Protocol):
    """The policy in force, whenever it is asked for."""

    async def current(self) -> Policy:
        """Raises PolicyError, and Temporary or Permanent where it cannot be read."""


@dataclass(slots=True)
class PackagedPolicy:
    """A file or folder that came with the app: read once it can be used. `own`: the app's identity,
    where it is known.
    """

    path: Path
    decisions: Callable[[], Decisions]
    own: ResourceId | None = None
    _policy: Policy | None = field(init=False, default=None)
    _refused: bool = field(init=False, default=False)

    async def current(self) -> Policy:
        """Raises PolicyError with file, line and reason, which is on record once a process: a
        person sees only that from outside.
        """
        if self._policy is None:
            try:
                self._policy = load_policy(self.path, self.own)
            except PolicyError as error:
                log.error("the policy cannot be used, nothing is done: %s", error)
                await self._refuse(error)
                raise
        return self._policy

    async def _refuse(self, error: PolicyError) -> None:
        if self._refused:
            return
        try:
            await self.decisions().add(Decision("", REFUSED, "failed", str(error)))
        except (Temporary, Permanent) as unrecorded:
            raise error from unrecorded
        self._refused = True


#: Gives the text, unless it is still this version; None then. Raises Temporary, Permanent.
type Fetch = Callable[[str], Awaitable[Fetched | None]]


@dataclass(slots=True)
class DeliveredPolicy:
    """A policy whose text is fetched. `name` is its address; `now`: seconds since the epoch;
    `own`: the app's identity, where it is known.
    """

    name: str
    fetch: Fetch
    good: LastGood
    decisions: Decisions
    now: Callable[[], float]
    own: ResourceId | None = None
    _policy: Policy | None = field(init=False, default=None)
    _version: str = field(init=False, default="")
    _next: float = field(init=False, default=0.0)
    _looking: asyncio.Lock = field(init=False, default_factory=asyncio.Lock)

    async def current(self) -> Policy:
        """The last good version. Raises where there never was one that could be used."""
        async with self._looking:
            if self._policy is None or self.now() >= self._next:
                self._policy = await self._look()
                self._next = self.now() + REFRESH
            return self._policy

    async def _look(self) -> Policy:
        try:
            fetched = await self.fetch(self._version)
        except (Temporary, Permanent) as error:
            return await self._keep(error)
        if fetched is None and self._policy is not None:
            return self._policy
        return await self._take(fetched or Fetched(await self.good.read(), self._version))

    async def _take(self, fetched: Fetched) -> Policy:
        """A version counts as looked at once all is done that it takes: where that fails, the next
        look meets it again.
        """
        first = fetched.version != self._version
        try:
            policy = parse_policy(self.name, fetched.text, self.own)
        except PolicyError as error:
            if first:
                await self._refuse(error)
            self._version = fetched.version
            return await self._keep(error)
        await self.good.save(fetched.text)
        self._version = fetched.version
        return policy

    async def _refuse(self, error: PolicyError) -> None:
        reason = f"{error}; the last good version stays in force"
        log.error("the policy is refused: %s", reason)
        await self.decisions.add(Decision("", REFUSED, "failed", reason))

    async def _keep(self, error: Temporary | Permanent | PolicyError) -> Policy:
        """What is in force, or was when an instance last had a good one."""
        if self._policy is not None:
            log.warning("the policy stays as it was: %s", error)
            return self._policy
        text = await self.good.read()
        if not text:
            raise error
        log.warning("the last good policy is in force: %s", error)
        return parse_policy(self.name, text)
