"""What is on its way to the app: events that were not delivered yet, messages that wait."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum
from math import ceil
from typing import Any

from lanyard.queue.locks import Arrival
from lanyard.queue.messages import decode
from lanyard.values.change import Change
from tests.support.estate import Estate

#: More rounds than any history needs until nothing is left to do at one moment.
_ROUNDS = 60


class Fate(StrEnum):
    """What becomes of the events of a step."""

    COME = "come"
    TWICE = "twice"
    LATE = "late"  # with the next Late()
    LOST = "lost"

    def __repr__(self) -> str:
        return f"Fate.{self.name}"


@dataclass(frozen=True)
class Waiting:
    """A message: when (on the clock) it was put on the queue, and when it may be taken."""

    put: float
    due: float
    change: Change


@dataclass
class Mail:
    """Between Event Grid, the queue and the handlers of an estate."""

    estate: Estate
    #: What was delivered: (id of the resource, "write" or "delete", the event's time).
    delivered: list[tuple[str, str, float]]
    #: Called whenever what was due at one moment has been worked on.
    after: Callable[[], None]
    late: list[dict[str, Any]] = field(default_factory=list)
    waiting: list[Waiting] = field(default_factory=list)
    #: Of other installations that the same events come to.
    others: list["Mail"] = field(default_factory=list)

    async def send(self, fate: Fate) -> None:
        """What was published since, on its way or lost."""
        events = self.estate.new_events()
        match fate:
            case Fate.COME:
                await self._deliver(events)
            case Fate.TWICE:
                await self._deliver(events)
                await self.work()
                await self._deliver(events)
            case Fate.LATE:
                self.late += events
            case Fate.LOST:
                pass

    async def send_late(self, *, newest_first: bool) -> None:
        """What was held back comes now."""
        events, self.late = self.late, []
        await self._deliver(events[::-1] if newest_first else events)

    def replay(self) -> None:
        """What was given up is put back, as `lanyard replay` does."""
        now = self.estate.azure.clock.now()
        for mail in self._all():
            poison = mail.estate.poison.take()
            mail.waiting += [Waiting(now, now, replace(each, attempt=0)) for each in poison]

    async def work(self) -> None:
        """All that may be taken now, each round's messages at once, as sixteen workers would."""
        for _ in range(_ROUNDS):
            due = [(mail, each) for mail in self._all() for each in mail.take_due()]
            if not due:
                return
            await asyncio.gather(*(mail.process(each) for mail, each in due))
            self.after()
        raise AssertionError(f"it never settles: {self.waiting}")

    def next_due(self) -> float | None:
        """When the next message may be taken; None where none waits."""
        for mail in self._all():
            mail.collect()
        return min((each.due for mail in self._all() for each in mail.waiting), default=None)

    def take_due(self) -> list[Waiting]:
        """What may be taken now, of this installation alone."""
        self.collect()
        now = self.estate.azure.clock.now()
        due = [each for each in self.waiting if each.due <= now]
        self.waiting = [each for each in self.waiting if each.due > now]
        return due

    def _all(self) -> tuple["Mail", ...]:
        return self, *self.others

    async def _deliver(self, events: list[dict[str, Any]]) -> None:
        for event in events:
            message = await self.estate.deliver(event)
            if message is None:
                continue
            change = decode(message)
            verb = "delete" if "Delete" in change.event_type else "write"
            self.delivered.append((change.resource.key, verb, change.happened or 0.0))
            now = self.estate.azure.clock.now()
            for mail in self._all():
                mail.waiting.append(Waiting(now, now, change))

    async def process(self, message: Waiting) -> None:
        """One message, by this installation's worker."""
        await self.estate.worker.process(message.change, Arrival(message.put))

    def collect(self) -> None:
        """What this installation has put on its queue waits from now on."""
        put, self.estate.queue.messages = self.estate.queue.messages, []
        now = self.estate.azure.clock.now()
        # The queue takes whole seconds.
        self.waiting += [Waiting(now, now + ceil(delay), change) for change, delay in put]
