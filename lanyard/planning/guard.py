"""Which actions of a plan may be done now, and why not the others: the order of the checks. Pure.

Each check yields what it holds; the first reason given to an action is the one that is shown.
"""

from collections.abc import Iterable

from lanyard.planning.actions import Action
from lanyard.planning.contested import contested
from lanyard.planning.desired import NOTHING
from lanyard.planning.givers import NOBODY, Givers
from lanyard.planning.in_use import named_in_settings
from lanyard.planning.make_before_break import waiting, without_identity
from lanyard.planning.not_done import not_done
from lanyard.planning.one_identity import (
    before_its_roles,
    more_than_one,
    still_used,
    unaccepted_replacement,
)
from lanyard.planning.orders import Orders
from lanyard.planning.own_principal import own_identity
from lanyard.planning.permitted import (
    dismissed,
    outside_mode,
    paused,
    unknown_principal,
)
from lanyard.planning.permitted_roles import not_to_be_given, standing
from lanyard.planning.plan import Plan
from lanyard.planning.rule_modes import given_by_another_mode, observed
from lanyard.planning.side_effects import (
    imds_default,
    instances_behind,
    reported_only,
    unaccepted_restart,
)
from lanyard.planning.verdict import Held, Situation, Verdict
from lanyard.policy import Policy

_CHECKS = (
    own_identity,
    outside_mode,
    observed,
    given_by_another_mode,
    paused,
    dismissed,
    unknown_principal,
    reported_only,
    not_to_be_given,
    more_than_one,
    unaccepted_replacement,
    before_its_roles,
    unaccepted_restart,
    imds_default,
    contested,
    named_in_settings,
    not_done,
)


def guard(plan: Plan, situation: Situation) -> Verdict:
    """Hold what the mode forbids, and what would break something unless a rule accepts it.

    A person's release outweighs only what says that it may; a dismissed removal stays held.
    """
    held: dict[Action, Held] = {}
    released = situation.orders.released
    for check in _CHECKS:
        _hold(check(plan, situation), held, released)
    _hold(without_identity(plan, held), held, released)
    _hold(instances_behind(plan, situation), held, released)
    made_first = (*waiting(plan, situation, held), *still_used(plan, situation, held))
    _hold(made_first, held, released)
    _hold(without_identity(plan, held), held, released)  # of what waits
    allowed = tuple(action for action in plan.actions if action not in held)
    not_done = tuple(held[action] for action in plan.actions if action in held)
    return Verdict(allowed, (*not_done, *standing(plan, situation)))


def not_given(plan: Plan, situation: Situation) -> dict[Action, Held]:
    """Of what rules ask for, that which the policy does not give, whoever else may: what a change
    would break, and what people ordered, does not count here.
    """
    held: dict[Action, Held] = {}
    for check in (own_identity, outside_mode, observed, not_to_be_given):
        _hold(check(plan, situation), held, frozenset())
    return held


def guard_alone(
    actions: Iterable[Action], policy: Policy, orders: Orders, given_by: Givers = NOBODY
) -> Verdict:
    """The verdict on actions that no resource's plan holds: only what the mode, a pause and a
    person say of them counts.
    """
    situation = Situation(policy, NOTHING, None, orders=orders, given_by=given_by)
    return guard(Plan(tuple(actions)), situation)


def _hold(found: Iterable[Held], held: dict[Action, Held], released: frozenset[str]) -> None:
    """Add what a person did not release, and what nobody may release."""
    for entry in found:
        if not (entry.releasable and entry.action.key in released):
            held.setdefault(entry.action, entry)
