"""One of Azure's token buckets, as far as it can be known from outside. Pure: times are given.

The estimate starts at the published size, loses a token with each call, refills at the published
rate, and is corrected by what Azure's answers tell. So it also holds for several instances of the
app, and for others who call with the same quota.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket as published: its size, and the tokens that come back a second."""

    size: int
    per_second: float


@dataclass(slots=True)
class Bucket:
    """`reserve` tokens are left to other users of the same quota. `at`: the moment it is made.

    `probes`: where it is given, so many tokens are counted on until an answer has told how many
    there are: a hundred new instances must not each believe in a full bucket.
    """

    limit: Limit
    reserve: float
    at: float
    probes: int | None = None
    tokens: float = field(init=False)
    taken: int = field(init=False, default=0)
    _closed_until: float = field(init=False, default=0.0)
    _line: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Full, as far as anybody knows."""
        self.tokens = self.limit.size if self.probes is None else self.reserve + self.probes

    def wait(self, now: float) -> float:
        """Seconds until a token above the reserve is there."""
        self._refill(now)
        lacking = self.reserve + 1 - self.tokens
        return max(lacking / self.limit.per_second, self._closed_until - now, 0.0)

    def take(self) -> int:
        """Take one token, though it be one that is still to come; returns how many were taken."""
        self.tokens -= 1
        self.taken += 1
        return self.taken

    def turn_away(self, now: float) -> float:
        """Seconds after which a caller who cannot be served now comes back, each after the last."""
        first = now + self.wait(now)
        moment = max(first, self._line)
        self._line = moment + 1 / self.limit.per_second
        return moment - now

    def heed(self, remaining: float, taken: int, now: float) -> None:
        """Correct the estimate by an answer to the call that took the `taken`th token.

        Bad news is believed at once, good news by halves: it may be late, or of the bucket of
        another region.
        """
        self._refill(now)
        told = min(remaining, self.limit.size) - (self.taken - taken)
        if self.probes is not None or told < self.tokens:
            self.tokens = told
        else:
            self.tokens += (told - self.tokens) / 2
        self.probes = None

    def close(self, now: float, seconds: float) -> None:
        """Azure refused a call, and asks to wait so long."""
        self._refill(now)
        self.probes = None
        self.tokens = min(self.tokens, self.reserve + 1 - seconds * self.limit.per_second)
        self._closed_until = max(self._closed_until, now + seconds)

    def full(self, now: float) -> bool:
        """Whether there is nothing to remember of it."""
        self._refill(now)
        return self.tokens >= self.limit.size and self._closed_until <= now

    def _refill(self, now: float) -> None:
        refilled = self.tokens + max(now - self.at, 0.0) * self.limit.per_second
        self.tokens, self.at = min(self.limit.size, refilled), max(now, self.at)
