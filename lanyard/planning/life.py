"""Whether a resource, identity or group that ARM answers 404 for is gone. Pure.

A replica of ARM can answer 404 for what is there, or show what is gone, for a while; so one GET
that answers 404, asked twice, is one source. With it stands one more, of another kind or time:

    a delete event     after which no write was reported and it was not read: one that comes late is
                       of an earlier life under this id
    a second 404       at least a minute after the first, with no 200 between them

A reported write makes a 404 *not yet* for five minutes. A listing that shows the resource stands
against it, unless it may be one from before the deletion: it lags by up to five minutes.
"""

from dataclasses import dataclass, replace

#: Seconds for which a 404 after a reported write proves nothing.
WRITE_LAG = 300.0
#: So long it takes until an identity that ARM misses is known to be gone, and is made again.
LOST_IDENTITY = 90.0
#: Seconds between two answers 404 that count as two.
SECOND_LOOK = 60.0
#: Seconds for which Resource Graph may go on showing what is deleted.
LISTING_LAG = 300.0
#: What two sources contradict each other on for so many seconds is shown to people as held.
LATE = 86400.0
# Of Azure's clock and this one, in seconds.
_CLOCK_SKEW = 300.0
_FIRST_DELAY = 2.0
_LONGEST_DELAY = 3600.0


@dataclass(frozen=True, slots=True)
class Life:
    """What is known of what lives under an id. Moments are seconds since the epoch; 0: never."""

    #: The latest moment at which it was read and there.
    alive: float = 0.0
    #: The latest write that was reported, by Azure's clock.
    written: float = 0.0
    #: The latest deletion that was reported, by Azure's clock.
    deleted: float = 0.0
    #: The first 404 since then.
    missing: float = 0.0

    def reported(self, written: float | None, deleted: float | None, now: float) -> "Life":
        """With what events report. What they say of the future is no report."""
        written, deleted = (
            moment if moment is not None and moment <= now + _CLOCK_SKEW else 0.0
            for moment in (written, deleted)
        )
        return replace(self, written=max(self.written, written), deleted=max(self.deleted, deleted))

    def shown(self, now: float) -> "Life":
        """It was read, whatever was reported before; what is reported late is older than this."""
        return replace(self, alive=now, deleted=0.0, missing=0.0)

    def missed(self, now: float) -> "Life":
        """ARM answered 404."""
        return replace(self, missing=self.missing or now)


@dataclass(frozen=True, slots=True)
class Finding:
    """What the 404s and events come to."""

    #: Whether it is gone, as far as they show.
    gone: bool
    #: Whether a listing has to be asked as well: one that shows it stands against it.
    ask_listing: bool = False
    #: Seconds after which to look again.
    delay: float = 0.0
    #: Whether a write was reported a moment ago: it may not be there *yet*.
    not_yet: bool = False
    #: For the record and for people.
    why: str = ""


def finding(life: Life, now: float) -> Finding:
    """Of a resource for which ARM answers 404 now; `life` includes that answer."""
    age = max(now - life.written, 0.0)
    if life.written > life.deleted and age < WRITE_LAG:
        delay = min(max(age / 3, _FIRST_DELAY), SECOND_LOOK)
        why = "it was written a moment ago, and may not be there for every replica of ARM yet"
        return Finding(False, delay=delay, not_yet=True, why=why)
    if life.deleted and life.deleted >= max(life.written, life.alive):
        lagging = now - life.deleted < LISTING_LAG
        return Finding(True, ask_listing=not lagging, why="ARM answers 404, after a delete event")
    left = life.missing + SECOND_LOOK - now
    if left > 0:
        why = "ARM answers 404, and nothing else says yet that it is gone"
        return Finding(False, delay=left, why=why)
    why = "ARM answers 404, as it did a minute ago and more"
    return Finding(True, ask_listing=True, why=why)


def listed_delay(life: Life, now: float) -> float:
    """Seconds after which to look again at what ARM misses and a listing shows."""
    return min(max((now - life.missing) / 2, SECOND_LOOK), _LONGEST_DELAY)
