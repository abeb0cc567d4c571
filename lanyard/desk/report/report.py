"""A month: its figures beside those of the month before, and what they are made of."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from lanyard.desk.report.happened import Line, lines
from lanyard.desk.report.month import Month
from lanyard.desk.report.tally import Figures, Share, by_day, by_rule, figures
from lanyard.record.decisions import Decisions, Recorded
from lanyard.record.held import Answer, Entry, HeldActions
from lanyard.record.rows import DamagedRow


class Record(Protocol):
    """What a deployed app keeps."""

    def decisions(self) -> Decisions:
        """What was decided."""

    def held(self) -> HeldActions:
        """What waits."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A month as the record has it at a moment."""

    month: Month
    #: When it was made, UTC.
    at: datetime
    lines: tuple[Line, ...]
    figures: Figures
    #: Of the month before; None where the record has nothing of it.
    before: Figures | None
    rules: tuple[Share, ...]
    days: tuple[Share, ...]
    #: What waits at that moment, the longest first.
    waiting: tuple[Entry, ...]
    #: Rows of the record, and of the list of what waits, that cannot be read.
    damaged: tuple[str, ...]
    #: The first line that is on record since the month before began; None for none at all. What is
    #: older may have been forgotten: `records.keepDays` of the policy.
    first: datetime | None

    @property
    def so_far(self) -> bool:
        """Whether the month is not over yet."""
        return self.at < self.month.until

    @property
    def on_record(self) -> bool:
        """Whether the record begins before the month is over: all figures are 0 where it does not,
        and nobody knows what there was.
        """
        return self.first is not None and self.first < self.month.until


async def read_report(record: Record, month: Month, now: datetime) -> Report:
    """Of a month that has begun."""
    decisions = record.decisions()
    # What became of a removal may be on record later than the month.
    damaged: list[DamagedRow] = []
    times = month.before.since, now + _AHEAD
    recorded = [each async for each in decisions.between(*times, damaged)]
    held = [entry async for entry in record.held().all(damaged)]
    return report_of(month, now, recorded, held, [*map(str, damaged)])


#: The clock of the app may be ahead of this one.
_AHEAD = timedelta(minutes=5)


def report_of(
    month: Month,
    now: datetime,
    recorded: Iterable[Recorded],
    held: Iterable[Entry],
    damaged: Iterable[str] = (),
) -> Report:
    """The report, from what is on record since the month before it began. Pure."""
    recorded = list(recorded)
    every = lines(recorded)
    of_month = tuple(line for line in every if month.since <= line.recorded.at < month.until)
    earlier = [line for line in every if line.recorded.at < month.since]
    waiting = [entry for entry in held if entry.answer is Answer.NONE]
    first = min((each.at for each in recorded), default=None)
    # The clock of the app may be ahead, and on the next day.
    last = max([now, *(line.recorded.at for line in of_month)])
    return Report(
        month=month,
        at=now,
        lines=of_month,
        figures=figures(of_month),
        before=figures(earlier) if first is not None and first < month.since else None,
        rules=tuple(by_rule(of_month)),
        days=tuple(by_day(of_month, _days(month, last))),
        waiting=tuple(sorted(waiting, key=lambda entry: entry.since)),
        damaged=tuple(damaged),
        first=first,
    )


def _days(month: Month, last: datetime) -> list[str]:
    """Up to the one of that moment."""
    end = min(month.until, last + timedelta(microseconds=1))
    number = -((month.since - end) // timedelta(days=1))
    return [f"{month.since + timedelta(days=day):%Y-%m-%d}" for day in range(number)]
