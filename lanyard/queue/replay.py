"""What was given up - events that Event Grid could not deliver, messages that failed too often - is
put on the queue of work again: one by one, or all that match.

An event is a hint and everything is read fresh, so replaying one is always safe, also twice, also
months later. What is replayed is removed from where it lay only after it was enqueued.
"""

from collections.abc import Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime

from lanyard.ports.dead_letters import Batch, DeadLetter, DeadLetters
from lanyard.ports.queue import Enqueue
from lanyard.values.change import Change


@dataclass(frozen=True, slots=True)
class Wanted:
    """A filter: what is empty matches everything.

    `ids`: of dead letters; `is_about`: whether a resource (id) is wanted; `event_type` and `reason`
    in any case; `before`: given up earlier than that.
    """

    ids: frozenset[str] = frozenset()
    is_about: Callable[[str], bool] | None = None
    event_type: str = ""
    reason: str = ""
    before: datetime | None = None

    def matches(self, dead_letter: DeadLetter) -> bool:
        """Whether a dead letter is to be replayed."""
        return (
            (not self.ids or dead_letter.id in self.ids)
            and self._matches_resource(dead_letter.change)
            and self.event_type.lower() in ("", dead_letter.event_type.lower())
            and self.reason.lower() in ("", dead_letter.reason.lower())
            and self._matches_time(dead_letter.at)
        )

    def _matches_time(self, at: datetime | None) -> bool:
        return self.before is None or (at is not None and at < self.before)

    def _matches_resource(self, change: Change | None) -> bool:
        if self.is_about is None:
            return True
        return change is not None and self.is_about(change.resource.text)


@dataclass(frozen=True, slots=True)
class Replay:
    """What was found that matches: put on the queue (or would be), removed because it is of no use,
    and left where it lies because it cannot be read.
    """

    replayed: tuple[DeadLetter, ...]
    dropped: tuple[DeadLetter, ...]
    left: tuple[DeadLetter, ...]


async def replay(
    dead_letters: DeadLetters, enqueue: Enqueue, wanted: Wanted | None = None, *, dry_run: bool
) -> Replay:
    """Put what matches on the queue and remove it; with `dry_run` only show what would be.

    Raises Temporary, Permanent: what was not removed by then lies where it lay, and what was
    enqueued of it is worked on twice, which does no harm.
    """
    matching: list[DeadLetter] = []
    async with aclosing(dead_letters.batches()) as batches:
        async for batch in batches:
            found = [one for one in batch.dead_letters if (wanted or Wanted()).matches(one)]
            matching += found
            if not dry_run:
                await _replay(batch, found, enqueue)
    return Replay(
        tuple(one for one in matching if one.change is not None),
        tuple(one for one in matching if one.of_no_use),
        tuple(one for one in matching if one.change is None and not one.of_no_use),
    )


async def _replay(batch: Batch, dead_letters: Sequence[DeadLetter], enqueue: Enqueue) -> None:
    done = [one for one in dead_letters if one.change is not None or one.of_no_use]
    for one in done:
        if one.change is not None:
            await enqueue(replace(one.change, source="replay", attempt=0, lost=0, since=None))
    if done:
        await batch.take_out(done)


def describe(found: Replay) -> str:
    """One line for the log."""
    return (
        f"dead letters: {len(found.replayed)} replayed, {len(found.dropped)} of no use, "
        f"{len(found.left)} that cannot be read"
    )
