"""References of a resource to identities that no longer exist: Azure refuses any write while one
stands, and a person's identity that was made seconds ago looks just like one.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from lanyard.planning.life import Life
from lanyard.ports.azure import Directory, Identities, Index
from lanyard.reconcile.presence import Presence
from lanyard.record.identities import IdentityLedger
from lanyard.values.errors import NotYet, Permanent, Temporary
from lanyard.values.resource_id import ResourceId


@dataclass(slots=True)
class Found:
    """What the references of a resource come to."""

    #: ARM does not know them now.
    missing: list[ResourceId] = field(default_factory=list)
    #: Of these, the ones that are gone for certain.
    gone: list[ResourceId] = field(default_factory=list)
    #: Why that is not certain of another one, with the moment to ask again.
    doubt: NotYet | None = None


@dataclass(frozen=True, slots=True)
class References:
    """Separates what is gone from what is only not there yet. `now`: seconds since the epoch."""

    identities: Identities
    ledger: IdentityLedger
    index: Index
    directory: Directory
    now: Callable[[], float]

    async def dangling(self, attached: Mapping[ResourceId, str | None]) -> Found:
        """Of the attached identities, each with the principal that the resource shows.

        One is gone where ARM misses it, as for any resource (life.py), and then the directory does
        not know its principal either; the first 404 is put on record. One without a principal is
        on its way, and never gone; nor is one that may not be read. Raises Temporary, Permanent.
        """
        found, expected = Found(), dict[ResourceId, str]()
        for identity, principal in attached.items():
            try:
                if await self._seen(identity):
                    continue
            except Permanent:
                continue  # who may not ask knows nothing of it: it is not gone
            found.missing.append(identity)
            if principal is not None:
                try:
                    await self._ensure_gone(identity)
                    expected[identity] = principal
                except NotYet as doubt:
                    found.doubt = found.doubt or doubt
        known = await self.directory.existing(expected.values()) if expected else frozenset()
        found.gone = [one for one, principal in expected.items() if principal not in known]
        return found

    async def forget(self, identities: Iterable[ResourceId]) -> None:
        """They were dropped: what is on record of one that never had a principal here is over."""
        for identity in identities:
            with suppress(Temporary, Permanent):
                record = await self.ledger.identity(identity)
                if record.principal is None and not record.former and record.row is not None:
                    await self.ledger.save_identity(replace(record, life=Life()))

    async def _seen(self, identity: ResourceId) -> bool:
        """Whether ARM shows it; then an earlier 404 proves nothing any more."""
        if await self.identities.principal(identity) is None:
            return False
        record = await self.ledger.identity(identity)
        if record.life.missing:
            life = record.life.shown(self.now())
            await self.ledger.save_identity(replace(record, life=life))
        return True

    async def _ensure_gone(self, identity: ResourceId) -> None:
        now, record = self.now(), await self.ledger.identity(identity)
        life = record.life.missed(now)
        if life != record.life:
            await self.ledger.save_identity(replace(record, life=life))
        await Presence(self.index, identity, now).ensure_gone(life)
