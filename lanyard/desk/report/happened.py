"""What happened, line by line of the record: what was given, held and taken away, and what people
decided. Pure.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from lanyard.planning.actions import Given, given_by
from lanyard.record.claims import Result
from lanyard.record.decisions import POLICY_CHANGED, REFUSED, SWEEP, Recorded
from lanyard.record.removal_history import Past, past_of
from lanyard.values.removed import Became


class Happening(StrEnum):
    """What a line of the record comes to."""

    #: Azure was asked to make something, and did.
    GIVEN = "given"
    #: A role assignment was there for another resource, and is this one's, too.
    SHARED = "shared"
    #: It was not done, and waits.
    HELD = "held"
    #: It was taken away, or may have been: no answer came.
    REMOVED = "removed"
    #: It was to be taken away, and was not.
    NOT_REMOVED = "notRemoved"
    FAILED = "failed"
    #: By a person, beside the policy.
    DECIDED = "decided"
    #: Another version of the policy came into force, or was refused.
    POLICY = "policy"
    SWEPT = "swept"


#: What became of a removal that took something away, or may have.
TAKEN = frozenset({Became.DONE, Became.UNKNOWN, Became.UNDONE, Became.WITHDRAWN})
#: What a removal took away, by its kind on record.
_REMOVED = {
    "assignment": Given.ROLE,
    "attachment": Given.ATTACHMENT,
    "identity": Given.IDENTITY,
}


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the record that a report is about."""

    happening: Happening
    recorded: Recorded
    #: What it is about; None where it is neither given nor taken away.
    what: Given | None = None
    #: Of a removal.
    became: Became | None = None

    @property
    def by_sweep(self) -> bool:
        """Whether no event led to it: a sweep saw that something was not as the policy says."""
        return self.recorded.decision.cause.get("source") == "sweep"


def lines(recorded: Sequence[Recorded]) -> list[Line]:
    """Those that a report is about, in their order. What became of a removal is on a later one."""
    return list(_lines(past_of(recorded)))


def _lines(past: Iterable[Past]) -> Iterator[Line]:
    for recorded, became, *_ in past:
        removed = recorded.decision.removed
        if removed is not None and became is not None:
            happening = Happening.REMOVED if became in TAKEN else Happening.NOT_REMOVED
            yield Line(happening, recorded, _REMOVED[removed.kind], became)
        elif (found := _happening(recorded)) is not None:
            yield Line(found, recorded, given_by(recorded.decision.key))


def _happening(recorded: Recorded) -> Happening | None:
    """None for what is no end of anything: what was intended, or is tried again."""
    decision = recorded.decision
    if decision.key == SWEEP:
        return Happening.SWEPT
    if decision.action in (POLICY_CHANGED, REFUSED):
        return Happening.POLICY
    match decision.outcome:
        case "held":
            return Happening.HELD
        case "failed":
            return Happening.FAILED
        case "done" if not recorded.client_id:
            return Happening.DECIDED
        case "done" if given_by(decision.key) is not None:
            shared = decision.reason == Result.ALREADY_ASSIGNED
            return Happening.SHARED if shared else Happening.GIVEN
        case _:
            return None
