"""Which removals no undo takes back, as far as the record shows it: who had the access is gone, or
what was removed ended with it. Pure.
"""

from collections.abc import Iterable

from lanyard.planning.actions import gone_principal
from lanyard.record.removal_history import Past
from lanyard.values.removed import (
    Became,
    RemovedAssignment,
    RemovedAttachment,
    RemovedIdentity,
    Taken,
)


def departed(every: Iterable[Past]) -> frozenset[str]:
    """The principals (object ids) that are gone by these: of identities that were deleted, and of
    those whose assignments went because they were.
    """
    return frozenset(filter(None, map(_gone, every)))


def why_not_undone(past: Past, gone: frozenset[str]) -> str:
    """Why nothing puts it back, for people; "" where an undo may. `gone`: see `departed`."""
    match past.recorded.decision.removed:
        case RemovedAssignment() as removed if removed.whole and removed.grant.principal_id in gone:
            return "its principal is gone"
        case RemovedAttachment(identity=""):
            return "a system-assigned identity that ended has another principal when it is back"
        case RemovedAttachment(taken=Taken.DANGLING):
            return "its identity was gone already"
        case RemovedAttachment(principal_id=principal) if principal in gone:
            return "its identity is gone"
        case RemovedIdentity():
            return "one made under its name has another principal"
        case _:
            return ""


def _gone(past: Past) -> str:
    decision = past.recorded.decision
    if past.became is not Became.DONE:
        return ""
    if isinstance(decision.removed, RemovedIdentity):
        return decision.removed.principal_id
    return gone_principal(decision.key)
