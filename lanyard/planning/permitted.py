"""What the policy and persons do not permit: by its mode, by a pause, by a dismissal, by what it
says of orphans. Pure.
"""

from collections.abc import Iterator

from lanyard.planning.actions import CreateIdentity, RemoveUnknown, takes_away
from lanyard.planning.orders import Paused
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Held, Situation
from lanyard.policy import Mode, RemoveOrphans
from lanyard.values.errors import Because


def outside_mode(plan: Plan, situation: Situation) -> Iterator[Held]:
    """What the policy's mode leaves to people: everything, or what takes away."""
    for action in plan.actions:
        if situation.policy.mode is Mode.OBSERVE:
            yield Held(
                action, Because.MODE, "mode is observe", "set 'mode: add-only' or 'mode: full'"
            )
        elif situation.policy.mode is Mode.ADD_ONLY and takes_away(action):
            yield Held(
                action, Because.MODE, "mode is add-only", "set 'mode: full', or release it", True
            )


def paused(plan: Plan, situation: Situation) -> Iterator[Held]:
    """While a pause is in force: everything, or what takes away."""
    pause = situation.orders.pause
    if pause is None:
        return
    for action in plan.actions:
        if pause.what is Paused.EVERYTHING or takes_away(action):
            yield Held(action, Because.PAUSED, str(pause), "'lanyard resume' goes on")


def dismissed(plan: Plan, situation: Situation) -> Iterator[Held]:
    """What a person wants not to be done. The making of an identity goes on being tried, and is not
    reported: what hangs on it would wait for ever.
    """
    for action in plan.actions:
        by = situation.orders.dismissed.get(action.key)
        if by is not None and not isinstance(action, CreateIdentity):
            yield Held(action, Because.DISMISSED, f"dismissed by {by}", "release it", True)


def unknown_principal(plan: Plan, situation: Situation) -> Iterator[Held]:
    """A principal that the directory does not know, and that was never seen alive: the evidence is
    one source short of what lets other assignments go.
    """
    if situation.policy.orphans.remove is RemoveOrphans.ALL:
        return
    for action in plan.actions:
        if isinstance(action, RemoveUnknown):
            yield Held(
                action,
                Because.UNKNOWN_PRINCIPAL,
                "the directory does not know this principal, and Lanyard never saw it alive",
                "release it, or set 'orphans: {remove: all}'",
                True,
            )
