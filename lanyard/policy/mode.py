"""How far Lanyard may go, by the policy and by each of its rules."""

from collections.abc import Iterable
from enum import StrEnum


class Mode(StrEnum):
    """How far Lanyard may go. `observe` changes nothing, `add-only` never removes access."""

    OBSERVE = "observe"
    ADD_ONLY = "add-only"
    FULL = "full"


def most_careful(modes: Iterable[Mode]) -> Mode:
    """The one that lets Lanyard do least; FULL of none."""
    order = list(Mode)
    return min(modes, key=order.index, default=Mode.FULL)
