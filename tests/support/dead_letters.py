"""A place in memory where dead letters lie that were given up."""

from collections.abc import AsyncGenerator, Sequence
from datetime import UTC, datetime
from typing import Any

from lanyard.ports.dead_letters import Batch, DeadLetter
from lanyard.values.change import Change
from tests.support.examples import vm_id

NOW = datetime(2026, 11, 2, 9, tzinfo=UTC)


def dead_letter(name: str, **more: Any) -> DeadLetter:
    """A letter about the machine of this name."""
    values = {
        "at": NOW,
        "reason": "MaxDeliveryAttemptsExceeded",
        "event_type": "Microsoft.Resources.ResourceWriteSuccess",
        **more,
    }
    if "change" not in more:
        values["change"] = Change(vm_id(name), "event", attempt=3)
    return DeadLetter(name, **values)


class Blob:
    """Some letters that lie together."""

    def __init__(self, *dead_letters: DeadLetter) -> None:
        self.dead_letters = list(dead_letters)

    async def take_out(self, dead_letters: Sequence[DeadLetter]) -> None:
        self.dead_letters = [one for one in self.dead_letters if one not in dead_letters]


class Lying:
    """Blobs that lie in one place."""

    def __init__(self, *blobs: Blob) -> None:
        self.blobs = [*blobs]

    async def batches(self) -> AsyncGenerator[Batch]:
        for blob in self.blobs:
            yield blob

    async def count(self) -> int:
        return sum(bool(blob.dead_letters) for blob in self.blobs)

    def lying(self) -> list[str]:
        """The ids of the dead letters."""
        return [one.id for blob in self.blobs for one in blob.dead_letters]


#: Entries as Event Grid dead-letters them, in either schema.
EVENT = {
    "id": "e-1",
    "topic": vm_id("vm1").text.rsplit("/resourceGroups")[0],
    "subject": vm_id("vm1").text,
    "eventType": "Microsoft.Resources.ResourceWriteSuccess",
    "data": {"resourceUri": vm_id("vm1").text, "correlationId": "c-1"},
    "deadLetterReason": "MaxDeliveryAttemptsExceeded",
    "lastDeliveryAttemptTime": "2026-11-02T08:00:00Z",
}
CLOUD = {
    "specversion": "1.0",
    "id": "e-1",
    "source": EVENT["topic"],
    "subject": EVENT["subject"],
    "type": EVENT["eventType"],
    "data": EVENT["data"],
    "deadletterreason": "MaxDeliveryAttemptsExceeded",
    "lastdeliveryattempttime": "2026-11-02T08:00:00Z",
}
