"""The decision about one resource: the plan, and what of it may be done now. Nothing is changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from lanyard.planning.desired import Desired
from lanyard.planning.guard import guard
from lanyard.planning.orders import Orders
from lanyard.planning.plan import Actual, Owned, Plan, plan
from lanyard.planning.verdict import Situation, Verdict, role_key
from lanyard.policy import Policy
from lanyard.ports.azure import Assignments

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
    """Plan and guard, by what `consider` reads. Raises Temporary."""
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
    nothing else. Raises Temporary.
    """
    todo = plan(wanted, actual, owned)
    grants = (*wanted.grants, *wanted.kept.grants)
    asked = {role_key(each.role_id, each.scope): each for each in grants}
    situation = Situation(
        policy,
        wanted,
        actual.resource,
        roles={
            key: await assignments.definition(each.role_id, each.scope)
            for key, each in asked.items()
        },
        granted=owned.grants,
        orders=precedents.orders,
        repairs=precedents.repairs,
        not_done=precedents.not_done,
        principals=actual.principals,
        own_principal=precedents.own_principal,
    )
    return todo, situation
