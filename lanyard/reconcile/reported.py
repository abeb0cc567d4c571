"""What one reconcile did, and when the resource is to be looked at again."""

from collections.abc import Iterable
from dataclasses import dataclass

from lanyard.planning.attempts import is_refused
from lanyard.planning.outcomes import Outcome
from lanyard.values.errors import AtWork, Because, ComesWith, NotYet, Refused, Temporary
from lanyard.values.resource_id import ResourceId


@dataclass(frozen=True, slots=True)
class Report:
    """What one reconcile did.

    `look_at`: resources that it found to need one. `retry_in` is the seconds after which it wants
    to run again; `failing` says whether that is because something failed, or only because time
    must pass. `gone`: the resource is no more. `held`: the keys of what waits for a person or a
    change, where nothing else was looked at. `at_work`: the work of somebody else that a write
    waits for, where nothing failed.
    """

    outcomes: tuple[Outcome, ...] = ()
    look_at: tuple[ResourceId, ...] = ()
    retry_in: float | None = None
    failing: bool = False
    gone: bool = False
    held: tuple[str, ...] = ()
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
        tuple(outcomes),
        tuple(look_at),
        retry_in,
        bool(failing),
        gone,
        at_work=None if failing else at_work,
    )


def _waits_for_another(outcome: Outcome) -> bool:
    failure = outcome.failure
    waits = isinstance(failure, Refused) and failure.because is Because.WAITS
    return waits or isinstance(failure, ComesWith)
