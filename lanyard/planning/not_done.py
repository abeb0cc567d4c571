"""What Azure reports as done and does not do. Pure."""

from collections.abc import Iterator

from lanyard.planning.actions import Action
from lanyard.planning.plan import Plan
from lanyard.planning.verdict import Held, Situation
from lanyard.values.errors import Because


def not_done(plan: Plan, situation: Situation) -> Iterator[Held]:
    """What it did not do a few times, as it is on the list: a person has it tried once more."""
    for action in plan.actions:
        if action.key in situation.not_done:
            yield held_as_not_done(action)


def held_as_not_done(action: Action) -> Held:
    """As it is listed."""
    return Held(
        action,
        Because.NOT_DONE,
        "Azure answers 200 and does not do it",
        "see to the resource, then release it: it is tried again",
        True,
    )
