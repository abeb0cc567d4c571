"""What became of the actions of a plan."""

from collections.abc import Awaitable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lanyard.planning.actions import Action, AssignRole
from lanyard.values.compute import PrincipalRef
from lanyard.values.errors import Permanent, Temporary
from lanyard.values.grants import Grant
from lanyard.values.removed import Became, Removed


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an action. `failure` is None where it was done."""

    action: Action
    detail: str = ""
    failure: Temporary | Permanent | None = None


async def attempt(action: Action, work: Awaitable[str]) -> Outcome:
    """Do the work of one action; its failure is its outcome and stops nothing else."""
    try:
        return Outcome(action, await work)
    except (Temporary, Permanent) as failure:
        return Outcome(action, failure=failure)


def failed(actions: Iterable[Action], failure: Temporary | Permanent) -> list[Outcome]:
    """The same failure for all of them."""
    return [Outcome(action, failure=failure) for action in actions]


def only[T](kind: type[T], actions: Iterable[Any]) -> list[T]:
    """The actions of one kind, in their order."""
    return [action for action in actions if isinstance(action, kind)]


def status_of(outcome: Outcome) -> str:
    """How the record names an outcome: "done", "failed" for good, or tried again "later"."""
    match outcome.failure:
        case None:
            return "done"
        case Permanent():
            return "failed"
        case Temporary():
            return "later"


@dataclass(frozen=True, slots=True)
class Removal:
    """One that went on record, right before it was to be done, as the decision with this id."""

    action: Action
    removed: Removed
    evidence: tuple[str, ...]
    decision_id: str
    became: Became = Became.INTENDED


@dataclass(frozen=True, slots=True, kw_only=True)
class Effects:
    """What was changed in Azure, as far as the outcomes do not show it themselves.

    `granted`: what each role was claimed as; `made`: those whose assignment did not exist before.
    `principals`: of the identities that the resource has. `removed`: in the order in which it was
    done.
    """

    granted: Mapping[AssignRole, Grant] = field(default_factory=dict)
    made: frozenset[AssignRole] = frozenset()
    principals: Mapping[PrincipalRef, str] = field(default_factory=dict)
    removed: Sequence[Removal] = ()
