"""One holder at a time: leases that run out unless they are renewed."""

from enum import StrEnum
from typing import Protocol

from lanyard.values.errors import NotYet

#: A lease is renewed so often; it lasts three times as long.
RENEW_SECONDS = 10.0
#: The storage's stamps are whole seconds, and queue and blobs are stamped by different servers.
MARGIN_SECONDS = 2.0


class End(StrEnum):
    """How what was begun under a lease ended, and so which messages that came before it served."""

    #: Not well, or it is not known: none.
    OPEN = ""
    #: Only time must pass, and a message of its own comes back then: those that only wait.
    WAITS = "waits"
    #: All of them.
    WELL = "begun"


class LeaseLost(Exception):
    """The lease ended before it was renewed: another may hold it."""


class Lease(Protocol):
    """Held until it is released, or not renewed in time."""

    async def begun_since(self, moment: float, *, waits: bool = False) -> bool:
        """Whether a reconcile that began after `moment` has ended well, surely; for a message that
        only waits (`waits`), whether it ended so that this one is served.
        """

    async def renew(self) -> None:
        """Hold it for another while. Raises LeaseLost, Temporary."""

    async def release(self, *, end: End) -> None:
        """Give it up."""


class Leases(Protocol):
    """Leases by name, shared by all instances of the app."""

    async def take(self, name: str) -> Lease:
        """Raises NotYet where another holds it, Temporary where that cannot be asked."""


def held_by_another(name: str, delay: float) -> NotYet:
    """What `Leases.take` raises where somebody else holds it."""
    return NotYet(f"{name} is being worked on already", delay)
