"""The decision about one resource: the plan, and what of it may be done now. Nothing is changed."""

from lanyard.actions import AssignRole
from lanyard.desired import Desired
from lanyard.guard import Situation, Verdict, guard
from lanyard.plan import Actual, Owned, Plan, plan
from lanyard.policy import Policy
from lanyard.ports import Assignments
from lanyard.roles import is_built_in

#: Provisioning states (lower case) in which ARM refuses or loses an identity write, and the seconds
#: to wait before looking again.
AT_WORK = {
    "creating": 10.0,
    "deleting": 15.0,
    "inprogress": 5.0,  # container apps
    "provisioning": 10.0,
    "updating": 5.0,
}


async def decide(
    policy: Policy, wanted: Desired, actual: Actual, owned: Owned, assignments: Assignments
) -> tuple[Plan, Verdict]:
    """Plan and guard. Reads the definitions of custom roles, nothing else.

    Raises Temporary, Permanent.
    """
    todo = plan(wanted, actual, owned)
    custom = await _can_write_assignments(todo, assignments)
    return todo, guard(todo, Situation(policy, wanted, actual.resource, custom))


async def _can_write_assignments(todo: Plan, assignments: Assignments) -> frozenset[str]:
    """The custom roles of the plan that could assign roles; built-in ones are known."""
    custom = {
        action.role_id: action.scope
        for action in todo.actions
        if isinstance(action, AssignRole) and not is_built_in(action.role_id)
    }
    check = assignments.can_write_assignments
    return frozenset([role for role, scope in custom.items() if await check(role, scope)])
