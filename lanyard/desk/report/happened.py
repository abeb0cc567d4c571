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
    #: It was there, made for another resource or by somebody else, and serves this one.
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


#: What became of a removal that took nothing away. One that is under way, or was cut off, may have.
_NOT_TAKEN = frozenset({Became.FAILED, Became.GIVEN_BACK})
#: With which a role was given that no assignment had to be made for.
_WAS_THERE = frozenset({Result.ALREADY_ASSIGNED, Result.NOT_OURS})
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
        """Whether no event led to it: a sweep saw that something was not as the policy says. What
        it asks for names the version of the policy, also where it is tried again.
        """
        return bool(self.recorded.decision.cause.get("policy"))


def lines(recorded: Sequence[Recorded]) -> list[Line]:
    """Those that a report is about, in their order. What became of a removal is on a later one."""
    return list(_lines(past_of(recorded)))


def _lines(past: Iterable[Past]) -> Iterator[Line]:
    made: set[tuple[str, str]] = set()
    for each in past:
        recorded, became = each.recorded, each.became
        removed = recorded.decision.removed
        if removed is not None and became is not None:
            happening = Happening.NOT_REMOVED if became in _NOT_TAKEN else Happening.REMOVED
            yield Line(happening, recorded, _REMOVED[removed.kind], became)
        elif (found := _happening(each)) is not None:
            what, once = given_by(recorded.decision.key), _once(recorded)
            if found is Happening.GIVEN and what is Given.IDENTITY:
                found = Happening.SHARED if once in made else found
                made.add(once)
            yield Line(found, recorded, what)


def _once(recorded: Recorded) -> tuple[str, str]:
    """Of an identity that was made: which, and with which principal. Several resources that need it
    at the same time have it made once, and each on record.
    """
    return recorded.decision.key, recorded.decision.reason


def _happening(past: Past) -> Happening | None:
    """None for what is no end of anything, what was intended or is tried again, and for the end of
    a removal, which has its line.
    """
    recorded, decision = past.recorded, past.recorded.decision
    given = given_by(decision.key)
    if decision.key == SWEEP:
        return Happening.SWEPT
    if decision.action in (POLICY_CHANGED, REFUSED):
        return Happening.POLICY
    match decision.outcome:
        case "held":
            return Happening.HELD
        case "failed" if not past.shown_elsewhere:
            return Happening.FAILED
        # What a person takes away by `lanyard uninstall` has the key of what takes it away.
        case "done" if not recorded.client_id and not decision.key:
            return Happening.DECIDED
        case "done" if given is not None:
            return Happening.SHARED if decision.reason in _WAS_THERE else Happening.GIVEN
        case _:
            return None
