"""Moments and durations, as people write and read them. Times are UTC."""

import re
from datetime import UTC, datetime, timedelta

import typer

_AGO = re.compile(r"(\d{1,6})([mhdw])")
_DAYS = {"today": 0, "yesterday": 1}
_AHEAD = timedelta(minutes=5)
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


def moment(text: str, now: datetime) -> datetime:
    """`30m`, `12h`, `7d`, `2w` ago, `today` or `yesterday` (when that day began, in UTC), or a date
    or time in ISO 8601 (UTC where it names no zone). Raises typer.BadParameter.
    """
    if (days := _DAYS.get(text.strip().lower())) is not None:
        today = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        return today - timedelta(days=days)
    if ago := _AGO.fullmatch(text.strip()):
        return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
    try:
        parsed = datetime.fromisoformat(text.strip())
    except ValueError:
        example = f"{now:%Y-%m-%d} or {now:%Y-%m-%dT%H:%M}"
        raise typer.BadParameter(
            f"{text!r} is no time: write 30m, 12h, 7d (ago), yesterday, {example}"
        ) from None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def end_of(text: str, now: datetime) -> datetime | None:
    """When what begins now and lasts so long (`30m`, `2h`, `7d`, `4w`) is over; None for "".

    Raises typer.BadParameter for anything else, and for no time at all.
    """
    if not text:
        return None
    found = _AGO.fullmatch(text.strip())
    if found is None or not int(found[1]):
        raise typer.BadParameter(f"{text!r} is no duration: write 30m, 2h, 7d or 4w")
    return now + timedelta(**{_UNITS[found[2]]: int(found[1])})


def span(since: str, until: str, now: datetime) -> tuple[datetime, datetime]:
    """From one moment up to another; where `until` is empty up to now, and a little further: the
    clock of the app may be ahead of this one. Raises typer.BadParameter.
    """
    return moment(since, now), moment(until, now) if until else now + _AHEAD


def shown_time(at: datetime) -> str:
    """To the second, in UTC, as `moment` takes it back."""
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%SZ}"


def age(seconds: float) -> str:
    """In the largest unit that leaves something: `45 s`, `12 min`, `3 h`, `2 d`."""
    for size, unit in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {unit}"
    return f"{max(int(seconds), 0)} s"
