"""The poison queue in memory: what the host put there ends by itself, what Lanyard did does not."""

from collections.abc import AsyncGenerator, Sequence

from lanyard.ports.dead_letters import DeadLetter
from lanyard.queue.messages import decode
from lanyard.values.change import Change
from lanyard.values.errors import Permanent


class MemoryPoison:
    """`lying`: (body, whether it ends by itself), in order."""

    def __init__(self) -> None:
        self.lying: list[tuple[bytes, bool]] = []

    async def count(self) -> int:
        return len(self.lying)

    async def keep(self, body: bytes) -> None:
        self.lying.append((body, False))

    def host_gives_up(self, body: bytes) -> None:
        """As the Functions host does, after too many deliveries."""
        self.lying.append((body, True))

    async def batches(self) -> AsyncGenerator["MemoryPoisonMessage"]:
        for body, ends in list(self.lying):
            yield MemoryPoisonMessage(self, body, ends)

    def take(self) -> list[Change]:
        """What lies there, which is gone then: as `lanyard replay` does."""
        lying, self.lying = self.lying, []
        return [decode(body) for body, _ in lying]


class MemoryPoisonMessage:
    """One message."""

    def __init__(self, poison: MemoryPoison, body: bytes, ends: bool) -> None:
        self._poison, self._body, self.ends = poison, body, ends
        self.dead_letters = [_read(body)]

    async def take_out(self, dead_letters: Sequence[DeadLetter]) -> None:
        if dead_letters:
            self._poison.lying.remove((self._body, self.ends))

    async def keep(self) -> None:
        await self._poison.keep(self._body)
        await self.take_out(self.dead_letters)


def _read(body: bytes) -> DeadLetter:
    try:
        return DeadLetter("m", None, "MaxDequeueCount", decode(body))
    except Permanent as error:
        return DeadLetter("m", None, str(error), None)
