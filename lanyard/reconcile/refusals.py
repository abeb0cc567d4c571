"""What of a plan is not done, as it is listed: held by the guard, stopped by the budget or a pause,
or not possible for this resource. Pure.
"""

import hashlib
from collections.abc import Collection, Iterable

from lanyard.planning.actions import Action, AttachIdentity, is_removal
from lanyard.planning.blocked import why_blocked
from lanyard.planning.desired import Desired, Unfulfillable, WantedIdentity
from lanyard.planning.givers import NOBODY, Givers, rules_of
from lanyard.planning.not_done import held_as_not_done
from lanyard.planning.orders import Kind, Refusal
from lanyard.planning.outcomes import Outcome
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Held
from lanyard.values.change import Change
from lanyard.values.errors import (
    Because,
    GivenUp,
    MayPass,
    NoIdentity,
    NotDone,
    Permanent,
    Refused,
    Temporary,
)


def unfulfilled(
    held: tuple[Held, ...], todo: Plan, wanted: Desired, given_by: Givers = NOBODY
) -> list[Refusal]:
    """What is not done although a rule asks for it, or asks for it no more, with the reason and the
    way out; without what is only postponed.
    """
    late = {outcome.action.key for outcome in postponed(held, todo)}
    blocked = [_blocked(identity, todo) for identity in todo.blocked]
    return [
        *(entry.refusal(given_by) for entry in held if entry.action.key not in late),
        *(refusal for refusal in blocked if refusal.key not in late),
        *(_unfulfillable(problem) for problem in wanted.unfulfillable),
    ]


def postponed(held: Iterable[Held], todo: Plan) -> list[Outcome]:
    """What Azure does not answer for just now, as failures that pass: the message comes back for
    it, and all else goes on.
    """
    roles = [Outcome(entry.action, failure=entry.failure) for entry in held if entry.failure]
    failures = ((each, todo.unread.get(each.id)) for each in todo.blocked)
    identities = [
        Outcome(AttachIdentity(identity.id, identity.rules), failure=failure)
        for identity, failure in failures
        if isinstance(failure, Temporary)
    ]
    return [*identities, *roles]


def refused(outcomes: Iterable[Outcome], given_by: Givers = NOBODY) -> list[Refusal]:
    """What was refused when it was about to be done, as it is listed: removals by the budget or a
    pause, grants by what stands in their place.
    """
    return [
        Refusal(
            key=o.action.key,
            because=o.failure.because,
            action=str(o.action),
            reason=str(o.failure),
            release=o.failure.release,
            releasable=o.failure.releasable,
            kind=Kind.REMOVAL if is_removal(o.action) else Kind.ADDITION,
            rules=rules_of(o.action, given_by),
        )
        for o in outcomes
        if isinstance(o.failure, Refused)
    ]


def contradicted(why: Refused) -> Refusal:
    """The end of a resource that ARM does not show and a listing does."""
    return Refusal(
        key="end",
        because=why.because,
        action="take its end as certain",
        reason=str(why),
        release=why.release,
        kind=Kind.REMOVAL,
    )


def waited_for(failures: Iterable[Outcome]) -> list[Refusal]:
    """The additions that failed and that a removal waits for: whoever dismisses one ends that."""
    return [
        Refusal(
            key=o.action.key,
            because=Because.FAILED,
            action=str(o.action),
            reason=f"it failed: {o.failure}",
            release="see to that, it is tried again by itself; or dismiss it, and what waits goes",
            rules=rules_of(o.action, NOBODY),
        )
        for o in failures
        # The budget's and a pause's refusals are listed as such.
        if not isinstance(o.failure, Refused)
    ]


def given_up(
    outcomes: Iterable[Outcome],
    listed: Collection[str],
    change: Change,
    given_by: Givers = NOBODY,
) -> list[Refusal]:
    """What failed for the last time, as it is listed, and what goes on failing of what is on the
    list (`listed`: keys) or was given up before.
    """
    return [
        held_as_not_done(o.action).refusal(given_by)
        if isinstance(o.failure, GivenUp) and isinstance(o.failure.last, NotDone)
        else _failed(o.action, str(o.failure), given_by)
        for o in outcomes
        if isinstance(o.failure, GivenUp)
        or (_fails_by_itself(o.failure) and bool(change.refused))
        or (isinstance(o.failure, MayPass) and o.action.key in listed)
    ]


def _fails_by_itself(failure: Temporary | Permanent | None) -> bool:
    return isinstance(failure, Permanent) and not isinstance(failure, NoIdentity)


def _failed(action: Action, reason: str, given_by: Givers) -> Refusal:
    return Refusal(
        key=action.key,
        because=Because.FAILED,
        action=str(action),
        reason=reason,
        release="see to that: it is tried again at lengthening intervals, and with the next sweep "
        "once the resource, the policy or the app's rights changed",
        kind=Kind.REMOVAL if is_removal(action) else Kind.ADDITION,
        rules=rules_of(action, given_by),
    )


def unfinished(outcomes: Iterable[Outcome]) -> set[str]:
    """The keys of the actions that were allowed and did not succeed."""
    return {outcome.action.key for outcome in outcomes if outcome.failure is not None}


def digest(refusals: Collection[Refusal], answered: Collection[str] = ()) -> str:
    """Changes when the refusals do, or the keys of the entries that stay for their answer alone; ""
    for none.
    """
    if not refusals and not answered:
        return ""
    content = [*sorted((refusal.key, str(refusal)) for refusal in refusals), *sorted(answered)]
    return hashlib.sha256(repr(content).encode()).hexdigest()[:16]


def _blocked(identity: WantedIdentity, todo: Plan) -> Refusal:
    return why_blocked(identity, todo).held(AttachIdentity(identity.id, identity.rules)).refusal()


def _unfulfillable(problem: Unfulfillable) -> Refusal:
    return Refusal(
        key=problem.key,
        because=problem.because,
        action=f"rule {problem.rule}",
        reason=f"{problem.part}: {problem.reason}",
        release=problem.release,
        rules=(problem.rule,),
    )
