"""NCRONTAB, the timer trigger's schedule: `{second} {minute} {hour} {day} {month} {day-of-week}`.

Five fields mean second 0. Day and day of the week must both match. Numbers, `*`, lists, ranges,
steps, and English names of months and days; Sunday is 0. Times are UTC.
Source: learn.microsoft.com/azure/azure-functions/functions-bindings-timer#ncrontab-expressions
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, time, timedelta

# A leap day on a given weekday comes back within 40 years, across a century that is no leap year.
_HORIZON_DAYS = 366 * 41

_MONTH_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_DAY_NAMES = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_MONTHS = {name: number for number, name in enumerate(_MONTH_NAMES, start=1)}
_DAYS = {name: number for number, name in enumerate(_DAY_NAMES)}
_NO_NAMES: Mapping[str, int] = {}


@dataclass(frozen=True)
class _Field:
    name: str
    first: int
    last: int
    names: Mapping[str, int]


_FIELDS = (
    _Field("second", 0, 59, _NO_NAMES),
    _Field("minute", 0, 59, _NO_NAMES),
    _Field("hour", 0, 23, _NO_NAMES),
    _Field("day", 1, 31, _NO_NAMES),
    _Field("month", 1, 12, _MONTHS),
    _Field("day of week", 0, 6, _DAYS),
)


@dataclass(frozen=True)
class Schedule:
    """The sets of values at which a timer fires."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: tuple[int, ...]
    months: tuple[int, ...]
    weekdays: tuple[int, ...]

    def next_after(self, moment: datetime) -> datetime:
        """The first firing strictly after `moment` (UTC). Raises ValueError where there is none."""
        midnight = datetime.combine(moment.date(), time(), tzinfo=UTC)
        for offset in range(_HORIZON_DAYS):
            day = midnight + timedelta(days=offset)
            if self._fires_on(day) and (found := self._first_on(day, moment)):
                return found
        raise ValueError("it never fires")

    def _fires_on(self, day: datetime) -> bool:
        weekday = day.isoweekday() % 7
        return day.day in self.days and day.month in self.months and weekday in self.weekdays

    def _first_on(self, day: datetime, moment: datetime) -> datetime | None:
        times = (
            day + timedelta(hours=hour, minutes=minute, seconds=second)
            for hour in self.hours
            for minute in self.minutes
            for second in self.seconds
        )
        return next((found for found in times if found > moment), None)


def parse_schedule(expression: str) -> Schedule:
    """Raises ValueError, naming the field, for what is no NCRONTAB expression or never fires."""
    parts = expression.split()
    if len(parts) == 5:
        parts = ["0", *parts]
    if len(parts) != 6:
        raise ValueError(f"{expression!r}: an NCRONTAB expression has six fields (or five)")
    schedule = Schedule(*(_values(f, part) for f, part in zip(_FIELDS, parts, strict=True)))
    schedule.next_after(datetime(2000, 1, 1, tzinfo=UTC))
    return schedule


def _values(field: _Field, text: str) -> tuple[int, ...]:
    found: set[int] = set()
    for item in text.split(","):
        try:
            found.update(_item(field, item))
        except ValueError as error:
            raise ValueError(f"{field.name} {text!r}: {error}") from None
    return tuple(sorted(found))


def _item(field: _Field, item: str) -> range:
    span, _, step = item.partition("/")
    first, last = _span(field, span, open_ended=bool(step))
    if "/" in item and (not step.isdecimal() or int(step) == 0):
        raise ValueError(f"{step!r} is no step")
    if not field.first <= first <= last <= field.last:
        raise ValueError(f"{item!r} is not within {field.first}-{field.last}")
    return range(first, last + 1, int(step or 1))


def _span(field: _Field, span: str, *, open_ended: bool) -> tuple[int, int]:
    if span == "*":
        return field.first, field.last
    first, dash, last = span.partition("-")
    start = _number(field, first)
    if dash:
        return start, _number(field, last)
    return start, field.last if open_ended else start


def _number(field: _Field, text: str) -> int:
    if text.isdecimal():
        return int(text)
    found = field.names.get(text[:3].lower())
    if found is None:
        raise ValueError(f"{text!r} is no {field.name}")
    return found
