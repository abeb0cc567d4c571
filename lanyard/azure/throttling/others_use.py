"""How many others use the same quota, as far as answers show. Pure: times are given."""

from dataclasses import dataclass, field

# What was measured before counts so much less with each answer.
_FADES = 0.9


@dataclass(slots=True, kw_only=True)
class Use:
    """Of one bucket."""

    #: How many tokens it holds.
    size: int
    #: How many come back a second.
    per_second: float
    #: This instance's part (above 0, to 1) of what everybody takes from it.
    share: float = 1.0
    #: What the last answer showed: tokens left, of which taken token of ours, and when.
    _remaining: float = field(init=False)
    _taken: int = field(init=False, default=0)
    _at: float | None = field(init=False, default=None)
    #: Tokens that this instance, and that everybody took; older ones count less.
    _own: float = field(init=False, default=0.0)
    _all: float = field(init=False, default=0.0)

    def __post_init__(self) -> None:
        """Nothing is known before the first answer."""
        self._remaining = self.size

    def heed(self, remaining: float, taken: int, now: float) -> None:
        """An answer to the call that took this instance's `taken`th token shows what is left."""
        if taken < self._taken:
            return  # it was overtaken by a later one
        if self._at is not None:
            self._count(remaining, taken - self._taken, now - self._at)
        self._remaining, self._taken, self._at = remaining, taken, now

    def _count(self, remaining: float, own: int, passed: float) -> None:
        refilled = min(self.size, self._remaining + passed * self.per_second)
        self._own = self._own * _FADES + own
        self._all = self._all * _FADES + max(refilled - remaining, own)
        if self._own:
            self.share = self._own / self._all
