"""The decisions of a time, and what became of each removal among them."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import NamedTuple

from lanyard.record.decisions import Decisions, Recorded
from lanyard.record.rows import DamagedRow
from lanyard.values.removed import Became

#: What the line on record after a removal says of it. All else is a change of its own.
_ENDS = {Became.DONE, Became.FAILED, Became.GIVEN_BACK, Became.UNKNOWN}
_OUTCOMES = {"done", "failed", "later"}

#: A resource, the key of what is done to it, and the event that led to it.
type _Action = tuple[str, str, str]


class PastRemoval(NamedTuple):
    """The decision that keeps what was to be taken away, and what became of it."""

    recorded: Recorded
    became: Became


class Past(NamedTuple):
    """A decision. `became`: of a removal, what became of it; `why`: the reason of it, or of how a
    removal ended where it was not done. `shown_elsewhere`: it is the beginning or the end of a
    change that has another line: what was intended and has an outcome, how a removal ended.
    """

    recorded: Recorded
    became: Became | None
    why: str
    shown_elsewhere: bool


async def removals(
    decisions: Decisions, since: datetime, until: datetime, now: datetime
) -> list[PastRemoval]:
    """The removals from `since` up to (not with) `until`, oldest first, as they stand now; all
    with a zone.
    """
    past = await history_of(decisions, since, until, now)
    return [PastRemoval(each.recorded, each.became) for each in past if each.became is not None]


async def history_of(
    decisions: Decisions,
    since: datetime,
    until: datetime,
    now: datetime,
    damaged: list[DamagedRow] | None = None,
) -> list[Past]:
    """All decisions of that time, alike. `damaged`: see `Decisions.between`."""
    every = [each async for each in decisions.between(since, max(until, now), damaged)]
    return [each for each in past_of(every) if each.recorded.at < until]


def past_of(every: Sequence[Recorded]) -> list[Past]:
    """Of decisions in their order, up to the end of each. Pure."""
    ends = {removal: each for each in every for removal in each.decision.became}
    ended = _ended(every)
    removing = {each.id for each in every if each.decision.removed is not None}
    past = []
    for each in every:
        decision, end = each.decision, ends.get(each.id)
        became = None
        if decision.removed is not None:
            became = end.decision.became[each.id] if end is not None else Became.INTENDED
        past.append(
            Past(
                each,
                became,
                decision.reason if became is None else _why(end, became),
                _is_an_end(each, removing) or _has_ended(each, ended),
            )
        )
    return past


def _why(end: Recorded | None, became: Became) -> str:
    return "" if end is None or became is Became.DONE else end.decision.reason


def _is_an_end(recorded: Recorded, removing: set[str]) -> bool:
    """Whether it only says how removals ended, each of which has its line. What took all of it
    away and failed did so at something else: a repair that could not attach again, say.
    """
    decision, became = recorded.decision, recorded.decision.became
    ends = {*became.values()}
    failed_after = ends == {Became.DONE} and decision.outcome != "done"
    return bool(became) and became.keys() <= removing and ends <= _ENDS and not failed_after


def _has_ended(recorded: Recorded, ended: Mapping[_Action, datetime]) -> bool:
    decision, at = recorded.decision, ended.get(_action(recorded))
    intended = decision.outcome == "intended" and decision.removed is None
    return intended and at is not None and recorded.at <= at


def _ended(every: Iterable[Recorded]) -> Mapping[_Action, datetime]:
    """When each action, of one event, last had an outcome."""
    return {_action(each): each.at for each in every if each.decision.outcome in _OUTCOMES}


def _action(recorded: Recorded) -> _Action:
    decision = recorded.decision
    return decision.resource, decision.key, str(sorted(decision.cause.items()))
