"""A place in memory where letters lie that were given up."""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Any

from lanyard.ports.dead_letters import Batch, Letter
from lanyard.values.change import Change
from tests.support.examples import vm_id

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def letter(name: str, **more: Any) -> Letter:
    """A letter about the machine of this name."""
    values = {
        "at": NOW,
        "reason": "MaxDeliveryAttemptsExceeded",
        "event_type": "Microsoft.Resources.ResourceWriteSuccess",
        **more,
    }
    if "change" not in more:
        values["change"] = Change(vm_id(name), "event", attempt=3)
    return Letter(name, **values)


class Blob:
    """Some letters that lie together."""

    def __init__(self, *letters: Letter) -> None:
        self.letters = list(letters)

    async def take_out(self, letters: Sequence[Letter]) -> None:
        self.letters = [one for one in self.letters if one not in letters]


class Lying:
    """Blobs that lie in one place."""

    def __init__(self, *blobs: Blob) -> None:
        self.blobs = [*blobs]

    async def batches(self) -> AsyncGenerator[Batch]:
        for blob in self.blobs:
            yield blob

    async def count(self) -> int:
        return sum(bool(blob.letters) for blob in self.blobs)

    def lying(self) -> list[str]:
        """The ids of the letters."""
        return [one.id for blob in self.blobs for one in blob.letters]
