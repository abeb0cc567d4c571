"""Where what was given up lies: events that Event Grid could not deliver, poison messages."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lanyard.values.change import Change


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """One that was given up.

    `change` is what it hints at; None where it cannot be read, or is `of_no_use`: an event that
    would have been dropped had it been delivered. `reason` then says why, and otherwise why it was
    given up, in Azure's term. `at`: when.
    """

    id: str
    at: datetime | None
    reason: str
    change: Change | None
    event_type: str = ""
    of_no_use: bool = False


class Batch(Protocol):
    """Dead letters that lie together: those of one blob, or one message."""

    @property
    def dead_letters(self) -> Sequence[DeadLetter]:
        """What is in it."""

    async def take_out(self, dead_letters: Sequence[DeadLetter]) -> None:
        """Remove these; the rest stays where it is."""


class DeadLetters(Protocol):
    """A place where they lie."""

    def batches(self) -> AsyncGenerator[Batch]:
        """All of them, once."""

    async def count(self) -> int:
        """About how many batches there are."""


class PoisonMessage(Batch, Protocol):
    """One message of the poison queue. `ends`: by itself, some days after the host put it there;
    what Lanyard keeps there does not.
    """

    @property
    def ends(self) -> bool: ...

    async def keep(self) -> None:
        """Put a copy without an end in its place."""


class Poison(Protocol):
    """The poison queue, as the app itself uses it."""

    def batches(self) -> AsyncGenerator[PoisonMessage]:
        """All of them, once."""

    async def count(self) -> int:
        """About how many there are."""

    async def keep(self, body: bytes) -> None:
        """Put a message there, without an end. Raises Temporary, Permanent."""
