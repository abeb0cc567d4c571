"""Whether what ARM does not show is gone, as far as everything that may be asked says so."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from lanyard.planning.life import LATE, WRITE_LAG, Finding, Life, finding, listed_delay
from lanyard.ports.azure import Index
from lanyard.record.identities import IdentityLedger
from lanyard.values.errors import Because, MayPass, NotYet, Permanent, Refused
from lanyard.values.resource_id import ResourceId

# Resource Graph shows what was deleted for some minutes more.
_LISTED_DELAY = 60.0


@dataclass(frozen=True, slots=True)
class Presence:
    """Of one resource or identity, at the moment `now` (seconds since the epoch)."""

    index: Index
    resource: ResourceId
    now: float

    async def ensure_gone(self, life: Life) -> None:
        """Return where it is certain that it is gone. Raises NotYet where it is not, Refused where
        it is not for a day, Temporary, Permanent where a listing cannot be asked.
        """
        found = finding(life, self.now)
        if not found.gone:
            raise NotYet(f"{self.resource}: {found.why}", found.delay)
        if not found.ask_listing or not await self.index.shows(self.resource):
            return
        delay = listed_delay(life, self.now)
        if self.now - life.missing < LATE:
            raise NotYet(f"{self.resource}: {found.why}, but Resource Graph shows it", delay)
        raise Refused(
            Because.CANNOT_BE_ASKED,
            f"ARM answers 404 for {self.resource} for a day, and Resource Graph shows it",
            delay,
            "see which of them is right, and ask Azure's support: it goes on by itself",
            releasable=False,
        )

    def ensure_expected(self, life: Life, since: float | None) -> None:
        """Of what was never seen: it may come to be. Raises NotYet for the first minutes after a
        write was reported, Permanent then; returns where no write was reported, or it came and went
        before the report was there: `since` then (seconds since the epoch; None: nobody knows).
        """
        found: Finding = finding(life, self.now)
        if found.not_yet:
            raise NotYet(f"{self.resource}: {found.why}", found.delay)
        came_late = since is not None and since >= life.written + WRITE_LAG
        if life.written > life.deleted and not came_late:
            raise Permanent(
                f"{self.resource}: a write was reported, and ARM answers 404 since: it is looked "
                "at again with its next event, or by the next sweep"
            )

    async def ensure_unlisted(self) -> None:
        """Of what was never seen, and a sweep found listed: return where it is listed no more.
        Raises MayPass where it is, Temporary, Permanent where a listing cannot be asked.
        """
        if await self.index.shows(self.resource):
            message = f"{self.resource}: ARM answers 404, but Resource Graph shows it"
            raise MayPass(message, _LISTED_DELAY)


@dataclass(frozen=True, slots=True)
class IdentityPresence:
    """Of identities. The first 404 of each is put on record. `now`: seconds since the epoch."""

    ledger: IdentityLedger
    index: Index
    now: Callable[[], float]

    async def seen(self, identity: ResourceId) -> None:
        """ARM shows it: an earlier 404 proves nothing any more."""
        record = await self.ledger.identity(identity)
        if record.life.missing:
            life = record.life.shown(self.now())
            await self.ledger.save_identity(replace(record, life=life))

    async def ensure_gone(self, identity: ResourceId) -> None:
        """ARM answers 404 for it: return where it is certain that it is gone. Raises NotYet where
        it is not, Temporary, Permanent where a listing cannot be asked.
        """
        now, record = self.now(), await self.ledger.identity(identity)
        life = record.life.missed(now)
        if life != record.life:
            await self.ledger.save_identity(replace(record, life=life))
        await Presence(self.index, identity, now).ensure_gone(life)
