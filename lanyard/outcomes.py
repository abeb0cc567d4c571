"""What became of the actions of a plan."""

from collections.abc import Awaitable, Iterable
from dataclasses import dataclass
from typing import Any

from lanyard.actions import Action
from lanyard.errors import Permanent, Temporary


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
