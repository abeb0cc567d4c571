"""What one reconcile did, and when the resource is to be looked at again."""

from collections.abc import Iterable
from dataclasses import dataclass

from lanyard.planning.attempts import is_refused
from lanyard.planning.outcomes import Outcome
from lanyard.values.errors import AtWork, Because, ComesWith, NotYet, Refused, Temporary
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one reconcile did."""

    outcomes: tuple[Outcome, ...] = ()
    #: Resources that it found to need a look.
    look_at: tuple[ResourceId, ...] = ()
    #: The seconds after which it wants to run again.
    retry_in: float | None = None
    #: Whether that is because something failed, or only because time must pass.
    failing: bool = False
    #: The resource is no more.
    gone: bool = False
    #: The keys of what waits for a person or a change, where nothing else was looked at.
    held: tuple[str, ...] = ()
    #: The work of somebody else that a write waits for, where nothing failed.
    at_work: AtWork | None = None


def report_of(
    outcomes: list[Outcome], look_at: Iterable[ResourceId] = (), *, gone: bool = False
) -> Report:
    """What failed asks for the longest delay, what only waits for the shortest."""
    refused = any(map(is_refused, outcomes))
    waits = [
        o
        for o in outcomes
        # What waits for something that is refused comes back with that, at the sweep's intervals.
        if isinstance(o.failure, Temporary)
        and not is_refused(o)
        and not (refused and _waits_for_another(o))
    ]
    failing = [o for o in waits if not isinstance(o.failure, NotYet)]
    delays = [o.failure.delay for o in failing or waits if isinstance(o.failure, Temporary)]
    retry_in = (max if failing else min)(delays, default=None)
    at_work = next((o.failure for o in waits if isinstance(o.failure, AtWork)), None)
    return Report(
        outcomes=tuple(outcomes),
        look_at=tuple(look_at),
        retry_in=retry_in,
        failing=bool(failing),
        gone=gone,
        at_work=None if failing else at_work,
    )


def _waits_for_another(outcome: Outcome) -> bool:
    failure = outcome.failure
    waits = isinstance(failure, Refused) and failure.because is Because.WAITS
    return waits or isinstance(failure, ComesWith)
