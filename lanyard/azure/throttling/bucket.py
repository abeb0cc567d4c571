"""One of Azure's token buckets, as far as it can be known from outside. Pure: times are given.

The estimate starts at the published size, loses a token with each call, refills at the published
rate, and is corrected by Azure's answers. So it also holds for several instances of the
app, and for others who call with the same quota.
"""

from dataclasses import KW_ONLY, dataclass, field
from math import inf

from lanyard.azure.throttling.others_use import Use

# Of what comes back in the bucket we count on a share. A refusal halves it, because others must be
# taking the rest, and it grows again by so much a second.
_LEAST_SHARE = 1 / 16
_REGAINED = 0.02
# The share of a bucket that is counted on for work that begins while nothing is known of it.
_LEFT_UNKNOWN = 1 / 4
# Nobody is put off for more seconds than this because of others in line.
_LONGEST_LINE = 8.0


@dataclass(frozen=True, slots=True)
class Limit:
    """A bucket as published: its size, and the tokens that come back a second."""

    size: int
    per_second: float


@dataclass(slots=True)
class Bucket:
    """What is known of one. Moments are seconds of any one clock."""

    limit: Limit
    _: KW_ONLY
    #: So many tokens are left to other users of the same quota.
    reserve: float
    #: The moment that the estimate is of; at first, when it is made.
    at: float
    #: So many tokens are counted on until an answer shows how many there are, None once one has: a
    #: hundred new instances must not each believe in a full bucket.
    probes: int | None = None
    #: The estimate; below 0 where tokens to come are promised.
    tokens: float = field(init=False)
    #: How many this instance took in all.
    taken: int = field(init=False, default=0)
    #: What others take of it.
    use: Use = field(init=False)
    #: The share (above 0, to 1) of the refill that is counted on.
    _share: float = field(init=False, default=1.0)
    #: Until then Azure asked to wait.
    _closed_until: float = field(init=False, default=0.0)
    #: When the last caller in line comes back.
    _line: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Full, as far as anybody knows."""
        self.use = Use(size=self.limit.size, per_second=self.limit.per_second)
        self.tokens = self.limit.size if self.probes is None else self.reserve + self.probes

    def wait(self, now: float) -> float:
        """Seconds until a token above the reserve is there."""
        self._refill(now)
        return self._until(self.tokens, 0, now)

    def wait_behind(self, ahead: int, now: float) -> float:
        """As `wait`, behind so many others. Of a bucket of which nothing is known a part may be
        left at first: what is done then shows how much, or nothing ever does (some services do not
        count aloud).
        """
        self._refill(now)
        tokens = self.tokens
        if self.probes is not None:
            tokens = max(tokens, self.limit.size * _LEFT_UNKNOWN - self.taken)
        return self._until(tokens, ahead, now)

    def _until(self, tokens: float, ahead: int, now: float) -> float:
        lacking = self.reserve + 1 + ahead - tokens
        return max(lacking / self._rate, self._closed_until - now, 0.0)

    def take(self) -> int:
        """Take one token, though it be one that is still to come; returns how many were taken."""
        self.tokens -= 1
        self.taken += 1
        return self.taken

    def give_back(self, now: float) -> None:
        """A token is not used after all. One that Azure closed meanwhile has none to give: what is
        there when it opens is known. It stays counted as taken: others' numbers go by that.
        """
        self._refill(now)
        opens_with = self.reserve + 1 - max(self._closed_until - now, 0.0) * self._rate
        self.tokens = min(self.tokens + 1, opens_with if self.is_closed(now) else inf)

    def turn_away(self, wait: float, now: float) -> float:
        """Seconds after which a caller who would `wait` so long comes back, each after the last.

        A long line begins again at its head: what is known now may be wrong in a minute.
        """
        first = now + wait
        moment = self._line if first <= self._line < now + _LONGEST_LINE else first
        self._line = moment + 1 / self._rate
        return moment - now

    def heed(self, remaining: float, taken: int, now: float) -> None:
        """Correct the estimate by an answer to the call that took the `taken`th token.

        Bad news is believed at once, good news by halves: it may be late, or of the bucket of
        another region.
        """
        self._refill(now)
        self.use.heed(remaining, taken, now)
        shown = min(remaining, self.limit.size) - (self.taken - taken)
        if self.probes is not None or shown < self.tokens:
            self.tokens = shown
        else:
            self.tokens += (shown - self.tokens) / 2
        self.probes = None

    def close(self, now: float, seconds: float) -> None:
        """Azure refused a call, and asks to wait so long."""
        self._refill(now)
        self.probes = None
        if self._closed_until <= now:  # of many refusals at the same moment the first one counts
            self._share = max(self._share / 2, _LEAST_SHARE)
        self.tokens = min(self.tokens, self.reserve + 1 - seconds * self._rate)
        self._closed_until = max(self._closed_until, now + seconds)

    def is_closed(self, now: float) -> bool:
        """Whether Azure asked to wait, and that time is not over."""
        return self._closed_until > now

    def level(self, now: float) -> float:
        """The share of it that is left, to 1; below 0 where tokens to come are promised.

        Of one of which nothing is known, what may be left.
        """
        self._refill(now)
        return 1.0 if self.probes is not None else self.tokens / self.limit.size

    def full(self, now: float) -> bool:
        """Whether there is nothing to remember of it."""
        self._refill(now)
        return self.tokens >= self.limit.size and not self.is_closed(now)

    @property
    def _rate(self) -> float:
        return self.limit.per_second * min(self._share, self.use.share)

    def _refill(self, now: float) -> None:
        passed = max(now - self.at, 0.0)
        self.tokens = min(self.limit.size, self.tokens + passed * self._rate)
        self._share = min(self._share + passed * _REGAINED, 1.0)
        self.at = max(now, self.at)
