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

from lanyard.decisions import Decision, Decisions
from lanyard.errors import Permanent, Temporary
from lanyard.policy import Policy, PolicyError, load_policy
from lanyard.policy.load import parse_policy
from lanyard.ports import Fetched
from lanyard.tables import Table

#: Seconds after which a delivered policy is looked at again.
REFRESH = 60.0
# A column of a table row holds 64 KiB of UTF-16, so 32,768 characters.
_CHUNK = 30_000
_PARTITION, _KEY = "policy", "good"

log = logging.getLogger("lanyard.policy")


class PolicySource(Protocol):
    """The policy in force, whenever it is asked for."""

    async def current(self) -> Policy:
        """Raises PolicyError, and Temporary or Permanent where it cannot be read."""


@dataclass(slots=True)
class PackagedPolicy:
    """A file or folder that came with the app: read once."""

    path: Path
    _policy: Policy | None = field(init=False, default=None)

    async def current(self) -> Policy:
        """Raises PolicyError with file, line and reason."""
        if self._policy is None:
            self._policy = load_policy(self.path)
        return self._policy


#: Gives the text, unless it is still this version; None then. Raises Temporary, Permanent.
type Fetch = Callable[[str], Awaitable[Fetched | None]]


class LastGood:
    """The text of the last version that could be used, in the control table."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def read(self) -> str:
        """The text; "" where there was none yet."""
        row = await self._table.get(_PARTITION, _KEY)
        if row is None:
            return ""
        parts = sorted(name for name in row.values if name.startswith("text"))
        return "".join(row.values[name] for name in parts)

    async def save(self, text: str) -> None:
        """Keep it."""
        chunks = [text[at : at + _CHUNK] for at in range(0, len(text), _CHUNK)]
        values = {f"text{number:03d}": chunk for number, chunk in enumerate(chunks)}
        await self._table.put(_PARTITION, _KEY, values)


@dataclass(slots=True)
class DeliveredPolicy:
    """A policy whose text is fetched. `name` is its address; `now`: seconds since the epoch."""

    name: str
    fetch: Fetch
    good: LastGood
    decisions: Decisions
    now: Callable[[], float]
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
        first, self._version = fetched.version != self._version, fetched.version
        try:
            policy = parse_policy(self.name, fetched.text)
        except PolicyError as error:
            if first:
                await self._refuse(error)
            return await self._keep(error)
        await self.good.save(fetched.text)
        return policy

    async def _refuse(self, error: PolicyError) -> None:
        reason = f"{error}; the last good version stays in force"
        log.error("the policy is refused: %s", reason)
        await self.decisions.add(Decision("", "policy refused", "failed", reason))

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
