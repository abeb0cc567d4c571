"""When the timers of handlers/ have the app sweep."""

from datetime import datetime, timedelta

#: The hourly sweep (handlers/sweep.py) is at this minute.
SWEEP_MINUTE = 17
#: Every so many minutes a policy that no sweep has looked over yet gets one
#: (handlers/policy_changes.py): the first of all, too.
POLICY_MINUTES = 5


def next_sweep(now: datetime) -> datetime:
    """The next hourly sweep after `now`."""
    at = now.replace(minute=SWEEP_MINUTE, second=0, microsecond=0)
    return at if at > now else at + timedelta(hours=1)


def first_sweep(now: datetime) -> datetime:
    """When an app that has not swept yet begins to, at the latest, seen from `now`."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    return hour + timedelta(minutes=(now.minute // POLICY_MINUTES + 1) * POLICY_MINUTES)
