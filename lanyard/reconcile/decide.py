"""The decision about one resource: the plan, and what of it may be done now. Nothing is changed."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from lanyard.planning.actions import AssignRole
from lanyard.planning.desired import Desired
from lanyard.planning.guard import guard
from lanyard.planning.orders import Orders
from lanyard.planning.permitted_roles import not_to_be_given
from lanyard.planning.plan import Actual, Owned, Plan, plan
from lanyard.planning.verdict import Held, RoleKey, Situation, Verdict, role_key
from lanyard.policy import Policy
from lanyard.ports.azure import Assignments
from lanyard.values.errors import Because, Permanent, Temporary
from lanyard.values.grants import Grant
from lanyard.values.permissions import Definition

log = logging.getLogger("lanyard")

#: Provisioning states (lower case) in which ARM refuses or loses an identity write, and the seconds
#: to wait before looking again.
AT_WORK = {
    "creating": 10.0,
    "deleting": 15.0,
    "inprogress": 5.0,  # container apps
    "provisioning": 10.0,
    "updating": 5.0,
}


@dataclass(frozen=True, slots=True)
class Precedents:
    """What was decided and done before about one resource, and by whom, for the guard."""

    orders: Orders = field(default_factory=Orders)
    repairs: Mapping[str, int] = field(default_factory=dict)
    #: The keys of what is on the list of what is held.
    listed: frozenset[str] = frozenset()
    #: Those of them that Azure reports as done and does not do.
    not_done: frozenset[str] = frozenset()
    #: The object id of the app's own identity; "" where it is not known.
    own_principal: str = ""


async def decide(
    policy: Policy,
    wanted: Desired,
    actual: Actual,
    owned: Owned,
    assignments: Assignments,
    precedents: Precedents,
) -> tuple[Plan, Verdict]:
    """Plan and guard, by what `consider` reads."""
    todo, situation = await consider(policy, wanted, actual, owned, assignments, precedents)
    return todo, guard(todo, situation)


async def consider(
    policy: Policy,
    wanted: Desired,
    actual: Actual,
    owned: Owned,
    assignments: Assignments,
    precedents: Precedents,
) -> tuple[Plan, Situation]:
    """The plan, and what the guard looks at beside it. Reads the definitions of the wanted roles,
    and what stands of a privileged one that may not be given again.
    """
    todo = plan(wanted, actual, owned)
    grants = (*wanted.grants, *wanted.kept.grants)
    asked = {role_key(each.role_id, each.scope): each for each in grants}
    roles: dict[RoleKey, Definition] = {}
    unanswered: dict[RoleKey, Temporary] = {}
    for key, each in asked.items():
        try:
            roles[key] = await assignments.definition(each.role_id, each.scope)
        except Temporary as failure:
            unanswered[key] = failure
    situation = Situation(
        policy,
        wanted,
        actual.resource,
        roles=roles,
        unanswered=unanswered,
        granted=owned.grants,
        given_by=owned.given_by,
        orders=precedents.orders,
        repairs=precedents.repairs,
        not_done=precedents.not_done,
        principals=actual.principals,
        own_principal=precedents.own_principal,
    )
    stands = await _standing(not_to_be_given(todo, situation), owned, assignments)
    return todo, replace(situation, granted=situation.granted | stands)


async def _standing(
    refused: Iterable[Held], owned: Owned, assignments: Assignments
) -> frozenset[Grant]:
    """What stands of privileged roles that were given before and are not confirmed any more, and
    how: somebody may have changed the condition, or taken it away. Raises Temporary.
    """
    keys = {
        Grant(held.action.scope, held.action.role_id, held.action.principal_id).key
        for held in refused
        if held.because is Because.PRIVILEGED
        and isinstance(held.action, AssignRole)
        and held.action.principal_id is not None
    }
    found = [await _as_it_is(each, assignments) for each in owned.pending if each.key in keys]
    return frozenset(grant for grant in found if grant is not None)


async def _as_it_is(grant: Grant, assignments: Assignments) -> Grant | None:
    """The grant on the condition that it stands on; None where it does not, or nobody can say."""
    try:
        now = await assignments.giving(grant)
    except Permanent as error:
        log.warning("nobody knows whether %s stands: %s", grant, error)
        return None
    return None if now is None else replace(grant, condition=now.condition)
