"""The removals of a time, each with what became of it."""

from datetime import datetime
from typing import NamedTuple

from lanyard.record.decisions import Decisions, Recorded
from lanyard.values.removed import Became


class PastRemoval(NamedTuple):
    """The decision that keeps what was to be taken away, and what became of it."""

    recorded: Recorded
    became: Became


async def removals(
    decisions: Decisions, since: datetime, until: datetime, now: datetime
) -> list[PastRemoval]:
    """The removals from `since` up to (not with) `until`, oldest first, as they stand now; all
    with a zone.
    """
    found: list[Recorded] = []
    became: dict[str, Became] = {}
    async for recorded in decisions.between(since, max(until, now)):
        became |= recorded.decision.became
        if recorded.decision.removed is not None and recorded.at < until:
            found.append(recorded)
    return [PastRemoval(each, became.get(each.id, Became.INTENDED)) for each in found]
