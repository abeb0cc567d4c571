"""Where what was given up lies: events that Event Grid could not deliver, poison messages."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from lanyard.values.change import Change


@dataclass(frozen=True, slots=True)
class Letter:
    """One that was given up.

    `change` is what it hints at; None where it cannot be read, or is `of_no_use`: an event that
    would have been dropped had it been delivered. `reason` then tells why, and otherwise why it was
    given up, in Azure's word. `at`: when.
    """

    id: str
    at: datetime | None
    reason: str
    change: Change | None
    event_type: str = ""
    of_no_use: bool = False


class Batch(Protocol):
    """Letters that lie together: those of one blob, or one message."""

    @property
    def letters(self) -> Sequence[Letter]:
        """What is in it."""

    async def take_out(self, letters: Sequence[Letter]) -> None:
        """Remove these; the rest stays where it is."""


class Letters(Protocol):
    """A place where they lie."""

    def batches(self) -> AsyncGenerator[Batch]:
        """All of them, once."""

    async def count(self) -> int:
        """About how many batches there are."""
