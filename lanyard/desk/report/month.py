"""A calendar month, in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime

_WRITTEN = re.compile(r"(\d{4})-(0[1-9]|1[0-2])")
#: How the month of now and the one before it are called for.
THIS, LAST = "this", "last"


@dataclass(frozen=True, slots=True, order=True)
class Month:
    """One, from its first moment up to, not with, that of the next."""

    year: int
    number: int

    @property
    def since(self) -> datetime:
        """Its first moment."""
        return datetime(self.year, self.number, 1, tzinfo=UTC)

    @property
    def until(self) -> datetime:
        """The first moment after it."""
        return self.after.since

    @property
    def before(self) -> "Month":
        """The one before it."""
        return Month(self.year - 1, 12) if self.number == 1 else Month(self.year, self.number - 1)

    @property
    def after(self) -> "Month":
        """The one after it."""
        return Month(self.year + 1, 1) if self.number == 12 else Month(self.year, self.number + 1)

    def __str__(self) -> str:
        return f"{self.year:04}-{self.number:02}"


def month_of(moment: datetime) -> Month:
    """The one that a moment is in."""
    moment = moment.astimezone(UTC)
    return Month(moment.year, moment.month)


def month_named(text: str, now: datetime) -> Month:
    """`2026-10`, `this` or `last`. Raises ValueError for anything else, and for one to come."""
    this = month_of(now)
    words = {THIS: this, LAST: this.before}
    named = _WRITTEN.fullmatch(text.strip())
    found = Month(int(named[1]), int(named[2])) if named else words.get(text.strip().lower())
    if found is None or not 2000 <= found.year <= 9000:
        raise ValueError(f"{text!r} is no month: write {this.before}, {THIS} or {LAST}")
    if found > this:
        raise ValueError(f"{found} is still to come: this month is {this}")
    return found
