"""References of a resource to identities that no longer exist: Azure refuses any write while one
stands, and a person's identity that was made seconds ago looks just like one.
"""

from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace

from lanyard.planning.life import Life
from lanyard.ports.azure import Directory, Identities
from lanyard.reconcile.presence import IdentityPresence
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
    """Separates what is gone from what is only not there yet."""

    identities: Identities
    presence: IdentityPresence
    directory: Directory

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
                    await self.presence.ensure_gone(identity)
                    expected[identity] = principal
                except NotYet as doubt:
                    found.doubt = found.doubt or doubt
        known = await self.directory.existing(expected.values()) if expected else frozenset()
        found.gone = [one for one, principal in expected.items() if principal not in known]
        return found

    async def forget(self, identities: Iterable[ResourceId]) -> None:
        """They were dropped: what is on record of one that never had a principal here is over."""
        ledger = self.presence.ledger
        for identity in identities:
            with suppress(Temporary, Permanent):
                record = await ledger.identity(identity)
                if record.principal is None and not record.former and record.row is not None:
                    await ledger.save_identity(replace(record, life=Life()))

    async def _seen(self, identity: ResourceId) -> bool:
        """Whether ARM shows it."""
        if await self.identities.principal(identity) is None:
            return False
        await self.presence.seen(identity)
        return True
